//! Steps for the runner. In: migrations, their assessments, what the history holds of them. Out: [`Step`]s.

use super::failure::Failure;
use crate::assess::{self, Assessment};
use crate::config::Config;
use crate::engine::Engine;
use crate::gate::{Course, Inverse, Sql, Step};
use crate::migration::{Direction, Migration, Script};
use crate::observed::{Applied, HalfDone, in_force};
use crate::parse::action::Op;
use crate::parse::manner::{manners, touched};
use crate::parse::{self, Statement};
use crate::recover::{BY_THE_STORED, Undo, destroys};
use crate::schema::catalog::Catalog;
use crate::table::{Kind, Loss, Verdict};

/// An UP longer than this is not kept: it is kept to show what was edited, and nobody reads a difference that long.
const KEPT: usize = 1 << 20;

/// The statements of `script`, which stands in the file `path`. Those that begin or end a transaction are left out: the runner makes its own.
fn statements(script: &Script, path: &str, engine: Engine) -> (Vec<Sql>, bool) {
    (as_sql(parsed(script, engine), path, engine), !script.no_transaction)
}

fn parsed(script: &Script, engine: Engine) -> Vec<Statement> {
    let mut statements = parse::script(script, engine);
    statements.retain(|statement| !statement.is_transaction_frame());
    statements
}

fn as_sql(statements: Vec<Statement>, path: &str, engine: Engine) -> Vec<Sql> {
    let manners = manners(&statements, engine);
    let sql = statements.into_iter().zip(manners).map(|(statement, manner)| Sql {
        touched: touched(&statement, engine),
        path: path.to_owned(),
        line: statement.line,
        manner,
        text: statement.text,
    });
    sql.collect()
}

/// Refuses a script that ends a transaction which is not its own.
fn transactions_hold(statements: &[Statement], path: &str) -> Result<(), Failure> {
    match statements.iter().find(|statement| statement.breaks_transaction()) {
        Some(statement) => Err(Failure {
            path: Some(path.to_owned()),
            line: Some(statement.line),
            ..Failure::usage(
                "ends-transaction",
                format!("{path}:{}: this ends a transaction, and the runner keeps its own around the script; nothing was touched", statement.line),
                "leave out what should not stand, and with it the statement that takes it back",
            )
        }),
        None => Ok(()),
    }
}

/// UP of a migration that was judged, `up` being its statements.
pub(super) fn up(
    migration: &Migration,
    mut up: Vec<Statement>,
    assessment: &Assessment,
    config: &Config,
    engine: Engine,
    note: Option<String>,
) -> Result<Step, Failure> {
    up.retain(|statement| !statement.is_transaction_frame());
    transactions_hold(&up, &migration.path)?;
    let pin = config.pin.pinning(assessment, &config.gate, || destroys(&up));
    let text = migration.up.text();
    Ok(Step {
        version: migration.version.to_string(),
        name: migration.name.clone(),
        direction: Direction::Up,
        statements: as_sql(up, &migration.path, engine),
        in_transaction: !migration.up.no_transaction,
        course: Course::Whole,
        verdict: assessment.verdict,
        loss: assessment.loss,
        needs_attestation: config.gate.needs_attestation(&assessment.findings),
        pin,
        forbidden: config.gate.forbids_loss(&assessment.findings),
        up_sha256: migration.up.sha256(),
        up_text: (text.len() <= KEPT).then_some(text),
        down_sha256: migration.down.as_ref().map(Script::sha256),
        down_text: migration.down.as_ref().map(Script::text),
        down_loses: down_loses(assessment),
        attestation: None,
        reason: None,
        note,
    })
}

/// What DOWN takes away with all that was written since UP.
fn down_loses(assessment: &Assessment) -> Vec<String> {
    let mut objects: Vec<String> = Vec::new();
    for judged in &assessment.statements {
        let Some(row) = crate::table::find(judged.code).filter(|_| judged.loss == Some(Loss::WrittenSince)) else { continue };
        let class = match row.kind {
            Kind::CreateTable | Kind::CreateTableAs | Kind::CreateVirtual => "table",
            Kind::AddColumn | Kind::AddColumnDefault | Kind::AddColumnRequired => "column",
            // Rows that UP brought are UP's own; what was written into them since cannot be told from them.
            _ => continue,
        };
        let object = format!("{class} {}", judged.object);
        if !objects.contains(&object) {
            objects.push(object);
        }
    }
    objects
}

