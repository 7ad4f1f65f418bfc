//! The runbook for MariaDB. In: pin, backup, what the live server says. Out: a [`Runbook`].

use super::live::{all_lost, repaired};
use super::side::{Programs, command, down, up};
use super::whole::{changed_over, restored};
use super::{BYTES, Live};
use crate::engine::Engine;
use crate::observed::Applied;
use crate::pin::{Binlog, Pin, backquoted};
use crate::recover::lost;
use crate::recover::runbook::{Choice, Fact, Route, Runbook, SCHEMA, by_down, choices, quoted as shell};

/// What a runbook is written from.
pub struct Story<'a> {
    /// MariaDB, or MySQL.
    pub engine: Engine,
    /// The migration, as the history tells of it.
    pub applied: &'a Applied,
    /// Where the database stood before it.
    pub pin: &'a Pin,
    /// Its place in the log.
    pub log: &'a Binlog,
    /// Where the database is, for people.
    pub place: &'a str,
    /// The history table, as SQL names it.
    pub history_table: &'a str,
    /// The folder that mariadb-backup made.
    pub backup: &'a str,
    /// The folder of the binary logs, where they are not where the server writes them.
    pub archive: Option<&'a str>,
    /// Where the second server is to be made.
    pub folder: &'a str,
    /// What the live server says.
    pub live: &'a Live,
    /// How many migrations DOWN goes back, or why it does not lead there.
    pub down: Result<usize, String>,
    /// The way that is asked for; else the first one that leads there.
    pub route: Option<Route>,
}

impl Story<'_> {
    /// Whether our tests have run such commands.
    pub(super) fn proved(&self) -> bool {
        self.engine == Engine::Mariadb
    }

    /// The folder of the binary logs.
    pub(super) fn logs(&self) -> &str {
        self.archive.or(self.log.basename.rsplit_once('/').map(|(folder, _)| folder)).unwrap_or(".")
    }
}

/// Writes it.
pub fn runbook(story: &Story<'_>) -> Runbook {
    let decision = decision(story);
    let (mut commands, mut verification, mut clean_up) = (Vec::new(), Vec::new(), Vec::new());
    match decision.iter().find(|choice| choice.taken).map(|choice| choice.route) {
        Some(Route::Down) => commands = by_down(&story.down),
        Some(Route::SelectiveRepair) => {
            commands = up(story);
            commands.extend(repaired(story));
            verification = all_lost(story).map(|one| one.verification()).collect();
            clean_up = all_lost(story).filter_map(|one| one.clean_up()).collect();
            clean_up.push(down(story));
        }
        Some(Route::Whole) => {
            commands = up(story);
            commands.extend(changed_over(story));
            verification = restored(story);
            let what = "remove the folder of the second server, whose data are the live ones now; the damaged ones stay until you remove them";
            clean_up = vec![command(story, what, format!("rm -rf -- {}", shell(story.folder)), "nothing")];
        }
        Some(Route::RollForward | Route::CompensatingUpdate | Route::Replay) | None => {}
    }
    Runbook {
        schema: SCHEMA,
        version: story.applied.version.clone(),
        name: story.applied.name.clone(),
        engine: story.engine,
        database: story.place.to_owned(),
        stop: [
            "do not run another DOWN, and no migration: `migrate status` shows what stands",
            "let no backup and no binary log expire: no PURGE BINARY LOGS, no RESET MASTER, and binlog_expire_logs_seconds long enough",
            "do not play the log past the migration with a column left out: events of rows name columns by their place, and go into others without an error",
        ]
        .map(String::from)
        .into(),
        facts: facts(story),
        decision,
        commands,
        verification,
        clean_up,
        afterwards: vec![
            String::from("make a full backup: what there was before does not hold what is there now"),
            String::from("what a column brought besides its values (NOT NULL, default, index, comment) is a migration's to add again"),
            String::from("the files do not say that what was lost stands again: write a migration that does, or that drops it for good"),
        ],
    }
}

fn facts(story: &Story<'_>) -> Vec<Fact> {
    let Story { applied, pin, log, live, .. } = story;
    let fact = |what: &str, value: String, query: Option<String>| Fact { what: what.to_owned(), value, query };
    let ran = format!(
        "{} {}, run {} by {} on {}; {}, loss: {}",
        applied.version, applied.name, applied.at, applied.actor, applied.host, applied.verdict, applied.loss
    );
    let kept = if live.log_is_there { "is still kept" } else { "is kept no more" };
    let gtid = log.gtid.as_deref().unwrap_or("none");
    let mut facts = vec![
        fact("the migration", ran, Some(format!("SELECT * FROM {} WHERE seq = {}", story.history_table, applied.seq))),
        fact(
            "the pin",
            format!("{}, {}, GTID {gtid}, {} by the database's clock", log.file, log.position, pin.at),
            Some(format!("SELECT pin FROM {} WHERE seq = {}", story.history_table, applied.seq)),
        ),
        fact(
            "the server",
            format!("{}, server_id {}, data in {}", log.address, log.server_id, log.data_directory),
            Some(String::from("SELECT @@hostname, @@port, @@server_id, @@datadir")),
        ),
        fact("the log", format!("{}; that of the pin {kept}", live.log), Some(String::from("SHOW BINARY LOGS"))),
    ];
    if !pin.exact {
        facts.push(fact("inexact", String::from("what was written between the pin and the migration's first statement is not in what is recovered"), None));
    }
    if let Some(why) = &log.impossible {
        facts.push(fact("no recovery", format!("when the migration ran, {why}"), None));
    }
    for one in &pin.destroys {
        facts.push(fact("destroyed", lost::counted(one), Some(one.counted_mysql(&one.sql(backquoted)))));
    }
    facts.push(fact(
        "a restore of the whole would lose",
        format!("all that was written from {} on", pin.at),
        Some(format!("{} --start-position={} {}/{}", Programs::of(story).binlog, log.position, story.logs(), log.file)),
    ));
    facts.push(fact(
        "time",
        format!("the database has {} bytes; the second server reads the backup, and then the log from its end to the pin", live.bytes),
        Some(BYTES.to_owned()),
    ));
    facts
}

