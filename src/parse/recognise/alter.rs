//! ALTER of anything but a table. In: tokens behind ALTER. Out: the new name, owner, schema or attribute of the object.

use super::sort::{Sort, name, sort};
use super::{Reader, action, attribute, moved, option, rights};
use crate::engine::Engine;
use crate::parse::action::{Action, Class, Name, Op};
use crate::parse::cursor::{Cursor, bare, is_word, items};
use crate::parse::even::{definition, even_text, even_type};
use crate::parse::policy::{CLAUSES, clauses};
use crate::table::Kind;
use sqlparser::tokenizer::Token;

impl Reader<'_> {
    /// `whole` is the statement, `cursor` stands behind ALTER.
    pub(super) fn alter(self, whole: &[Token], mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
        if let Some(found) = self.alter_table(cursor) {
            return Some(found);
        }
        if cursor.eat("index") {
            return index(cursor);
        }
        if cursor.eat("default privileges") {
            return rights::default_privileges(cursor);
        }
        if cursor.eat("system") {
            return system(cursor);
        }
        if self.engine == Engine::Mysql && cursor.eat("instance") {
            return instance(cursor);
        }
        if cursor.eat("large object") {
            let object = format!("large object {}", even_text(cursor.until(&["owner"])));
            return Some(vec![attribute(Kind::Owner, object, "owner", Some(even_text(cursor.all())))]);
        }
        let replaced = create_words(&mut cursor);
        let sort = sort(&mut cursor)?;
        cursor.eat("if exists");
        // MySQL: `ALTER DATABASE CHARACTER SET utf8` is about the database in use.
        let in_use =
            sort.class == Class::Schema && self.engine.is_mysql_like() && ["character set", "charset", "default", "collate"].iter().any(|w| cursor.at(w));
        let (name, on) = if in_use { (String::new(), None) } else { name(&mut cursor, sort)? };
        if cursor.done() {
            return None;
        }
        if let Some(found) = common(&mut cursor, sort, &name, on.as_ref()) {
            return Some(found);
        }
        match sort.class {
            Class::View | Class::MaterializedView if replaced || self.engine.is_mysql_like() => self.replaced_view(whole, cursor, name),
            Class::View | Class::MaterializedView => view(cursor, sort, &name),
            Class::Type => r#type(cursor, &name),
            Class::Domain => domain(cursor, &name),
            Class::Sequence => sequence(cursor, &name),
            Class::Schema => schema(cursor, &name),
            Class::Extension => extension(cursor, &name),
            Class::Role => rights::alter_role(cursor, &name),
            Class::Trigger => Some(vec![attribute(sort.alter, name, even_text(cursor.all()), Some("yes".to_owned()))]),
            Class::Policy | Class::Rule | Class::Routine | Class::Event | Class::Other => other(cursor, sort, name, on),
        }
    }

    /// MySQL's `ALTER VIEW v AS SELECT …` puts a new body in place of the old one.
    fn replaced_view(self, whole: &[Token], cursor: Cursor<'_>, name: Name) -> Option<Vec<Action>> {
        cursor.rest.iter().any(|t| is_word(t, "as")).then_some(())?;
        let mut created = whole.to_vec();
        created[0] = super::table::word("CREATE");
        let op =
            Op::CreateObject { class: Class::View, name: name.clone(), on: None, definition: definition(&created), or_replace: true, if_not_exists: false };
        Some(vec![action(Kind::AlterView, name, op)])
    }
}

/// Skips `ALGORITHM = … DEFINER = … SQL SECURITY …`; true if any stands there.
fn create_words(cursor: &mut Cursor<'_>) -> bool {
    let before = cursor.rest.len();
    while let Some(word) = cursor.eat_any(&["algorithm", "definer", "sql security"]) {
        cursor.equals();
        let _ = if word == "definer" { cursor.account() } else { cursor.word() };
    }
    cursor.rest.len() != before
}

