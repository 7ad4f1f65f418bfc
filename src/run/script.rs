//! Writes cleared steps as a SQL script, for who runs SQL with the plain client alone. In: cleared steps. Out: text that takes the lock, stops where
//! the history is not what it was, and leaves the database and the history as our own run does; but for who ran it, from where and when.

use super::connection::{COMMIT, Connection, Home};
use super::history::{HistoryTable, Record, Who};
use super::segment::{Segment, segments};
use super::{Locked, RunError, journal, leftover, mysql, postgres, sqlite};
use crate::engine::Engine;
use crate::gate::{Cleared, Course, Step};
use crate::observed::{Applied, Outcome};
use std::fmt::Write as _;

/// What the history says of the host: the client's own is not known.
const HOST: &str = "a script of migrate plan";

impl Locked {
    /// The script, with `about` in its first line.
    ///
    /// # Errors
    /// [`RunError::Usage`] where a step needs what a script cannot do: a pin, more of a run that stopped part-way, the end of what it leaves.
    pub async fn script(&mut self, cleared: &Cleared, about: &str) -> Result<String, RunError> {
        let engine = self.connection.engine;
        let steps = cleared.steps();
        for (step, is_last) in steps.iter().zip((1..=steps.len()).map(|at| at == steps.len())) {
            let (way, version, name) = (step.direction.name(), &step.version, &step.name);
            let why = if step.course != Course::Whole {
                format!("it stopped part-way, and a script does not look at what stands; run it with `migrate {way}`")
            } else if step.pin.is_some() {
                format!("it destroys data, and a script can neither make nor record what brings it back; run it with `migrate {way}`")
            } else if !is_last && leftover::endings_for(&step.statements, engine).is_none() {
                String::from(
                    "it leaves a temporary object or an attached file in its session, where the step after it would meet that; write a script that ends with it, and one for the rest",
                )
            } else {
                continue;
            };
            return Err(RunError::Usage(format!("{way} of {version} {name} cannot be a script: {why}")));
        }
        let doing = "writing the script";
        let stands = self.table.exists_beside(&mut self.connection, "").await.map_err(|error| self.connection.refused(doing, &error))?;
        let journalled = self.table.exists_beside(&mut self.connection, journal::SUFFIX).await.map_err(|error| self.connection.refused(doing, &error))?;
        let history = self.table.read(&mut self.connection).await?;
        let who = Who { actor: String::new(), host: HOST.to_owned() };
        let mut script = Script {
            connection: &self.connection,
            table: &self.table,
            who: &who,
            end: delimiter(cleared, engine),
            seq: cleared.head().unwrap_or(0),
            out: String::new(),
        };
        script.head(about, stands, history.last());
        for step in steps {
            script.step(step, journalled);
        }
        script.foot();
        Ok(script.out)
    }
}

/// What ends a statement: on MySQL and MariaDB a body may hold semicolons, so something that no statement holds.
fn delimiter(cleared: &Cleared, engine: Engine) -> &'static str {
    let free = |end: &&str| !cleared.steps().iter().any(|step| step.statements.iter().any(|sql| sql.text.contains(*end)));
    if engine.is_mysql_like() { [";;", "//", "$$", "~~", "@@@@"].into_iter().find(free).unwrap_or("#####") } else { ";" }
}

struct Script<'a> {
    connection: &'a Connection,
    table: &'a HistoryTable,
    who: &'a Who,
    end: &'static str,
    /// The newest history row's number.
    seq: i64,
    out: String,
}

