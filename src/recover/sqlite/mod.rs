//! The way back on SQLite, from the copy that was made before the migration. In: its UP, the tables of the copy and of the database. Out: what
//! it took away, and for each thing the statements that bring it back; as commands, a runbook.
//!
//! In these statements the database is `main` and the copy is attached as `pin`. Nothing that was written since is written over: lost rows and
//! columns come back where nothing stands, and a value that was changed comes back beside the new one.

mod book;
mod fate;

pub use book::{Numbers, Story, runbook};

use crate::parse::Statement;
use crate::pin::quoted;
use fate::{Fate, fates};

/// A table as a SQLite file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What made it.
    pub sql: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its indexes and triggers that somebody made: name and statement, triggers last.
    pub others: Vec<Other>,
    /// The tables whose rows take its own with them, or change them.
    pub follows: Vec<Follows>,
}

/// A foreign key with an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follows {
    /// The table that it points at.
    pub table: String,
    /// Where a row there is deleted, the row here is as well, by `ON DELETE CASCADE`; else its value is changed.
    pub deleted: bool,
    /// The action is one for a key that is written over, `ON UPDATE`.
    pub on_update: bool,
    /// The column that points there.
    pub column: String,
}

/// An index or a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// What made it.
    pub sql: String,
    /// It is a trigger.
    pub is_trigger: bool,
}

/// A column as `PRAGMA table_xinfo` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as written.
    pub ty: String,
    /// Its place in the primary key, from 1; 0 where it is no part of it.
    pub key: u32,
    /// Its value is computed.
    pub generated: bool,
}

/// Something that the migration took away, and what brings it back. The numbers are asked for in the database before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// What: `table gone`, `column users.fax`.
    pub object: String,
    /// How it comes back, in a few words.
    pub how: String,
    /// A query for how much is lost; where that is nothing, there is nothing to repair.
    pub lost: String,
    /// A query for how much there is to be found afterwards, asked before.
    pub goal: String,
    /// The same, asked afterwards.
    pub found: String,
    /// What brings it back.
    pub statements: Vec<String>,
    /// The triggers that would fire meanwhile, as if an application wrote.
    pub triggers: Vec<Other>,
}

/// `text` as a literal.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// What UP took away from `before`, which is the copy, so far as `now` shows it; `version` names what comes back beside something newer.
pub fn repairs(up: &[Statement], before: &[Table], now: &[Table], version: &str) -> Vec<Repair> {
    let named = |name: &str| now.iter().find(|table| same(&table.name, name));
    let of_fate = |fate: Fate<'_>| match fate.now.as_deref().and_then(named).or_else(|| named(&fate.before.name)) {
        Some(table) => Pair { fate: &fate, table, all: now, version }.repairs(),
        None if fate.now.is_none() => vec![whole(fate.before)],
        // UP left it standing: who took it away since had a reason that is not for us to judge.
        None => Vec::new(),
    };
    fates(up, before).into_iter().flat_map(of_fate).collect()
}

/// What was written since, table by table: what a restore of the whole would lose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// The table.
    pub table: String,
    /// A query for the rows that came since.
    pub inserted: String,
    /// A query for the rows that went since.
    pub deleted: String,
    /// A query for the rows that are others now.
    pub changed: String,
}

/// The questions that tell what was written since, for each table with a key that stands in both under one name.
pub fn since(before: &[Table], now: &[Table]) -> Vec<Since> {
    let mut all = Vec::new();
    for (old, new) in before.iter().filter_map(|old| Some((old, now.iter().find(|new| same(&new.name, &old.name))?))) {
        let stored = |c: &&Column| !c.generated && new.columns.iter().any(|n| same(&n.name, &c.name) && !n.generated);
        let keys: Vec<String> = old.columns.iter().filter(|c| c.key > 0).map(|c| quoted(&c.name)).collect();
        if keys.is_empty() || old.columns.iter().any(|c| c.key > 0 && !stored(&c)) {
            continue;
        }
        let keys = keys.iter().map(|key| format!("n.{key} IS p.{key}")).collect::<Vec<_>>().join(" AND ");
        let differs = old.columns.iter().filter(|c| c.key == 0).filter(stored).map(|c| format!("n.{0} IS NOT p.{0}", quoted(&c.name))).collect::<Vec<_>>();
        let (name, differs) = (quoted(&old.name), if differs.is_empty() { String::from("0") } else { differs.join(" OR ") });
        all.push(Since {
            table: old.name.clone(),
            inserted: format!("SELECT count(*) FROM main.{name} n WHERE NOT EXISTS (SELECT 1 FROM pin.{name} p WHERE {keys})"),
            deleted: format!("SELECT count(*) FROM pin.{name} p WHERE NOT EXISTS (SELECT 1 FROM main.{name} n WHERE {keys})"),
            changed: format!("SELECT count(*) FROM pin.{name} p JOIN main.{name} n ON {keys} WHERE {differs}"),
        });
    }
    all
}

