//! What was lost, from the second cluster back into the live database. In: what the pin says was destroyed. Out: commands that copy it, fill it
//! in by key and in batches, and never over newer values; and those that prove it.

use super::Story;
use super::side::{ask, command, holds};
use crate::pin::{Column, Destroyed, What, quoted};
use crate::recover::lost;
use crate::recover::runbook::{Command, quoted as shell};
use crate::recover::sqlite::literal;
use std::collections::BTreeSet;

/// How many rows are filled in between two commits.
const BATCH: u32 = 50_000;

/// PostgreSQL cuts longer names.
const LONGEST_NAME: usize = 63;

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
    types_back(story).into_iter().chain(tables_back(story, &tables)).chain(others.iter().flat_map(Lost::commands)).collect()
}

/// The enums and domains of what is lost, where they went with it.
fn types_back(story: &Story<'_>) -> Option<Command> {
    let all: Vec<Lost<'_>> = all_lost(story).collect();
    // Those of PostgreSQL itself stand in the pin without a schema.
    let types: BTreeSet<String> = all
        .iter()
        .flat_map(|lost| lost.one.columns())
        .filter(|column| column.ty.contains('.'))
        .map(|column| literal(column.ty.trim_end_matches("[]")))
        .collect();
    let names = types.into_iter().collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT format(E'SELECT to_regtype(%L) IS NULL AS missing \\\\gset\\n\\\\if :missing\\n%s;\\n\\\\endif', name, CASE typtype WHEN 'e' THEN format('CREATE TYPE %s AS \
         ENUM (%s)', name, (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)) ELSE \
         concat_ws(' ', 'CREATE DOMAIN', name, 'AS', format_type(typbasetype, typtypmod), CASE WHEN typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || \
         typdefault, (SELECT string_agg('CONSTRAINT ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid), ' ') FROM pg_constraint WHERE \
         contypid = t.oid AND contype = 'c')) END) FROM unnest(ARRAY[{names}]) AS name JOIN pg_type t ON t.oid = to_regtype(name) WHERE typtype IN ('e', 'd')"
    );
    let shell = format!("{} |\n    psql -Xq -v ON_ERROR_STOP=1 -d \"$LIVE\"", ask("SIDE", &sql));
    (!names.is_empty()).then(|| command(story, "the enums and domains of what is lost, where they are gone as well", shell, "nothing"))
}

/// All tables in one go: they may point at one another.
fn tables_back(story: &Story<'_>, tables: &[Lost<'_>]) -> Option<Command> {
    let how = tables.iter().map(Lost::how).collect::<Vec<_>>().join("; ");
    let names = tables.iter().map(|lost| format!("-t {}", shell(&lost.one.sql(quoted)))).collect::<Vec<_>>().join(" ");
    (!tables.is_empty()).then(|| {
        command(
            story,
            format!("bring back, in one transaction: {how}"),
            format!("pg_dump -d \"$SIDE\" {names} | psql -Xq -1 -v ON_ERROR_STOP=1 -d \"$LIVE\" -o /dev/null"),
            "nothing; it is refused where a table of that name stands",
        )
    })
}

/// All that is to come back.
pub(super) fn all_lost<'a>(story: &'a Story<'a>) -> impl Iterator<Item = Lost<'a>> {
    lost::all(story.pin).map(move |(one, at)| Lost { story, one, at })
}

fn list(columns: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    columns.into_iter().map(|column| quoted(column.as_ref())).collect::<Vec<_>>().join(", ")
}

impl Lost<'_> {
    /// The table that holds its copy.
    fn copy(&self) -> String {
        let name: String = format!("{}_{}_{}", self.story.applied.version, self.at, self.one.table).chars().take(LONGEST_NAME).collect();
        format!("migrate_recover.{}", quoted(&name))
    }

    fn names(&self) -> String {
        list(self.one.columns().map(|column| &column.name))
    }

    fn has_key(&self) -> bool {
        !self.one.key.is_empty()
    }

    fn keys(&self) -> String {
        lost::keys(self.one, quoted)
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

    fn run(&self, what: String, sql: &str) -> Command {
        let shell = format!("psql -Xq -v ON_ERROR_STOP=1 -d \"$LIVE\" <<'END_OF_SQL'\n{sql}\nEND_OF_SQL");
        command(self.story, what, shell, "nothing")
    }

    fn copied(&self) -> Vec<Command> {
        let columns = self.one.columns().map(|column| format!("{} {}", quoted(&column.name), column.ty)).collect::<Vec<_>>().join(", ");
        let key = if self.has_key() { format!(", PRIMARY KEY ({})", list(self.one.key.iter().map(|key| &key.name))) } else { String::new() };
        let (copy, names) = (self.copy(), self.names());
        // A copy that is all there is must outlive a crash.
        let kind = if self.has_key() { "UNLOGGED TABLE" } else { "TABLE" };
        let make = format!(
            "SET client_min_messages = warning;\nCREATE SCHEMA IF NOT EXISTS migrate_recover;\n\
             CREATE {kind} {copy} ({columns}, migrate_place bigint GENERATED ALWAYS AS IDENTITY UNIQUE{key});"
        );
        let out = ask("SIDE", &format!("COPY (SELECT {names} FROM {}) TO STDOUT", self.one.sql(quoted)));
        vec![
            self.run(format!("a table for the copy of {}", self.one.object()), &make),
            command(self.story, "copy", format!("{out} |\n    {}", ask("LIVE", &format!("COPY {copy} ({names}) FROM STDIN"))), "nothing"),
            self.holds(&copy, "the copy holds"),
        ]
    }

    fn added(&self) -> Command {
        let parts = self.one.columns.iter().map(|column| format!("ADD COLUMN {} {}", quoted(&self.target(column)), column.ty)).collect::<Vec<_>>().join(", ");
        let sql = format!("SET lock_timeout = '5s';\nALTER TABLE {} {parts};", self.one.sql_now(quoted));
        self.run(format!("bring back {}; say it again where an application held the table", self.how()), &sql)
    }

    fn filled(&self) -> Command {
        let set = self.one.columns.iter().map(|c| format!("{} = s.{}", quoted(&self.target(c)), quoted(&c.name))).collect::<Vec<_>>().join(", ");
        let untouched = self.one.columns.iter().map(|c| format!("n.{} IS NULL", quoted(&self.target(c)))).collect::<Vec<_>>().join(" AND ");
        let aside = if self.story.live.superuser { "SET session_replication_role = replica;\n" } else { "" };
        let sql = format!(
            "{aside}SET lock_timeout = '5s';\nDO $fill$\nDECLARE\n    first bigint := 0;\n    last bigint := (SELECT max(migrate_place) FROM {copy});\nBEGIN\n    \
             WHILE first < last LOOP\n        UPDATE {table} AS n SET {set} FROM {copy} s\n            WHERE {keys} AND s.migrate_place > first AND \
             s.migrate_place <= first + {BATCH} AND {untouched};\n        COMMIT;\n        first := first + {BATCH};\n    END LOOP;\nEND\n$fill$;",
            copy = self.copy(),
            table = self.one.sql_now(quoted),
            keys = self.keys(),
        );
        let triggers = if self.story.live.superuser { "triggers are put aside" } else { "the table's triggers fire" };
        self.run(format!("fill in where nothing stands, {BATCH} rows a commit; it may be said again; {triggers}"), &sql)
    }

    fn inserted(&self) -> Command {
        let values = self.one.columns().map(|column| format!("s.{}", quoted(&column.name))).collect::<Vec<_>>().join(", ");
        let names = list(self.one.columns().map(|column| self.one.column_now(&column.name)));
        let sql = format!(
            "INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {copy} s\n    WHERE NOT EXISTS (SELECT FROM {table} n WHERE {keys});",
            table = self.one.sql_now(quoted),
            copy = self.copy(),
            keys = self.keys(),
        );
        self.run(format!("bring back {}; the table's triggers fire", self.how()), &sql)
    }

    /// `table` of the live database holds what the pin counted, or else what the second cluster holds.
    fn holds(&self, table: &str, what: &str) -> Command {
        holds(self.story, "LIVE", self.one, table, what, Some(&ask("SIDE", &self.one.counted(&self.one.sql(quoted)))))
    }

    /// The numbers of rows of the copy whose rows in the live table are as they should be, are others, and are not there.
    fn compared(&self) -> String {
        let (first, same) = (quoted(self.one.column_now(&self.one.key[0].name)), self.equal());
        format!(
            "SELECT count(*) FILTER (WHERE n.{first} IS NOT NULL AND {same}), count(*) FILTER (WHERE n.{first} IS NOT NULL AND NOT ({same})), \
             count(*) FILTER (WHERE n.{first} IS NULL) FROM {} s LEFT JOIN {} n ON {}",
            self.copy(),
            self.one.sql_now(quoted),
            self.keys()
        )
    }

    fn equal(&self) -> String {
        lost::equal(self.one, &self.story.applied.version, LONGEST_NAME, "IS NOT DISTINCT FROM", quoted)
    }

    /// What shows that it is back.
    pub(super) fn verification(&self) -> Command {
        let one = self.one;
        if one.what == What::Table {
            return self.holds(&one.sql(quoted), "the live database holds");
        }
        if !self.has_key() {
            return self.holds(&self.copy(), "beside the table stands");
        }
        let copied = ask("LIVE", &format!("SELECT count(*) FROM {}", self.copy()));
        command(
            self.story,
            format!("{} is back", one.object()),
            format!("IFS='|' read -r back differ gone <<<\"$({})\"\n{}", ask("LIVE", &self.compared()), lost::proof(one, &copied)),
            lost::expected(one),
        )
    }

    /// What takes the copy away, unless it holds old values that stand nowhere else.
    pub(super) fn clean_up(&self) -> Option<Command> {
        let needed = self.one.what != What::Table && self.has_key();
        let drop = format!("DROP TABLE {};", self.copy());
        needed.then(|| match self.one.what {
            What::Rows => {
                let shell = format!(
                    "IFS='|' read -r back differ gone <<<\"$({})\"\nif test \"$differ\" = 0; then {}; else echo \"$differ rows\"; fi",
                    ask("LIVE", &self.compared()),
                    ask("LIVE", &drop)
                );
                let what = format!("remove the copy of {}; it stays where live rows differ from it, for it holds their old values", self.one.object());
                command(self.story, what, shell, "nothing, or how many rows differ")
            }
            _ => self.run(format!("remove the copy of {}", self.one.object()), &drop),
        })
    }
}