impl Script<'_> {
    fn engine(&self) -> Engine {
        self.connection.engine
    }

    /// Adds a statement; it may end in a comment.
    fn say(&mut self, sql: &str) {
        let _ = writeln!(self.out, "{}\n{}", sql.trim_end(), self.end);
    }

    /// The lock, the guard, and the history table where it is missing.
    fn head(&mut self, about: &str, stands: bool, head: Option<&Applied>) {
        let client = match self.engine() {
            Engine::Sqlite => "sqlite3 FILE <THIS",
            Engine::Postgres => "psql -X -v ON_ERROR_STOP=1 -f THIS",
            Engine::Mysql | Engine::Mariadb => "mariadb DATABASE <THIS",
        };
        let _ = writeln!(self.out, "-- {about}\n-- Run it with: {client}");
        let table = self.table.sql().to_owned();
        // The newest row, word for word: another database may have as many.
        let row = head.map(|row| {
            let same = [("version", row.version.as_str()), ("direction", row.direction.name()), ("up_sha256", row.up_sha256.as_str())];
            let same = same.map(|(column, value)| format!("{column} = {}", self.literal(Some(value)))).join(" AND ");
            format!(" AND (SELECT count(*) FROM {table} WHERE seq = {} AND {same}) = 1", row.seq)
        });
        let as_planned = format!("(SELECT coalesce(max(seq), 0) FROM {table}) = {}{}", head.map_or(0, |row| row.seq), row.unwrap_or_default());
        match self.engine() {
            Engine::Sqlite => {
                self.out += ".bail on\n";
                self.say("CREATE TEMP TABLE migrate_guard (holds INTEGER NOT NULL CONSTRAINT the_history_has_moved_on_since_this_was_planned CHECK (holds))");
                if stands {
                    self.say(&format!("INSERT INTO migrate_guard SELECT {as_planned}"));
                }
            }
            Engine::Postgres => {
                self.out += "\\set ON_ERROR_STOP on\n\\set QUIET on\n";
                let locked =
                    format!("IF NOT pg_try_advisory_lock({}) THEN RAISE EXCEPTION 'another runner holds the lock'; END IF;", postgres::key(self.table));
                self.say(&format!("DO $migrate$ BEGIN {locked} END $migrate$"));
                if stands {
                    let moved = format!("IF NOT {as_planned} THEN RAISE EXCEPTION 'the history has moved on since this was planned'; END IF;");
                    self.say(&format!("DO $migrate$ BEGIN {moved} END $migrate$"));
                }
            }
            Engine::Mysql | Engine::Mariadb => {
                let _ = writeln!(self.out, "DELIMITER {}", self.end);
                self.say("SET NAMES utf8mb4");
                // What is not so makes a query that asks for one row and finds two: the client stops there.
                let check = |what: &str| format!("DO IF({what}, 1, (SELECT 1 UNION SELECT 2))");
                self.out += "-- the lock\n";
                self.say(&check(&format!("GET_LOCK('{}', 30) = 1", mysql::lock_name(self.table))));
                if stands {
                    self.out += "-- the history is what it was when this was planned\n";
                    self.say(&check(&as_planned));
                }
            }
        }
        if !stands {
            // Where it is made meanwhile, this fails, and so it should.
            self.say(&self.table.create_sql(&self.connection.driver));
        }
    }

    fn foot(&mut self) {
        match self.engine() {
            Engine::Sqlite => {}
            Engine::Postgres => self.say(&format!("DO $migrate$ BEGIN PERFORM pg_advisory_unlock({}); END $migrate$", postgres::key(self.table))),
            Engine::Mysql | Engine::Mariadb => self.say(&format!("DO RELEASE_LOCK('{}')", mysql::lock_name(self.table))),
        }
    }

    fn step(&mut self, step: &Step, journalled: bool) {
        let _ = writeln!(self.out, "\n-- {} {} {}", step.direction.name(), step.version, step.name.replace('\n', " "));
        let transactional = self.engine().facts().transactional_ddl;
        let segments = segments(&step.statements, step.in_transaction, transactional);
        if let (true, [] | [Segment::Together(_)]) = (transactional, segments.as_slice()) {
            self.whole(step);
            self.settle(step);
            return;
        }
        self.record(step, Outcome::Started);
        let run = self.seq;
        if !journalled {
            // The step before this one may have made it.
            self.say(&journal::create_sql(self.table, &self.connection.driver).replacen("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1));
        }
        let mut entry = 0;
        for segment in segments {
            match segment {
                Segment::Said(at) => self.say(&step.statements[at].text),
                Segment::Together(range) => {
                    self.say(if self.engine() == Engine::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" });
                    step.statements[range.clone()].iter().for_each(|sql| self.say(&sql.text));
                    self.journal(step, run, &mut entry, range.end, "done");
                    self.say(COMMIT);
                }
                Segment::Alone(range) => {
                    self.journal(step, run, &mut entry, range.end, "begun");
                    step.statements[range.clone()].iter().for_each(|sql| self.say(&sql.text));
                    self.journal(step, run, &mut entry, range.end, "done");
                }
            }
        }
        self.settle(step);
        self.record(step, Outcome::Done);
    }

    /// Ends what the step set for its session, or left in it.
    fn settle(&mut self, step: &Step) {
        if leftover::may_stay(&step.statements) {
            match (self.engine(), &self.connection.home) {
                (Engine::Postgres, _) => self.say(postgres::RESET),
                (Engine::Mysql | Engine::Mariadb, Home::Server(database)) => mysql::own_session(database).iter().for_each(|sql| self.say(sql)),
                (Engine::Sqlite | Engine::Mysql | Engine::Mariadb, _) => {}
            }
        }
        leftover::endings_for(&step.statements, self.engine()).into_iter().flatten().for_each(|sql| self.say(&sql));
    }

    /// One transaction with its history row.
    fn whole(&mut self, step: &Step) {
        let sqlite = self.engine() == Engine::Sqlite;
        let unchecked = sqlite::Unchecked::of(&step.statements, &(0..step.statements.len()));
        if sqlite && unchecked.off {
            self.say("PRAGMA foreign_keys = OFF");
        } else if sqlite {
            self.say("PRAGMA foreign_keys = ON");
        }
        self.say(if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" });
        step.statements.iter().for_each(|sql| self.say(&sql.text));
        if sqlite && unchecked.off {
            self.out += "-- every key points at something\n";
            self.say("INSERT INTO migrate_guard SELECT NOT EXISTS (SELECT 1 FROM pragma_foreign_key_check)");
        }
        self.record(step, Outcome::Done);
        self.say(COMMIT);
    }

    /// The history row, as our own run adds it; the time is the database's.
    fn record(&mut self, step: &Step, outcome: Outcome) {
        self.seq += 1;
        let record = Record { seq: self.seq, outcome, started_at: "", who: self.who, note: step.note.as_deref(), pin: None };
        let (now, user) = (self.now(), self.user());
        let row = self.table.row_sql(step, &record, |name, value| match name {
            "started_at" | "ended_at" => now.to_owned(),
            "actor" => user.to_owned(),
            _ => self.literal(value),
        });
        self.say(&row);
    }

    fn journal(&mut self, step: &Step, run: i64, entry: &mut i64, count: usize, phase: &str) {
        *entry += 1;
        let table = self.table.beside(journal::SUFFIX);
        let row = format!(
            "INSERT INTO {table} (run, entry, statements, phase, at, prefix_sha256, looked_at) VALUES ({run}, {entry}, {count}, '{phase}', {}, '{}', NULL)",
            self.now(),
            step.prefix_sha256(count)
        );
        self.say(&row);
    }

    /// This moment, as the history writes it.
    fn now(&self) -> &'static str {
        match self.engine() {
            Engine::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
            Engine::Postgres => "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
            Engine::Mysql | Engine::Mariadb => "CONCAT(LEFT(DATE_FORMAT(UTC_TIMESTAMP(3), '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z')",
        }
    }

    /// Who runs it.
    fn user(&self) -> &'static str {
        match self.engine() {
            Engine::Sqlite => "'a script'",
            Engine::Postgres => "session_user::text",
            Engine::Mysql | Engine::Mariadb => "CURRENT_USER()",
        }
    }

    fn literal(&self, text: Option<&str>) -> String {
        match (self.engine(), text) {
            (Engine::Sqlite, text) => sqlite::literal(text),
            (Engine::Postgres, text) => postgres::literal(text),
            (_, None) => String::from("NULL"),
            // What a backslash means there, and what the client makes of this script's delimiter, is the session's to say.
            (_, Some(text)) if text.contains(['\\', '\0']) || text.contains(self.end) => format!("CONVERT(X'{}' USING utf8mb4)", hex::encode(text)),
            (_, Some(text)) => format!("'{}'", text.replace('\'', "''")),
        }
    }
}
