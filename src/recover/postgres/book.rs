//! The runbook for PostgreSQL. In: pin, backup, what the live database says. Out: a [`Runbook`].

use super::live::{all_lost, repaired};
use super::side::{ask, command, down, holds, place, up};
use super::{ARCHIVED, Live, Source, wal_bytes, written};
use crate::engine::Engine;
use crate::observed::Applied;
use crate::pin::{Pin, Wal, quoted};
use crate::recover::lost;
use crate::recover::runbook::{Choice, Command, Fact, Route, Runbook, SCHEMA, by_down, choices, quoted as shell};

/// What a runbook is written from.
pub struct Story<'a> {
    /// The migration, as the history tells of it.
    pub applied: &'a Applied,
    /// Where the database stood before it.
    pub pin: &'a Pin,
    /// Its place in the log.
    pub wal: &'a Wal,
    /// Where the database is, for people.
    pub place: &'a str,
    /// The history table, as SQL names it.
    pub history_table: &'a str,
    /// The backup.
    pub source: &'a Source,
    /// Where the second cluster is to be made.
    pub folder: &'a str,
    /// What the live database says.
    pub live: &'a Live,
    /// How many migrations DOWN goes back, or why it does not lead there.
    pub down: Result<usize, String>,
    /// The way that is asked for; else the first one that leads there.
    pub route: Option<Route>,
}

impl Story<'_> {
    /// Whether our tests have run such commands: to a restore point, and from a base backup to a place in the log as well.
    pub(super) fn proved(&self) -> bool {
        match self.source {
            Source::BaseBackup { of_folder, .. } => *of_folder,
            Source::PgBackRest { .. } => self.wal.restore_point.is_some(),
        }
    }

    /// The folder of the live cluster's data.
    fn data(&self) -> Option<&str> {
        self.live.data_directory.as_deref().or(self.wal.data_directory.as_deref())
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
            commands.extend(story.data().map(|data| changed_over(story, data)).unwrap_or_default());
            verification = restored(story);
            clean_up = vec![command(
                story,
                "remove the folder of the second cluster, whose data are the live ones now; the damaged cluster stays until you remove it",
                format!("rm -rf -- {}", shell(story.folder)),
                "nothing",
            )];
        }
        Some(Route::RollForward | Route::CompensatingUpdate | Route::Replay) | None => {}
    }
    Runbook {
        schema: SCHEMA,
        version: story.applied.version.clone(),
        name: story.applied.name.clone(),
        engine: Engine::Postgres,
        database: story.place.to_owned(),
        stop: [
            "do not run another DOWN, and no migration: `migrate status` shows what stands",
            "let no backup and no segment of the log expire: stop what removes old ones",
            "do not rewrite the tables (VACUUM FULL, CLUSTER): until then, the bytes of a dropped column are still in them",
            "let nothing recovered archive: a second branch in the archive leads a later restore astray, without an error",
        ]
        .map(String::from)
        .into(),
        facts: facts(story),
        decision,
        commands,
        verification,
        clean_up,
        afterwards: vec![
            String::from("make a full backup: after a restore of the whole the timeline is another one, and what attested the old backup is void"),
            String::from(
                "what a column brought besides its values (NOT NULL, default, index, comment) is a migration's to add again; `pg_dump -s` of both shows it",
            ),
            String::from("the files do not say that what was lost stands again: write a migration that does, or that drops it for good"),
        ],
    }
}

fn facts(story: &Story<'_>) -> Vec<Fact> {
    let Story { applied, pin, wal, live, .. } = story;
    let fact = |what: &str, value: String, query: Option<String>| Fact { what: what.to_owned(), value, query };
    let ran = format!(
        "{} {}, run {} by {} on {}; {}, loss: {}",
        applied.version, applied.name, applied.at, applied.actor, applied.host, applied.verdict, applied.loss
    );
    let point = wal.restore_point.as_ref().map_or_else(|| String::from("no restore point"), |name| format!("restore point {name}"));
    let cluster = "SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()";
    let mut facts = vec![
        fact("the migration", ran, Some(format!("SELECT * FROM {} WHERE seq = {}", story.history_table, applied.seq))),
        fact(
            "the pin",
            format!("{point}, {} in {}, timeline {}, {} by the database's clock", wal.lsn, wal.wal_file, wal.timeline, pin.at),
            Some(format!("SELECT pin FROM {} WHERE seq = {}", story.history_table, applied.seq)),
        ),
        fact("the cluster", format!("{}, timeline {} now", wal.system_identifier, live.timeline), Some(cluster.to_owned())),
        fact(
            "the archive",
            format!("{}; the pin's segment is {}", live.archived, if live.pin_archived { "in it" } else { "not known to be in it" }),
            Some(ARCHIVED.to_owned()),
        ),
    ];
    if !pin.exact {
        facts.push(fact("inexact", String::from("what was written between the pin and the migration's first statement is not in what is recovered"), None));
    }
    if let Some(why) = &wal.impossible {
        facts.push(fact("no recovery", format!("when the migration ran, {why}"), None));
    }
    for one in &pin.destroys {
        facts.push(fact("destroyed", lost::counted(one), Some(one.counted(&one.sql(quoted)))));
    }
    facts.push(fact("written since", format!("{} bytes of log", live.wal_bytes), Some(wal_bytes(&wal.lsn))));
    for (table, rows) in live.written.iter().filter(|(_, rows)| *rows != Some(0)) {
        let rows = rows.map_or_else(
            || String::from("too many to count in time"),
            |rows| format!("{rows} rows, those that the migration itself wrote included; deleted ones are not seen"),
        );
        facts.push(fact("written since", format!("{table}: {rows}"), Some(written(table, &wal.xid))));
    }
    facts.push(fact("a restore of the whole would lose", format!("all of that, from {} on", pin.at), None));
    let size = "SELECT pg_database_size(current_database())";
    facts.push(fact(
        "time",
        format!(
            "the database has {} bytes; a recovery reads the backup, and then the log from its start to the pin. The last restore test tells how fast",
            live.bytes
        ),
        Some(size.to_owned()),
    ));
    facts
}

