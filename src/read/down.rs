//! Where a layout keeps DOWN, and a file's text with statements added to it. In: a migration, the text of the file, statements.
//! Out: the new text, with the file's own line ends and all that stood in it; and the migration as it would then be read.

use super::parts::Parts;
use super::{Layout, ReadError, dbmate, directive, goose, native, sections, sql_migrate};
use crate::engine::Engine;
use crate::lex;
use crate::migration::{Direction, Migration, Segment};

/// Where in an existing DOWN the statements go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Before its first statement.
    Start,
    /// Behind its last one.
    End,
}

/// The file that holds DOWN, or would hold it, relative to the migrations' folder.
///
/// # Errors
/// Why there is no such file, in a few words.
pub fn file(layout: Layout, migration: &Migration) -> Result<String, String> {
    if let Some(path) = &migration.down_path {
        return Ok(path.clone());
    }
    let path = migration.path.as_str();
    let beside = |up: &str, down: &str| {
        let at = path.to_ascii_lowercase().rfind(up)?;
        Some(format!("{}{down}{}", &path[..at], &path[at + up.len()..]))
    };
    let found = match layout {
        Layout::Native | Layout::Dbmate | Layout::Goose | Layout::SqlMigrate => Some(path.to_owned()),
        Layout::Sqlx | Layout::GolangMigrate => beside(".up.sql", ".down.sql"),
        Layout::Diesel => beside("/up.sql", "/down.sql"),
        Layout::Sqitch => path.strip_prefix("deploy/").map(|change| format!("revert/{change}")),
        Layout::Flyway => {
            let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
            let slash = if folder.is_empty() { "" } else { "/" };
            name.strip_prefix('V').map(|rest| format!("{folder}{slash}U{rest}"))
        }
        Layout::Refinery | Layout::Prisma => return Err(format!("migrations of {layout} have no DOWN")),
    };
    found.ok_or_else(|| format!("a file of {layout} by the name of {path} has no DOWN; name it `….up.sql`"))
}

/// Whether a whole file is one direction.
fn is_whole(layout: Layout) -> bool {
    !matches!(layout, Layout::Native | Layout::Dbmate | Layout::Goose | Layout::SqlMigrate)
}

/// The text of [`file`] with `statements` in its DOWN. `text` is the file as it stands, without a byte-order mark; `None` where there
/// is none yet.
pub fn with(layout: Layout, engine: Engine, migration: &Migration, text: Option<&str>, statements: &[String], at: At) -> String {
    let sample = text.filter(|text| text.contains('\n')).map_or_else(|| migration.up.text(), str::to_owned);
    let line_end = if sample.contains("\r\n") { "\r\n" } else { "\n" };
    let sql = written(layout, statements, line_end);
    let text = text.unwrap_or_default();
    let segments = migration.down.as_ref().map(|down| down.segments.as_slice()).unwrap_or_default();
    let segment = match at {
        At::Start => segments.first(),
        At::End => segments.last(),
    };
    match segment {
        Some(segment) if !text.is_empty() => into_segment(text, segment, &sql, at, line_end, engine),
        _ if is_whole(layout) => format!("{sql}{line_end}"),
        _ => new_part(layout, engine, text, &sql, line_end),
    }
}

/// Statements, each with its end mark, on lines of their own.
fn written(layout: Layout, statements: &[String], line_end: &str) -> String {
    let one = |sql: &String| {
        // A comment at the end would swallow the mark.
        let commented = sql.lines().last().is_some_and(|line| line.contains("--") || line.contains('#'));
        let sql = format!("{sql}{};", if commented { "\n" } else { "" });
        // These tools cut at each line that ends in a semicolon.
        match layout {
            Layout::Goose if sql.trim_end_matches(';').contains(';') => format!("-- +goose StatementBegin\n{sql}\n-- +goose StatementEnd"),
            Layout::SqlMigrate if sql.trim_end_matches(';').contains(';') => format!("-- +migrate StatementBegin\n{sql}\n-- +migrate StatementEnd"),
            _ => sql,
        }
    };
    let lines: Vec<String> = statements.iter().map(one).collect();
    lines.join("\n").replace("\r\n", "\n").replace('\n', line_end)
}

fn into_segment(text: &str, segment: &Segment, sql: &str, at: At, line_end: &str, engine: Engine) -> String {
    let start: usize = text.split_inclusive('\n').take(segment.first_line as usize - 1).map(str::len).sum();
    if at == At::Start {
        let first = lex::split(&segment.text, 1, engine).first().map_or(0, |piece| segment.text[..piece.offset].rfind('\n').map_or(0, |n| n + 1));
        let (head, tail) = text.split_at(start + first);
        return format!("{head}{sql}{line_end}{tail}");
    }
    let end = start + segment.text.trim_end().len();
    let (mut head, tail) = (text[..end].to_owned(), &text[end..]);
    if let Some(last) = lex::split(&segment.text, 1, engine).last() {
        let behind = last.offset + last.text.len();
        // The last statement of a file need not be ended, until another follows.
        let ended = lex::split(&format!("{} x", &segment.text[..segment.text.trim_end().len()]), 1, engine).len() > lex::split(&segment.text, 1, engine).len();
        if !ended {
            head.insert(start + behind, ';');
        }
    }
    let gap = if head.is_empty() || head.ends_with('\n') { "" } else { line_end };
    let tail = if tail.is_empty() && segment.text.is_empty() { line_end } else { tail };
    format!("{head}{gap}{sql}{tail}")
}

