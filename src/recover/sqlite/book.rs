//! The runbook for SQLite. In: what the history says, what the copy and the database hold. Out: a [`Runbook`].

use super::{Repair, Since, literal, script};
use crate::engine::Engine;
use crate::observed::Applied;
use crate::pin::{Pin, Snapshot};
use crate::recover::runbook::{Choice, Command, Fact, Route, Runbook, SCHEMA, by_down, choices, quoted as shell};

/// What a runbook is written from.
pub struct Story<'a> {
    /// The migration, as the history tells of it.
    pub applied: &'a Applied,
    /// Where the database stood before it.
    pub pin: &'a Pin,
    /// The copy.
    pub copy: &'a Snapshot,
    /// The database's file.
    pub database: &'a str,
    /// The history table.
    pub history_table: &'a str,
    /// What is lost, with what the database says of it.
    pub repairs: &'a [(Repair, Numbers)],
    /// What was written since: rows that came, went and are others; unknown where that took too long.
    pub since: &'a [(Since, Option<[u64; 3]>)],
    /// How many migrations DOWN goes back, or why it does not lead there.
    pub down: Result<usize, String>,
    /// The way that is asked for; else the first one that leads there.
    pub route: Option<Route>,
}

/// How much is lost, and how much there is to be found when it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Lost.
    pub lost: u64,
    /// To be found afterwards.
    pub goal: u64,
}

/// Writes it.
pub fn runbook(story: &Story<'_>) -> Runbook {
    let decision = decision(story);
    let taken = decision.iter().find(|choice| choice.taken).map(|choice| choice.route);
    let (commands, verification) = match taken {
        Some(Route::Down) => (by_down(&story.down), Vec::new()),
        Some(Route::Whole) => (whole(story), counted(story)),
        Some(Route::SelectiveRepair) => (selective(story), found(story)),
        Some(Route::RollForward | Route::CompensatingUpdate | Route::Replay) | None => (Vec::new(), Vec::new()),
    };
    let file = shell(&story.copy.file.display().to_string());
    let clean_up = vec![Command {
        what: String::from("remove the copy, once a backup holds what is in the database now: it holds all that the database held"),
        shell: format!("rm -- {file}"),
        expect: String::from("nothing"),
        proved: true,
    }];
    Runbook {
        schema: SCHEMA,
        version: story.applied.version.clone(),
        name: story.applied.name.clone(),
        engine: Engine::Sqlite,
        database: story.database.to_owned(),
        stop: [
            "do not run another DOWN, and no migration: `migrate status` shows what stands",
            "do not remove or move the copy, and do not copy the database's file without its -wal: use `.backup`",
            "do not move the copy into the place of the database: a -wal that stays beside it would be played over it",
        ]
        .map(String::from)
        .into(),
        facts: facts(story),
        decision,
        commands,
        verification,
        clean_up: if taken.is_some() { clean_up } else { Vec::new() },
        afterwards: vec![
            String::from("make a backup of the whole: what there was before does not hold what is there now"),
            String::from("the files do not say that the lost columns and tables stand again: write a migration that does, or that drops them for good"),
        ],
    }
}

fn facts(story: &Story<'_>) -> Vec<Fact> {
    let Story { applied, pin, copy, .. } = story;
    let fact = |what: &str, value: String, query: Option<String>| Fact { what: what.to_owned(), value, query };
    let row = format!("SELECT * FROM {} WHERE seq = {}", story.history_table, applied.seq);
    let file = copy.file.display().to_string();
    let mut facts = vec![
        fact(
            "the migration",
            format!(
                "{} {}, run {} by {} on {}; {}, loss: {}",
                applied.version, applied.name, applied.at, applied.actor, applied.host, applied.verdict, applied.loss
            ),
            Some(row),
        ),
        fact("the copy before it", format!("{file}, made {}, {} bytes", pin.at, copy.bytes), Some(format!("ls -l -- {}", shell(&file)))),
        fact("its checksum", format!("{}, as recorded", copy.sha256), Some(format!("sha256sum -- {}", shell(&file)))),
    ];
    if !pin.exact {
        facts.push(fact("inexact", String::from("what was written between the copy and the migration's first statement is not in the copy"), None));
    }
    if copy.database.display().to_string() != story.database {
        facts.push(fact("another place", format!("the copy is of {}, and the database is at {}", copy.database.display(), story.database), None));
    }
    let attach = |query: &str| format!("ATTACH {} AS pin; {query}", literal(&file));
    for (repair, numbers) in story.repairs {
        facts.push(fact("lost", format!("{}: {} to bring back", repair.object, numbers.lost), Some(attach(&repair.lost))));
    }
    for (since, numbers) in story.since {
        let value = match numbers {
            Some([0, 0, 0]) => continue,
            Some([inserted, deleted, changed]) => {
                format!("{}: {inserted} row(s) came, {deleted} went, {changed} are others (some by the migration itself)", since.table)
            }
            None => format!("{}: too much to count in time", since.table),
        };
        facts.push(fact("since then", value, Some(attach(&format!("{}; {}; {}", since.inserted, since.deleted, since.changed)))));
    }
    facts.push(fact("time", format!("a restore of the whole reads and writes {} bytes; a repair reads them, and writes what is lost", copy.bytes), None));
    facts
}

