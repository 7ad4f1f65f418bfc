//! SQLite. In: a connection. Out: the texts of `sqlite_schema` evened, the header's settings, every row.

use super::{State, evened};
use crate::link::Link;

/// `ANALYZE` makes these, and no statement takes them away whole: they hold no data.
const STATISTICS: &str = "sqlite_stat";

pub(super) async fn dump(link: &mut Link) -> State {
    let mut state = State { schema: Vec::new(), rows: Vec::new() };
    for pragma in ["user_version", "application_id", "journal_mode", "encoding"] {
        state.schema.extend(link.lines(pragma, &format!("PRAGMA {pragma}")).await);
    }
    for row in link.rows("SELECT type, name, tbl_name, sql FROM sqlite_schema").await {
        let [kind, name, table, sql] = &row[..] else { panic!("four cells: {row:?}") };
        if name.starts_with(STATISTICS) {
            continue;
        }
        state.schema.push(format!("{kind} {name} on {table}: {}", if kind == "table" { table_text(sql) } else { words(sql) }));
        if kind == "table" {
            state.rows.extend(rows(link, name).await);
        }
    }
    state
}

async fn rows(link: &mut Link, table: &str) -> Vec<String> {
    // Hidden columns of virtual tables are no values; generated ones are.
    let mut columns: Vec<String> =
        link.rows(&format!("SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden <> 1")).await.into_iter().flatten().collect();
    columns.sort();
    let cells: Vec<String> = columns.iter().map(|name| format!("'{name}=' || quote(\"{name}\")")).collect();
    link.lines(table, &format!("SELECT {} FROM \"{table}\"", cells.join(", "))).await
}

/// White space evened, quotes around names taken off: a renamed table's text quotes its name.
fn words(sql: &str) -> String {
    sql.replace('"', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The parts between the outermost brackets, sorted.
fn table_text(sql: &str) -> String {
    let text = words(sql);
    let (Some(open), Some(close)) = (text.find('('), text.rfind(')')) else { return text };
    let (mut depth, mut parts, mut begin) = (0, vec![text[..open].trim()], open + 1);
    for (at, c) in text[..close].char_indices().skip_while(|(at, _)| *at <= open) {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.extend([&text[begin..close], &text[close + 1..]]);
    evened(&parts)
}
