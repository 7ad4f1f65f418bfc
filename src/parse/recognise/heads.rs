//! Statements that are known by their first words alone. In: tokens. Out: the kind, and whether it leaves anything behind.

use super::action;
use crate::engine::Engine;
use crate::parse::action::{Action, Op};
use crate::parse::cursor::Cursor;
use crate::table::Kind;
use sqlparser::tokenizer::Token;

/// Words, the engines that have them (`p`, `m` for MySQL and MariaDB, `s`), the kind, what is left behind. A word that a statement
/// of its own begins with (`ANALYZE` alone) is said with its longest forms first.
const HEADS: &[(&str, &str, Kind, Op)] = &[
    ("vacuum", "ps", Kind::Maintenance, Op::Nothing),
    ("analyze", "pms", Kind::Maintenance, Op::Nothing),
    ("analyse", "p", Kind::Maintenance, Op::Nothing),
    ("reindex", "ps", Kind::Maintenance, Op::Nothing),
    ("cluster", "p", Kind::Maintenance, Op::Nothing),
    ("repack", "p", Kind::Maintenance, Op::Nothing),
    ("checkpoint", "p", Kind::Maintenance, Op::Nothing),
    ("optimize table", "m", Kind::Maintenance, Op::Nothing),
    ("optimize tables", "m", Kind::Maintenance, Op::Nothing),
    ("optimize local table", "m", Kind::Maintenance, Op::Nothing),
    ("optimize no_write_to_binlog table", "m", Kind::Maintenance, Op::Nothing),
    ("check table", "m", Kind::Maintenance, Op::Nothing),
    ("check tables", "m", Kind::Maintenance, Op::Nothing),
    ("checksum table", "m", Kind::Maintenance, Op::Nothing),
    ("repair table", "m", Kind::Maintenance, Op::Nothing),
    ("repair no_write_to_binlog table", "m", Kind::Maintenance, Op::Nothing),
    ("repair local table", "m", Kind::Maintenance, Op::Nothing),
    ("check view", "m", Kind::Maintenance, Op::Nothing),
    ("repair view", "m", Kind::Maintenance, Op::Nothing),
    ("cache index", "m", Kind::Maintenance, Op::Nothing),
    ("load index into cache", "m", Kind::Maintenance, Op::Nothing),
    ("flush", "m", Kind::Maintenance, Op::Nothing),
    ("refresh materialized view", "p", Kind::RefreshView, Op::Nothing),
    ("begin", "pms", Kind::Transaction, Op::Nothing),
    ("start transaction", "pm", Kind::Transaction, Op::Nothing),
    ("commit", "pms", Kind::Transaction, Op::Nothing),
    ("end", "ps", Kind::Transaction, Op::Nothing),
    ("rollback", "pms", Kind::Transaction, Op::Nothing),
    ("abort", "p", Kind::Transaction, Op::Nothing),
    ("savepoint", "pms", Kind::Transaction, Op::Nothing),
    ("release", "pms", Kind::Transaction, Op::Nothing),
    ("prepare transaction", "p", Kind::Transaction, Op::Nothing),
    ("xa", "m", Kind::Transaction, Op::Nothing),
    ("lock table", "pm", Kind::Transaction, Op::Nothing),
    ("lock tables", "m", Kind::Transaction, Op::Nothing),
    ("lock instance for backup", "m", Kind::Transaction, Op::Nothing),
    ("lock", "p", Kind::Transaction, Op::Nothing),
    ("unlock", "m", Kind::Transaction, Op::Nothing),
    ("backup", "m", Kind::Maintenance, Op::Nothing),
    ("listen", "p", Kind::SessionSetting, Op::Nothing),
    ("unlisten", "p", Kind::SessionSetting, Op::Nothing),
    ("notify", "p", Kind::SessionSetting, Op::Nothing),
    ("reset master", "m", Kind::PurgeLogs, Op::Unseen),
    ("reset binary logs and gtids", "m", Kind::PurgeLogs, Op::Unseen),
    ("reset slave", "m", Kind::DropReplication, Op::Unseen),
    ("reset replica", "m", Kind::DropReplication, Op::Unseen),
    ("reset persist", "m", Kind::DatabaseSetting, Op::Unseen),
    ("reset query cache", "m", Kind::Maintenance, Op::Nothing),
    ("reset", "p", Kind::SessionSetting, Op::Nothing),
    ("discard", "p", Kind::SessionSetting, Op::Nothing),
    ("deallocate", "pm", Kind::SessionSetting, Op::Nothing),
    ("declare", "p", Kind::SessionSetting, Op::Nothing),
    ("fetch", "p", Kind::SessionSetting, Op::Nothing),
    ("move", "p", Kind::SessionSetting, Op::Nothing),
    ("close", "p", Kind::SessionSetting, Op::Nothing),
    ("load '", "p", Kind::SessionSetting, Op::Nothing),
    ("use", "m", Kind::SessionSetting, Op::Nothing),
    ("attach", "s", Kind::SessionSetting, Op::Nothing),
    ("detach", "s", Kind::SessionSetting, Op::Nothing),
    ("prepare", "pm", Kind::Dynamic, Op::Unseen),
    ("execute", "pm", Kind::Dynamic, Op::Unseen),
    ("call", "pm", Kind::Call, Op::Unseen),
    ("kill", "m", Kind::Call, Op::Unseen),
    ("shutdown", "m", Kind::Call, Op::Unseen),
    ("restart", "m", Kind::Call, Op::Unseen),
    ("begin not atomic", "m", Kind::Dynamic, Op::Unseen),
    ("import foreign schema", "p", Kind::CreateVirtual, Op::Unseen),
    ("import table", "m", Kind::Load, Op::Unseen),
    ("clone", "m", Kind::Load, Op::Unseen),
    ("install", "m", Kind::CreateExtension, Op::Unseen),
    ("uninstall", "m", Kind::DropExtension, Op::Unseen),
    ("reassign owned", "p", Kind::Owner, Op::Unseen),
    ("purge binary logs", "m", Kind::PurgeLogs, Op::Unseen),
    ("purge master logs", "m", Kind::PurgeLogs, Op::Unseen),
    ("change master", "m", Kind::Replication, Op::Unseen),
    ("change replication", "m", Kind::Replication, Op::Unseen),
    ("start all slaves", "m", Kind::Replication, Op::Unseen),
    ("stop all slaves", "m", Kind::Replication, Op::Unseen),
    ("start slave", "m", Kind::Replication, Op::Unseen),
    ("start replica", "m", Kind::Replication, Op::Unseen),
    ("stop slave", "m", Kind::Replication, Op::Unseen),
    ("stop replica", "m", Kind::Replication, Op::Unseen),
    ("start group_replication", "m", Kind::Replication, Op::Unseen),
    ("stop group_replication", "m", Kind::Replication, Op::Unseen),
    ("handler", "m", Kind::Query, Op::Nothing),
    ("signal", "m", Kind::Query, Op::Nothing),
    ("resignal", "m", Kind::Query, Op::Nothing),
    ("help", "m", Kind::Query, Op::Nothing),
    ("show", "pm", Kind::Query, Op::Nothing),
    ("describe", "m", Kind::Query, Op::Nothing),
    ("desc", "m", Kind::Query, Op::Nothing),
];

