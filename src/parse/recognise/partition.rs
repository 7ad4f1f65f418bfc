//! Partitions and system versioning in ALTER TABLE. In: one part of it. Out: what it does to which partition.

use super::{action, attribute};
use crate::engine::Engine;
use crate::parse::action::{Action, Filter, Name, Op};
use crate::parse::cursor::{Cursor, items};
use crate::parse::even::even_text;
use crate::table::Kind;
use sqlparser::tokenizer::Token;

const WITH_LISTS: &[&str] = &[
    "drop partition",
    "truncate partition",
    "analyze partition",
    "check partition",
    "optimize partition",
    "rebuild partition",
    "repair partition",
    "reorganize partition",
    "import partition",
    "discard partition",
    "partition by",
];

/// Behind these words commas part no actions.
pub(super) fn takes_the_rest(cursor: &Cursor<'_>) -> bool {
    WITH_LISTS.iter().any(|phrase| cursor.at(phrase))
}

/// The part that `cursor` stands at, if it is about partitions.
pub(super) fn part(mut cursor: Cursor<'_>, table: &Name) -> Option<Vec<Action>> {
    let one = |action: Action| Some(vec![action]);
    let scheme = |value: Option<String>| one(attribute(Kind::PartitionScheme, table.clone(), "partitioning", value));
    if cursor.engine == Engine::Sqlite {
        return None;
    }
    if cursor.eat("attach partition") {
        let child = cursor.name()?;
        return one(attribute(Kind::AttachPartition, table.clone(), format!("partition {child}"), Some(even_text(cursor.all()))));
    }
    if cursor.eat("detach partition") {
        let child = cursor.name()?;
        return one(attribute(Kind::DetachPartition, table.clone(), format!("partition {child}"), None));
    }
    if !cursor.engine.is_mysql_like() {
        let text = even_text(cursor.rest);
        return if cursor.at("split partition") || cursor.at("merge partitions") { scheme(Some(text)) } else { None };
    }
    let text = even_text(cursor.rest);
    if cursor.eat("add partition") {
        cursor.eat("if not exists");
        if cursor.eat("partitions") {
            return scheme(Some(text));
        }
        let list = cursor.parens()?;
        return items(list).into_iter().map(|item| added(Cursor::new(item, cursor.engine), table)).collect();
    }
    if let Some(words) = cursor.eat_any(&["drop partition", "truncate partition"]) {
        cursor.eat("if exists");
        let names = items(cursor.rest).into_iter().map(|item| Cursor::new(item, cursor.engine).part());
        return names
            .map(|name| {
                let object = format!("{table}.{}", name?);
                let partition = object[table.len() + 1..].to_owned();
                let op = match words {
                    "drop partition" => Op::SetAttribute { object: table.clone(), attribute: format!("partition {partition}"), value: None },
                    _ => Op::Delete { table: table.clone(), filter: Filter::Other(format!("partition {partition}")) },
                };
                Some(action(Kind::DropPartition, object, op))
            })
            .collect();
    }
    if cursor.eat("remove partitioning") {
        return scheme(None);
    }
    // MariaDB's words for detaching and attaching.
    for (words, kind) in [("convert partition", Kind::DetachPartition), ("convert table", Kind::AttachPartition)] {
        if cursor.at(words) {
            return one(attribute(kind, table.clone(), "partitioning", Some(text)));
        }
    }
    if ["partition by", "reorganize partition", "coalesce partition"].iter().any(|phrase| cursor.at(phrase)) {
        return scheme(Some(text));
    }
    if cursor.eat("exchange partition") {
        return one(action(Kind::PartitionScheme, format!("{table}.{}", cursor.part()?), Op::Unseen));
    }
    if ["analyze partition", "check partition", "optimize partition", "rebuild partition", "repair partition"].iter().any(|phrase| cursor.at(phrase)) {
        return one(action(Kind::Maintenance, table.clone(), Op::Nothing));
    }
    if cursor.eat("discard partition") || cursor.eat("discard tablespace") {
        return one(action(Kind::Truncate, table.clone(), Op::Truncate { table: table.clone(), cascade: false }));
    }
    if cursor.eat("import partition") || cursor.eat("import tablespace") {
        return one(action(Kind::Load, table.clone(), Op::Unseen));
    }
    if cursor.eat("add system versioning") {
        return one(attribute(Kind::TableOption, table.clone(), "system versioning", Some("yes".to_owned())));
    }
    if cursor.eat("drop system versioning") {
        return one(attribute(Kind::SystemVersioning, table.clone(), "system versioning", None));
    }
    if ["add period for", "add period if not exists for", "drop period for", "drop period if exists for"].iter().any(|words| cursor.eat(words)) {
        let period = cursor.part()?;
        let columns = cursor.parens();
        let bounds = columns.filter(|_| period != "system_time").map(items).unwrap_or_default();
        // A period's bounds cannot be NULL, and stay so without it.
        let bound = |item: &[Token]| Some(super::alter_table::not_null(table, Cursor::new(item, cursor.engine).part()?));
        let set = attribute(Kind::TableOption, table.clone(), format!("period {period}"), columns.map(even_text));
        return bounds.into_iter().map(bound).chain([Some(set)]).collect();
    }
    None
}

/// `PARTITION p VALUES LESS THAN (10)`.
fn added(mut cursor: Cursor<'_>, table: &Name) -> Option<Action> {
    if !cursor.eat("partition") {
        return None;
    }
    let name = cursor.part()?;
    let op = Op::SetAttribute { object: table.clone(), attribute: format!("partition {name}"), value: Some(even_text(cursor.all())) };
    Some(action(Kind::AttachPartition, format!("{table}.{name}"), op))
}