/// DOWN of what is to be undone; its verdict is what was recorded when UP ran, and passed the wall.
pub(super) fn down(undo: &Undo<'_>, engine: Engine) -> Result<Step, Failure> {
    let applied = undo.applied;
    let path = match undo.file {
        Some(file) => file.down_path.clone().unwrap_or_else(|| file.path.clone()),
        None => format!("{} (stored in the history)", applied.version),
    };
    let statements = parsed(&undo.down, engine);
    transactions_hold(&statements, &path)?;
    Ok(Step {
        direction: Direction::Down,
        statements: as_sql(statements, &path, engine),
        in_transaction: !undo.down.no_transaction,
        down_sha256: Some(undo.down.sha256()),
        down_text: Some(undo.down.text()),
        up_text: None,
        note: undo.note.clone(),
        ..recorded(applied)
    })
}

/// A step without statements that says what `row` says.
pub(super) fn recorded(row: &Applied) -> Step {
    let verdict = [Verdict::Reversible, Verdict::Partial, Verdict::Irreversible].into_iter().find(|v| v.name() == row.verdict);
    let loss = [Loss::None, Loss::WrittenSince, Loss::Possible, Loss::Certain].into_iter().find(|l| l.name() == row.loss);
    Step {
        version: row.version.clone(),
        name: row.name.clone(),
        direction: row.direction,
        statements: Vec::new(),
        in_transaction: true,
        course: Course::Whole,
        // A word that this program never wrote is the worst.
        verdict: verdict.unwrap_or(Verdict::Irreversible),
        loss: loss.unwrap_or(Loss::Certain),
        // Whether it may run was asked when it began.
        needs_attestation: false,
        forbidden: false,
        pin: None,
        up_sha256: row.up_sha256.clone(),
        up_text: row.up_text.clone(),
        down_sha256: row.down_sha256.clone(),
        down_text: row.down_text.clone(),
        down_loses: row.down_loses.clone(),
        attestation: None,
        reason: None,
        note: None,
    }
}

/// A run that stopped part-way, by its file or, where that is gone, by the text that its history row holds. Where its UP was changed since,
/// `judged` says what the changed one means.
pub(super) fn half_done(row: &Applied, file: Option<&Migration>, judged: Option<Step>, engine: Engine) -> Option<Step> {
    let (script, path) = of_half_done(row, file)?;
    let (statements, in_transaction) = statements(&script, &path, engine);
    Some(Step { statements, in_transaction, attestation: row.attestation.clone(), ..judged.unwrap_or_else(|| recorded(row)) })
}

/// What such a run runs, and the file that it stands in.
fn of_half_done(row: &Applied, file: Option<&Migration>) -> Option<(Script, String)> {
    let stored = format!("{} (stored in the history)", row.version);
    match (row.direction, file) {
        (Direction::Up, Some(file)) => Some((file.up.clone(), file.path.clone())),
        (Direction::Up, None) => Some((Script::whole(row.up_text.as_deref()?), stored)),
        (Direction::Down, Some(Migration { down: Some(down), path, down_path, .. })) if row.note.as_deref() != Some(BY_THE_STORED) => {
            Some((down.clone(), down_path.clone().unwrap_or_else(|| path.clone())))
        }
        (Direction::Down, _) => Some((Script::whole(row.down_text.as_deref()?), stored)),
    }
}

/// What takes back the first `stands` statements of such a run, and what is lost by that. The catalog before it follows from what the
/// history says has run.
///
/// # Errors
/// Why nobody knows a way back, as the end of a sentence.
pub(super) fn compensation(
    half: &HalfDone,
    stands: usize,
    history: &[Applied],
    file: Option<&Migration>,
    mut catalog: Catalog,
) -> Result<(Vec<Inverse>, Vec<String>), String> {
    let engine = catalog.engine;
    for applied in in_force(history) {
        let text = applied.up_text.as_deref().ok_or_else(|| format!("the history does not hold the UP of {}", applied.version))?;
        assess::follow(&mut catalog, &parsed(&Script::whole(text), engine));
    }
    let (script, path) = of_half_done(&half.row, file).ok_or("its text is not at hand")?;
    let mut statements = parsed(&script, engine);
    statements.truncate(stands);
    let backward = assess::compensation(&mut catalog, &statements).map_err(|(line, why)| format!("for line {line}, {}", why.0))?;
    let mut loses = Vec::new();
    let inverses = backward.into_iter().enumerate().rev().map(|(at, sql)| {
        let backward: Vec<Statement> = sql.iter().flat_map(|text| parsed(&Script::whole(text.as_str()), engine)).collect();
        for action in backward.iter().flat_map(|statement| &statement.actions) {
            match &action.op {
                Op::DropTable { name, .. } => loses.push(format!("table {name}")),
                Op::DropColumn { table, column, .. } => loses.push(format!("column {table}.{column}")),
                _ => {}
            }
        }
        let sql = as_sql(backward, &path, engine);
        Inverse { statement: at + 1, sql: sql.into_iter().map(|sql| Sql { line: statements[at].line, ..sql }).collect() }
    });
    let inverses: Vec<Inverse> = inverses.collect();
    Ok((inverses, loses))
}
