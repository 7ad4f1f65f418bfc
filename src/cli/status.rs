//! `migrate status`: files and history side by side. Never writes.

use super::database::{Database, block_on};
use super::settings::Settings;
use super::{Console, Format, Global};
use crate::exit::Exit;
use crate::gate::history::{self, Compared, State};
use crate::observed::Next;
use crate::recover;
use crate::report::text::only_the_name_wraps;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;
use std::io::Write;

pub(super) fn run(global: &Global, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    let loaded = settings.load(database.engine)?;
    let (history, half) = block_on(async |interrupt| {
        let mut session = database.look(&interrupt).await?;
        let history = session.history(&database.history_table).await?;
        let half = session.half_done(&database.history_table, &history).await?;
        session.close().await;
        Ok((history, half))
    })?;
    let compared = history::compare(&loaded.migrations, &history, database.engine);
    let applied = crate::observed::in_force(&history);
    let (reach, wall) = recover::reach(&history, &loaded.migrations, database.engine);
    let drift = half.is_some() || compared.pending(false).is_err();
    let lines = lines(&compared);
    if global.format == Format::Json {
        let list: Vec<_> = lines
            .iter()
            .map(|l| json!({"version": l.version, "name": l.name, "state": l.state, "applied_at": l.at, "verdict": l.verdict, "loss": l.loss}))
            .collect();
        writeln!(
            console.out,
            "{}",
            json!({"schema": 1, "engine": database.engine, "layout": loaded.layout, "migrations": list, "reach": reach, "wall": wall.as_ref().map(|w| json!({"version": applied[applied.len() - 1 - reach].version, "why": w.to_string()})), "half_done": half.as_ref().map(|h| json!({"version": h.row.version, "direction": h.row.direction, "statements_standing": h.stands, "decided": !matches!(h.next, Next::Undecided(_)), "note": h.note}))})
        )?;
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(console.width);
        table.set_header(["version", "name", "state", "applied at (UTC)", "verdict"]);
        for line in &lines {
            table.add_row([&line.version, &line.name, line.state, line.at.as_deref().unwrap_or(""), line.verdict.as_deref().unwrap_or("")]);
        }
        only_the_name_wraps(&mut table);
        for line in table.lines() {
            writeln!(console.out, "{}", line.trim_end())?;
        }
        let pending = lines.iter().filter(|l| l.state == "pending").count();
        writeln!(console.out, "\n{} applied, {pending} pending", applied.len())?;
        match (&wall, applied.len()) {
            (_, 0) => {}
            (None, _) => writeln!(console.out, "reach: all of them can be undone")?,
            (Some(wall), _) => writeln!(console.out, "reach: {reach} can be undone; then the wall: {wall}")?,
        }
        if let Some(half) = half {
            let (row, stands) = (&half.row, half.stands);
            writeln!(
                console.out,
                "half-done: {} of {} {}, of which {stands} statements stand; `migrate up` says more",
                row.direction.name(),
                row.version,
                row.name
            )?;
        }
    }
    Ok(if drift { Exit::Drift } else { Exit::Done })
}

struct Line {
    version: String,
    name: String,
    state: &'static str,
    at: Option<String>,
    verdict: Option<String>,
    loss: Option<String>,
}

fn lines(compared: &Compared<'_>) -> Vec<Line> {
    let of_file = compared.files.iter().map(|(migration, state)| {
        let (state, applied) = match state {
            State::Applied(applied) if applied.is_adopted() => ("adopted", Some(applied)),
            State::Applied(applied) => ("applied", Some(applied)),
            State::Reworded(applied) => ("reworded", Some(applied)),
            State::Edited(applied) => ("edited", Some(applied)),
            State::Pending => ("pending", None),
            State::OutOfOrder => ("out of order", None),
        };
        Line {
            version: migration.version.to_string(),
            name: migration.name.clone(),
            state,
            at: applied.map(|a| a.at.clone()),
            verdict: applied.map(|a| a.verdict.clone()),
            loss: applied.map(|a| a.loss.clone()),
        }
    });
    let without_file = compared.missing.iter().map(|a| Line {
        version: a.version.clone(),
        name: a.name.clone(),
        state: "file missing",
        at: Some(a.at.clone()),
        verdict: Some(a.verdict.clone()),
        loss: Some(a.loss.clone()),
    });
    of_file.chain(without_file).collect()
}
