//! What a migration destroys, by its statements alone. In: its UP. Out: tables, columns, values and rows, by their names before it.

use crate::parse::Statement;
use crate::parse::action::{ColumnChange, OnConflict, Op};
use crate::pin::{Destroys, What};

/// What `up` destroys where it stood before, each thing once; what is not there then is for the database to say.
pub fn destroys(up: &[Statement]) -> Vec<Destroys> {
    let mut names = Names::default();
    let mut all: Vec<Destroys> = Vec::new();
    for op in up.iter().flat_map(|statement| &statement.actions).map(|action| &action.op) {
        let (what, table, columns) = match op {
            Op::RenameTable { from, to } => {
                names.tables.push((from.clone(), to.clone()));
                continue;
            }
            Op::RenameColumn { table, from, to } => {
                names.columns.push((table.clone(), from.clone(), to.clone()));
                continue;
            }
            Op::DropTable { name, .. } => (What::Table, name, Vec::new()),
            Op::DropColumn { table, column, .. } => (What::Columns, table, vec![column]),
            Op::AlterColumn { table, column, change: ColumnChange::SetType { .. } } => (What::Values, table, vec![column]),
            Op::RedefineColumn { table, from, .. } => (What::Values, table, vec![from]),
            Op::Update { table, set, .. } => (What::Values, table, set.iter().map(|(column, _)| column).collect()),
            Op::Delete { table, .. } | Op::Truncate { table, .. } => (What::Rows, table, Vec::new()),
            Op::Insert { table, conflict: OnConflict::Update | OnConflict::Replace, .. } => (What::Rows, table, Vec::new()),
            _ => continue,
        };
        let columns = columns.into_iter().map(|column| names.column(table, column)).collect();
        let one = Destroys { what, table: names.table(table), columns };
        match all.iter_mut().find(|other| other.what == one.what && other.table == one.table) {
            Some(other) => {
                let more = one.columns.into_iter().filter(|column| !other.columns.contains(column)).collect::<Vec<_>>();
                other.columns.extend(more);
            }
            None => all.push(one),
        }
    }
    all
}

/// The renames so far.
#[derive(Default)]
struct Names {
    tables: Vec<(String, String)>,
    columns: Vec<(String, String, String)>,
}

impl Names {
    /// The name before the migration.
    fn table(&self, name: &str) -> String {
        self.tables.iter().rev().fold(name.to_owned(), |name, (from, to)| if name == *to { from.clone() } else { name })
    }

    fn column(&self, table: &str, name: &str) -> String {
        let same = |other: &str| self.table(other) == self.table(table);
        self.columns.iter().rev().fold(name.to_owned(), |name, (of, from, to)| if same(of) && name == *to { from.clone() } else { name })
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
            all.iter().map(|one| format!("{:?} {} {}", one.what, one.table, one.columns.join(","))).collect::<Vec<_>>()
        };
        for (sql, expected) in [
            ("ALTER TABLE t DROP COLUMN a, DROP COLUMN b; DROP TABLE audit.log", &["Columns t a,b", "Table audit.log "][..]),
            ("ALTER TABLE t ALTER COLUMN a TYPE int USING a::int", &["Values t a"]),
            ("ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME COLUMN a TO b; ALTER TABLE u DROP COLUMN b", &["Columns t a"]),
            ("UPDATE t SET a = 1; UPDATE t SET a = 2, b = 3", &["Values t a,b"]),
            ("DELETE FROM t WHERE a = 1; TRUNCATE u", &["Rows t ", "Rows u "]),
            ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2; INSERT INTO t VALUES (2)", &["Rows t "]),
            ("CREATE TABLE t (a int); CREATE INDEX i ON t (a)", &[]),
        ] {
            assert_eq!(of(sql), expected, "{sql}");
        }
    }
}