/// What most sorts share: a new name, owner or schema.
fn common(cursor: &mut Cursor<'_>, sort: &Sort, name: &Name, on: Option<&Name>) -> Option<Vec<Action>> {
    let before = *cursor;
    let renamed = |to: Name| action(sort.alter, name.clone(), Op::RenameObject { class: sort.class, from: name.clone(), to });
    let found = if cursor.eat("rename to") {
        let to = cursor.name()?;
        let arguments = name.find('(').map_or("", |at| &name[at..]);
        let to = match name.split('(').next().and_then(|n| n.rsplit_once('.')) {
            Some((schema, _)) if !to.contains('.') => format!("{schema}.{to}"),
            _ => to,
        };
        Some(renamed(format!("{to}{arguments}")))
    } else if cursor.eat("owner to") {
        let object = on.map_or_else(|| name.clone(), |on| format!("{on}.{name}"));
        Some(attribute(Kind::Owner, object, "owner", Some(cursor.part()?)))
    } else if sort.class == Class::Extension && cursor.eat("set schema") {
        Some(attribute(sort.alter, name.clone(), "schema", Some(cursor.part()?)))
    } else if cursor.eat("set schema") {
        Some(renamed(moved(name, &cursor.part()?, cursor.engine)))
    } else {
        None
    };
    if found.is_none() || !cursor.done() {
        *cursor = before;
        return None;
    }
    found.map(|f| vec![f])
}

fn index(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    if cursor.eat("all in tablespace") {
        return Some(vec![action(Kind::IndexOption, "all in tablespace", Op::Unseen)]);
    }
    cursor.eat("if exists");
    let name = cursor.name()?;
    if cursor.eat("rename to") {
        let to = cursor.name()?;
        let to = match name.rsplit_once('.') {
            Some((schema, _)) if !to.contains('.') => format!("{schema}.{to}"),
            _ => to,
        };
        return cursor.done().then(|| vec![action(Kind::RenameIndex, name.clone(), Op::RenameIndex { table: None, from: name.clone(), to })]);
    }
    if cursor.eat("attach partition") {
        let part = format!("partition {}", cursor.name()?);
        return Some(vec![attribute(Kind::IndexOption, name, part, Some("attached".to_owned()))]);
    }
    if cursor.eat("set tablespace") {
        return Some(vec![attribute(Kind::IndexOption, name, "tablespace", Some(cursor.part()?))]);
    }
    if let Some(word) = cursor.eat_any(&["set", "reset"]) {
        return option::parameters(&mut cursor, &name, word == "set", Kind::IndexOption);
    }
    if cursor.eat("alter") {
        cursor.eat("column");
        let column = even_text(cursor.until(&["set statistics"]));
        cursor.eat("set statistics").then_some(())?;
        return Some(vec![attribute(Kind::IndexOption, name, format!("statistics {column}"), Some(even_text(cursor.all())))]);
    }
    if cursor.at("depends on extension") || cursor.at("no depends on extension") {
        let on = !cursor.eat("no");
        return Some(vec![attribute(Kind::IndexOption, name, even_text(cursor.all()), on.then(|| "yes".to_owned()))]);
    }
    None
}

/// MySQL's server as a whole: its keys, certificates and logs.
fn instance(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    if let Some(words) = cursor.eat_any(&["enable innodb redo_log", "disable innodb redo_log"]) {
        let off = words.starts_with("disable").then(|| "off".to_owned());
        return Some(vec![attribute(Kind::DatabaseSetting, "innodb redo_log", "system", off)]);
    }
    cursor.eat_any(&["rotate", "reload"])?;
    Some(vec![action(Kind::Maintenance, "", Op::Nothing)])
}

fn system(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    let set = cursor.eat_any(&["set", "reset"])?;
    let name = cursor.name()?;
    let value = (set == "set").then(|| {
        let _ = cursor.eat("to") || cursor.equals();
        even_text(cursor.all())
    });
    Some(vec![attribute(Kind::DatabaseSetting, name, "system", value)])
}

fn view(mut cursor: Cursor<'_>, sort: &Sort, name: &Name) -> Option<Vec<Action>> {
    if cursor.eat("rename") {
        cursor.eat("column");
        let (from, _, to) = (cursor.part()?, cursor.eat("to").then_some(())?, cursor.part()?);
        let renamed = |column: &Name, value: Option<String>| attribute(sort.alter, name.clone(), format!("column {column}"), value);
        return Some(vec![renamed(&to, Some(format!("was {from}"))), renamed(&from, None)]);
    }
    if cursor.eat("alter") {
        cursor.eat("column");
        let column = cursor.part()?;
        let drop = cursor.eat("drop default");
        let what = if cursor.eat("set default") || drop { "default".to_owned() } else { even_text(cursor.all()) };
        let value = (!drop).then(|| even_text(bare(cursor.all())));
        return Some(vec![attribute(sort.alter, name.clone(), format!("{what} of {column}"), value)]);
    }
    for (words, name_of) in [("set tablespace", "tablespace"), ("set access method", "access method"), ("cluster on", "cluster")] {
        if cursor.eat(words) {
            return Some(vec![attribute(sort.alter, name.clone(), name_of, Some(even_text(cursor.all())))]);
        }
    }
    let set = cursor.eat_any(&["set", "reset"])?;
    option::parameters(&mut cursor, name, set == "set", sort.alter)
}

