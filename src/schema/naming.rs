//! The names that each engine gives to what has none. In: a table and what hangs on it. Out: the name that a later
//! `DROP CONSTRAINT` or `DROP INDEX` will use.

use super::catalog::Table;
use crate::engine::Engine;
use crate::parse::action::{Name, Rule};
use crate::parse::{even, names};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The bare table name, without its schema.
fn last(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table)
}

/// PostgreSQL's `makeObjectName`: at most 63 bytes, the longer of the two parts is cut first.
fn postgres(table: &str, columns: &str, suffix: &str) -> Name {
    let (mut table, mut columns) = (last(table), columns);
    while table.len() + columns.len() + suffix.len() + 1 + usize::from(!columns.is_empty()) > 63 {
        let cut = if table.len() > columns.len() { &mut table } else { &mut columns };
        *cut = &cut[..cut.floor_char_boundary(cut.len() - 1)];
    }
    [table, columns, suffix].iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join("_")
}

fn free(base: Name, first: u32, join: &str, taken: impl Fn(&str) -> bool) -> Name {
    if !taken(&base) {
        return base;
    }
    (first..).map(|n| format!("{base}{join}{n}")).find(|name| !taken(name)).unwrap_or(base)
}

fn taken(table: &Table, name: &str) -> bool {
    table.constraints.iter().any(|c| c.name == name) || table.indexes.iter().any(|i| i.name == name)
}

/// The name of a constraint that was given none.
pub(crate) fn constraint(table: &Table, rule: &Rule, engine: Engine) -> Name {
    match engine {
        Engine::Postgres => {
            let (columns, suffix) = match rule {
                Rule::PrimaryKey(_) => (String::new(), "pkey"),
                Rule::Unique(columns) => (columns.join("_"), "key"),
                Rule::ForeignKey { columns, .. } => (columns.join("_"), "fkey"),
                Rule::Check(expr) => (only_column(table, expr).unwrap_or_default(), "check"),
                Rule::Exclude(_) => (String::new(), "excl"),
            };
            free(postgres(&table.name, &columns, suffix), 1, "", |name| taken(table, name))
        }
        Engine::Mysql | Engine::Mariadb => match rule {
            Rule::PrimaryKey(_) => "primary".into(),
            Rule::Unique(columns) => index(table, columns, engine),
            Rule::ForeignKey { .. } => numbered(table, "_ibfk_"),
            // MariaDB names them CONSTRAINT_1, CONSTRAINT_2, …; MySQL by the table.
            Rule::Check(_) | Rule::Exclude(_) if engine == Engine::Mariadb => {
                (1..).map(|n| format!("constraint_{n}")).find(|name| !taken(table, name)).unwrap_or_default()
            }
            Rule::Check(_) | Rule::Exclude(_) => numbered(table, "_chk_"),
        },
        // SQLite's have no name at all: this one cannot be written, and is only told apart from others.
        Engine::Sqlite => format!("\u{0}{}", table.constraints.len()),
    }
}

fn numbered(table: &Table, infix: &str) -> Name {
    (1..).map(|n| format!("{}{infix}{n}", last(&table.name))).find(|name| !taken(table, name)).unwrap_or_default()
}

/// The one column that an expression speaks of.
fn only_column(table: &Table, expr: &str) -> Option<Name> {
    let mut found = None;
    for word in words(expr, Engine::Postgres) {
        if table.column(&word).is_some() && found.as_ref() != Some(&word) {
            if found.is_some() {
                return None;
            }
            found = Some(word);
        }
    }
    found.map(Cow::into_owned)
}

/// A piece of an even text.
enum Piece<'a> {
    /// A bare word.
    Word(&'a str),
    /// What stands between a name's quotes.
    Quoted(&'a str),
    /// Strings with their quotes, and marks.
    Other(&'a str),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    // No engine has a mark beyond ASCII: all that stands there belongs to a name.
    let wordy = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || !b.is_ascii();
    let mut rest = text;
    std::iter::from_fn(move || {
        let bytes = rest.as_bytes();
        let first = *bytes.first()?;
        let until = |stops: &dyn Fn(u8) -> bool| bytes[1..].iter().position(|b| stops(*b)).map_or(bytes.len(), |at| at + 1);
        let end = match first {
            b'\'' | b'"' | b'`' => (until(&|b| b == first) + 1).min(bytes.len()),
            b if wordy(b) => until(&|b| !wordy(b)),
            _ => until(&|b| wordy(b) || matches!(b, b'\'' | b'"' | b'`')),
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(match first {
            b'"' | b'`' => match piece[1..].strip_suffix(char::from(first)) {
                Some(name) if !name.is_empty() => Piece::Quoted(name),
                // Nobody closed it.
                _ => Piece::Other(piece),
            },
            b if wordy(b) => Piece::Word(piece),
            _ => Piece::Other(piece),
        })
    })
}

/// The words of an even text that stand outside of strings, each name as the catalog holds it.
pub(crate) fn words(text: &str, engine: Engine) -> impl Iterator<Item = Cow<'_, str>> {
    pieces(text).filter_map(move |piece| match piece {
        Piece::Word(word) => Some(Cow::Borrowed(word)),
        Piece::Quoted(name) => Some(folded(name, engine)),
        Piece::Other(_) => None,
    })
}

/// The names of an even text that may be tables or views: each word, and what dots join.
pub(crate) fn relations(text: &str, engine: Engine) -> BTreeSet<Name> {
    let mut found: BTreeSet<Name> = words(text, engine).map(Cow::into_owned).collect();
    let mut path: Vec<Cow<'_, str>> = Vec::new();
    let mut dot = false;
    let mut end = |path: &mut Vec<Cow<'_, str>>| {
        if path.len() > 1 {
            found.insert(names::join(path, engine));
        }
        path.clear();
    };
    for piece in pieces(text) {
        match piece {
            Piece::Other(mark) => {
                dot = mark == ".";
                if !dot {
                    end(&mut path);
                }
            }
            Piece::Word(name) | Piece::Quoted(name) => {
                if !std::mem::take(&mut dot) {
                    end(&mut path);
                }
                path.push(folded(name, engine));
            }
        }
    }
    end(&mut path);
    found
}

/// A name as the catalog holds it.
fn folded(name: &str, engine: Engine) -> Cow<'_, str> {
    if engine == Engine::Postgres || !name.contains(char::is_uppercase) { Cow::Borrowed(name) } else { Cow::Owned(name.to_lowercase()) }
}