/// A part for DOWN behind all that stands in the file.
fn new_part(layout: Layout, engine: Engine, text: &str, sql: &str, line_end: &str) -> String {
    let (before, marker) = match layout {
        Layout::Dbmate => ("", "-- migrate:down".to_owned()),
        Layout::Goose => ("", "-- +goose Down".to_owned()),
        Layout::SqlMigrate => ("", "-- +migrate Down".to_owned()),
        _ => match native::down_marker(text, engine) {
            Some(marker) => ("", marker),
            None => ("-- UP", "-- DOWN".to_owned()),
        },
    };
    let before = if before.is_empty() { String::new() } else { format!("{before}{line_end}") };
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { line_end };
    // A file whose last line has no end keeps it so.
    let last = if text.ends_with('\n') { line_end } else { "" };
    format!("{before}{text}{gap}{marker}{line_end}{sql}{last}")
}

/// `migration` as it is read once [`file`] holds `text`.
///
/// # Errors
/// What the layout's reader says of such a file.
pub fn reread(layout: Layout, engine: Engine, migration: &Migration, text: &str) -> Result<Migration, ReadError> {
    let path = file(layout, migration).unwrap_or_else(|_| migration.path.clone());
    let mut new = migration.clone();
    let part = if is_whole(layout) {
        let mut parts = Parts::new(&path, text);
        parts.begin_at_start(Direction::Down);
        if directive::may_stand_in(text) {
            for comment in lex::line_comments(text, engine) {
                parts.comment(&comment)?;
            }
        }
        new.down_path = Some(path.clone());
        let mut part = parts.finish().one(Direction::Down);
        part.script.no_transaction |= migration.down.as_ref().map_or(layout == Layout::Diesel && migration.up.no_transaction, |d| d.no_transaction);
        part
    } else {
        let cut = match layout {
            Layout::Dbmate => sections::cut(&dbmate::GRAMMAR, &path, text, engine),
            Layout::Goose => sections::cut(&goose::GRAMMAR, &path, text, engine),
            Layout::SqlMigrate => sections::cut(&sql_migrate::GRAMMAR, &path, text, engine),
            _ => native::cut(&path, text, engine),
        }?;
        new.up = cut.up.unwrap_or_default().script;
        cut.down.unwrap_or_default()
    };
    (new.down, new.irreversible) = (Some(part.script), part.irreversible);
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::{Script, Version};

    fn migration(path: &str) -> Migration {
        let version = Version::new("1").expect("a digit is a version");
        Migration { version, name: "x".into(), path: path.into(), down_path: None, up: Script::default(), down: None, irreversible: None, allows: Vec::new() }
    }

    #[test]
    fn down_stands_where_the_layout_has_it() {
        for (layout, path, expected) in [
            (Layout::Native, "V1_x.sql", Ok("V1_x.sql")),
            (Layout::Sqlx, "1_x.up.sql", Ok("1_x.down.sql")),
            (Layout::Sqlx, "1_x.sql", Err("a file of sqlx by the name of 1_x.sql has no DOWN; name it `….up.sql`")),
            (Layout::GolangMigrate, "1_x.mysql.up.sql", Ok("1_x.mysql.down.sql")),
            (Layout::Diesel, "2024_x/up.sql", Ok("2024_x/down.sql")),
            (Layout::Flyway, "a/V1__x.sql", Ok("a/U1__x.sql")),
            (Layout::Sqitch, "deploy/a/x.sql", Ok("revert/a/x.sql")),
            (Layout::Prisma, "1_x/migration.sql", Err("migrations of prisma have no DOWN")),
        ] {
            assert_eq!(file(layout, &migration(path)).as_deref().map_err(String::as_str), expected, "{layout} {path}");
        }
    }

    #[test]
    fn statements_come_into_the_part_and_nothing_else_moves() {
        let drop = ["DROP TABLE a".to_owned()];
        for (what, text, expected) in [
            ("no marker", "CREATE TABLE a (b int);\n", "-- UP\nCREATE TABLE a (b int);\n-- DOWN\nDROP TABLE a;\n"),
            ("no DOWN", "-- Up\nSELECT 1;\n", "-- Up\nSELECT 1;\n-- Down\nDROP TABLE a;\n"),
            ("lower case", "-- migrate:up\nSELECT 1;\n", "-- migrate:up\nSELECT 1;\n-- migrate:down\nDROP TABLE a;\n"),
            ("an empty DOWN", "-- UP\nSELECT 1;\n\n-- DOWN\n", "-- UP\nSELECT 1;\n\n-- DOWN\nDROP TABLE a;\n"),
            ("a comment", "-- UP\nSELECT 1;\n-- DOWN\n-- later\n\n", "-- UP\nSELECT 1;\n-- DOWN\n-- later\nDROP TABLE a;\n\n"),
            ("a statement that is not ended", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 2 -- two", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 2; -- two\nDROP TABLE a;"),
            ("no last line end", "-- UP\nSELECT 1;", "-- UP\nSELECT 1;\n-- DOWN\nDROP TABLE a;"),
            ("other line ends", "-- UP\r\nSELECT 1;\r\n", "-- UP\r\nSELECT 1;\r\n-- DOWN\r\nDROP TABLE a;\r\n"),
        ] {
            let cut = native::cut("V1_x.sql", text, Engine::Sqlite).expect(what);
            let migration = Migration { up: cut.up.unwrap_or_default().script, down: cut.down.map(|down| down.script), ..migration("V1_x.sql") };
            let new = with(Layout::Native, Engine::Sqlite, &migration, Some(text), &drop, At::End);
            assert_eq!(new, expected, "{what}");
            let reread = reread(Layout::Native, Engine::Sqlite, &migration, &new).expect(what);
            assert_eq!(reread.up.text().trim_end(), migration.up.text().trim_end(), "{what}");
            assert!(reread.down.is_some_and(|down| down.text().contains("DROP TABLE a;")), "{what}");
        }
    }
}
