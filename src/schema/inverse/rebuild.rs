//! SQLite's way to take a change back that ALTER TABLE cannot: the table as it was under another name, the rows copied, the names
//! changed (manual, "ALTER TABLE", section 7).

use super::{Inverse, Step, Unknown, define, unknown};
use crate::engine::Engine;
use crate::parse::action::{Name, Rule};
use crate::schema::catalog::{HeldConstraint, Key, Leaning, Table};
use crate::schema::naming::rule_columns;

/// What may stand behind the columns, and stands there again.
const OPTIONS: &[&str] = &["strict", "without rowid"];

impl Inverse<'_> {
    /// Leaves a change of `what` to [`Self::rebuild`].
    pub(super) fn only_by_rebuild<T>(&mut self, what: &str) -> Result<T, Unknown> {
        self.needs_rebuild = true;
        unknown(format!("SQLite changes {what} only by a rebuild of its table"))
    }

    /// Rebuilds `new` as `old`; `renamed` are columns of another name now.
    pub(super) fn rebuild(&mut self, old: &Table, new: &Table, renamed: &[(Name, Name)]) -> Result<(), Unknown> {
        let name = &old.name;
        if *name != new.name || !old.known || old.columns.iter().any(|c| c.assumed) {
            return unknown(format!("how {name} was defined before UP is not known"));
        }
        let hanging = self.now.leaning(name).iter().any(|who| match who {
            Leaning::Table(other) => other != name,
            Leaning::User(_) | Leaning::Part(..) => true,
            Leaning::Attribute(_) => false,
        });
        if hanging {
            return unknown(format!("SQLite would have to rebuild {name}, on which other tables, views or triggers lean"));
        }
        let beside = format!("{name}_before");
        if self.now.get(&Key::Table(beside.clone())).is_some() {
            return unknown(format!("SQLite would have to rebuild {name}, and {beside} stands already"));
        }
        let is_now = |before: &Name| renamed.iter().find(|(_, b)| b == before).map_or(before.clone(), |(now, _)| now.clone());
        let (mut into, mut from) = (Vec::new(), Vec::new());
        for column in old.columns.iter().filter(|c| c.def.generated.is_none()) {
            let now = is_now(&column.def.name);
            if new.column(&now).is_none_or(|c| c.values != column.values) {
                return unknown(format!("the values of {name}.{} are gone with UP", column.def.name));
            }
            into.push(column.def.name.clone());
            from.push(now);
        }
        let create = self.create_table(old, &beside)?;
        let (table, beside) = (self.names.name(name), self.names.name(&beside));
        let from = from.iter().map(|c| self.names.part(c)).collect::<Vec<_>>().join(", ");
        for sql in [
            create,
            format!("INSERT INTO {beside} {} SELECT {from} FROM {table}", self.names.list(&into)),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {beside} RENAME TO {table}"),
        ] {
            self.step(Step::AlterColumns, 0, sql);
        }
        for index in &old.indexes {
            match index.def.as_ref().and_then(|def| define::index(def, &index.name, old, &self.names, self.engine)) {
                Some(sql) => self.step(Step::CreateIndexes, 0, sql),
                None => return unknown(format!("how index {} was defined before UP is not known", index.name)),
            }
        }
        Ok(())
    }

    fn create_table(&self, table: &Table, name: &str) -> Result<String, Unknown> {
        let mut options = table.options.clone();
        OPTIONS.iter().for_each(|option| options = options.replace(option, ""));
        let written = |c: &HeldConstraint| c.rule.is_some() && !c.not_valid && c.mode.is_empty();
        if !options.trim().is_empty() || !table.constraints.iter().all(|c| written(c)) {
            return unknown(format!("how {} was defined before UP is not known", table.name));
        }
        // What the author wrote beside a column most likely stood there.
        let beside = |c: &HeldConstraint| c.generated && c.rule.as_ref().is_some_and(|rule| own_column(table, rule, self.engine).is_some());
        let mut parts: Vec<String> = Vec::new();
        for column in &table.columns {
            let mut words = define::column(&column.def, &self.names, self.engine);
            for constraint in table.constraints.iter().filter(|c| beside(c)) {
                let rule = constraint.rule.as_ref().filter(|rule| own_column(table, rule, self.engine) == Some(&column.def.name));
                words.push_str(&match rule {
                    Some(Rule::PrimaryKey(_)) if column.def.identity.is_some() => " PRIMARY KEY AUTOINCREMENT".to_owned(),
                    Some(Rule::PrimaryKey(_)) => " PRIMARY KEY".to_owned(),
                    Some(Rule::Unique(_)) => " UNIQUE".to_owned(),
                    Some(rule @ Rule::ForeignKey { .. }) => {
                        let whole = define::rule(rule, &self.names);
                        whole.split_once(" REFERENCES ").map(|(_, target)| format!(" REFERENCES {target}")).unwrap_or_default()
                    }
                    Some(rule) => format!(" {}", define::rule(rule, &self.names)),
                    None => String::new(),
                });
            }
            parts.push(words.replace(" AUTO_INCREMENT", ""));
        }
        for constraint in table.constraints.iter().filter(|c| !beside(c)) {
            let name = if constraint.generated { String::new() } else { format!("CONSTRAINT {} ", self.names.part(&constraint.name)) };
            parts.extend(constraint.rule.as_ref().map(|rule| format!("{name}{}", define::rule(rule, &self.names))));
        }
        let options = if table.options.is_empty() { String::new() } else { format!(" {}", table.options.to_uppercase()) };
        Ok(format!("CREATE TABLE {} (\n    {}\n){options}", self.names.name(name), parts.join(",\n    ")))
    }
}

/// The one column that a rule speaks of.
fn own_column<'t>(table: &'t Table, rule: &Rule, engine: Engine) -> Option<&'t Name> {
    let words = rule_columns(rule, engine);
    let mut of = words.iter().filter_map(|word| table.column(word)).map(|c| &c.def.name);
    let first = of.next()?;
    of.all(|other| other == first).then_some(first)
}