/// The statements of `repairs` in order, with the triggers that would fire put aside.
pub fn script(repairs: &[Repair]) -> Vec<String> {
    let mut triggers: Vec<&Other> = Vec::new();
    for trigger in repairs.iter().flat_map(|repair| &repair.triggers) {
        if !triggers.contains(&trigger) {
            triggers.push(trigger);
        }
    }
    let aside = triggers.iter().map(|trigger| format!("DROP TRIGGER main.{}", quoted(&trigger.name)));
    let again = triggers.iter().map(|trigger| trigger.sql.clone());
    aside.chain(repairs.iter().flat_map(|repair| repair.statements.iter().cloned())).chain(again).collect()
}

/// A table that is gone.
fn whole(table: &Table) -> Repair {
    let name = quoted(&table.name);
    let columns = table.columns.iter().filter(|c| !c.generated).map(|c| quoted(&c.name)).collect::<Vec<_>>().join(", ");
    let mut statements = vec![table.sql.clone(), format!("INSERT INTO main.{name} ({columns}) SELECT {columns} FROM pin.{name}")];
    statements.extend(table.others.iter().map(|other| other.sql.clone()));
    Repair {
        object: format!("table {}", table.name),
        how: String::from("made anew with its rows, indexes and triggers"),
        lost: format!("SELECT count(*) FROM pin.{name}"),
        goal: format!("SELECT count(*) FROM (SELECT DISTINCT {columns} FROM pin.{name})"),
        found: format!("SELECT count(*) FROM (SELECT {columns} FROM pin.{name} INTERSECT SELECT {columns} FROM main.{name})"),
        statements,
        triggers: Vec::new(),
    }
}

/// A table before and after.
struct Pair<'a> {
    fate: &'a Fate<'a>,
    table: &'a Table,
    all: &'a [Table],
    version: &'a str,
}

