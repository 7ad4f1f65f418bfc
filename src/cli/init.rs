//! `migrate init`: the settings of a project as it stands. In: a folder in any readable layout. Out: `migrate.toml`, by which `check` is
//! green, and what to do next. No file that stands is changed.

use super::failure::Failure;
use super::go::plural;
use super::settings::{self, DIR, Settings, which_engine};
use super::{Console, Format, Global, judge};
use crate::config::{self, Config};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::foreign::Tool;
use crate::gate::merge;
use crate::migration::Version;
use crate::read::{self, Layout, Loaded, ReadError};
use crate::report::Entry;
use crate::schema::catalog::Catalog;
use crate::table::Verdict;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where tools keep their migrations by default.
const USUAL: [&str; 5] = [DIR, "db/migrations", "prisma/migrations", "src/main/resources/db/migration", SQL];
const SQL: &str = "sql";

/// Reasons that the summary lists; more than that nobody reads on the first day.
const SHOWN: usize = 5;

pub(super) fn run(global: &Global, console: &mut Console) -> anyhow::Result<Exit> {
    if let Some(file) = &global.config {
        return Err(
            Failure::usage("bad-usage", format!("`init` writes {} in this folder, not {}", config::FILE, file.display()), "leave out `--config`").into()
        );
    }
    let file = PathBuf::from(config::FILE);
    if let Some(standing) = settings::nearest()? {
        let help = "edit it, or move it away first";
        return Err(Failure::usage("has-settings", format!("{} is there already, and holds for this folder", standing.display()), help).into());
    }
    let dir = folder(global)?;
    let settings = Settings::with(global, Config { dir: Some(dir), ..Config::default() })?;
    let (engine, found) = found(global, &settings)?;
    let text = text(global, &settings, engine, found.as_ref());
    // `create_new`: what stands already is never overwritten.
    let mut out = std::fs::File::create_new(&file)
        .map_err(|error| Failure::usage("unwritable", format!("cannot make {}: {error}", file.display()), "run this in the project's folder"))?;
    out.write_all(text.as_bytes())?;
    let shown = Shown { engine, named: settings.layout.is_some(), dir: settings.dir.display().to_string(), file: file.display().to_string() };
    match (global.format, &found) {
        (Format::Json, found) => writeln!(console.out, "{}", shown.json(found.as_ref()))?,
        (Format::Text | Format::Markdown, Some(found)) => shown.found(found, console)?,
        (Format::Text | Format::Markdown, None) => shown.nothing(console)?,
    }
    Ok(Exit::Done)
}

/// The migrations' folder: the one that is named, else the only usual one that holds any.
fn folder(global: &Global) -> anyhow::Result<PathBuf> {
    if let Some(dir) = &global.dir {
        return Ok(dir.clone());
    }
    if Path::new("sqitch.plan").is_file() {
        return Ok(PathBuf::from("."));
    }
    // A folder whose files are wrong is none without migrations: it is read again, and says what is wrong.
    let holds = |dir: &&str| {
        let read = |engine| read::survey(Path::new(dir), None, engine);
        Path::new(dir).is_dir() && !Engine::ALL.map(read).iter().all(|read| matches!(read, Err(ReadError::NoMigrations { .. })))
    };
    let mut found: Vec<&str> = USUAL.into_iter().filter(holds).collect();
    // Beside migrations elsewhere, `sql` holds something else.
    found.dedup_by(|later, _| *later == SQL);
    match found.as_slice() {
        [] => Ok(PathBuf::from(DIR)),
        [one] => Ok(PathBuf::from(one)),
        more => Err(Failure::usage("which-folder", format!("more than one folder holds migrations: {}", more.join(", ")), "say which with `--dir DIR`").into()),
    }
}

/// A project's migrations, judged.
struct Found {
    loaded: Loaded,
    /// How many have which verdict: reversible, partial, irreversible.
    verdicts: [usize; 3],
    /// Why some cannot be undone: a rule, how many break it, and the first file that does.
    reasons: Vec<Reason>,
    /// The first version from which on nothing is forbidden; `None` where nothing is.
    from: Option<String>,
}