/// The names right behind FROM and JOIN in an even text.
pub(crate) fn sources(text: &str, engine: Engine) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    for word in [" from ", " join "] {
        for (at, _) in text.match_indices(word) {
            found.extend(first_path(&text[at + word.len()..], engine));
        }
        for quote in ['"', '`'] {
            let opened = format!("{}{quote}", word.trim_end());
            found.extend(text.match_indices(&opened).filter_map(|(at, _)| first_path(&text[at + opened.len() - 1..], engine)));
        }
    }
    found
}

/// The name that an even text begins with.
pub(crate) fn first_path(text: &str, engine: Engine) -> Option<Name> {
    let mut path = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Word(name) | Piece::Quoted(name) => path.push(folded(name, engine)),
            Piece::Other(".") => {}
            Piece::Other(_) => break,
        }
    }
    (!path.is_empty()).then(|| names::join(&path, engine))
}

/// The sequence that PostgreSQL makes for a serial or identity column.
pub(crate) fn sequence(table: &str, column: &str) -> Name {
    let name = postgres(table, column, "seq");
    match table.rsplit_once('.') {
        Some((schema, _)) => format!("{schema}.{name}"),
        None => name,
    }
}

/// The name of an index that was given none.
pub(crate) fn index(table: &Table, columns: &[String], engine: Engine) -> Name {
    let plain = |column: &String| column.split([' ', '(']).next().unwrap_or("").to_owned();
    match engine {
        Engine::Postgres => {
            let of = |column: &String| {
                if column.contains('(') { column.split('(').next().filter(|f| !f.is_empty()).unwrap_or("expr").to_owned() } else { plain(column) }
            };
            free(postgres(&table.name, &columns.iter().map(of).collect::<Vec<_>>().join("_"), "idx"), 1, "", |name| taken(table, name))
        }
        Engine::Mysql | Engine::Mariadb => free(columns.first().map(plain).unwrap_or_default(), 2, "_", |name| taken(table, name)),
        Engine::Sqlite => format!("sqlite_autoindex_{}_{}", table.name, table.indexes.len() + 1),
    }
}

/// `text` with the name `from` made `to` wherever it stands outside of a string.
pub(crate) fn rename_word(text: &str, from: &str, to: &str, engine: Engine) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Word(word) if word == from => out.push_str(&even::name(to)),
            Piece::Quoted(name) if name == from || engine != Engine::Postgres && name.to_lowercase() == from => out.push_str(&even::name(to)),
            Piece::Quoted(name) => out.extend(["\"", name, "\""]),
            Piece::Word(text) | Piece::Other(text) => out.push_str(text),
        }
    }
    out
}

/// The columns that a rule stands on.
pub(crate) fn rule_columns(rule: &Rule, engine: Engine) -> Vec<Cow<'_, str>> {
    match rule {
        Rule::PrimaryKey(columns) | Rule::Unique(columns) | Rule::ForeignKey { columns, .. } => columns.iter().map(|c| Cow::Borrowed(c.as_str())).collect(),
        Rule::Check(text) | Rule::Exclude(text) => words(text, engine).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_alphabet_and_behind_an_open_quote() {
        for (text, expected) in [
            ("a.b, c", vec!["a", "a.b", "b", "c"]),
            ("select größe from \"Übersicht\".straße", vec!["from", "größe", "select", "straße", "Übersicht", "Übersicht.straße"]),
            ("x = 'in a string' and `ç", vec!["and", "x"]),
            ("\"", vec![]),
            ("\"\"", vec![]),
        ] {
            assert_eq!(relations(text, Engine::Postgres).into_iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
