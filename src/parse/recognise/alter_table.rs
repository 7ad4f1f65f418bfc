//! ALTER TABLE, action by action. In: tokens. Out: what each part does, read by sqlparser where it can and here where it cannot.

use super::constraint::{self, Element};
use super::table::word;
use super::{Reader, action, attribute, column, option, partition};
use crate::parse::action::{Action, ColumnChange, Dropped, NOT_NULL_NAMED, Name, Op};
use crate::parse::cursor::{Cursor, bare, find, items};
use crate::parse::even::{even_text, even_type};
use crate::parse::kinds::{add_constraint, of_column};
use crate::table::Kind;
use sqlparser::tokenizer::Token;

/// Words that sqlparser would take for the name of a new column.
const NO_COLUMN: &[&str] = &["add system versioning", "add period", "drop system versioning", "drop period", "add partition"];

impl Reader<'_> {
    /// `cursor` stands behind ALTER.
    pub(super) fn alter_table(self, mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
        while cursor.eat_any(&["online", "offline", "ignore", "foreign"]).is_some() {}
        if !cursor.eat("table") {
            return None;
        }
        if cursor.eat("all in tablespace") {
            return Some(vec![action(Kind::TableOption, "all in tablespace", Op::Unseen)]);
        }
        cursor.eat("if exists");
        cursor.eat("only");
        let from = cursor.rest;
        let table = cursor.name()?;
        let name = &from[..from.len() - cursor.rest.len()];
        cursor.mark(&Token::Mul);
        if cursor.eat("wait") {
            cursor.token()?;
        } else {
            cursor.eat("nowait");
        }
        let (mut actions, mut understood) = (Vec::new(), false);
        for part in parts(cursor.rest) {
            match self.by_parser(name, part).or_else(|| self.part(name, &table, part)) {
                Some(found) => {
                    understood = true;
                    actions.extend(found);
                }
                None => actions.push(action(Kind::NotUnderstood, table.clone(), Op::Unseen)),
            }
        }
        understood.then_some(actions)
    }

    fn by_parser(self, name: &[Token], part: &[Token]) -> Option<Vec<Action>> {
        let cursor = Cursor::new(part, self.engine);
        if NO_COLUMN.iter().any(|phrase| cursor.at(phrase)) {
            return None;
        }
        let statement = [word("ALTER"), word("TABLE")].into_iter().chain(name.iter().cloned()).chain(part.iter().cloned());
        (self.again)(statement.collect())
    }

    fn part(self, name: &[Token], table: &Name, part: &[Token]) -> Option<Vec<Action>> {
        let mut cursor = Cursor::new(part, self.engine);
        if let Some(found) = partition::part(cursor, table).or_else(|| option::part(cursor, table)) {
            return Some(found);
        }
        match cursor.word()?.as_str() {
            "add" => self.add(cursor, name, table),
            "drop" => drop_part(cursor, table).map(|a| vec![a]),
            "rename" => rename(cursor, table).map(|a| vec![a]),
            "alter" => alter(cursor, table),
            "modify" => {
                cursor.eat("column");
                cursor.eat("if exists");
                self.redefine(cursor, table, None)
            }
            "change" => {
                cursor.eat("column");
                cursor.eat("if exists");
                let from = cursor.part()?;
                self.redefine(cursor, table, Some(from))
            }
            "validate" if cursor.eat("constraint") => Some(vec![action(Kind::ValidateConstraint, format!("{table}.{}", cursor.part()?), Op::Nothing)]),
            _ => None,
        }
    }

    fn redefine(self, cursor: Cursor<'_>, table: &Name, from: Option<Name>) -> Option<Vec<Action>> {
        let (column, _) = column::column(cursor.rest, self.engine)?;
        let from = from.unwrap_or_else(|| column.name.clone());
        Some(vec![action(Kind::RedefineColumn, format!("{table}.{from}"), Op::RedefineColumn { table: table.clone(), from, column: Box::new(column) })])
    }

    fn add(self, mut cursor: Cursor<'_>, name: &[Token], table: &Name) -> Option<Vec<Action>> {
        if let Some(element) = constraint::element(cursor.rest, table, self.engine) {
            return Some(match element {
                Element::Constraint(constraint) => vec![add_constraint(table, constraint)],
                Element::Index(index) => {
                    let object = index.name.clone().unwrap_or_else(|| format!("on {table}"));
                    let if_not_exists = cursor.until(&["if not exists"]).len() < 3 && cursor.at("if not exists");
                    vec![action(Kind::CreateIndex, object, Op::CreateIndex { index: Box::new(index), if_not_exists, concurrently: false })]
                }
                Element::NotNull(column, name) => {
                    let named = name.map(|name| attribute(Kind::AlterConstraint, format!("{table}.{column}"), NOT_NULL_NAMED, Some(name)));
                    [not_null(table, column)].into_iter().chain(named).collect()
                }
            });
        }
        cursor.eat("column");
        let if_not_exists = cursor.eat("if not exists");
        let list = match cursor.parens() {
            Some(inner) if cursor.done() => items(inner),
            Some(_) => return None,
            None => vec![cursor.rest],
        };
        let mut actions = Vec::new();
        for one in list {
            let mut added = match constraint::element(one, table, self.engine) {
                Some(_) => self.add(Cursor::new(one, self.engine), &[], table)?,
                None => self.add_column(one, name, table)?,
            };
            for each in &mut added {
                if let Op::AddColumn { if_not_exists: flag, .. } = &mut each.op {
                    *flag = if_not_exists;
                }
            }
            actions.extend(added);
        }
        Some(actions)
    }

    fn add_column(self, tokens: &[Token], name: &[Token], table: &Name) -> Option<Vec<Action>> {
        let part: Vec<Token> = [word("ADD"), word("COLUMN")].into_iter().chain(tokens.iter().cloned()).collect();
        if let Some(found) = self.by_parser(name, &part) {
            return Some(found);
        }
        let (column, constraints) = column::column(tokens, self.engine)?;
        let object = format!("{table}.{}", column.name);
        Some(vec![action(of_column(&column), object, Op::AddColumn { table: table.clone(), column: Box::new(column), constraints, if_not_exists: false })])
    }
}

