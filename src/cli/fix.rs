//! `migrate check --fix`: writes what DOWN lacks. In: judged migrations. Out: their differences shown, files written where somebody
//! said yes, and entries of what then stands.

use super::Console;
use super::failure::Failure;
use super::judge::{Bench, each_judged};
use crate::assess::fix::{Patient, fix};
use crate::assess::{Assessment, attempt};
use crate::gate::policy::Policy;
use crate::migration::Migration;
use crate::read::{Loaded, down};
use crate::report::{Entry, Fixed};
use crate::schema::catalog::{Catalog, Journal};
use anstyle::{AnsiColor, Style};
use similar::TextDiff;
use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::Path;

/// One judged migration, and what may be written for it.
pub(super) struct Attempt<'a> {
    entry: Entry<'a>,
    offer: Option<Offer<'a>>,
}

/// A file as it would be written.
struct Offer<'a> {
    path: String,
    /// The file as it stands; `None` where there is none.
    old: Option<Vec<u8>>,
    new: String,
    /// The migration with it.
    entry: Entry<'a>,
}

const MARK: &str = "\u{feff}";

/// Judges as `check` does, and tries to write each DOWN that lacks something.
pub(super) fn attempts<'a>(
    catalog: &mut Catalog,
    loaded: &'a Loaded,
    policy: &Policy,
    dir: &Path,
    judged: impl Fn(&Migration) -> bool,
) -> std::io::Result<Vec<Attempt<'a>>> {
    let bench = Bench::new(loaded, policy);
    let mut attempts = Vec::new();
    each_judged(catalog, loaded, judged, |catalog, migration, (up, script)| {
        let (assessment, before) = attempt(catalog, migration, &up, script.as_deref());
        let made = assessment.missing.is_some().then(|| {
            let patient = Patient { layout: loaded.layout, migration, up: &up, assessment: &assessment };
            offer(catalog, before, &patient, dir)
        });
        attempts.push(attempt_of(&bench, migration, assessment, made));
        Ok(())
    })?;
    Ok(attempts)
}

/// The file's path, its bytes, its new text, and the migration with it.
type Made = (String, Option<Vec<u8>>, String, Migration, Assessment);

fn offer(catalog: &mut Catalog, before: Journal, patient: &Patient<'_>, dir: &Path) -> Result<Made, String> {
    let path = down::file(patient.layout, patient.migration)?;
    let old = match std::fs::read(dir.join(&path)) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("{path} cannot be read: {error}")),
    };
    let whole = old.as_deref().map(std::str::from_utf8).transpose().map_err(|_| format!("{path} holds bytes that are no UTF-8"))?;
    let text = whole.map(|text| text.strip_prefix(MARK).unwrap_or(text));
    let fixed = fix(catalog, before, patient, text)?;
    let mark = if whole.is_some_and(|text| text.starts_with(MARK)) { MARK } else { "" };
    let new = format!("{mark}{}", fixed.text);
    Ok((path, old, new, fixed.migration, fixed.assessment))
}

fn attempt_of<'a>(bench: &Bench<'_>, migration: &'a Migration, assessment: Assessment, made: Option<Result<Made, String>>) -> Attempt<'a> {
    let mut entry = bench.entry(Cow::Borrowed(migration), assessment);
    let offer = match made {
        None => None,
        Some(Err(reason)) => {
            entry.fix = Some(Fixed { path: None, diff: None, written: false, reason: Some(reason) });
            None
        }
        Some(Ok((path, old, new, migration, assessment))) => {
            let text = String::from_utf8_lossy(old.as_deref().unwrap_or_default()).into_owned();
            let from = if old.is_some() { format!("a/{path}") } else { "/dev/null".to_owned() };
            let diff = TextDiff::from_lines(&text, &new).unified_diff().header(&from, &format!("b/{path}")).to_string();
            let fixed = Fixed { path: Some(path.clone()), diff: Some(diff), written: false, reason: None };
            entry.fix = Some(fixed.clone());
            let after = Entry { fix: Some(Fixed { written: true, ..fixed }), ..bench.entry(Cow::Owned(migration), assessment) };
            Some(Offer { path, old, new, entry: after })
        }
    };
    Attempt { entry, offer }
}

