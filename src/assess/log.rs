//! What a statement keeps out of the log that a recovery plays. In: what UP did. Out: a finding each.

use super::Finding;
use super::round_trip::finding;
use super::statement::Done;
use crate::engine::Engine;
use crate::migration::Direction;
use crate::parse::action::Op;
use crate::table::{Kind, Loss, Verdict, check};

const HELP: &str = "leave it out, or make a full backup right after it: a point-in-time recovery does not bring this back";

/// Those of `done` after which a recovery of the log misses something. It changes no verdict: UP and DOWN are as they were.
pub(super) fn findings(done: &[Done<'_>], engine: Engine) -> Vec<Finding> {
    let one = |done: &Done<'_>| {
        let object = &done.action.object;
        let message = match (&done.action.op, engine) {
            (Op::CreateTable(table), Engine::Postgres) if table.options.split_whitespace().any(|word| word == "unlogged") => {
                format!("{object} is UNLOGGED: no log holds its rows, and a crash empties it")
            }
            (Op::SetAttribute { attribute, value: Some(_), .. }, Engine::Postgres) if attribute == "unlogged" => {
                format!("{object} becomes UNLOGGED: no log holds what is written to it from now on, and a crash empties it")
            }
            (_, Engine::Mysql | Engine::Mariadb) if done.kind == Kind::SessionSetting && turns_the_log_off(&done.statement.text) => {
                String::from("sql_log_bin is off: what follows stands in no binary log, so that neither a recovery nor a replica has it")
            }
            _ => return None,
        };
        Some(finding(check::VOIDS_RECOVERY, Verdict::Reversible, Loss::None, Some((Direction::Up, done.statement.line)), message, HELP))
    };
    done.iter().filter_map(one).collect()
}

fn turns_the_log_off(text: &str) -> bool {
    let even: String = text.to_ascii_lowercase().split_whitespace().collect();
    ["sql_log_bin=0", "sql_log_bin=off", "sql_log_bin=false", "sql_log_bin:=0"].iter().any(|off| even.contains(off))
}