fn literal(cursor: &mut Cursor<'_>) -> Option<String> {
    match cursor.token()? {
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => Some(text.clone()),
        _ => None,
    }
}

fn r#type(mut cursor: Cursor<'_>, name: &Name) -> Option<Vec<Action>> {
    if cursor.eat("add value") {
        let if_not_exists = cursor.eat("if not exists");
        let label = literal(&mut cursor)?;
        let place = even_text(cursor.all());
        return Some(vec![action(Kind::AddEnumValue, format!("{name}.{label}"), Op::AddEnumValue { ty: name.clone(), label, place, if_not_exists })]);
    }
    if cursor.eat("rename value") {
        let (from, _, to) = (literal(&mut cursor)?, cursor.eat("to").then_some(())?, literal(&mut cursor)?);
        return Some(vec![action(Kind::RenameEnumValue, format!("{name}.{from}"), Op::RenameEnumValue { ty: name.clone(), from, to })]);
    }
    if cursor.eat("set") {
        return option::parameters(&mut cursor, name, true, Kind::AlterType);
    }
    if cursor.eat("rename attribute") {
        let (from, _, to) = (cursor.part()?, cursor.eat("to").then_some(())?, cursor.part()?);
        let renamed = |column: &Name, value: Option<String>| attribute(Kind::AlterType, name.clone(), format!("attribute {column}"), value);
        return Some(vec![renamed(&to, Some(format!("was {from}"))), renamed(&from, None)]);
    }
    items(cursor.rest).into_iter().map(|item| type_attribute(Cursor::new(item, cursor.engine), name)).collect()
}

fn type_attribute(mut cursor: Cursor<'_>, name: &Name) -> Option<Action> {
    let words = cursor.eat_any(&["add attribute", "drop attribute", "alter attribute"])?;
    let if_exists = if cursor.eat("if exists") { "if exists " } else { "" };
    let column = cursor.part()?;
    let of = format!("attribute {column}");
    if words == "drop attribute" {
        let op = Op::SetAttribute { object: name.clone(), attribute: format!("{if_exists}{of}"), value: None };
        return Some(action(Kind::DropAttribute, format!("{name}.{column}"), op));
    }
    if words == "alter attribute" {
        cursor.eat("set data");
        cursor.eat("type").then_some(())?;
    }
    let ty = even_type(cursor.until(&["collate", "cascade", "restrict"]), cursor.engine);
    Some(attribute(Kind::AlterType, name.clone(), of, Some(ty)))
}

fn domain(mut cursor: Cursor<'_>, name: &Name) -> Option<Vec<Action>> {
    let one = |attribute_name: &str, value: Option<String>| Some(vec![attribute(Kind::AlterDomain, name.clone(), attribute_name, value)]);
    let yes = Some("yes".to_owned());
    if let Some(words) = cursor.eat_any(&["set not null", "drop not null", "drop default"]) {
        return one(words.trim_start_matches("set ").trim_start_matches("drop "), yes.filter(|_| words == "set not null"));
    }
    if cursor.eat("set default") {
        return one("default", Some(even_text(bare(cursor.all()))));
    }
    if cursor.eat("add") {
        let constraint = if cursor.eat("constraint") { cursor.part()? } else { String::new() };
        return one(format!("constraint {constraint}").trim_end(), Some(even_text(cursor.all())).filter(|t| !t.is_empty()));
    }
    if cursor.eat("drop constraint") {
        // Said so, it may be missing.
        let if_exists = if cursor.eat("if exists") { "if exists " } else { "" };
        return one(&format!("{if_exists}constraint {}", cursor.part()?), None);
    }
    if cursor.eat("rename constraint") {
        let (from, _, to) = (cursor.part()?, cursor.eat("to").then_some(())?, cursor.part()?);
        let renamed = |which: &Name, value: Option<String>| attribute(Kind::AlterDomain, name.clone(), format!("constraint {which}"), value);
        return Some(vec![renamed(&to, Some(format!("was {from}"))), renamed(&from, None)]);
    }
    cursor.eat("validate constraint").then(|| vec![action(Kind::ValidateConstraint, name.clone(), Op::Nothing)])
}