struct Reason {
    rule: &'static str,
    count: usize,
    first: String,
    /// What is said of the first.
    why: String,
}

/// Reads and judges what stands in the folder; the engine alone where nothing does.
fn found(global: &Global, settings: &Settings) -> anyhow::Result<(Engine, Option<Found>)> {
    let engine = settings.engine().map_err(|error| match error.downcast_ref() {
        Some(ReadError::NoMigrations { .. } | ReadError::NoFolder { is_file: false, .. }) => {
            which_engine(String::from("which engine is this project for?")).into()
        }
        _ => error,
    })?;
    let loaded = match read::survey(&settings.dir, settings.layout, engine) {
        Ok(loaded) => loaded,
        Err(ReadError::NoMigrations { .. } | ReadError::NoFolder { is_file: false, .. }) => return Ok((engine, None)),
        Err(error) => return Err(error.into()),
    };
    for migration in &loaded.migrations {
        merge::known_rules(migration)?;
    }
    let (mut verdicts, mut reasons, mut blocked) = ([0; 3], Vec::new(), None);
    let mut catalog = Catalog::new(settings.target(global, engine));
    settings.start(global, &mut catalog)?;
    judge::judge(
        &mut catalog,
        &loaded,
        &settings.config.gate,
        |_| true,
        |entry, _| {
            verdicts[entry.assessment.verdict as usize] += 1;
            if entry.assessment.verdict == Verdict::Irreversible {
                count(&mut reasons, &entry);
            }
            if entry.merge.blocked {
                blocked = Some(entry.migration.version.clone());
            }
            Ok(())
        },
    )?;
    reasons.sort_by_key(|reason: &Reason| std::cmp::Reverse(reason.count));
    let from = blocked.map(|blocked: Version| {
        let next = loaded.migrations.iter().map(|migration| &migration.version).find(|version| **version > blocked);
        next.map_or_else(|| after(blocked.as_str()), |version| version.to_string())
    });
    Ok((engine, Some(Found { loaded, verdicts, reasons, from })))
}

/// Adds why `entry` cannot be undone: its worst finding.
fn count(reasons: &mut Vec<Reason>, entry: &Entry<'_>) {
    let worst = entry.assessment.findings.iter().filter(|finding| finding.verdict == Verdict::Irreversible).max_by_key(|finding| finding.loss);
    let (rule, why) = worst.map_or(("irreversible", ""), |finding| (finding.name, finding.message.as_str()));
    match reasons.iter_mut().find(|reason| reason.rule == rule) {
        Some(reason) => reason.count += 1,
        None => reasons.push(Reason { rule, count: 1, first: entry.migration.path.clone(), why: why.to_owned() }),
    }
}

/// A version that comes after `last`, and before all that a person would choose.
fn after(last: &str) -> String {
    let digits = last.len() - last.bytes().rev().take_while(u8::is_ascii_digit).count();
    match (last.contains(['.', '_']), last[digits..].parse::<u128>()) {
        // 1.2.1 comes after 1.2 as well as 1.3 does.
        (true, _) | (_, Err(_)) => format!("{last}.0.1"),
        (false, Ok(number)) => format!("{}{:0width$}", &last[..digits], number + 1, width = last.len() - digits),
    }
}

/// What `migrate.toml` is to hold.
fn text(global: &Global, settings: &Settings, engine: Engine, found: Option<&Found>) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut text = format!("dir = {}\nengine = {}\n", quoted(&settings.dir.display().to_string()), quoted(engine.name()));
    if let Some(release) = global.engine.and_then(|target| target.stated) {
        text += &format!("version = {}\n", quoted(&release.to_string()));
    }
    if let Some(layout) = found.map(|found| found.loaded.layout).or(settings.layout) {
        text += &format!("layout = {}\n", quoted(layout.name()));
    }
    if let Some(table) = &global.history_table {
        text += &format!("history-table = {}\n", quoted(table));
    }
    if let Some(schema) = &global.schema {
        text += &format!("schema = {}\n", quoted(&schema.display().to_string()));
    }
    if let Some(from) = found.and_then(|found| found.from.as_ref()) {
        text += &format!("\n[gate]\n# Older migrations are not judged; they say what stands.\nfrom = {}\n", quoted(from));
    }
    text
}

