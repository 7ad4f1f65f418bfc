//! What the parser reads and the engine does not take. In: a statement of DOWN and one thing that it does. Out: why the database refuses
//! it, where that is certain from the words alone.
//!
//! sqlparser reads one language for all engines, so a statement of another engine, or one with a clause that none has, gets through.

use crate::engine::Engine;
use crate::lex::{Kind, Scanner};
use crate::newer;
use crate::parse::Statement;
use crate::parse::action::{Action, Class, ColumnChange, Op};
use crate::schema::catalog::{Catalog, Entry, Key};
use crate::table::{self, Cell};
use crate::target::Target;

/// Why the database refuses `action` of `statement`.
pub(super) fn refusal(catalog: &Catalog, statement: &Statement, action: &Action) -> Option<String> {
    let engine = catalog.engine;
    if action.kind.cell(engine) == Cell::Absent {
        return Some(format!("{engine} has no {}", action.kind.row().name));
    }
    if let Some(why) = too_new(catalog.target(), statement) {
        return Some(why);
    }
    if let Some(operator) = breaks_off(&statement.text, engine) {
        return Some(format!("nothing follows {}", operator.to_uppercase()));
    }
    let several = statement.actions.len() > 1;
    let begins = |word: &str| statement.words().next().is_some_and(|first| first.eq_ignore_ascii_case(word.as_bytes()));
    let has = |word: &str| statement.says(word);
    let why = match &action.op {
        Op::DropIndex { .. } if several && statement.is_concurrent() => "DROP INDEX CONCURRENTLY takes one index at a time".to_owned(),
        Op::DropIndex { .. } if statement.is_concurrent() && has("cascade") => "DROP INDEX CONCURRENTLY takes no CASCADE".to_owned(),
        Op::DropTable { .. } | Op::DropIndex { .. } | Op::DropObject { .. } if engine == Engine::Sqlite && begins("drop") && several => {
            "SQLite drops one thing at a time".to_owned()
        }
        Op::DropTable { .. } | Op::DropIndex { .. } | Op::DropObject { .. } if begins("drop") => {
            let last = String::from_utf8_lossy(statement.words().last().unwrap_or_default()).to_uppercase();
            match (engine, last.as_str()) {
                (_, "CONSTRAINTS") => format!("{engine} has no CASCADE CONSTRAINTS"),
                (Engine::Sqlite, "CASCADE" | "RESTRICT") => format!("SQLite's DROP has no {last}"),
                (Engine::Mysql | Engine::Mariadb, _) if statement.text.contains('"') => "a name stands in backticks there, and `\"` begins a string".to_owned(),
                _ => return drop_of_sort(catalog, statement, action).or_else(|| trigger_on(engine, action, &has)),
            }
        }
        _ if engine == Engine::Sqlite && several && begins("alter") => "SQLite's ALTER TABLE does one thing at a time".to_owned(),
        Op::RenameTable { .. } if !engine.is_mysql_like() && begins("rename") => format!("{engine} has no RENAME TABLE"),
        Op::RenameTable { .. } if !engine.is_mysql_like() && !has("to") && !has("schema") => "RENAME needs TO".to_owned(),
        Op::AlterColumn { change: ColumnChange::SetType { .. } | ColumnChange::SetNotNull | ColumnChange::DropNotNull, .. }
            if engine.is_mysql_like() && !has("modify") && !has("change") =>
        {
            format!("{engine} changes a column's type by MODIFY or CHANGE")
        }
        Op::Delete { .. } | Op::Update { .. } if engine == Engine::Postgres && has("limit") && limits_rows(&statement.text) => {
            "PostgreSQL's DELETE and UPDATE have no LIMIT".to_owned()
        }
        Op::SetAttribute { attribute, .. } if action.kind == table::Kind::AlterExtension && attribute == "version" => {
            format!("extension {} brings no script that leads back to an older version", action.object)
        }
        _ => return None,
    };
    Some(why)
}

/// What the stated release of the server does not have yet.
pub(super) fn too_new(target: Target, statement: &Statement) -> Option<String> {
    let newer = newer::than(target, &statement.text)?;
    let stated = target.stated.map(|release| release.to_string()).unwrap_or_default();
    Some(format!("{} {stated} has no {}: it came with {}", target.engine, newer.what, newer.since))
}

/// DROP FUNCTION of a procedure, and the other way round.
fn drop_of_sort(catalog: &Catalog, statement: &Statement, action: &Action) -> Option<String> {
    let Op::DropObject { class: Class::Routine, name, .. } = &action.op else { return None };
    let Some(Entry::Object(object)) = catalog.get(&Key::Object(Class::Routine, name.clone(), None)) else { return None };
    let head = object.definition.as_deref()?.split('(').next()?;
    let stands = ["function", "procedure"].into_iter().find(|sort| head.split(' ').any(|word| word == *sort))?;
    let said = statement.words().nth(1)?;
    let other = ["function", "procedure"].into_iter().find(|sort| said.eq_ignore_ascii_case(sort.as_bytes()))?;
    (other != stands).then(|| format!("{name} is a {stands}"))
}

/// The first operator behind which a closing bracket or the end stands. No engine takes these words for names, but behind a dot or AS.
fn breaks_off(text: &str, engine: Engine) -> Option<&str> {
    let is = |word: &str, of: &[&str]| of.iter().any(|one| word.eq_ignore_ascii_case(one));
    let (mut before, mut last) = ("", "");
    let is_operator = |before: &str, last: &str| is(last, &["and", "in", "is", "not", "or", "where"]) && !is(before, &[".", "as"]);
    for lexeme in Scanner::new(text, engine) {
        if matches!(lexeme.kind, Kind::Space | Kind::Newline | Kind::LineComment | Kind::BlockComment) {
            continue;
        }
        let piece = &text[lexeme.start..lexeme.end];
        if piece == ")" && is_operator(before, last) {
            return Some(last);
        }
        (before, last) = (last, piece);
    }
    Some(last).filter(|last| is_operator(before, last))
}

/// Only PostgreSQL names a trigger's table.
fn trigger_on(engine: Engine, action: &Action, has: &dyn Fn(&str) -> bool) -> Option<String> {
    let trigger = matches!(&action.op, Op::DropObject { class: Class::Trigger, .. });
    (trigger && engine != Engine::Postgres && has("on")).then(|| format!("DROP TRIGGER takes no ON on {engine}"))
}

/// Whether LIMIT stands outside of every bracket and string.
fn limits_rows(text: &str) -> bool {
    let (mut depth, mut plain) = (0_i32, String::new());
    for (at, part) in text.split('\'').enumerate() {
        for c in part.chars().filter(|_| at % 2 == 0) {
            depth += i32::from(c == '(') - i32::from(c == ')');
            plain.push(if depth == 0 { c } else { ' ' });
        }
    }
    plain.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word.eq_ignore_ascii_case("limit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_that_nothing_follows_is_found() {
        let off = |text| breaks_off(text, Engine::Postgres);
        assert_eq!(off("CREATE INDEX i ON t (a) WHERE b IS -- NOT NULL"), Some("IS"));
        assert_eq!(off("ALTER TABLE t ADD CHECK (a > 0 and)"), Some("and"));
        for whole in ["DELETE FROM t WHERE a IS NOT NULL", "SELECT (t.in), (b AS or) FROM t", "SELECT ('is', \"in\")", "UPDATE t SET a = 'not'"] {
            assert_eq!(off(whole), None, "{whole}");
        }
    }
}