/// Every option of a sequence, in any order.
fn sequence(mut cursor: Cursor<'_>, name: &Name) -> Option<Vec<Action>> {
    let mut actions = Vec::new();
    while !cursor.done() {
        let mut one = |kind: Kind, of: &str, value: Option<String>| actions.push(attribute(kind, name.clone(), of, value));
        if cursor.eat("restart") {
            let _ = cursor.eat("with") || cursor.equals();
            let position = number(&mut cursor).unwrap_or_else(|| "start".to_owned());
            one(Kind::SetSequence, "position", Some(position));
        } else if cursor.eat("owned by") {
            one(Kind::AlterSequence, "owned by", Some(cursor.name()?).filter(|o| o != "none"));
        } else if cursor.eat("as") {
            let ty = even_type(std::slice::from_ref(cursor.token()?), cursor.engine);
            one(Kind::AlterSequence, "type", Some(ty));
        } else if let Some(words) = cursor.eat_any(&["no minvalue", "no maxvalue", "nominvalue", "nomaxvalue", "no cycle", "nocycle", "nocache"]) {
            one(Kind::AlterSequence, words.trim_start_matches("no").trim_start(), None);
        } else if cursor.eat("cycle") {
            one(Kind::AlterSequence, "cycle", Some("yes".to_owned()));
        } else if let Some(words) = cursor.eat_any(&["set logged", "set unlogged"]) {
            one(Kind::AlterSequence, "unlogged", (words == "set unlogged").then(|| "yes".to_owned()));
        } else {
            let word = cursor.eat_any(&["increment", "minvalue", "maxvalue", "start", "cache"])?;
            let _ = cursor.eat("by") || cursor.eat("with") || cursor.equals();
            one(Kind::AlterSequence, word, Some(number(&mut cursor)?));
        }
    }
    Some(actions)
}

fn number(cursor: &mut Cursor<'_>) -> Option<String> {
    let minus = cursor.mark(&Token::Minus);
    let Some(Token::Number(number, _)) = cursor.rest.first() else { return None };
    cursor.token();
    Some(if minus { format!("-{number}") } else { number.clone() })
}

fn schema(mut cursor: Cursor<'_>, name: &Name) -> Option<Vec<Action>> {
    if cursor.engine == Engine::Postgres {
        if cursor.eat("set tablespace") {
            return Some(vec![attribute(Kind::AlterSchema, name.clone(), "tablespace", Some(cursor.part()?))]);
        }
        if cursor.eat("refresh collation version") {
            return Some(vec![action(Kind::Maintenance, name.clone(), Op::Nothing)]);
        }
        if let Some(set) = cursor.eat_any(&["set", "reset"]) {
            let setting = if cursor.eat("time zone") { "timezone".to_owned() } else { cursor.name()? };
            let _ = cursor.eat("to") || cursor.equals();
            return Some(vec![attribute(Kind::AlterSchema, name.clone(), setting, (set == "set").then(|| even_text(cursor.all())))]);
        }
        cursor.eat("with");
        let options = even_text(cursor.all());
        return Some(vec![attribute(Kind::AlterSchema, name.clone(), "options", Some(options))]);
    }
    let mut actions = Vec::new();
    while !cursor.done() {
        cursor.eat("default");
        let words = cursor.eat_any(&["character set", "charset", "collate", "encryption", "comment", "read only", "upgrade data directory name"])?;
        cursor.equals();
        let of = if words == "charset" { "character set" } else { words };
        actions.push(attribute(Kind::AlterSchema, name.clone(), of, cursor.token().map(|t| even_text(std::slice::from_ref(t)))));
    }
    Some(actions)
}

fn extension(mut cursor: Cursor<'_>, name: &Name) -> Option<Vec<Action>> {
    let one = |of: String, value: Option<String>| Some(vec![attribute(Kind::AlterExtension, name.clone(), of, value)]);
    if cursor.eat("update") {
        let to = if cursor.eat("to") { even_text(cursor.all()) } else { "newest".to_owned() };
        return one("version".to_owned(), Some(to));
    }
    let word = cursor.eat_any(&["add", "drop"])?;
    one(format!("member {}", even_text(cursor.all())), (word == "add").then(|| "yes".to_owned()))
}

/// `SET (NAME = VALUE, …)` and nothing after it.
fn options(mut cursor: Cursor<'_>) -> Option<Vec<(String, String)>> {
    if !cursor.eat("set") {
        return None;
    }
    let inner = cursor.parens()?;
    let option = |item: &[Token]| {
        let mut item = Cursor::new(item, cursor.engine);
        let name = item.part()?;
        item.equals().then(|| (name, even_text(item.all())))
    };
    cursor.done().then(|| items(inner).into_iter().map(option).collect()).flatten()
}

