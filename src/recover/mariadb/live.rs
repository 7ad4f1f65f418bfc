//! What was lost, from the second server back into the live database. In: what the pin says was destroyed. Out: commands that copy it, fill it in by
//! key and in batches, and never over newer values; and those that prove it.

use super::Story;
use super::side::{ask, carried, command, holds};
use crate::pin::{Column, Destroyed, What, backquoted};
use crate::recover::lost;
use crate::recover::runbook::{Command, quoted as shell};
use std::collections::BTreeSet;

/// How many rows are filled in at a time.
const BATCH: u32 = 50_000;

/// A name has no more letters.
const LONGEST_NAME: usize = 64;

/// A thing that was destroyed, with the table that it is copied to.
pub(super) struct Lost<'a> {
    story: &'a Story<'a>,
    one: &'a Destroyed,
    /// Its place among them, from 1.
    at: usize,
}

/// What brings all of it back.
pub(super) fn repaired(story: &Story<'_>) -> Vec<Command> {
    let (tables, others): (Vec<Lost<'_>>, Vec<Lost<'_>>) = all_lost(story).partition(|lost| lost.one.what == What::Table);
    tables_back(story, &tables).into_iter().chain(others.iter().flat_map(Lost::commands)).collect()
}

/// All tables of a schema in one go: they may point at one another.
fn tables_back(story: &Story<'_>, tables: &[Lost<'_>]) -> Vec<Command> {
    let schemas: BTreeSet<&str> = tables.iter().map(|lost| lost.one.schema.as_str()).collect();
    let of = |schema: &str| {
        let tables = || tables.iter().filter(|lost| lost.one.schema == schema);
        let how = tables().map(Lost::how).collect::<Vec<_>>().join("; ");
        let shell = carried(story, schema, tables().map(|lost| lost.one.table.as_str()));
        command(story, format!("bring back {how}"), shell, "nothing; it is refused where a table of that name stands")
    };
    schemas.into_iter().map(of).collect()
}

/// All that is to come back.
pub(super) fn all_lost<'a>(story: &'a Story<'a>) -> impl Iterator<Item = Lost<'a>> {
    lost::all(story.pin).map(move |(one, at)| Lost { story, one, at })
}

fn list<'c>(columns: impl IntoIterator<Item = &'c Column>) -> String {
    columns.into_iter().map(|column| backquoted(&column.name)).collect::<Vec<_>>().join(", ")
}

