//! SQLite: a new database in memory for each case.

use super::{Case, DOWN_FAILS, Fate, compare, one_by_one};
use crate::trial::turns_keys_off;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use unmigrate::engine::Engine;

pub(super) async fn fate(case: &Case) -> Fate {
    let mut link = SqliteConnection::connect("sqlite::memory:").await.expect("a database in memory");
    let fate = try_case(&mut link, case).await.unwrap_or_else(|error| Fate::Refused(error.to_string()));
    link.close().await.expect("a goodbye");
    fate
}

async fn try_case(link: &mut SqliteConnection, case: &Case) -> sqlx::Result<Fate> {
    run(link, &case.start, false).await?;
    let before = state(link).await?;
    run(link, &case.up, case.alone).await?;
    if let Err(error) = run(link, case.down.as_deref().unwrap_or_default(), case.alone).await {
        return Ok(Fate::Bad(format!("{DOWN_FAILS}{error}")));
    }
    Ok(compare(&before, &state(link).await?))
}

/// In one transaction where that can be, as the runner does it, and in a session that has set nothing yet.
async fn run(link: &mut SqliteConnection, statements: &[String], alone: bool) -> sqlx::Result<()> {
    // Without the comments behind each: a line comment at the end of ADD COLUMN would hide the bracket that SQLite puts there.
    let texts = one_by_one(&Case::script(statements), Engine::Sqlite);
    execute(link, "PRAGMA foreign_keys = ON").await?;
    if alone {
        for sql in &texts {
            execute(link, sql).await?;
        }
    } else {
        let sql = Case::script(&texts);
        // Inside of a transaction SQLite does not hear it, so the runner says it before.
        let keys = if turns_keys_off(&sql) { "OFF" } else { "ON" };
        execute(link, &format!("PRAGMA foreign_keys = {keys};\nBEGIN IMMEDIATE;\n{sql}COMMIT;\nPRAGMA foreign_keys = ON;")).await?;
    }
    // The session ends, and its tables with it.
    for table in lines(link, "SELECT name FROM sqlite_temp_schema WHERE type = 'table'").await?.concat() {
        execute(link, &format!("DROP TABLE temp.\"{table}\"")).await?;
    }
    Ok(())
}

async fn execute(link: &mut SqliteConnection, sql: &str) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(link).await.map(drop)
}

async fn lines(link: &mut SqliteConnection, sql: &str) -> sqlx::Result<Vec<Vec<String>>> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(link).await?;
    rows.iter().map(|row| (0..row.len()).map(|at| row.try_get_unchecked::<Option<String>, _>(at).map(Option::unwrap_or_default)).collect()).collect()
}

async fn state(link: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let mut state = Vec::new();
    for pragma in ["user_version", "application_id"] {
        state.push(format!("{pragma} {}", lines(link, &format!("PRAGMA {pragma}")).await?.concat().concat()));
    }
    for object in lines(link, "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite^_%' ESCAPE '^'").await? {
        let [kind, name, sql] = object.as_slice() else { continue };
        if kind != "table" || sql.starts_with("CREATE VIRTUAL") {
            state.push(format!("{kind} {} {}", name.to_lowercase(), even(sql)));
            continue;
        }
        let mut items = items(&even(sql));
        items.sort_unstable();
        state.push(format!("table {} ({})", name.to_lowercase(), items.join(" | ")));
        let mut columns: Vec<String> = lines(link, &format!("SELECT name FROM pragma_table_xinfo('{name}') WHERE hidden <> 1")).await?.concat();
        columns.sort_by_key(|column| column.to_lowercase());
        let values = columns.iter().map(|c| format!("quote(\"{c}\")")).collect::<Vec<_>>().join(" || ', ' || ");
        let mut rows: Vec<String> = lines(link, &format!("SELECT {values} FROM \"{name}\"")).await?.concat();
        rows.sort_unstable();
        state.push(format!("rows {} {}: {}", name.to_lowercase(), columns.join(", ").to_lowercase(), rows.join(" | ")));
    }
    if !lines(link, "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").await?.is_empty() {
        state.extend(lines(link, "SELECT 'position ' || lower(name) || ' ' || seq FROM sqlite_sequence").await?.concat());
    }
    state.sort_unstable();
    Ok(state)
}

/// Text without quotes around names, comments and spare blanks, in small letters but for strings.
fn even(sql: &str) -> String {
    let (mut out, mut rest) = (String::new(), sql);
    while let Some(c) = rest.chars().next() {
        let piece = match c {
            '\'' => {
                let end = rest[1..].find('\'').map_or(rest.len(), |at| at + 2);
                out.push_str(&rest[..end]);
                end
            }
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '"' | '`' => 1,
            _ if c.is_whitespace() => {
                if !out.ends_with([' ', '(']) {
                    out.push(' ');
                }
                c.len_utf8()
            }
            _ => {
                out.extend(c.to_lowercase());
                c.len_utf8()
            }
        };
        rest = &rest[piece..];
    }
    out.trim().replace(" (", "(")
}

/// What stands between the outer brackets of a CREATE TABLE, parted at its commas, and what stands behind them.
fn items(sql: &str) -> Vec<String> {
    let (open, close) = (sql.find('(').unwrap_or(0), sql.rfind(')').unwrap_or(sql.len()));
    let (mut depth, mut quoted, mut items) = (0, false, vec![sql[close..].to_owned(), String::new()]);
    for c in sql[open + 1..close].chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        items.last_mut().expect("never empty").push(c);
    }
    items.iter().map(|item| item.trim().to_owned()).collect()
}
