//! What stops a busy site. In: the actions of UP or of DOWN in order, each with its line of the lock table. Out: findings, none of
//! which changes a verdict.

use super::super::statement::Done;
use crate::assess::Finding;
use crate::engine::Engine;
use crate::lock_table::{Lock, Work};
use crate::table::{Check, Kind, Loss, Verdict, check};

/// The findings of one part; `transaction` says whether it runs as one transaction.
pub(in crate::assess) fn findings(part: &[Done<'_>], engine: Engine, transaction: bool) -> Vec<Finding> {
    let mut found: Vec<Finding> = part.iter().filter_map(of_one).collect();
    if engine == Engine::Postgres {
        match part.iter().find(|d| !d.statement.runs_in_transaction(engine)) {
            Some(alone) => found.extend(mixed(part, alone)),
            None if transaction => found.extend(long(part)),
            None => {}
        }
    }
    found.extend(no_timeout(part, engine));
    found
}

fn finding(rule: &'static Check, at: &Done<'_>, message: String, help: String) -> Finding {
    Finding {
        code: rule.code,
        name: rule.name,
        verdict: Verdict::Reversible,
        loss: Loss::None,
        direction: Some(at.direction),
        line: Some(at.statement.line),
        message,
        help,
    }
}

fn of_one(done: &Done<'_>) -> Option<Finding> {
    let (rule, help) = done.asked.stops.as_ref()?;
    if done.effect.skipped {
        return None;
    }
    let fact = done.asked.fact;
    let does = match fact.work {
        Work::Rewrite => "every row is written anew",
        Work::Scan => "every row is read",
        Work::Little | Work::Unknown => "it waits for all that are at work there",
    };
    let waits = match fact.lock {
        Lock::AccessExclusive => "reads and writes wait meanwhile",
        _ => "writes wait meanwhile",
    };
    let lock = fact.lock.name().unwrap_or_default();
    Some(finding(rule, done, format!("{}: {does} ({lock}), and {waits}", done.action.object), help.clone()))
}

/// What the database does not let into a transaction, `alone`, beside statements that should be in one.
fn mixed(part: &[Done<'_>], alone: &Done<'_>) -> Option<Finding> {
    let help = "put it into a migration of its own, with `-- migrate: no-transaction`".to_owned();
    let begun = part.iter().take_while(|d| !std::ptr::eq(d.statement, alone.statement)).any(|d| d.statement.is_transaction_frame());
    if begun {
        let message = format!("{}: PostgreSQL refuses this inside of a transaction, and one was begun above", alone.action.object);
        return Some(finding(check::CONCURRENTLY_WITH_OTHERS, alone, message, help));
    }
    let beside = |d: &&Done<'_>| !std::ptr::eq(d.statement, alone.statement) && !matches!(d.kind, Kind::SessionSetting | Kind::Transaction);
    let other = part.iter().find(beside)?;
    let message = format!(
        "{}: it cannot be part of a transaction, so line {} is none either: where one of them fails, the other stays done",
        alone.action.object, other.statement.line
    );
    Some(finding(check::CONCURRENTLY_WITH_OTHERS, alone, message, help))
}

/// A lock that stops writes and long work in one transaction: the lock is held until the end of all.
fn long(part: &[Done<'_>]) -> Option<Finding> {
    let on_old = |d: &&Done<'_>| d.asked.stood && !d.effect.skipped;
    let works = |d: &Done<'_>| {
        matches!(d.asked.fact.work, Work::Scan | Work::Rewrite) || matches!(d.kind, Kind::Update | Kind::Delete | Kind::InsertSelect | Kind::Merge)
    };
    let (mut locked, mut worked): (Option<&Done<'_>>, Option<&Done<'_>>) = (None, None);
    for done in part.iter().filter(on_old) {
        let apart = |earlier: &&&Done<'_>| !std::ptr::eq(earlier.statement, done.statement);
        let exclusive = done.asked.fact.lock.blocks_writes();
        let lock = |done: &Done<'_>| done.asked.fact.lock.name().unwrap_or_default();
        let message = match (locked.as_ref().filter(apart), worked.as_ref().filter(apart)) {
            (Some(locked), _) if works(done) => {
                format!("the {} lock of line {} ({}) is held until this long work is done", lock(locked), locked.statement.line, locked.action.object)
            }
            (_, Some(worked)) if exclusive => {
                format!("{}: {} is asked for in the transaction of the long work of line {}", done.action.object, lock(done), worked.statement.line)
            }
            _ => {
                locked = locked.or(Some(done).filter(|_| exclusive));
                worked = worked.or(Some(done).filter(|d| works(d)));
                continue;
            }
        };
        let help = "put the two into migrations of their own, so that each lock is let go as soon as its work is done";
        return Some(finding(check::LONG_TRANSACTION, done, message, help.into()));
    }
    None
}

/// The first statement that may wait for a lock with all others behind it, where nothing bounds the wait.
fn no_timeout(part: &[Done<'_>], engine: Engine) -> Option<Finding> {
    let (setting, form) = match engine {
        Engine::Postgres => ("lock_timeout", "SET lock_timeout = '5s';"),
        Engine::Mysql | Engine::Mariadb => ("lock_wait_timeout", "SET SESSION lock_wait_timeout = 5;"),
        // The runner's busy timeout bounds it.
        Engine::Sqlite => return None,
    };
    let first = part.iter().find(|d| d.asked.stood && !d.effect.skipped && d.asked.fact.lock.queues())?;
    let bounded = part.iter().take_while(|d| !std::ptr::eq(d.statement, first.statement)).any(|d| d.statement.text.to_ascii_lowercase().contains(setting));
    let message = format!("{} may wait for a lock without end, and all who come later wait behind it", first.action.object);
    (!bounded).then(|| finding(check::NO_LOCK_TIMEOUT, first, message, format!("before it: {form} and run the migration again where it gives up")))
}