impl Lost<'_> {
    /// The table that holds its copy.
    fn copy(&self) -> String {
        format!("migrate_recover_{}_{}_{}", self.story.applied.version, self.at, self.one.table).chars().take(LONGEST_NAME).collect()
    }

    fn has_key(&self) -> bool {
        !self.one.key.is_empty()
    }

    fn keys(&self) -> String {
        lost::keys(self.one, backquoted)
    }

    fn target(&self, column: &Column) -> String {
        lost::target(self.one, column, &self.story.applied.version, LONGEST_NAME)
    }

    /// What comes back, and how, in a few words.
    pub(super) fn how(&self) -> String {
        lost::how(self.one, &self.copy(), &self.story.applied.version, LONGEST_NAME)
    }

    fn commands(&self) -> Vec<Command> {
        let mut all = self.copied();
        if self.has_key() {
            match self.one.what {
                What::Columns | What::Values => all.extend([self.added(), self.filled()]),
                What::Rows | What::Table => all.push(self.inserted()),
            }
        }
        all
    }

    fn copied(&self) -> Vec<Command> {
        let (copy, names) = (self.copy(), list(self.one.columns()));
        let key = if self.has_key() { format!(", PRIMARY KEY ({})", list(&self.one.key)) } else { String::new() };
        let make = format!(
            "CREATE TABLE {} (migrate_place bigint unsigned NOT NULL AUTO_INCREMENT, UNIQUE (migrate_place){key}) ENGINE = InnoDB AS SELECT {names} FROM {}",
            backquoted(&copy),
            self.one.sql(backquoted)
        );
        let shell = format!("{}\n{}", ask("side", &make), carried(self.story, &self.story.log.database, [copy.as_str()]));
        vec![
            command(self.story, format!("a copy of {} in the live database", self.one.object()), shell, "nothing; it is refused where one stands"),
            self.holds(&backquoted(&copy), "the copy holds"),
        ]
    }

    fn added(&self) -> Command {
        let parts = self.one.columns.iter().map(|column| format!("ADD COLUMN {} {} NULL", backquoted(&self.target(column)), column.ty));
        let sql = format!("SET lock_wait_timeout = 5; ALTER TABLE {} {}", self.one.sql_now(backquoted), parts.collect::<Vec<_>>().join(", "));
        command(self.story, format!("bring back {}; say it again where an application held the table", self.how()), ask("live", &sql), "nothing")
    }

    fn filled(&self) -> Command {
        let filled = self.one.columns.iter().map(|c| format!("n.{} = s.{}", backquoted(&self.target(c)), backquoted(&c.name)));
        // The repair is no change of the row's own.
        let of_table = |[schema, table, _]: &&[String; 3]| format!("{}.{}", backquoted(schema), backquoted(table)) == self.one.sql_now(backquoted);
        let kept = self.story.live.set_by_change.iter().filter(of_table).map(|[_, _, column]| format!("n.{0} = n.{0}", backquoted(column)));
        let untouched = self.one.columns.iter().map(|c| format!("n.{} IS NULL", backquoted(&self.target(c)))).collect::<Vec<_>>().join(" AND ");
        let sql = format!(
            "UPDATE {} n JOIN {} s ON {} SET {} WHERE {untouched}",
            self.one.sql_now(backquoted),
            backquoted(&self.copy()),
            self.keys(),
            filled.chain(kept).collect::<Vec<_>>().join(", "),
        );
        let batch = format!("{} AND s.migrate_place > %d AND s.migrate_place <= %d + {BATCH}", sql.replace('%', "%%"));
        let shell = format!(
            "last=$({})\nfor ((first = 0; first < last; first += {BATCH})); do live -e \"$(printf {} \"$first\" \"$first\")\"; done",
            ask("live", &format!("SELECT MAX(migrate_place) FROM {}", backquoted(&self.copy()))),
            shell(&batch)
        );
        command(self.story, format!("fill in where nothing stands, {BATCH} rows at a time; it may be said again; the table's triggers fire"), shell, "nothing")
    }

    fn inserted(&self) -> Command {
        let names = self.one.columns().map(|column| backquoted(self.one.column_now(&column.name))).collect::<Vec<_>>().join(", ");
        let table = self.one.sql_now(backquoted);
        let values = self.one.columns().map(|column| format!("s.{}", backquoted(&column.name))).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "INSERT INTO {table} ({names}) SELECT {values} FROM {} s WHERE NOT EXISTS (SELECT 1 FROM {table} n WHERE {})",
            backquoted(&self.copy()),
            self.keys()
        );
        command(self.story, format!("bring back {}; the table's triggers fire", self.how()), ask("live", &sql), "nothing")
    }

    /// `table` of the live database holds what the pin counted, or else what the second server holds.
    fn holds(&self, table: &str, what: &str) -> Command {
        holds(self.story, "live", self.one, table, what, Some(&ask("side", &self.one.counted_mysql(&self.one.sql(backquoted)))))
    }

    /// The numbers of rows of the copy whose rows in the live table are as they should be, are others, and are not there.
    fn compared(&self) -> String {
        let first = backquoted(self.one.column_now(&self.one.key[0].name));
        let same = lost::equal(self.one, &self.story.applied.version, LONGEST_NAME, "<=>", backquoted);
        format!(
            "SELECT COALESCE(SUM(n.{first} IS NOT NULL AND {same}), 0), COALESCE(SUM(n.{first} IS NOT NULL AND NOT ({same})), 0), \
             COALESCE(SUM(n.{first} IS NULL), 0) FROM {} s LEFT JOIN {} n ON {}",
            backquoted(&self.copy()),
            self.one.sql_now(backquoted),
            self.keys()
        )
    }

    /// What shows that it is back.
    pub(super) fn verification(&self) -> Command {
        let one = self.one;
        if one.what == What::Table {
            return self.holds(&one.sql(backquoted), "the live database holds");
        }
        if !self.has_key() {
            return self.holds(&backquoted(&self.copy()), "beside the table stands");
        }
        let copied = ask("live", &format!("SELECT COUNT(*) FROM {}", backquoted(&self.copy())));
        command(
            self.story,
            format!("{} is back", one.object()),
            format!("read -r back differ gone <<<\"$({})\"\n{}", ask("live", &self.compared()), lost::proof(one, &copied)),
            lost::expected(one),
        )
    }

    /// What takes the copy away, unless it holds old values that stand nowhere else.
    pub(super) fn clean_up(&self) -> Option<Command> {
        let needed = self.one.what != What::Table && self.has_key();
        let drop = ask("live", &format!("DROP TABLE {}", backquoted(&self.copy())));
        needed.then(|| match self.one.what {
            What::Rows => {
                let shell = format!(
                    "read -r back differ gone <<<\"$({})\"\nif test \"$differ\" = 0; then {drop}; else echo \"$differ rows\"; fi",
                    ask("live", &self.compared())
                );
                let what = format!("remove the copy of {}; it stays where live rows differ from it, for it holds their old values", self.one.object());
                command(self.story, what, shell, "nothing, or how many rows differ")
            }
            _ => command(self.story, format!("remove the copy of {}", self.one.object()), drop, "nothing"),
        })
    }
}