fn decision(story: &Story<'_>) -> Vec<Choice> {
    let lost: u64 = story.repairs.iter().map(|(_, numbers)| numbers.lost).sum();
    let since: u64 = story.since.iter().flat_map(|(_, numbers)| numbers.unwrap_or_default()).sum();
    let least = if story.since.iter().any(|(_, numbers)| numbers.is_none()) { "at least " } else { "" };
    let why = if lost == 0 { "nothing of the copy is missing in the database" } else { "what is lost comes back by key, and what was written since stays" };
    let whole = format!("loses all that was written since: {least}{since} row(s) came, went or are others");
    choices(
        story.route,
        &story.down,
        (lost > 0, why.to_owned()),
        (lost > 0 || story.route == Some(Route::Whole), whole),
        "SQLite keeps no log of what was written",
    )
}

/// The copy is what was recorded.
fn unaltered(story: &Story<'_>) -> Command {
    let file = story.copy.file.display().to_string();
    Command {
        what: String::from("the copy is what was recorded"),
        shell: format!("printf '%s  %s\\n' {} {} | sha256sum --check --strict -", story.copy.sha256, shell(&file)),
        expect: format!("{file}: OK"),
        proved: true,
    }
}

fn selective(story: &Story<'_>) -> Vec<Command> {
    let repairs: Vec<Repair> = story.repairs.iter().map(|(repair, _)| repair.clone()).collect();
    let what = repairs.iter().map(|repair| format!("{} ({})", repair.object, repair.how)).collect::<Vec<_>>().join("; ");
    let file = literal(&story.copy.file.display().to_string());
    let statements = script(&repairs).iter().map(|sql| format!("{sql};\n")).collect::<String>();
    let sql = format!(".timeout 5000\nATTACH {file} AS pin;\nPRAGMA foreign_keys = OFF;\nBEGIN IMMEDIATE;\n{statements}COMMIT;");
    vec![
        unaltered(story),
        Command {
            what: format!("bring back, in one transaction: {what}"),
            shell: format!("sqlite3 -bail {} <<'END_OF_SQL'\n{sql}\nEND_OF_SQL", shell(story.database)),
            expect: String::from("nothing; after an error the database is as it was"),
            proved: true,
        },
    ]
}

/// Each thing that was lost is found again.
fn found(story: &Story<'_>) -> Vec<Command> {
    let (file, database) = (literal(&story.copy.file.display().to_string()), shell(story.database));
    let one = |(repair, numbers): &(Repair, Numbers)| {
        let (goal, sql) = (numbers.goal, format!("ATTACH {file} AS pin; {}", repair.found));
        let line = format!("{}: %s of {goal} found\\n", repair.object.replace('%', "%%"));
        Command {
            what: format!("{} is back", repair.object),
            shell: format!("found=$(sqlite3 -readonly {database} {})\nprintf {} \"$found\"\ntest \"$found\" = {goal}", shell(&sql), shell(&line)),
            expect: format!("{}: {goal} of {goal} found", repair.object),
            proved: true,
        }
    };
    story.repairs.iter().map(one).chain([sound(story)]).collect()
}

fn sound(story: &Story<'_>) -> Command {
    Command {
        what: String::from("the database is sound"),
        shell: format!("test \"$(sqlite3 -readonly {} 'PRAGMA quick_check')\" = ok\necho sound", shell(story.database)),
        expect: String::from("sound"),
        proved: true,
    }
}

fn whole(story: &Story<'_>) -> Vec<Command> {
    let kept = format!("{}.damaged-{}", story.database, story.applied.version);
    // The shell of sqlite3 reads the name in double quotes with C's escapes.
    let name = |path: &str| format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""));
    let command = |what: &str, shell: String| Command { what: what.to_owned(), shell, expect: String::from("nothing"), proved: true };
    vec![
        Command { what: String::from("the copy is what was recorded; stop every application that writes before you go on"), ..unaltered(story) },
        command(
            "keep the database as it is now: what was written since stands in it alone",
            format!("test ! -e {0}\nsqlite3 -bail {1} {2}", shell(&kept), shell(story.database), shell(&format!(".backup {}", name(&kept)))),
        ),
        command(
            "restore, through SQLite, so that no -wal is left to be played over it",
            format!("sqlite3 -bail {} '.timeout 5000' {}", shell(story.database), shell(&format!(".restore {}", name(&story.copy.file.display().to_string())))),
        ),
    ]
}

/// Each table holds what it held.
fn counted(story: &Story<'_>) -> Vec<Command> {
    let tables: Vec<_> = story.copy.tables.iter().filter(|(_, rows)| **rows > 0).collect();
    let one = |(table, rows): &(&String, &u64)| {
        let sql = format!("SELECT count(*) FROM {}", crate::pin::quoted(table));
        Command {
            what: format!("{table} holds its rows"),
            shell: format!(
                "test \"$(sqlite3 -readonly {} {})\" = {rows}\necho {}",
                shell(story.database),
                shell(&sql),
                shell(&format!("{table}: {rows} rows"))
            ),
            expect: format!("{table}: {rows} rows"),
            proved: true,
        }
    };
    tables.iter().map(one).chain([sound(story)]).collect()
}