/// The actions between the commas. Some end with a list that has commas of its own, and are the last.
fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let mut found: Vec<&[Token]> = Vec::new();
    let mut from = 0;
    for item in items(tokens) {
        let cursor = Cursor::new(item, crate::engine::Engine::Mysql);
        if partition::takes_the_rest(&cursor) || cursor.at("order by") || cursor.at("union") {
            found.push(&tokens[from..]);
            return found;
        }
        from += item.len() + 1;
        found.push(item);
    }
    found
}

fn cascade(cursor: &mut Cursor<'_>) -> Option<bool> {
    let cascade = cursor.eat("cascade");
    cursor.eat("restrict");
    cursor.done().then_some(cascade)
}

fn drop_part(mut cursor: Cursor<'_>, table: &Name) -> Option<Action> {
    let drop_constraint = |which: Dropped, name: &str, if_exists: bool, cascade: bool| {
        let object = if name.is_empty() { table.clone() } else { format!("{table}.{name}") };
        let kind = if which == Dropped::PrimaryKey { Kind::DropPrimaryKey } else { Kind::DropConstraint };
        action(kind, object, Op::DropConstraint { table: table.clone(), which, if_exists, cascade })
    };
    if cursor.eat("primary key") {
        return Some(drop_constraint(Dropped::PrimaryKey, "", false, cascade(&mut cursor)?));
    }
    let sort = cursor.eat_any(&["constraint", "foreign key", "check", "index", "key", "column"]);
    let if_exists = cursor.eat("if exists");
    let name = cursor.part()?;
    let cascade = cascade(&mut cursor)?;
    Some(match sort {
        Some("constraint" | "check") => drop_constraint(Dropped::Named(name.clone()), &name, if_exists, cascade),
        Some("foreign key") => drop_constraint(Dropped::ForeignKey(name.clone()), &name, if_exists, cascade),
        Some("index" | "key") => action(Kind::DropIndex, name.clone(), Op::DropIndex { table: Some(table.clone()), name, if_exists, concurrently: false }),
        _ => action(Kind::DropColumn, format!("{table}.{name}"), Op::DropColumn { table: table.clone(), column: name, if_exists, cascade }),
    })
}

fn rename(mut cursor: Cursor<'_>, table: &Name) -> Option<Action> {
    let sort = cursor.eat_any(&["column", "index", "key", "constraint"]);
    if sort.is_none() {
        let before = cursor;
        if cursor.eat_any(&["to", "as"]).is_some()
            || cursor.equals()
            || cursor.rest.len() == 1
            || cursor.engine.is_mysql_like() && find(cursor.rest, "to").is_none()
        {
            let to = cursor.name()?;
            let to = match table.rsplit_once('.') {
                Some((schema, _)) if !to.contains('.') => format!("{schema}.{to}"),
                _ => to,
            };
            return cursor.done().then(|| action(Kind::RenameTable, table.clone(), Op::RenameTable { from: table.clone(), to }));
        }
        cursor = before;
    }
    cursor.eat("if exists");
    let from = cursor.part()?;
    if !cursor.eat("to") {
        return None;
    }
    let to = cursor.part()?;
    if !cursor.done() {
        return None;
    }
    let within = format!("{table}.{from}");
    Some(match sort {
        Some("index" | "key") => action(Kind::RenameIndex, from.clone(), Op::RenameIndex { table: Some(table.clone()), from, to }),
        Some("constraint") => action(Kind::RenameConstraint, within, Op::RenameConstraint { table: table.clone(), from, to }),
        _ => action(Kind::RenameColumn, within, Op::RenameColumn { table: table.clone(), from, to }),
    })
}

fn change(table: &Name, column: Name, kind: Kind, change: ColumnChange) -> Action {
    action(kind, format!("{table}.{column}"), Op::AlterColumn { table: table.clone(), column, change })
}

/// A column from now on holds no NULL.
pub(super) fn not_null(table: &Name, column: Name) -> Action {
    change(table, column, Kind::SetNotNull, ColumnChange::SetNotNull)
}