/// `= VALUE` or `TO VALUE, …`.
fn setting(cursor: &mut Cursor<'_>) -> Option<String> {
    let _ = cursor.equals() || cursor.eat("to");
    let values = cursor.rest;
    loop {
        cursor.mark(&Token::Minus);
        cursor.token().filter(|token| !is_word(token, "default") && !is_word(token, "from"))?;
        if !cursor.mark(&Token::Comma) {
            return Some(even_text(&values[..values.len() - cursor.rest.len()]));
        }
    }
}

/// The one thing that ALTER FUNCTION changes of how a routine is called or runs, where it is known what holds where nothing is said.
fn of_routine(mut cursor: Cursor<'_>) -> Option<(String, Option<String>)> {
    let found = if let Some(word) = cursor.eat_any(&["immutable", "stable", "volatile"]) {
        ("volatility".to_owned(), Some(word.to_owned()))
    } else if cursor.eat("cost") {
        ("cost".to_owned(), Some(even_text(std::slice::from_ref(cursor.token()?))))
    } else if let Some(word) = cursor.eat_any(&["set", "reset"]) {
        // For as long as it runs. `RESET ALL` is of more than one name, and `FROM CURRENT` says no value.
        let name = cursor.name().filter(|name| name != "all")?;
        (format!("set {name}"), if word == "set" { Some(setting(&mut cursor)?) } else { None })
    } else {
        return None;
    };
    (cursor.engine == Engine::Postgres && cursor.done()).then_some(found)
}

/// The rest: a publication's tables by name, all else as the text of the change, which DOWN cannot be seen to take back.
fn other(mut cursor: Cursor<'_>, sort: &Sort, name: Name, on: Option<Name>) -> Option<Vec<Action>> {
    let object = on.map_or_else(|| name.clone(), |on| format!("{on}.{name}"));
    if sort.words == "event trigger"
        && let Some(state) = cursor.eat_any(&["enable always", "enable replica", "enable", "disable"])
    {
        return Some(vec![attribute(sort.alter, object, "state", (state != "enable").then(|| state.to_owned()))]);
    }
    if sort.class == Class::Event
        && let Some(state) = cursor.eat_any(&["enable", "disable on slave", "disable on replica", "disable"])
        && cursor.done()
    {
        return Some(vec![attribute(sort.alter, object, "state", (state != "enable").then(|| state.to_owned()))]);
    }
    if sort.words == "statistics" && cursor.eat("set statistics") {
        return Some(vec![attribute(sort.alter, object, "statistics", Some(even_text(cursor.all())))]);
    }
    if sort.words == "publication" {
        let before = cursor;
        if let Some(word) = cursor.eat_any(&["add", "drop"])
            && cursor.eat("table")
        {
            let table = |item: &[Token]| {
                let mut table = Cursor::new(item, cursor.engine);
                table.eat("only");
                table.name()
            };
            let tables: Option<Vec<Name>> = items(cursor.rest).into_iter().map(table).collect();
            let value = (word == "add").then(|| "published".to_owned());
            return Some(tables?.into_iter().map(|table| attribute(sort.alter, object.clone(), format!("table {table}"), value.clone())).collect());
        }
        cursor = before;
        if let Some(options) = options(cursor) {
            return Some(options.into_iter().map(|(option, value)| attribute(sort.alter, object.clone(), option, Some(value))).collect());
        }
    }
    if sort.class == Class::Policy {
        let said = CLAUSES.into_iter().zip(clauses(cursor)?);
        return Some(said.filter_map(|(clause, value)| Some(attribute(sort.alter, object.clone(), clause, Some(value?)))).collect());
    }
    if sort.class == Class::Routine
        && let Some((of, value)) = of_routine(cursor)
    {
        return Some(vec![attribute(sort.alter, object, of, value)]);
    }
    if matches!(cursor.rest.first(), Some(Token::Word(_) | Token::LParen)) {
        // What may hold a password is not shown.
        let secret = matches!(sort.words, "subscription" | "user mapping" | "server");
        let text = even_text(cursor.rest);
        let op = if secret { Op::Unseen } else { Op::SetAttribute { object: object.clone(), attribute: "definition".to_owned(), value: Some(text) } };
        return Some(vec![action(sort.alter, object, op)]);
    }
    None
}