fn decision(story: &Story<'_>) -> Vec<Choice> {
    let lost: Vec<String> = all_lost(story).map(|one| one.how()).collect();
    let in_the_way = match &story.log.impossible {
        Some(why) => Some(format!("the log does not lead there: {why}")),
        None if !story.live.log_is_there && story.archive.is_none() => {
            Some(format!("{} is kept no more on the server: name the folder that holds a copy, with --archive", story.log.file))
        }
        None => None,
    };
    let selective = match &in_the_way {
        Some(why) => (false, why.clone()),
        None if lost.is_empty() => (false, String::from("the pin names nothing that was lost")),
        None => (true, format!("what was written since stays; {}", lost.join("; "))),
    };
    let loses = || String::from("loses all that was written since, in every database of the server; replicas must be made anew");
    let replay = "events of rows name columns by their place: played after a changed table, they go into other columns without an error";
    choices(story.route, &story.down, selective, (in_the_way.is_none(), in_the_way.unwrap_or_else(loses)), replay)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::Direction;
    use crate::observed::Outcome;
    use crate::pin::{Column, Destroyed, Place, What};

    /// No test has run MySQL's commands, and each of them says so.
    #[test]
    fn mysql_has_programs_of_its_own_and_every_command_is_unproved() {
        let column = |name: &str| Column { name: name.to_owned(), ty: String::from("int") };
        let lost = |what, table: &str| Destroyed {
            what,
            schema: String::from("shop"),
            table: table.to_owned(),
            key: vec![column("id")],
            columns: vec![column("a")],
            with: Vec::new(),
            now: None,
            rows: 1,
            estimated: false,
            checksum: Some(String::from("7")),
        };
        let text = String::from;
        let log = Binlog {
            file: text("bin.000001"),
            position: 4,
            gtid: None,
            basename: text("/data/bin"),
            server_uuid: None,
            server_id: 1,
            address: text("db:3306"),
            data_directory: text("/data/"),
            database: text("shop"),
            server_version: text("8.4.0"),
            impossible: None,
        };
        let destroys = vec![lost(What::Table, "gone"), lost(What::Columns, "users"), lost(What::Rows, "parts")];
        let pin = Pin { schema: 1, at: String::new(), exact: false, place: Place::Binlog(log.clone()), destroys };
        let applied = Applied {
            seq: 1,
            version: text("2"),
            name: text("destroy"),
            direction: Direction::Up,
            outcome: Outcome::Done,
            started_at: String::new(),
            at: String::new(),
            actor: String::new(),
            host: String::new(),
            tool_version: String::new(),
            verdict: text("irreversible"),
            loss: text("certain"),
            up_sha256: String::new(),
            up_text: None,
            down_sha256: None,
            down_text: None,
            down_loses: Vec::new(),
            pin: None,
            attestation: None,
            reason: None,
            note: None,
        };
        let live = Live { log_is_there: true, ..Live::default() };
        for (engine, route) in [(Engine::Mysql, Route::SelectiveRepair), (Engine::Mysql, Route::Whole), (Engine::Mariadb, Route::SelectiveRepair)] {
            let story = Story {
                engine,
                applied: &applied,
                pin: &pin,
                log: &log,
                place: "",
                history_table: "h",
                backup: "/b",
                archive: None,
                folder: "/side",
                live: &live,
                down: Err(String::new()),
                route: Some(route),
            };
            let book = runbook(&story);
            let all: Vec<_> = book.commands.iter().chain(&book.verification).chain(&book.clean_up).collect();
            let mysql = engine == Engine::Mysql;
            assert!(all.len() > 10 && all.iter().all(|command| command.proved != mysql), "{engine:?} {route:?}");
            let shell = all.iter().map(|command| command.shell.as_str()).collect::<Vec<_>>().join("\n");
            assert_eq!(shell.contains("mariadb"), !mysql, "{shell}");
            assert_eq!(["mysqld --", "mysqlbinlog ", "xtrabackup ", " mysql --"].iter().all(|program| shell.contains(program)), mysql, "{shell}");
        }
    }
}
