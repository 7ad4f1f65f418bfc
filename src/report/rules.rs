//! The reversibility table, printed. In: the table. Out: text, Markdown or JSON.

use crate::engine::Engine;
use crate::table::{CHECKS, TABLE};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

/// The table as columns that fit `width`.
pub fn text(width: u16) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(["code", "rule", "sqlite", "postgres", "mysql", "mariadb"]);
    for row in TABLE {
        let mut line = vec![row.code.to_owned(), row.name.to_owned()];
        line.extend(row.cells.iter().map(|cell| cell.words().to_owned()));
        table.add_row(line);
    }
    let mut out: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    out.push('\n');
    for check in CHECKS {
        out.push_str(&format!(" {}  {:<16} {}\n", check.code, check.name, check.what));
    }
    out
}

/// The table as Markdown.
pub fn markdown() -> String {
    let mut out = String::from("| code | rule | SQLite | PostgreSQL | MySQL | MariaDB | DOWN cannot bring back |\n|---|---|---|---|---|---|---|\n");
    for row in TABLE {
        let cells: Vec<&str> = row.cells.iter().map(|cell| cell.words()).collect();
        out.push_str(&format!("| {} | `{}` | {} | {} |\n", row.code, row.name, cells.join(" | "), row.beyond_down));
    }
    out
}

/// The table as JSON.
pub fn json() -> Value {
    let rows: Vec<Value> = TABLE
        .iter()
        .map(|row| {
            let cells: serde_json::Map<String, Value> = Engine::ALL
                .iter()
                .map(|&engine| {
                    let cell = row.kind.cell(engine);
                    (engine.name().to_owned(), json!({"verdict": cell.verdict(), "loss": cell.loss(), "words": cell.words()}))
                })
                .collect();
            json!({"code": row.code, "name": row.name, "family": row.family, "beyond_down": row.beyond_down, "engines": cells})
        })
        .collect();
    let checks: Vec<Value> = CHECKS.iter().map(|c| json!({"code": c.code, "name": c.name, "what": c.what})).collect();
    json!({"schema": super::json::SCHEMA, "rules": rows, "checks": checks})
}