/// Words that mean nothing with nothing behind them.
const NEED_MORE: &[&str] = &[
    "use",
    "call",
    "kill",
    "prepare",
    "execute",
    "handler",
    "signal",
    "savepoint",
    "release",
    "xa",
    "listen",
    "notify",
    "show",
    "attach",
    "detach",
    "install",
    "lock",
];

/// The statement, if its first words say what it is.
pub(super) fn head(tokens: &[Token], engine: Engine) -> Option<Vec<Action>> {
    let letter = match engine {
        Engine::Postgres => 'p',
        Engine::Mysql | Engine::Mariadb => 'm',
        Engine::Sqlite => 's',
    };
    let cursor = Cursor::new(tokens, engine);
    let fits = |words: &str| match words.strip_suffix(" '") {
        Some(word) => cursor.at(word) && matches!(tokens.get(1), Some(Token::SingleQuotedString(_))),
        None => cursor.at(words),
    };
    let (words, _, kind, op) = HEADS.iter().filter(|(words, engines, ..)| engines.contains(letter) && fits(words)).max_by_key(|(words, ..)| words.len())?;
    let mut behind = cursor;
    behind.eat(words.trim_end_matches(" '"));
    if NEED_MORE.contains(words) && behind.done() {
        return None;
    }
    // `BEGIN` and its kin stand alone, or with words for a transaction's mode.
    if *kind == Kind::Transaction && engine != Engine::Sqlite && behind.rest.iter().any(|t| matches!(t, Token::SemiColon)) {
        return None;
    }
    let object = if matches!(kind, Kind::Transaction | Kind::Query) || *words == "begin not atomic" { String::new() } else { object(behind) };
    Some(vec![action(*kind, object, op.clone())])
}

/// The object that the statement names, where a name stands behind its words.
fn object(mut cursor: Cursor<'_>) -> String {
    cursor.parens();
    const NOISE: &[&str] = &[
        "table",
        "tables",
        "index",
        "database",
        "schema",
        "system",
        "concurrently",
        "full",
        "verbose",
        "analyze",
        "freeze",
        "local",
        "no_write_to_binlog",
        "binary",
        "only",
        "by",
        "from",
        "into",
        "transaction",
        "work",
        "to",
        "savepoint",
        "plugin",
        "prepare",
        "soname",
        "component",
    ];
    while cursor.eat_any(NOISE).is_some() {}
    cursor.name().unwrap_or_default()
}
