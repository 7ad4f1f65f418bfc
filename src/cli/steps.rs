//! Steps for the runner. In: migrations, their assessments, what the history holds of them. Out: [`Step`]s.

use crate::assess::Assessment;
use crate::engine::Engine;
use crate::gate::policy::Policy;
use crate::gate::{Course, Sql, Step};
use crate::migration::{Direction, Migration, Script};
use crate::observed::Applied;
use crate::parse;
use crate::parse::manner::{manners, touched};
use crate::recover::Undo;
use crate::table::{Kind, Loss, Verdict};

/// An UP longer than this is not kept: it is kept to show what was edited, and nobody reads a difference that long.
const KEPT: usize = 1 << 20;

/// The statements of `script`, which stands in the file `path`. Those that begin or end a transaction are left out: the runner makes its own.
fn statements(script: &Script, path: &str, engine: Engine) -> (Vec<Sql>, bool) {
    let mut statements = parse::script(script, engine);
    statements.retain(|statement| !statement.is_transaction_frame());
    let manners = manners(&statements, engine);
    let sql = statements.into_iter().zip(manners).map(|(statement, manner)| Sql {
        touched: touched(&statement, engine),
        path: path.to_owned(),
        line: statement.line,
        manner,
        text: statement.text,
    });
    (sql.collect(), !script.no_transaction)
}

/// UP of a migration that was judged.
pub(super) fn up(migration: &Migration, assessment: &Assessment, policy: &Policy, engine: Engine, note: Option<String>) -> Step {
    let (statements, in_transaction) = statements(&migration.up, &migration.path, engine);
    let text = migration.up.text();
    Step {
        version: migration.version.to_string(),
        name: migration.name.clone(),
        direction: Direction::Up,
        statements,
        in_transaction,
        course: Course::Whole,
        verdict: assessment.verdict,
        loss: assessment.loss,
        needs_attestation: policy.needs_attestation(&assessment.findings),
        up_sha256: migration.up.sha256(),
        up_text: (text.len() <= KEPT).then_some(text),
        down_sha256: migration.down.as_ref().map(Script::sha256),
        down_text: migration.down.as_ref().map(Script::text),
        down_loses: down_loses(assessment),
        reason: None,
        note,
    }
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
pub(super) fn down(undo: &Undo<'_>, engine: Engine) -> Step {
    let applied = undo.applied;
    let path = match undo.file {
        Some(file) => file.down_path.clone().unwrap_or_else(|| file.path.clone()),
        None => format!("{} (stored in the history)", applied.version),
    };
    let (statements, in_transaction) = statements(&undo.down, &path, engine);
    Step {
        version: applied.version.clone(),
        name: applied.name.clone(),
        direction: Direction::Down,
        statements,
        in_transaction,
        course: Course::Whole,
        verdict: Verdict::Reversible,
        loss: Loss::WrittenSince,
        needs_attestation: false,
        up_sha256: applied.up_sha256.clone(),
        up_text: None,
        down_sha256: Some(undo.down.sha256()),
        down_text: Some(undo.down.text()),
        down_loses: applied.down_loses.clone(),
        reason: None,
        note: undo.note.clone(),
    }
}

/// The rest of a run that stopped part-way, by its file or, for a DOWN without one, by the text that its history row holds.
pub(super) fn half_done(row: &Applied, file: Option<&Migration>, engine: Engine) -> Option<Step> {
    let script = match (row.direction, file) {
        (Direction::Up, Some(file)) => file.up.clone(),
        (Direction::Up, None) => Script::whole(row.up_text.clone()?),
        (Direction::Down, Some(Migration { down: Some(down), .. })) => down.clone(),
        (Direction::Down, _) => Script::whole(row.down_text.clone()?),
    };
    let path = match (row.direction, file) {
        (Direction::Down, Some(Migration { down_path: Some(path), .. })) | (_, Some(Migration { path, .. })) => path.clone(),
        (_, None) => format!("{} (stored in the history)", row.version),
    };
    let (statements, in_transaction) = statements(&script, &path, engine);
    let verdict = [Verdict::Reversible, Verdict::Partial, Verdict::Irreversible].into_iter().find(|v| v.name() == row.verdict)?;
    let loss = [Loss::None, Loss::WrittenSince, Loss::Possible, Loss::Certain].into_iter().find(|l| l.name() == row.loss)?;
    let text = file.map(|file| file.up.text()).filter(|text| text.len() <= KEPT).or_else(|| row.up_text.clone());
    Some(Step {
        version: row.version.clone(),
        name: row.name.clone(),
        direction: row.direction,
        statements,
        in_transaction,
        course: Course::Whole,
        verdict,
        loss,
        // Whether it may run was asked when it began.
        needs_attestation: false,
        up_sha256: file.map_or_else(|| row.up_sha256.clone(), |file| file.up.sha256()),
        up_text: text,
        down_sha256: file.and_then(|file| file.down.as_ref()).map(Script::sha256).or_else(|| row.down_sha256.clone()),
        down_text: file.and_then(|file| file.down.as_ref()).map(Script::text).or_else(|| row.down_text.clone()),
        down_loses: row.down_loses.clone(),
        reason: None,
        note: None,
    })
}
