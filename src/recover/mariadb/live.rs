//! What was lost, from the second server back into the live database. In: what the pin says was destroyed. Out: commands that copy it, fill it in by
//! key and in batches, and never over newer values; and those that prove it.

use super::Story;
use super::side::{ask, carried, command, holds};
use crate::pin::{Column, Destroyed, What, backquoted};
use crate::recover::lost;
use crate::recover::runbook::{Command, quoted as shell};

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

    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.one.key.iter().chain(&self.one.columns)
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

    pub(super) fn commands(&self) -> Vec<Command> {
        if self.one.what == What::Table {
            let what = format!("bring back {}", self.how());
            return vec![command(self.story, what, carried(self.story, &self.one.table), "nothing; it is refused where a table of that name stands")];
        }
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
        let (copy, names) = (self.copy(), list(self.columns()));
        let key = if self.has_key() { format!(", PRIMARY KEY ({})", list(&self.one.key)) } else { String::new() };
        let make = format!(
            "CREATE TABLE {} (migrate_place bigint unsigned NOT NULL AUTO_INCREMENT, UNIQUE (migrate_place){key}) ENGINE = InnoDB AS SELECT {names} FROM {}",
            backquoted(&copy),
            self.one.table_mysql()
        );
        let shell = format!("{}\n{}", ask("side", &make), carried(self.story, &copy));
        vec![
            command(self.story, format!("a copy of {} in the live database", self.one.object()), shell, "nothing; it is refused where one stands"),
            holds(self.story, "live", self.one, &backquoted(&copy), "the copy holds"),
        ]
    }

    fn added(&self) -> Command {
        let parts = self.one.columns.iter().map(|column| format!("ADD COLUMN {} {} NULL", backquoted(&self.target(column)), column.ty));
        let sql = format!("SET lock_wait_timeout = 5; ALTER TABLE {} {}", self.one.table_mysql(), parts.collect::<Vec<_>>().join(", "));
        command(self.story, format!("bring back {}; say it again where an application held the table", self.how()), ask("live", &sql), "nothing")
    }

    fn filled(&self) -> Command {
        let filled = self.one.columns.iter().map(|c| format!("n.{} = s.{}", backquoted(&self.target(c)), backquoted(&c.name)));
        // The repair is no change of the row's own.
        let of_table = |[schema, table, _]: &&[String; 3]| *schema == self.one.schema && *table == self.one.table;
        let kept = self.story.live.set_by_change.iter().filter(of_table).map(|[_, _, column]| format!("n.{0} = n.{0}", backquoted(column)));
        let untouched = self.one.columns.iter().map(|c| format!("n.{} IS NULL", backquoted(&self.target(c)))).collect::<Vec<_>>().join(" AND ");
        let sql = format!(
            "UPDATE {} n JOIN {} s ON {} SET {} WHERE {untouched}",
            self.one.table_mysql(),
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
        let (names, table) = (list(self.columns()), self.one.table_mysql());
        let values = self.columns().map(|column| format!("s.{}", backquoted(&column.name))).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "INSERT INTO {table} ({names}) SELECT {values} FROM {} s WHERE NOT EXISTS (SELECT 1 FROM {table} n WHERE {})",
            backquoted(&self.copy()),
            self.keys()
        );
        command(self.story, format!("bring back {}; the table's triggers fire", self.how()), ask("live", &sql), "nothing")
    }

    /// What shows that it is back.
    pub(super) fn verification(&self) -> Command {
        let (one, story) = (self.one, self.story);
        if one.what == What::Table {
            return holds(story, "live", one, &one.table_mysql(), "the live database holds");
        }
        if !self.has_key() {
            return holds(story, "live", one, &backquoted(&self.copy()), "beside the table stands");
        }
        let same = match one.what {
            What::Rows | What::Table => String::from("TRUE"),
            What::Columns | What::Values => {
                one.columns.iter().map(|c| format!("n.{} <=> s.{}", backquoted(&self.target(c)), backquoted(&c.name))).collect::<Vec<_>>().join(" AND ")
            }
        };
        let first = backquoted(&one.key[0].name);
        let sql = format!(
            "SELECT COALESCE(SUM(n.{first} IS NOT NULL AND {same}), 0), COALESCE(SUM(n.{first} IS NOT NULL AND NOT ({same})), 0), \
             COALESCE(SUM(n.{first} IS NULL), 0) FROM {} s LEFT JOIN {} n ON {}",
            backquoted(&self.copy()),
            one.table_mysql(),
            self.keys()
        );
        command(
            story,
            format!("{} is back: rows that are, rows that differ, rows that an application deleted since", one.object()),
            format!("read -r back differ gone <<<\"$({})\"\n{}", ask("live", &sql), lost::proof(one)),
            format!("a number, 0, a number; together {}", one.rows),
        )
    }

    /// What takes the copy away.
    pub(super) fn clean_up(&self) -> Option<Command> {
        let needed = self.one.what != What::Table && self.has_key();
        let sql = || format!("DROP TABLE {}", backquoted(&self.copy()));
        needed.then(|| command(self.story, format!("remove the copy of {}", self.one.object()), ask("live", &sql()), "nothing"))
    }
}
