//! CREATE TABLE and CREATE INDEX where sqlparser refuses the whole. In: tokens. Out: the table, element by element, each read by
//! sqlparser where it can and by `column` and `constraint` where it cannot, so that no column is lost.

use super::constraint::{self, Element};
use super::{Reader, action, column};
use crate::engine::Engine;
use crate::parse::action::{Action, Column, CreateTable, Index, Op};
use crate::parse::cursor::{Cursor, bare, find, is_word, items};
use crate::parse::even::even_text;
use crate::parse::names::is_temporary;
use crate::table::Kind;
use sqlparser::tokenizer::Token;

impl Reader<'_> {
    /// CREATE [modifiers] TABLE; `cursor` stands behind TABLE.
    pub(super) fn create_table(self, mut cursor: Cursor<'_>, or_replace: bool, modifiers: &[String]) -> Option<Vec<Action>> {
        let has = |word: &str| modifiers.iter().any(|m| m == word);
        let mut table = CreateTable { or_replace, temporary: has("temp") || has("temporary"), ..CreateTable::default() };
        table.if_not_exists = cursor.eat("if not exists");
        let from = cursor.rest;
        table.name = cursor.name()?;
        table.temporary |= is_temporary(&table.name, self.engine);
        let name = &from[..from.len() - cursor.rest.len()];
        let mut options: Vec<String> = ["unlogged", "foreign"].into_iter().filter(|w| has(w)).map(str::to_owned).collect();
        let mut kind = if table.temporary { Kind::CreateTemporary } else { Kind::CreateTable };
        if has("foreign") {
            kind = Kind::CreateVirtual;
        }
        if has("virtual") {
            kind = Kind::CreateVirtual;
            virtual_columns(cursor, &mut table);
        } else if cursor.eat("of") {
            options.push(format!("of {}", cursor.name()?));
            table.of_query = true;
            cursor.parens();
        } else if cursor.eat("like") {
            table.like = Some(cursor.name()?);
        } else if cursor.eat("partition of") {
            let parent = cursor.name()?;
            options.push(format!("partition of {parent}"));
            table.like = Some(parent);
            cursor.parens();
        } else if let Some(list) = cursor.parens() {
            // Before `AS TABLE u` stand names alone.
            let names = list.iter().enumerate().all(|(at, token)| matches!((at % 2, token), (0, Token::Word(_)) | (1, Token::Comma)));
            if !(names && query_at(cursor.rest).is_some()) {
                self.elements(list, name, &mut table, &mut options)?;
            }
        } else if query_at(cursor.rest).is_none() {
            return None;
        }
        if let Some(at) = find(cursor.rest, "inherits") {
            let mut inherits = Cursor::new(&cursor.rest[at + 1..], self.engine);
            table.like = inherits.parens().and_then(|p| Cursor::new(p, self.engine).name());
        }
        let rest = cursor.all();
        if rest.first().is_some_and(|t| matches!(t, Token::LParen)) {
            return None;
        }
        // `… AS SELECT`, or on MySQL a SELECT with nothing before it. `AS` also stands inside of options.
        if let Some(query) = query_at(rest) {
            table.of_query = table.columns.is_empty();
            kind = if table.temporary { kind } else { Kind::CreateTableAs };
            options.push(even_text(&rest[..query]));
        } else {
            options.push(even_text(rest));
        }
        options.retain(|o| !o.is_empty());
        table.options = options.join(" ");
        Some(vec![action(kind, table.name.clone(), Op::CreateTable(Box::new(table)))])
    }

    /// The list in parentheses.
    fn elements(self, list: &[Token], name: &[Token], table: &mut CreateTable, options: &mut Vec<String>) -> Option<()> {
        for item in items(list) {
            if item.is_empty() {
                return None;
            }
            let mut cursor = Cursor::new(item, self.engine);
            if cursor.eat("like") {
                table.like = Some(cursor.name()?);
                options.push(even_text(cursor.all()));
            } else if cursor.at("period for") {
                options.push(even_text(item));
            } else if let Some(read) = self.element_by_parser(item, name) {
                table.columns.extend(read.columns);
                table.constraints.extend(read.constraints);
                table.indexes.extend(read.indexes);
            } else {
                self.element(item, table)?;
            }
        }
        Some(())
    }

    fn element_by_parser(self, item: &[Token], name: &[Token]) -> Option<CreateTable> {
        let open = [word("CREATE"), word("TABLE")].into_iter().chain(name.iter().cloned()).chain([Token::LParen]);
        let statement = open.chain(item.iter().cloned()).chain([Token::RParen]).collect();
        let [Action { op: Op::CreateTable(read), .. }] = &mut (self.again)(statement)?[..] else { return None };
        Some(std::mem::take(read))
    }

    fn element(self, mut item: &[Token], table: &mut CreateTable) -> Option<()> {
        while !item.is_empty() {
            let named = is_word(&item[0], "constraint");
            let (first, rest) = if self.engine == Engine::Sqlite { first_constraint(item) } else { (item, &item[..0]) };
            match constraint::element(first, &table.name, self.engine) {
                Some(Element::Constraint(one)) => table.constraints.push(one),
                Some(Element::Index(one)) => table.indexes.push(one),
                Some(Element::NotNull(name, _)) => table.columns.iter_mut().filter(|c| c.name == name).for_each(|c| c.not_null = true),
                None if named => return None,
                None => {
                    let (column, own) = column::column(first, self.engine)?;
                    table.columns.push(column);
                    table.constraints.extend(own);
                }
            }
            item = rest;
        }
        Some(())
    }

    /// CREATE [UNIQUE | FULLTEXT | SPATIAL] INDEX; `cursor` stands behind INDEX.
    pub(super) fn create_index(self, mut cursor: Cursor<'_>, or_replace: bool, modifiers: &[String]) -> Option<Vec<Action>> {
        let has = |word: &str| modifiers.iter().any(|m| m == word);
        let concurrently = cursor.eat("concurrently");
        let if_not_exists = cursor.eat("if not exists");
        let mut name = if cursor.at("on") { None } else { Some(cursor.name()?) };
        let mut rest: Vec<String> = ["fulltext", "spatial", "vector"].into_iter().filter(|w| has(w)).map(str::to_owned).collect();
        if cursor.eat("using") {
            rest.push(format!("using {}", cursor.word()?));
        }
        if !cursor.eat("on") {
            return None;
        }
        if cursor.at("only") && !matches!(cursor.rest.get(1), Some(Token::LParen)) {
            cursor.eat("only");
            rest.push("only".to_owned());
        }
        let table = cursor.name()?;
        if cursor.eat("using") {
            let method = cursor.word()?;
            if method != "btree" {
                rest.push(format!("using {method}"));
            }
        }
        let columns = constraint::columns(cursor.parens()?, self.engine)?;
        if columns.is_empty() {
            return None;
        }
        rest.extend(index_options(&mut cursor)?);
        rest.retain(|r| !r.is_empty());
        if let (Some((schema, _)), Some(own)) = (table.rsplit_once('.'), &mut name)
            && !own.contains('.')
        {
            *own = format!("{schema}.{own}");
        }
        let unique = has("unique");
        let object = name.clone().unwrap_or_else(|| format!("on {table}"));
        let index = Index { name, table, unique, columns, rest: rest.join(" ") };
        let kind = if unique { Kind::CreateUniqueIndex } else { Kind::CreateIndex };
        // MariaDB drops the old one first.
        let old = index.name.clone().filter(|_| or_replace).map(|name| {
            let op = Op::DropIndex { table: Some(index.table.clone()), name: name.clone(), if_exists: true, concurrently: false };
            action(Kind::DropIndex, name, op)
        });
        Some(Vec::from_iter(old.into_iter().chain([action(kind, object, Op::CreateIndex { index: Box::new(index), if_not_exists, concurrently })])))
    }
}

