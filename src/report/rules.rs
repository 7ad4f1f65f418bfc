//! The reversibility table, printed. In: the table, and what was proved of it. Out: text, Markdown or JSON.

use crate::engine::Engine;
use crate::proved;
use crate::table::{CHECKS, Cell, Row, TABLE};
use serde_json::{Value, json};

/// A cell in one word, so that a line of the table is one line of text.
fn word(cell: Cell) -> &'static str {
    match cell {
        Cell::Undo => "reversible",
        Cell::UndoNew => "reversible*",
        Cell::Moves => "app moves",
        Cell::Definition => "if known",
        Cell::Decays => "decays",
        Cell::Depends => "depends",
        Cell::Destroys => "destroys",
        Cell::OneWay => "no inverse",
        Cell::Keeps => "nothing",
        Cell::Unseen => "unseen",
        Cell::Absent => "–",
    }
}

const LEGEND: [(Cell, &str); 11] = [
    (Cell::Undo, "DOWN restores everything"),
    (Cell::UndoNew, "DOWN restores what stood before; what was written since UP into what UP made goes with it"),
    (Cell::Moves, "partial: DOWN restores everything, but every application must move with it both times"),
    (Cell::Definition, "reversible where DOWN rebuilds the definition that stood before and that is known; else partial"),
    (Cell::Decays, "partial: DOWN restores everything until rows stand that only the new schema admits"),
    (Cell::Depends, "decided from the old and the new definition; where one is unknown, partial"),
    (Cell::Destroys, "irreversible: UP itself destroys data"),
    (Cell::OneWay, "irreversible: no statement of this database takes it back"),
    (Cell::Keeps, "reversible: it leaves nothing to undo"),
    (Cell::Unseen, "partial: what it does cannot be seen from its text"),
    (Cell::Absent, "this database has no such statement"),
];

/// Behind a cell that a real database showed.
const PROVED: &str = "✓";

/// A cell in the words of `say`, marked where it was proved.
fn marked(row: &Row, engine: Engine, say: fn(Cell) -> &'static str) -> String {
    format!("{}{}", say(row.kind.cell(engine)), proved::on(row.name, engine).map_or("", |_| PROVED))
}

/// What the mark means, with the versions.
fn proved_on() -> String {
    let proofs = Engine::ALL.iter().filter_map(|engine| proved::proofs().get(engine.name()));
    let versions: Vec<String> = proofs.flat_map(|proof| [format!("{} ({})", proof.version, proof.date)].into_iter().chain(proof.also.clone())).collect();
    format!("proved by running UP and DOWN on {}; a cell without it is from the manual", versions.join(", "))
}

/// The table, one line a kind of statement, with its words explained below; prose is wrapped at `width`.
pub fn text(width: u16) -> String {
    let mut out = format!("{:<4} {:<22}", "code", "rule");
    for engine in Engine::ALL {
        out.push_str(&format!(" {:<12}", engine.name()));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    for row in TABLE {
        let cells: String = Engine::ALL.iter().map(|&engine| format!(" {:<12}", marked(row, engine, word))).collect();
        out.push_str(format!("{:<4} {:<22}{cells}", row.code, row.name).trim_end());
        out.push('\n');
    }
    let mut entry = |head: String, text: &str| {
        let options = textwrap::Options::new(usize::from(width)).initial_indent(&head).subsequent_indent("                               ");
        out.push_str(&format!("{}\n", textwrap::fill(text, options)));
    };
    entry("\nrules of a whole migration, and of locks".into(), "");
    for check in CHECKS {
        entry(format!("{:<4} {:<26}", check.code, check.name), check.what);
    }
    entry("\nwords".into(), "");
    for (cell, meaning) in LEGEND {
        entry(format!("    {:<27}", word(cell)), meaning);
    }
    entry(format!("    {PROVED:<19}"), &proved_on());
    out
}

/// The table as Markdown, with the mark explained below.
pub fn markdown() -> String {
    let mut out = String::from("| code | rule | SQLite | PostgreSQL | MySQL | MariaDB | DOWN cannot bring back |\n|---|---|---|---|---|---|---|\n");
    for row in TABLE {
        let cells: Vec<String> = Engine::ALL.iter().map(|&engine| marked(row, engine, Cell::words)).collect();
        out.push_str(&format!("| {} | `{}` | {} | {} |\n", row.code, row.name, cells.join(" | "), row.beyond_down));
    }
    out + &format!("\n{PROVED} {}.\n", proved_on())
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
                    (
                        engine.name().to_owned(),
                        json!({"verdict": cell.verdict(), "loss": cell.loss(), "words": cell.words(), "proved": proved::on(row.name, engine)}),
                    )
                })
                .collect();
            json!({"code": row.code, "name": row.name, "family": row.family, "beyond_down": row.beyond_down, "engines": cells})
        })
        .collect();
    let checks: Vec<Value> = CHECKS.iter().map(|c| json!({"code": c.code, "name": c.name, "what": c.what})).collect();
    json!({"schema": super::json::SCHEMA, "rules": rows, "checks": checks})
}
