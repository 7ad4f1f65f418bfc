//! How definitions and names were written. In: statements as they come. Out: the statement that made an object, word for word, and
//! a table's name in the case that a server on a file system with cases holds it under.
//!
//! The catalog itself compares even texts, and those are no SQL to hand out: in them comments and line ends of bodies are gone.

use super::naming::words;
use crate::engine::Engine;
use crate::parse::Statement;
use crate::parse::action::{Name, Op};
use crate::parse::even;
use foldhash::HashMap;

/// What was written so far.
#[derive(Default)]
pub(crate) struct Written {
    /// The statement behind each even definition.
    statements: HashMap<String, Box<str>>,
    /// Names of tables that were not written in lower case.
    names: HashMap<Name, Box<str>>,
}

impl Written {
    /// Remembers what `statement` says of objects and tables.
    pub(crate) fn note(&mut self, statement: &Statement, engine: Engine) {
        for action in &statement.actions {
            match &action.op {
                // A password was put out of the definition's sight, and stays out of every report.
                Op::CreateObject { definition, .. } if definition.contains('…') => {}
                // One statement that makes several objects is the text of none.
                Op::CreateObject { definition, .. } if statement.actions.iter().filter(|a| matches!(a.op, Op::CreateObject { .. })).count() == 1 => {
                    self.statements.insert(even::text(definition), statement.text.as_str().into());
                }
                Op::CreateTable(create) if engine != Engine::Postgres => self.note_name(&create.name, &statement.text, engine),
                Op::RenameTable { to, .. } if engine != Engine::Postgres => self.note_name(to, &statement.text, engine),
                _ => {}
            }
        }
    }

    fn note_name(&mut self, name: &Name, text: &str, engine: Engine) {
        if let Some(found) = words(text, engine).find(|word| word.eq_ignore_ascii_case(name)).filter(|word| *word != *name) {
            self.names.insert(name.clone(), found.into_owned().into());
        }
    }

    /// The statement that made what has this even definition.
    pub(crate) fn statement(&self, definition: &str) -> Option<&str> {
        self.statements.get(definition).map(AsRef::as_ref)
    }

    /// The table's name as it was written, where that is not in lower case.
    pub(crate) fn name(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(AsRef::as_ref)
    }
}