/// ALTER COLUMN and its kin.
fn alter(mut cursor: Cursor<'_>, table: &Name) -> Option<Vec<Action>> {
    if cursor.eat_any(&["index", "key"]).is_some() {
        cursor.eat("if exists");
        let name = cursor.part()?;
        let state = even_text(cursor.all());
        let hidden = matches!(state.as_str(), "invisible" | "ignored");
        return Some(vec![attribute(Kind::IndexOption, format!("{table}.{name}"), "visibility", hidden.then_some(state))]);
    }
    if cursor.eat_any(&["constraint", "check"]).is_some() {
        let object = format!("{table}.{}", cursor.part()?);
        let mode = even_text(cursor.all());
        let (name, default) = match mode.as_str() {
            "enforced" | "not enforced" => ("enforcement", "enforced"),
            "inherit" | "no inherit" => ("inheritance", "inherit"),
            _ => ("mode", "not deferrable"),
        };
        return Some(vec![attribute(Kind::AlterConstraint, object, name, (mode != default).then_some(mode))]);
    }
    cursor.eat("column");
    cursor.eat("if exists");
    let name = cursor.part().or_else(|| cursor.token().map(|t| even_text(std::slice::from_ref(t))))?;
    // What an identity's sequence is told may stand behind each other.
    let mut actions = Vec::new();
    while actions.is_empty() || !cursor.done() {
        let (kind, what) = column_change(&mut cursor)?;
        actions.push(change(table, name.clone(), kind, what));
    }
    Some(actions)
}

/// What follows an option of an identity's sequence.
const SEQUENCE_TOLD: &[&str] = &["set", "restart"];

fn column_change(cursor: &mut Cursor<'_>) -> Option<(Kind, ColumnChange)> {
    let option = |name: &str, value: String| (Kind::ColumnOption, ColumnChange::Attribute(name.to_owned(), value));
    if cursor.eat("set data type") || cursor.eat("type") {
        let ty = column::type_tokens(cursor).filter(|ty| !ty.is_empty())?;
        let collation = if cursor.eat("collate") { Some(cursor.name()?) } else { None };
        let using = if cursor.eat("using") { Some(even_text(bare(cursor.all()))) } else { None };
        return Some((Kind::ChangeType, ColumnChange::SetType { ty: even_type(ty, cursor.engine), using, collation }));
    }
    if cursor.eat("set default") {
        let text = even_text(bare(cursor.all()));
        return match text.as_str() {
            "" => None,
            "null" => Some((Kind::DropDefault, ColumnChange::DropDefault)),
            _ => Some((Kind::SetDefault, ColumnChange::SetDefault(text))),
        };
    }
    Some(
        match cursor.eat_any(&[
            "drop default",
            "set not null",
            "drop not null",
            "drop expression",
            "drop identity",
            "set expression as",
            "add generated",
            "set generated",
        ]) {
            Some("drop default") => (Kind::DropDefault, ColumnChange::DropDefault),
            Some("set not null") => (Kind::SetNotNull, ColumnChange::SetNotNull),
            Some("drop not null") => (Kind::DropNotNull, ColumnChange::DropNotNull),
            Some("drop expression") => {
                cursor.eat("if exists");
                (Kind::DropExpression, ColumnChange::DropExpression)
            }
            Some("drop identity") => (Kind::ColumnIdentity, ColumnChange::DropIdentity { if_exists: cursor.eat("if exists") }),
            Some("set expression as") => option("expression", even_text(bare(cursor.parens()?))),
            Some(verb) => {
                let mode = format!("identity {}", cursor.eat_any(&["always", "by default"])?);
                cursor.eat("as identity");
                cursor.parens();
                (Kind::ColumnIdentity, if verb.starts_with("add") { ColumnChange::AddIdentity(mode) } else { ColumnChange::SetIdentity(mode) })
            }
            None => {
                if cursor.eat("restart") || cursor.eat("set restart") {
                    cursor.eat("with");
                    return Some((Kind::SetSequence, ColumnChange::Attribute("position".to_owned(), even_text(cursor.until(SEQUENCE_TOLD)))));
                }
                if cursor.eat("options") {
                    return Some(option("options", even_text(cursor.parens()?)));
                }
                let set = cursor.eat_any(&["set", "reset"])?;
                if let Some(list) = cursor.parens() {
                    let mut one = Cursor::new(list, cursor.engine);
                    match (one.word(), one.equals(), items(list).len()) {
                        // No value is no option.
                        (Some(name), _, 1) => option(&name, even_text(one.all())),
                        _ => option("options", format!("{set} {}", even_text(list))),
                    }
                } else if let Some(visibility) = cursor.eat_any(&["invisible", "visible"]) {
                    option("visibility", visibility.to_owned())
                } else {
                    let name = cursor.word()?;
                    if !["statistics", "storage", "compression", "increment", "minvalue", "maxvalue", "start", "cache", "cycle", "no"].contains(&name.as_str())
                    {
                        return None;
                    }
                    let _ = cursor.eat("by") || cursor.eat("with");
                    option(&name, even_text(cursor.until(SEQUENCE_TOLD)))
                }
            }
        },
    )
}