impl<'a> Attempt<'a> {
    /// What is to be reported: the migration as it stands now.
    pub(super) fn into_entry(self) -> Entry<'a> {
        self.entry
    }
}

/// Shows what would be written, asks where a terminal is there to answer, and writes.
pub(super) fn settle(attempts: &mut [Attempt<'_>], dir: &Path, yes: bool, shown: bool, console: &mut Console) -> anyhow::Result<()> {
    if shown {
        show(attempts, console)?;
    }
    let offers = attempts.iter().filter(|a| a.offer.is_some()).count();
    let asked = shown && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let files = if offers == 1 { "this file".to_owned() } else { format!("these {offers} files") };
    let write = match offers {
        0 => false,
        _ if yes => true,
        _ if asked => {
            write!(console.out, "write {files}? [y/N] ")?;
            console.out.flush()?;
            let mut answer = String::new();
            std::io::stdin().read_line(&mut answer)?;
            matches!(answer.trim(), "y" | "Y" | "yes")
        }
        _ => false,
    };
    for attempt in attempts.iter_mut() {
        let Some(offer) = attempt.offer.take() else { continue };
        if write {
            store(&offer, dir)?;
            attempt.entry = offer.entry;
        } else if let Some(fixed) = &mut attempt.entry.fix {
            fixed.reason = Some("nobody said yes: `--fix --yes` writes it".to_owned());
        }
    }
    if shown {
        match (offers, write) {
            (0, _) => writeln!(console.out, "no DOWN was written\n")?,
            (_, true) => writeln!(console.out, "wrote {offers} file{}\n", if offers == 1 { "" } else { "s" })?,
            (_, false) if asked => writeln!(console.out, "nothing was written\n")?,
            (_, false) => writeln!(console.out, "nothing was written: `migrate check --fix --yes` writes {files}\n")?,
        }
    }
    Ok(())
}

fn show(attempts: &[Attempt<'_>], console: &mut Console) -> std::io::Result<()> {
    let style = |colour: AnsiColor| if console.colour { colour.on_default() } else { Style::new() };
    for fixed in attempts.iter().filter_map(|a| a.entry.fix.as_ref()) {
        for line in fixed.diff.iter().flat_map(|diff| diff.lines()) {
            let style = match line.as_bytes().first() {
                Some(b'+') => style(AnsiColor::Green),
                Some(b'-') => style(AnsiColor::Red),
                Some(b'@') => style(AnsiColor::Cyan),
                _ => Style::new(),
            };
            writeln!(console.out, "{style}{line}{style:#}")?;
        }
        if fixed.diff.is_some() {
            writeln!(console.out)?;
        }
    }
    let mut refused = false;
    for attempt in attempts {
        let Some(reason) = attempt.entry.fix.as_ref().and_then(|fixed| fixed.reason.as_ref()) else { continue };
        refused = true;
        writeln!(console.out, "{}: DOWN is left as it is: {reason}", attempt.entry.migration.path)?;
    }
    if refused {
        writeln!(console.out)?;
    }
    Ok(())
}

/// Writes beside the file, and puts it in its place at once.
fn store(offer: &Offer<'_>, dir: &Path) -> anyhow::Result<()> {
    let path = dir.join(&offer.path);
    // A link stays one: what it leads to is written.
    let path = path.canonicalize().unwrap_or(path);
    let now = match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    if now != offer.old {
        return Err(
            Failure::usage("changed-file", format!("{} was changed meanwhile, and is left as it is", offer.path), "run `migrate check --fix` again").into()
        );
    }
    let folder = path.parent().unwrap_or(dir);
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    let kept = std::fs::metadata(&path).ok().map(|m| m.permissions());
    let permissions = kept.clone().or_else(new_file);
    if let Some(permissions) = permissions {
        builder.permissions(permissions);
    }
    let mut file = builder.prefix(".migrate-").tempfile_in(folder)?;
    file.write_all(offer.new.as_bytes())?;
    if let Some(kept) = kept {
        file.as_file().set_permissions(kept)?;
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

/// What a new file may be asked for; the user's mask takes from it.
#[cfg(unix)]
fn new_file() -> Option<std::fs::Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o666))
}

#[cfg(not(unix))]
fn new_file() -> Option<std::fs::Permissions> {
    None
}