/// What is said at the end.
struct Shown {
    engine: Engine,
    /// Somebody named the layout.
    named: bool,
    dir: String,
    file: String,
}

impl Shown {
    fn found(&self, found: &Found, console: &mut Console) -> std::io::Result<()> {
        let (out, layout, count) = (&mut console.out, found.loaded.layout, found.loaded.migrations.len());
        let [reversible, partial, irreversible] = found.verdicts;
        writeln!(out, "{count} migration{} in {} ({layout}, {})", plural(count), self.dir, self.engine)?;
        writeln!(out, "{reversible} reversible, {partial} partial, {irreversible} irreversible{}", if irreversible > 0 { ":" } else { "" })?;
        for Reason { rule, count, first, why } in found.reasons.iter().take(SHOWN) {
            let of = if *count == 1 { format!("  {rule}: {first}: {why}") } else { format!("  {rule}: {count}, such as {first}: {why}") };
            writeln!(out, "{}", textwrap::fill(&of, textwrap::Options::new(console.width.into()).subsequent_indent("    ").break_words(false)))?;
        }
        if found.reasons.len() > SHOWN {
            let rest: Vec<&str> = found.reasons[SHOWN..].iter().map(|reason| reason.rule).collect();
            writeln!(out, "  and by {}", rest.join(", "))?;
        }
        match &found.from {
            Some(from) => writeln!(out, "\nwrote {}: `check` judges from {from} on; older ones only say what stands", self.file)?,
            None => writeln!(out, "\nwrote {}: `check` judges all of them", self.file)?,
        }
        writeln!(out, "next:")?;
        writeln!(out, "  migrate check --since origin/main   in CI; in pre-commit as the README shows")?;
        let (adopt, what) = match Tool::from_name(layout.name()) {
            Some(_) => ("migrate adopt --database URL", "takes over what that tool has run"),
            None => ("migrate adopt --baseline VERSION", "takes over where they have run"),
        };
        writeln!(out, "  {adopt:33}   {what}")?;
        let like = match layout {
            Layout::Sqlx if !self.named => Some(Layout::GolangMigrate),
            Layout::Flyway if !self.named => Some(Layout::Refinery),
            _ => None,
        };
        if let Some(other) = like {
            writeln!(out, "if they are files of {other}, say `layout = \"{other}\"` in {}", self.file)?;
        }
        Ok(())
    }

    fn nothing(&self, console: &mut Console) -> std::io::Result<()> {
        let out = &mut console.out;
        writeln!(out, "wrote {}: migrations for {} go into {}", self.file, self.engine, self.dir)?;
        writeln!(out, "next:")?;
        writeln!(out, "  migrate new create_users   makes the first one; write its UP and DOWN")?;
        writeln!(out, "  migrate check              says whether it can be undone")?;
        writeln!(out, "  migrate up --database URL  runs it")
    }

    fn json(&self, found: Option<&Found>) -> serde_json::Value {
        let reasons = found.map(|found| &found.reasons).into_iter().flatten();
        let reasons: Vec<_> = reasons.map(|reason| json!({"rule": reason.rule, "count": reason.count, "first": reason.first, "why": reason.why})).collect();
        let [reversible, partial, irreversible] = found.map_or([0; 3], |found| found.verdicts);
        json!({
            "schema": 1, "written": self.file, "dir": self.dir, "engine": self.engine, "layout": found.map(|found| found.loaded.layout),
            "from": found.and_then(|found| found.from.as_ref()), "cannot_be_undone": reasons,
            "summary": {"reversible": reversible, "partial": partial, "irreversible": irreversible},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_after_the_newest_admits_every_later_one() {
        for (last, next, later) in [
            ("0007", "0008", "0008"),
            ("9", "10", "10"),
            ("20240117", "20240118", "20240118"),
            ("1.2", "1.2.0.1", "1.2.1"),
            ("20251229110242-0000", "20251229110242-0001", "20251229110243"),
        ] {
            let version = |text: &str| Version::new(text).unwrap();
            assert_eq!(after(last), next);
            assert!(version(last) < version(next) && version(next) <= version(later), "{last}");
        }
    }
}
