//! The sorts of objects that are held whole, and how each is named. In: tokens behind CREATE, ALTER or DROP. Out: the sort and the
//! object's name.

use crate::engine::Engine;
use crate::parse::action::{Class, Name};
use crate::parse::cursor::{Cursor, find, is_word, items};
use crate::parse::even::{even_text, even_type};
use crate::table::Kind;
use sqlparser::tokenizer::Token;

/// How an object of a sort is named.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Named {
    /// By a name.
    Plainly,
    /// By a name and, on PostgreSQL, the types of its arguments.
    WithArguments,
    /// By a name within a table: `ON t`.
    Within,
    /// As an account.
    Account,
    /// By all that is written up to the next clause.
    Wordily,
}

/// One sort of objects.
pub(super) struct Sort {
    /// The words behind CREATE, ALTER and DROP.
    pub(super) words: &'static str,
    pub(super) class: Class,
    pub(super) named: Named,
    /// The engines that have it: `p`, `m` (MySQL), `a` (MariaDB), `s`.
    engines: &'static str,
    pub(super) create: Kind,
    /// The kind of CREATE OR REPLACE.
    pub(super) replace: Kind,
    pub(super) alter: Kind,
    pub(super) drop: Kind,
}

macro_rules! sorts {
    ($($words:literal $engines:literal $class:ident $named:ident $create:ident $replace:ident $alter:ident $drop:ident;)*) => {
        const SORTS: &[Sort] = &[$(Sort {
            words: $words, class: Class::$class, named: Named::$named, engines: $engines,
            create: Kind::$create, replace: Kind::$replace, alter: Kind::$alter, drop: Kind::$drop,
        }),*];
    };
}

// Longer words stand before those that begin alike.
#[rustfmt::skip]
sorts! {
    "materialized view"         "p"    MaterializedView Plainly   CreateView      ReplaceView    AlterView      DropView;
    "json relational duality view" "m" View         Plainly       CreateView      ReplaceView    AlterView      DropView;
    "json duality view"         "m"    View         Plainly       CreateView      ReplaceView    AlterView      DropView;
    "view"                      "pmas" View          Plainly       CreateView      ReplaceView    AlterView      DropView;
    "type"                      "p"    Type          Plainly       CreateType      AlterType      AlterType      DropType;
    "domain"                    "p"    Domain        Plainly       CreateType      AlterDomain    AlterDomain    DropType;
    "sequence"                  "pa"   Sequence      Plainly       CreateSequence  AlterSequence  AlterSequence  DropSequence;
    "aggregate function"        "ma"   Routine       WithArguments CreateRoutine   ReplaceRoutine AlterRoutine   DropRoutine;
    "function"                  "pma"  Routine       WithArguments CreateRoutine   ReplaceRoutine AlterRoutine   DropRoutine;
    "procedure"                 "pma"  Routine       WithArguments CreateRoutine   ReplaceRoutine AlterRoutine   DropRoutine;
    "routine"                   "p"    Routine       WithArguments CreateRoutine   ReplaceRoutine AlterRoutine   DropRoutine;
    "package body"              "a"    Other         Plainly       CreateRoutine   ReplaceRoutine AlterRoutine   DropRoutine;
    "package"                   "a"    Other         Plainly       CreateRoutine   ReplaceRoutine AlterRoutine   DropRoutine;
    "aggregate"                 "p"    Other         WithArguments CreateObject    AlterObject    AlterObject    DropObject;
    "constraint trigger"        "p"    Trigger       Within        CreateTrigger   CreateTrigger  AlterObject    DropTrigger;
    "event trigger"             "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "trigger"                   "pmas" Trigger       Within        CreateTrigger   CreateTrigger  AlterObject    DropTrigger;
    "event"                     "ma"   Event         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "rule"                      "p"    Rule          Within        CreateObject    AlterObject    AlterObject    DropObject;
    "policy"                    "p"    Policy        Within        CreatePolicy    AlterPolicy    AlterPolicy    AlterPolicy;
    "user mapping"              "p"    Other         Wordily       CreateObject    AlterObject    AlterObject    DropObject;
    "role"                      "pma"  Role          Account       CreateRole      AlterRole      AlterRole      DropRole;
    "user"                      "pma"  Role          Account       CreateRole      AlterRole      AlterRole      DropRole;
    "group"                     "p"    Role          Account       CreateRole      AlterRole      AlterRole      DropRole;
    "schema"                    "pma"  Schema        Plainly       CreateSchema    AlterSchema    AlterSchema    DropSchema;
    "database"                  "pma"  Schema        Plainly       CreateDatabase  AlterSchema    AlterSchema    DropDatabase;
    "extension"                 "p"    Extension     Plainly       CreateExtension AlterExtension AlterExtension DropExtension;
    "publication"               "p"    Other         Plainly       Replication     Replication    Replication    Replication;
    "subscription"              "p"    Other         Plainly       Replication     Replication    Replication    DropReplication;
    "operator class"            "p"    Other         Wordily       CreateObject    AlterObject    AlterObject    DropObject;
    "operator family"           "p"    Other         Wordily       CreateObject    AlterObject    AlterObject    DropObject;
    "operator"                  "p"    Other         Wordily       CreateObject    AlterObject    AlterObject    DropObject;
    "cast"                      "p"    Other         Wordily       CreateObject    AlterObject    AlterObject    DropObject;
    "transform"                 "p"    Other         Wordily       CreateObject    AlterObject    AlterObject    DropObject;
    "collation"                 "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "default conversion"        "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "conversion"                "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "text search configuration" "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "text search dictionary"    "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "text search parser"        "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "text search template"      "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "statistics"                "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "undo tablespace"           "m"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "tablespace"                "pma"  Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "logfile group"             "m"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "resource group"            "m"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "server"                    "pma"  Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "foreign data wrapper"      "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "access method"             "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "trusted procedural language" "p"  Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "trusted language"          "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "procedural language"       "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "language"                  "p"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "library"                   "m"    Other         Plainly       CreateObject    AlterObject    AlterObject    DropObject;
    "spatial reference system"  "m"    Other         Wordily       CreateObject    AlterObject    AlterObject    DropObject;
}

