//! What a migration destroys, by its statements alone. In: its UP. Out: tables, columns, values and rows, by their names before it.

use crate::parse::Statement;
use crate::parse::action::{ColumnChange, OnConflict, Op};
use crate::pin::{Destroys, What};

/// What `up` destroys where it stood before, each thing once; what is not there then is for the database to say.
pub fn destroys(up: &[Statement]) -> Vec<Destroys> {
    let mut names = Names::default();
    let mut all: Vec<Destroys> = Vec::new();
    for op in up.iter().flat_map(|statement| &statement.actions).map(|action| &action.op) {
        let (table, what): (&String, &[What]) = match op {
            Op::RenameTable { from, to } => {
                names.tables.push((from.clone(), to.clone()));
                continue;
            }
            Op::RenameColumn { table, from, to } => {
                names.columns.push((names.table(table), from.clone(), to.clone()));
                continue;
            }
            Op::DropTable { name, .. } => (name, &[What::Table]),
            Op::DropColumn { table, .. } => (table, &[What::Columns]),
            Op::AlterColumn { table, change: ColumnChange::SetType { .. }, .. } | Op::RedefineColumn { table, .. } | Op::Update { table, .. } => {
                (table, &[What::Values])
            }
            Op::Delete { table, .. } | Op::Truncate { table, .. } => (table, &[What::Rows]),
            // What stands under the same key is written over; REPLACE takes away what stands under another unique key as well.
            Op::Insert { table, conflict: OnConflict::Update, .. } => (table, &[What::Values]),
            Op::Insert { table, conflict: OnConflict::Replace, .. } => (table, &[What::Values, What::Rows]),
            _ => continue,
        };
        let columns: Vec<&String> = match op {
            Op::DropColumn { column, .. } | Op::AlterColumn { column, .. } => vec![column],
            Op::RedefineColumn { from, .. } => vec![from],
            Op::Update { set, .. } => set.iter().map(|(column, _)| column).collect(),
            _ => Vec::new(),
        };
        let table = names.table(table);
        let columns: Vec<String> = columns.into_iter().map(|column| names.column(&table, column)).collect();
        let cascade = matches!(op, Op::Truncate { cascade: true, .. });
        for what in what {
            match all.iter_mut().find(|other| other.what == *what && other.table == table) {
                // No columns are all of them.
                Some(other) if other.columns.is_empty() || columns.is_empty() => {
                    other.columns.clear();
                    other.cascade |= cascade;
                }
                Some(other) => other.columns.extend(columns.iter().filter(|column| !other.columns.contains(column)).cloned().collect::<Vec<_>>()),
                None => all.push(Destroys { what: *what, table: table.clone(), columns: columns.clone(), now: String::new(), renamed: Vec::new(), cascade }),
            }
        }
        if let Op::RedefineColumn { from, column, .. } = op
            && *from != column.name
        {
            names.columns.push((table, from.clone(), column.name.clone()));
        }
    }
    for one in &mut all {
        one.now = names.table_now(&one.table);
        one.renamed = names.renamed(&one.table);
    }
    all
}

/// The renames so far, oldest first.
#[derive(Default)]
struct Names {
    tables: Vec<(String, String)>,
    /// The table by its name before the migration, the column's name before and after.
    columns: Vec<(String, String, String)>,
}

impl Names {
    /// The name before the migration.
    fn table(&self, name: &str) -> String {
        self.tables.iter().rev().fold(name.to_owned(), |name, (from, to)| if name == *to { from.clone() } else { name })
    }

    /// The name after it of the table that had this one before.
    fn table_now(&self, before: &str) -> String {
        self.tables.iter().fold(before.to_owned(), |name, (from, to)| if name == *from { to.clone() } else { name })
    }

    /// The name before the migration; `table` is the table's.
    fn column(&self, table: &str, name: &str) -> String {
        self.of(table).rev().fold(name.to_owned(), |name, (from, to)| if name == *to { from.clone() } else { name })
    }

    /// The names before and after of the table's columns that have another.
    fn renamed(&self, table: &str) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (from, to) in self.of(table) {
            match all.iter_mut().find(|(_, now)| now == from) {
                Some((_, now)) => now.clone_from(to),
                None => all.push((from.clone(), to.clone())),
            }
        }
        all.retain(|(before, now)| before != now);
        all
    }

    fn of(&self, table: &str) -> impl DoubleEndedIterator<Item = (&String, &String)> {
        self.columns.iter().filter(move |(of, ..)| of == table).map(|(_, from, to)| (from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::migration::Script;
    use crate::parse;

    #[test]
    fn what_is_destroyed_has_its_name_from_before() {
        let of = |sql: &str| {
            let all = destroys(&parse::script(&Script::whole(sql), Engine::Postgres));
            let now = |one: &Destroys| {
                let table = Some(format!(" now {}", one.now)).filter(|_| one.now != one.table).unwrap_or_default();
                table + &one.renamed.iter().map(|(before, now)| format!(" {before}={now}")).collect::<String>()
            };
            all.iter().map(|one| format!("{:?} {} {}{}", one.what, one.table, one.columns.join(","), now(one))).collect::<Vec<_>>()
        };
        for (sql, expected) in [
            ("ALTER TABLE t DROP COLUMN a, DROP COLUMN b; DROP TABLE audit.log", &["Columns t a,b", "Table audit.log "][..]),
            ("ALTER TABLE t ALTER COLUMN a TYPE int USING a::int", &["Values t a"]),
            ("ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME COLUMN a TO b; ALTER TABLE u DROP COLUMN b", &["Columns t a now u a=b"]),
            ("ALTER TABLE t RENAME COLUMN id TO key; ALTER TABLE t RENAME COLUMN key TO k; DELETE FROM t; ALTER TABLE t RENAME TO u", &["Rows t  now u id=k"]),
            ("UPDATE t SET a = 1; UPDATE t SET a = 2, b = 3", &["Values t a,b"]),
            ("DELETE FROM t WHERE a = 1; TRUNCATE u", &["Rows t ", "Rows u "]),
            ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2; INSERT INTO t VALUES (2)", &["Values t "]),
            ("UPDATE t SET a = 1; INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2; UPDATE t SET c = 1", &["Values t "]),
            ("CREATE TABLE t (a int); CREATE INDEX i ON t (a)", &[]),
        ] {
            assert_eq!(of(sql), expected, "{sql}");
        }
    }
}
