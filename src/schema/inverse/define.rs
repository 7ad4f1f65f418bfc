//! Definitions as SQL. In: columns, constraints and indexes as the catalog holds them. Out: the words that define them again, or
//! nothing where the catalog does not hold all of them.

use super::names::Names;
use crate::engine::Engine;
use crate::migration::Script;
use crate::parse;
use crate::parse::action::{Column, Index, Op, Rule};
use crate::schema::catalog::Table;

/// A type as the engine reads it: even types are its own words, and only names that somebody made need quotes.
pub(crate) fn ty(ty: &str, engine: Engine) -> String {
    let base = ty.split(['(', '[']).next().unwrap_or(ty);
    if engine == Engine::Postgres && base.chars().any(|c| c.is_ascii_uppercase()) && !base.starts_with('"') {
        let quoted: Vec<String> = base.split('.').map(|part| format!("\"{part}\"")).collect();
        return format!("{}{}", quoted.join("."), &ty[base.len()..]);
    }
    // SQLite keeps the word as it was written, and most write it so.
    if engine == Engine::Sqlite { ty.to_uppercase() } else { ty.to_owned() }
}

/// A default as it stands behind DEFAULT.
pub(super) fn default(text: &str, engine: Engine) -> String {
    let literal = text.starts_with(|c: char| c == '\'' || c == '-' || c.is_ascii_digit()) || matches!(text, "true" | "false" | "null");
    let moment = text.starts_with("current_") || text.starts_with("now(") || text.starts_with("localtime");
    // Elsewhere than on PostgreSQL an expression stands in brackets.
    if engine == Engine::Postgres || literal && !text.contains("||") || moment { text.to_owned() } else { format!("({text})") }
}

/// A whole column, name included, as ADD COLUMN, MODIFY and CHANGE take it.
pub(super) fn column(column: &Column, names: &Names<'_>, engine: Engine) -> String {
    let mut words = vec![names.part(&column.name), ty(&column.ty, engine)];
    let (sets, others): (Vec<&String>, Vec<&String>) = column.other.iter().partition(|o| o.starts_with("character set") || o.as_str() == "binary");
    words.extend(sets.into_iter().cloned());
    if let Some(collation) = &column.collation {
        words.push(format!("COLLATE {}", names.name(collation)));
    }
    if let Some((expression, mode)) = column.generated.as_deref().and_then(|g| g.rsplit_once(' ')) {
        words.push(format!("GENERATED ALWAYS AS ({expression}) {}", mode.to_uppercase()));
    }
    words.push(if column.not_null { "NOT NULL".into() } else { "NULL".into() });
    words.retain(|word| word != "NULL" || engine.is_mysql_like() && column.generated.is_none());
    if let Some(text) = &column.default {
        words.push(format!("DEFAULT {}", default(text, engine)));
    }
    if column.identity.as_deref() == Some("auto_increment") {
        words.push("AUTO_INCREMENT".into());
    }
    words.extend(others.into_iter().cloned());
    if let Some(comment) = &column.comment {
        words.push(format!("COMMENT {}", quoted(comment)));
    }
    words.join(" ")
}

/// A text as a literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What a constraint demands.
pub(super) fn rule(rule: &Rule, names: &Names<'_>) -> String {
    match rule {
        Rule::PrimaryKey(columns) => format!("PRIMARY KEY {}", names.list(columns)),
        Rule::Unique(columns) => format!("UNIQUE {}", names.list(columns)),
        Rule::ForeignKey { columns, target, target_columns, actions } => {
            let referred = if target_columns.is_empty() { String::new() } else { format!(" {}", names.list(target_columns)) };
            let actions = if actions.is_empty() { String::new() } else { format!(" {}", actions.to_uppercase()) };
            format!("FOREIGN KEY {} REFERENCES {}{referred}{actions}", names.list(columns), names.name(target))
        }
        Rule::Check(expression) => format!("CHECK ({expression})"),
        Rule::Exclude(text) => text.clone(),
    }
}

/// CREATE INDEX, where a reader of it would see the same index.
pub(super) fn index(index: &Index, name: &str, table: &Table, names: &Names<'_>, engine: Engine) -> Option<String> {
    let mut rest: Vec<&str> = Vec::new();
    let (mut method, mut sort) = (String::new(), String::new());
    let mut words = index.rest.as_str();
    for kind in ["fulltext", "spatial"] {
        if let Some(after) = words.strip_prefix(kind) {
            (sort, words) = (format!("{} ", kind.to_uppercase()), after.trim_start());
        }
    }
    if let Some(after) = words.strip_prefix("using ") {
        let (word, after) = after.split_once(' ').unwrap_or((after, ""));
        (method, words) = (format!("USING {word} "), after);
    }
    if !words.is_empty() {
        rest.push(words);
    }
    let unique = if index.unique { "UNIQUE " } else { "" };
    let columns: Vec<String> = index.columns.iter().map(|c| index_column(c, table, names)).collect();
    let (before, behind) = if engine.is_mysql_like() { (method.as_str(), "") } else { ("", method.as_str()) };
    // An index stands in its table's schema, and CREATE INDEX takes no other.
    let bare = if engine == Engine::Postgres { name.rsplit('.').next().unwrap_or(name) } else { name };
    let sql =
        format!("CREATE {unique}{sort}INDEX {} {before}ON {} {behind}({}) {}", names.part(bare), names.name(&table.name), columns.join(", "), rest.join(" "));
    let sql = sql.trim_end().to_owned();
    let [statement] = &parse::script(&Script::whole(sql.as_str()), engine)[..] else { return None };
    let [action] = &statement.actions[..] else { return None };
    match &action.op {
        Op::CreateIndex { index: read, .. } if (read.unique, &read.columns, &read.rest) == (index.unique, &index.columns, &index.rest) => Some(sql),
        _ => None,
    }
}

/// A column of an index, or an expression between brackets, which every engine takes.
fn index_column(text: &str, table: &Table, names: &Names<'_>) -> String {
    if table.column(text).is_some() {
        return names.part(text);
    }
    let (mut expression, mut suffix) = (text, String::new());
    for words in [" nulls first", " nulls last", " desc", " asc"] {
        if let Some(before) = expression.strip_suffix(words) {
            suffix = format!("{}{suffix}", words.to_uppercase());
            expression = before;
        }
    }
    let name_end = expression.find([' ', '(']).unwrap_or(expression.len());
    let (name, more) = expression.split_at(name_end);
    // `a text_pattern_ops`, `a collate nocase`, and on MySQL a prefix, `a(10)`.
    let class = more.strip_prefix(' ').is_some_and(|m| m.starts_with("collate ") || m.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    let prefix = more.strip_prefix('(').and_then(|m| m.strip_suffix(')')).is_some_and(|m| m.chars().all(|c| c.is_ascii_digit()));
    if table.column(name).is_some() && (more.is_empty() || class || prefix) {
        return format!("{}{more}{suffix}", names.part(name));
    }
    if let Some((inner, class)) = expression.rsplit_once(") ").filter(|(_, class)| class.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
        return format!("({inner})) {class}{suffix}");
    }
    format!("({expression}){suffix}")
}