/// Where the query begins that a table is made of.
fn query_at(tokens: &[Token]) -> Option<usize> {
    ["as select", "as with", "as values", "as table", "as execute", "select"].iter().find_map(|query| find(tokens, query))
}

/// SQLite takes several constraints without a comma between them.
fn first_constraint(item: &[Token]) -> (&[Token], &[Token]) {
    let starts = ["constraint", "primary key", "unique", "foreign key", "check"];
    let mut cursor = Cursor::new(item, Engine::Sqlite);
    if cursor.eat("constraint") {
        cursor.part();
    }
    if starts.iter().any(|start| cursor.eat(start)) {
        cursor.until(&starts);
        item.split_at(item.len() - cursor.rest.len())
    } else {
        (item, &item[..0])
    }
}

/// What follows the columns of an index, but for what only tells the server how to build it.
fn index_options(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    let mut rest = Vec::new();
    while !cursor.done() {
        if cursor.eat("where") {
            let predicate = cursor.until(&[]);
            rest.push(format!("where {}", even_text(bare(predicate))));
        } else if cursor.eat("include") {
            rest.push(format!("include({})", even_text(cursor.parens()?)));
        } else if cursor.eat("nulls not distinct") {
            rest.push("nulls not distinct".to_owned());
        } else if cursor.eat("nulls distinct") || cursor.eat("visible") {
        } else if cursor.eat("with parser") {
            rest.push(format!("with parser {}", cursor.word()?));
        } else if cursor.eat("with") {
            rest.push(format!("with({})", even_text(cursor.parens()?)));
        } else if let Some(word) = cursor.eat_any(&["invisible", "ignored", "not ignored"]) {
            rest.push(word.to_owned());
        } else if cursor.eat_any(&["algorithm", "lock", "wait"]).is_some() {
            cursor.equals();
            cursor.token()?;
        } else if cursor.eat("nowait") {
        } else if let Some(word) = cursor.eat_any(&["tablespace", "comment", "key_block_size", "using", "m", "distance"]) {
            cursor.equals();
            rest.push(format!("{word} {}", even_text(std::slice::from_ref(cursor.token()?))));
        } else {
            return None;
        }
    }
    Some(rest)
}

/// The columns that the arguments of a virtual table's module name; an argument with `=` is an option.
fn virtual_columns(cursor: Cursor<'_>, table: &mut CreateTable) {
    let mut cursor = Cursor { engine: Engine::Sqlite, ..cursor };
    if !cursor.eat("using") || cursor.part().is_none() {
        table.of_query = true;
        return;
    }
    for argument in cursor.parens().map(items).unwrap_or_default() {
        let mut words = Cursor::new(argument, Engine::Sqlite);
        if let Some(name) = words.part().filter(|_| !argument.contains(&Token::Eq)) {
            table.columns.push(Column { name, ty: even_text(words.rest), ..Column::default() });
        }
    }
}

/// An unquoted word as sqlparser's tokenizer makes it.
pub(super) fn word(text: &str) -> Token {
    Token::make_keyword(text)
}
