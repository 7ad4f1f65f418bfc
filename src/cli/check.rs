//! `migrate check`: judges files, offline.

use super::failure::Failure;
use super::settings::Settings;
use super::{Console, Format, Global, attested, fix, git, judge};
use crate::exit::Exit;
use crate::gate::merge;
use crate::gate::policy::Policy;
use crate::migration::{Migration, Version};
use crate::read::{self, Loaded};
use crate::report::{Entry, Report, json, text};
use crate::schema::catalog::Catalog;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What a pipe holds on Linux: a report is long, and every write wakes its reader.
const PIPE: usize = 64 << 10;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Judge only these files; older ones say what stands
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Judge only what this branch changed since it left REV; older files say what stands
    #[arg(long, value_name = "REV", conflicts_with = "paths")]
    since: Option<String>,
    /// Write what DOWN lacks, where the schema tells it; shows the difference first
    #[arg(long)]
    fix: bool,
    /// Write without asking
    #[arg(long, requires = "fix")]
    yes: bool,
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let engine = settings.engine()?;
    let loaded = read::survey(&settings.dir, settings.layout, engine)?;
    for migration in &loaded.migrations {
        merge::known_rules(migration)?;
    }
    let from = match &settings.config.gate.from {
        Some(text) => Some(
            Version::new(text)
                .ok_or_else(|| Failure::usage("bad-config", format!("`from = \"{text}\"` in [gate] is no version"), "give a migration's version"))?,
        ),
        None => None,
    };
    let chosen = match &arguments.since {
        Some(revision) => Some(git::changed_since(&settings.dir, revision)?),
        None if arguments.paths.is_empty() => None,
        None => Some(absolute(&arguments.paths)?),
    };
    let root = settings.dir.canonicalize()?;
    let judged = |migration: &Migration| {
        from.as_ref().is_none_or(|from| migration.version >= *from) && chosen.as_ref().is_none_or(|chosen| is_chosen(migration, &root, chosen))
    };

    let mut catalog = Catalog::new(settings.target(global, engine));
    settings.start(global, &mut catalog)?;
    let (policy, layout) = (&settings.config.gate, loaded.layout.name());
    let fixed = if arguments.fix {
        let mut attempts = fix::attempts(&mut catalog, &loaded, policy, &settings.dir, judged)?;
        fix::settle(&mut attempts, &settings.dir, arguments.yes, global.format == Format::Text, console)?;
        Some(attempts.into_iter().map(fix::Attempt::into_entry))
    } else {
        None
    };
    let at_hand = attested::AtHand::new(&settings.config.attestation)?;
    let has_downs = loaded.layout.has_down();
    let judge = judged_by(&mut catalog, &loaded, policy, judged, fixed);
    let mut out = BufWriter::with_capacity(PIPE, &mut console.out);
    let summary = match global.format {
        Format::Json => {
            let mut report = json::Writer::new(out, engine, layout)?;
            judge(&mut |entry| report.entry(&at_hand.weigh(entry, policy, has_downs)))?;
            report.end()?
        }
        Format::Text | Format::Markdown => {
            let mut entries = Vec::new();
            judge(&mut |entry| {
                entries.push(at_hand.weigh(entry, policy, has_downs));
                Ok(())
            })?;
            let fed = loaded.migrations.len() - entries.len();
            let report = Report { engine, layout, entries, notes: &loaded.notes, fed };
            if report.entries.is_empty() {
                writeln!(out, "no migration to judge: {fed} stand in {}, and none is among those asked for", settings.dir.display())?;
            } else {
                text::write(&report, text::Layout { width: console.width, colour: console.colour, quiet: global.quiet, verbose: global.verbose }, &mut out)?;
            }
            out.flush()?;
            report.summary()
        }
    };
    // The process ends now, and the system takes memory back faster than we can, piece by piece.
    std::mem::forget((catalog, loaded.migrations));
    Ok(if summary.blocked > 0 { Exit::Forbidden } else { Exit::Done })
}

/// What hands each entry to a consumer: those that `--fix` made, or else each migration as it is judged.
fn judged_by<'a>(
    catalog: &mut Catalog,
    loaded: &'a Loaded,
    policy: &Policy,
    judged: impl Fn(&Migration) -> bool,
    fixed: Option<impl Iterator<Item = Entry<'a>>>,
) -> impl FnOnce(&mut dyn FnMut(Entry<'a>) -> std::io::Result<()>) -> std::io::Result<()> {
    move |then| match fixed {
        Some(mut entries) => entries.try_for_each(then),
        None => judge::judge(catalog, loaded, policy, judged, |entry, _| then(entry)),
    }
}

/// The given paths, absolute where they exist.
fn absolute(paths: &[PathBuf]) -> std::io::Result<Vec<PathBuf>> {
    paths.iter().map(|path| path.canonicalize().or_else(|_| std::path::absolute(path))).collect()
}

/// Whether one of the migration's files is, or lies below, one of the chosen paths.
fn is_chosen(migration: &Migration, root: &Path, chosen: &[PathBuf]) -> bool {
    [Some(&migration.path), migration.down_path.as_ref()].into_iter().flatten().any(|file| {
        let file = root.join(file);
        chosen.iter().any(|path| file.starts_with(path))
    })
}