fn decision(story: &Story<'_>) -> Vec<Choice> {
    let lost: Vec<String> = all_lost(story).map(|one| one.how()).collect();
    let in_the_way = story.wal.impossible.as_ref().map(|why| format!("the log was not archived: {why}"));
    let selective = match &in_the_way {
        Some(why) => (false, why.clone()),
        None if lost.is_empty() => (false, String::from("the pin names nothing that was lost")),
        None => (true, format!("what was written since stays; {}", lost.join("; "))),
    };
    let whole = match in_the_way {
        Some(why) => (false, why),
        None if story.data().is_none() => (false, String::from("this user may not know where the cluster's data are (setting data_directory)")),
        None => (true, String::from("loses all that was written since, in every database of the cluster")),
    };
    choices(story.route, &story.down, selective, whole, "PostgreSQL cannot leave a transaction out of its log")
}

/// The recovered cluster takes the place of the live one, which is kept.
fn changed_over(story: &Story<'_>, data: &str) -> Vec<Command> {
    let (live, kept) = (shell(data), shell(&format!("{data}.damaged-{}", story.applied.version)));
    let settings = shell(&format!("{data}/postgresql.auto.conf"));
    // pgBackRest writes its own; the marks are those of the other settings.
    let cut = match story.source {
        Source::BaseBackup { .. } => String::from("-e '/^# migrate recover: begin$/,/^# migrate recover: end$/d'"),
        Source::PgBackRest { .. } => {
            String::from("-E -e '/^# Recovery settings generated by pgBackRest/d' -e '/^(restore_command|recovery_target[a-z_]*|archive_mode) = /d'")
        }
    };
    vec![
        command(story, "stop the second cluster; its data are ready", format!("pg_ctl -D {} -m fast -w stop >/dev/null", place(story, "data")), "nothing"),
        command(
            story,
            "stop every application, and then the live cluster; where a service runs it, through that",
            format!(
                "test ! -e {kept}\noptions=$(sed 's/^[^ ]* //' {})\npg_ctl -D {live} -m fast -w stop >/dev/null",
                shell(&format!("{data}/postmaster.opts"))
            ),
            "nothing",
        ),
        command(
            story,
            "keep the damaged cluster, and put the recovered one into its place",
            format!("mv -- {live} {kept}\nmv -- {} {live}", place(story, "data")),
            "nothing",
        ),
        command(story, "take the recovery's settings away, so that it archives again", format!("sed -i {cut} {settings}"), "nothing"),
        command(
            story,
            "start it; where a service runs it, through that",
            format!("pg_ctl -D {live} -w -l {} -o \"$options\" start >/dev/null", shell(&format!("{data}.recovered.log"))),
            "nothing",
        ),
    ]
}

/// The live cluster is what it was at the pin.
fn restored(story: &Story<'_>) -> Vec<Command> {
    let ran = format!("SELECT count(*) FROM {} WHERE seq >= {}", story.history_table, story.applied.seq);
    let timeline = "SELECT timeline_id > %s FROM pg_control_checkpoint()".replace("%s", &story.wal.timeline.to_string());
    let is = |what: &str, sql: &str, expect: &str| {
        command(story, what, format!("found=$({})\necho \"$found\"\ntest \"$found\" = {expect}", ask("LIVE", sql)), expect)
    };
    let held = story.pin.destroys.iter().filter(|one| one.rows > 0).map(|one| holds(story, "LIVE", one, &one.sql(quoted), "the live database holds", None));
    held.chain([
        is("the migration has not run there", &ran, "0"),
        is("it takes writes", "SELECT pg_is_in_recovery()", "f"),
        is("it is a branch of its own", &timeline, "t"),
        is("it archives", "SELECT current_setting('archive_mode') <> 'off'", "t"),
    ])
    .collect()
}