impl Pair<'_> {
    fn repairs(&self) -> Vec<Repair> {
        let stored = || self.fate.before.columns.iter().filter(|column| !column.generated);
        let (kept, mut lost): (Vec<_>, Vec<_>) = stored().partition(|column| self.column(self.now(&column.name)).is_some());
        // What a later migration took away is not this one's.
        lost.retain(|column| self.fate.took(&column.name));
        let has_key = stored().any(|c| c.key > 0) && lost.iter().all(|c| c.key == 0) && !self.fate.rekeyed;
        if !has_key {
            return self.without_key(&kept, &lost);
        }
        let mut repairs: Vec<Repair> = lost.iter().map(|column| self.column_lost(column)).collect();
        if self.fate.thinned {
            repairs.push(self.rows(&[kept.clone(), lost].concat()));
        }
        let written = kept.iter().filter(|column| self.fate.rewritten && column.key == 0);
        repairs.extend(written.filter_map(|column| self.values(column)));
        repairs
    }

    /// The name now of a column of before.
    fn now<'n>(&'n self, name: &'n str) -> &'n str {
        self.fate.renamed.iter().find(|(old, _)| same(old, name)).map_or(name, |(_, now)| now)
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.table.columns.iter().find(|column| same(&column.name, name))
    }

    fn keys(&self) -> String {
        let keys = self.fate.before.columns.iter().filter(|c| c.key > 0);
        keys.map(|c| format!("n.{} IS p.{}", quoted(self.now(&c.name)), quoted(&c.name))).collect::<Vec<_>>().join(" AND ")
    }

    fn names(&self) -> (String, String) {
        (quoted(&self.fate.before.name), quoted(&self.table.name))
    }

    fn triggers(&self) -> Vec<Other> {
        self.table.others.iter().filter(|other| other.is_trigger).cloned().collect()
    }

    /// A new column of the table that takes the old values of `column` where `wanted`.
    fn filled(&self, column: &Column, name: &str, wanted: &str) -> Vec<String> {
        let ((before, now), keys) = (self.names(), self.keys());
        let (old, new) = (quoted(&column.name), quoted(name));
        vec![
            format!("ALTER TABLE main.{now} ADD COLUMN {new} {}", column.ty).trim_end().to_owned(),
            format!("UPDATE main.{now} AS n SET {new} = p.{old} FROM pin.{before} AS p WHERE {keys} AND {wanted}"),
        ]
    }

    fn column_lost(&self, column: &Column) -> Repair {
        let ((before, now), keys, name) = (self.names(), self.keys(), quoted(&column.name));
        let lost = format!("SELECT count(*) FROM pin.{before} p JOIN main.{now} n ON {keys} WHERE p.{name} IS NOT NULL");
        Repair {
            object: format!("column {}.{}", self.table.name, column.name),
            how: String::from("added again, without NOT NULL or default, and filled by key"),
            found: format!("{lost} AND n.{name} IS p.{name}"),
            goal: lost.clone(),
            lost,
            statements: self.filled(column, &column.name, &format!("p.{name} IS NOT NULL AND n.{name} IS NULL")),
            triggers: self.triggers(),
        }
    }

    /// Values that are others now: who wrote them, the migration or an application since, nobody can tell. Nothing where they stand beside.
    fn values(&self, column: &Column) -> Option<Repair> {
        let ((before, now), keys) = (self.names(), self.keys());
        let (old, new) = (quoted(&column.name), self.now(&column.name));
        let beside = format!("{new}__before_{}", self.version);
        if self.column(&beside).is_some() || self.column(new).is_none_or(|column| column.generated) {
            return None;
        }
        let differs = format!("n.{} IS NOT p.{old}", quoted(new));
        let lost = format!("SELECT count(*) FROM pin.{before} p JOIN main.{now} n ON {keys} WHERE {differs}");
        Some(Repair {
            object: format!("values {}.{new}", self.table.name),
            how: format!("the old ones come back beside the new ones, in the column {beside}"),
            found: format!("{lost} AND n.{} IS p.{old}", quoted(&beside)),
            goal: lost.clone(),
            lost,
            statements: self.filled(column, &beside, &differs),
            triggers: self.triggers(),
        })
    }

    /// Rows that are gone. One that an application deleted since comes back with them.
    fn rows(&self, columns: &[&Column]) -> Repair {
        let ((before, now), keys) = (self.names(), self.keys());
        let into = columns.iter().map(|c| quoted(self.now(&c.name))).collect::<Vec<_>>().join(", ");
        let from = columns.iter().map(|c| format!("p.{}", quoted(&c.name))).collect::<Vec<_>>().join(", ");
        let gone = format!("WHERE NOT EXISTS (SELECT 1 FROM main.{now} n WHERE {keys})");
        Repair {
            object: format!("rows {}", self.table.name),
            how: String::from("put back by key; a row that an application deleted since comes back with them"),
            lost: format!("SELECT count(*) FROM pin.{before} p {gone}"),
            goal: format!("SELECT count(*) FROM pin.{before}"),
            found: format!("SELECT count(*) FROM pin.{before} p JOIN main.{now} n ON {keys}"),
            statements: vec![format!("INSERT INTO main.{now} ({into}) SELECT {from} FROM pin.{before} p {gone}")],
            triggers: self.triggers(),
        }
    }

    /// No key says which old row is which new one, so the old table comes back beside the new one.
    fn without_key(&self, kept: &[&Column], lost: &[&Column]) -> Vec<Repair> {
        let beside = format!("{}__before_{}", self.fate.before.name, self.version);
        if lost.is_empty() && !self.fate.rewritten || self.all.iter().any(|table| same(&table.name, &beside)) {
            return Vec::new();
        }
        let (before, now) = self.names();
        let olds = kept.iter().map(|c| quoted(&c.name)).collect::<Vec<_>>().join(", ");
        let news = kept.iter().map(|c| quoted(self.now(&c.name))).collect::<Vec<_>>().join(", ");
        let values = lost.iter().map(|c| format!("count({})", quoted(&c.name))).collect::<Vec<_>>().join(" + ");
        // Without a lost column, what counts is the rows that are found no more.
        let lost = match values.as_str() {
            "" => format!("SELECT count(*) FROM (SELECT {olds} FROM pin.{before} EXCEPT SELECT {news} FROM main.{now})"),
            values => format!("SELECT {values} FROM pin.{before}"),
        };
        let all = format!("SELECT count(*) FROM pin.{before}");
        vec![Repair {
            object: format!("table {}", self.fate.before.name),
            how: format!("no key leads to its rows, so it comes back whole, beside the new one: {beside}"),
            lost,
            found: format!("SELECT count(*) FROM main.{}", quoted(&beside)),
            goal: all,
            statements: vec![format!("CREATE TABLE main.{} AS SELECT * FROM pin.{before}", quoted(&beside))],
            triggers: Vec::new(),
        }]
    }
}