/// The sort that stands here; the cursor is behind its words then.
pub(super) fn sort(cursor: &mut Cursor<'_>) -> Option<&'static Sort> {
    let letter = match cursor.engine {
        Engine::Postgres => 'p',
        Engine::Mysql => 'm',
        Engine::Mariadb => 'a',
        Engine::Sqlite => 's',
    };
    SORTS.iter().find(|sort| sort.engines.contains(letter) && cursor.eat(sort.words))
}

/// The name of an object of this sort, and the table that it belongs to where that is written at once.
pub(super) fn name(cursor: &mut Cursor<'_>, sort: &Sort) -> Option<(Name, Option<Name>)> {
    match sort.named {
        Named::Plainly => cursor.name().map(|name| (name, None)),
        Named::Account => cursor.account().map(|name| (name, None)),
        Named::WithArguments => routine(cursor).map(|name| (name, None)),
        Named::Within => {
            let name = cursor.name()?;
            let on = if cursor.eat("on") { Some(cursor.name()?) } else { None };
            Some((name, on))
        }
        Named::Wordily => {
            cursor.eat("for");
            let text = match cursor.parens() {
                Some(inner) => even_text(inner),
                None => {
                    let before = cursor.rest;
                    let stop = before.iter().position(|t| matches!(t, Token::LParen)).unwrap_or(before.len());
                    let mut head = Cursor::new(&before[..stop], cursor.engine);
                    let taken = head
                        .until(&["as", "default", "for", "options", "rename to", "owner to", "set", "add", "drop", "cascade", "restrict", "name", "definition"])
                        .len();
                    cursor.rest = &before[taken..];
                    let list = cursor.parens();
                    let name = even_text(&before[..taken]);
                    match list {
                        Some(list) if sort.words == "operator" => format!("{name} ({})", operands(list, cursor.engine)),
                        // The method stands behind the name in ALTER and DROP, and behind the type in CREATE.
                        _ => name.split(" using ").next().map(str::to_owned).unwrap_or_default(),
                    }
                }
            };
            (!text.is_empty()).then_some((text, None))
        }
    }
}

/// The types of an operator's operands: two types in ALTER and DROP, `leftarg = …` and `rightarg = …` in CREATE.
fn operands(list: &[Token], engine: Engine) -> String {
    let each = items(list);
    let written = |side: &str| {
        let named = each.iter().find_map(|item| {
            let mut cursor = Cursor::new(item, engine);
            (cursor.eat(side) && cursor.equals()).then_some(cursor.rest)
        });
        named.map_or_else(|| "none".to_owned(), |ty| even_type(ty, engine))
    };
    match each.iter().any(|item| item.contains(&Token::Eq)) {
        true => format!("{}, {}", written("leftarg"), written("rightarg")),
        false => each.iter().map(|ty| even_type(ty, engine)).collect::<Vec<_>>().join(", "),
    }
}

/// `f(integer,text)` on PostgreSQL where arguments are written, `f` elsewhere.
pub(super) fn routine(cursor: &mut Cursor<'_>) -> Option<Name> {
    let name = cursor.name()?;
    let engine = cursor.engine;
    if engine != Engine::Postgres || cursor.rest.first() != Some(&Token::LParen) {
        return Some(name);
    }
    let types: Vec<String> = items(cursor.parens()?).into_iter().filter_map(|argument| argument_type(argument, engine)).collect();
    Some(format!("{name}({})", types.join(", ")))
}

/// The type of one argument; none for what the caller does not pass.
fn argument_type(argument: &[Token], engine: Engine) -> Option<String> {
    let mut cursor = Cursor::new(argument, engine);
    // The mode stands before the name or behind it. A mode alone is a type that is called so.
    if let [Token::Word(_), mode, _, ..] = argument
        && ["in", "out", "inout"].iter().any(|word| is_word(mode, word))
    {
        cursor.part();
    }
    if cursor.rest.len() > 1 {
        if cursor.eat("out") {
            return None;
        }
        cursor.eat_any(&["inout", "in", "variadic"]);
    }
    let mut tokens = cursor.rest;
    let end = find(tokens, "default").or_else(|| tokens.iter().position(|t| matches!(t, Token::Eq | Token::Assignment))).unwrap_or(tokens.len());
    tokens = &tokens[..end];
    if let [Token::Word(_), Token::Word(_), ..] = tokens
        && ![
            "double precision",
            "character varying",
            "char varying",
            "bit varying",
            "timestamp with",
            "timestamp without",
            "time with",
            "time without",
            "national char",
            "national character",
        ]
        .iter()
        .any(|ty| Cursor::new(tokens, engine).at(ty))
    {
        tokens = &tokens[1..];
    }
    // Length and precision are no part of a routine's signature.
    let mut depth = 0_usize;
    let kept: Vec<Token> = tokens
        .iter()
        .filter(|token| match token {
            Token::LParen => {
                depth += 1;
                false
            }
            Token::RParen => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .cloned()
        .collect();
    let ty = even_type(&kept, engine);
    // Some types have a length where none is written; here they have none.
    Some(ty.replace("character(1)", "character").replace("bit(1)", "bit"))
}
