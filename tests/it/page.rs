//! The rule pages as values. In: `fixtures/rules/*.md`. Out: every case with what it expects; or a panic that names file
//! and line, for a page is part of this repository and a malformed one is a mistake to mend.

use std::path::PathBuf;
use unmigrate::engine::Engine;
use unmigrate::table::{self, Loss, Row, Verdict};
use unmigrate::target::Release;

/// The headings of a page, in order. The first is the family's name.
const HEADINGS: [&str; 4] = ["## What DOWN cannot bring back", "## The way back", "## Safer", "## Cases"];

/// A page: one family of the table.
pub(crate) struct Page {
    /// The family, as in the table and in the file's name.
    pub(crate) family: String,
    /// Everything before the cases.
    pub(crate) prose: String,
    /// Rules that the page says it has no case for.
    pub(crate) without: Vec<Without>,
    /// Its cases, in order.
    pub(crate) cases: Vec<Case>,
}

/// A line `Without a case: RULE (reason).`, or with engines `RULE on ENGINE, ENGINE (reason).`
pub(crate) struct Without {
    /// The rule.
    pub(crate) rule: &'static str,
    /// The engines that it holds for; all where none is named.
    pub(crate) engines: Vec<Engine>,
}

/// What a case does, and what is expected of the whole migration.
pub(crate) struct Case {
    /// The page's family.
    pub(crate) family: String,
    /// What happens, in words.
    pub(crate) title: String,
    /// Where the case stands, `FILE:LINE`, for messages.
    pub(crate) place: String,
    /// The engines that it holds for.
    pub(crate) engines: Vec<Engine>,
    /// The oldest release of an engine that has its statements, where not every supported one does.
    pub(crate) since: Vec<(Engine, Release)>,
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// The loss.
    pub(crate) loss: Loss,
    /// Whether the way back is lost once certain rows stand.
    pub(crate) decays: bool,
    /// What stands before UP.
    pub(crate) before: String,
    /// UP, the comments that name its rules included.
    pub(crate) up: String,
    /// The rules of each statement of UP, in order.
    pub(crate) expected: Vec<Expected>,
    /// DOWN, `None` where it is missing.
    pub(crate) down: Option<String>,
}

/// The comment behind a statement of UP.
pub(crate) struct Expected {
    /// The statement's last line, from 1 in [`Case::up`].
    pub(crate) end_line: u32,
    /// Its rules, one for each thing that it does.
    pub(crate) rules: Vec<&'static str>,
}

/// The cases of all pages.
pub(crate) fn cases() -> Vec<Case> {
    pages().into_iter().flat_map(|page| page.cases).collect()
}

/// All pages, by name.
pub(crate) fn pages() -> Vec<Page> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/rules"));
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("fixtures/rules: {e}"));
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder of this repository").path()).filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let family = path.file_stem().expect("an .md file has a stem").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("fixtures/rules/{family}.md: {e}"));
        parse(&family, &text).unwrap_or_else(|e| panic!("{e}"))
    };
    files.iter().map(read).collect()
}

/// One page; an error begins with file and line.
pub(crate) fn parse(family: &str, text: &str) -> Result<Page, String> {
    let mut page = Page { family: family.to_owned(), prose: String::new(), without: Vec::new(), cases: Vec::new() };
    let mut headings = 0;
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let place = format!("fixtures/rules/{family}.md:{number}");
        let wrong = |what: String| Err(format!("{place}: {what}"));
        if number == 1 {
            if line != format!("# {family}") {
                return wrong(format!("the first line must be `# {family}`"));
            }
        } else if let Some(head) = line.strip_prefix("### ") {
            if headings < HEADINGS.len() {
                return wrong("a case must stand below `## Cases`".into());
            }
            if let Some(Err(what)) = page.cases.last().map(whole) {
                return wrong(format!("the case above, {:?}, {what}", page.cases[page.cases.len() - 1].title));
            }
            page.cases.push(heading(family, &place, head).map_err(|what| format!("{place}: {what}"))?);
        } else if line.starts_with('#') {
            if HEADINGS.get(headings) != Some(&line) {
                return wrong(format!("expected {:?}, found {line:?}", HEADINGS.get(headings).copied().unwrap_or("### CASE: VERDICT, LOSS")));
            }
            headings += 1;
        } else if let Some(fence) = line.strip_prefix("```") {
            let Some(case) = page.cases.last_mut() else { return wrong("a block must stand below a case".into()) };
            let mut body = String::new();
            loop {
                match lines.next() {
                    Some(("```", _)) => break,
                    Some((inner, _)) => body.extend([inner, "\n"]),
                    None => return wrong("the block does not end".into()),
                }
            }
            fill(case, fence, body).map_err(|what| format!("{place}: {what}"))?;
        } else if let Some(rest) = line.strip_prefix("Without a case: ") {
            page.without.push(without(rest).map_err(|what| format!("{place}: {what}"))?);
        }
        if headings < HEADINGS.len() {
            page.prose.extend([line, "\n"]);
        }
    }
    let end = format!("fixtures/rules/{family}.md:{}", text.lines().count());
    match page.cases.last().map(whole) {
        _ if headings < HEADINGS.len() => Err(format!("{end}: the heading {:?} is missing", HEADINGS[headings])),
        None => Err(format!("{end}: there is no case")),
        Some(Err(what)) => Err(format!("{end}: the case above {what}")),
        Some(Ok(())) => Ok(page),
    }
}

/// `TITLE: VERDICT, LOSS[, decays][ (ENGINE[ RELEASE], …)]`
fn heading(family: &str, place: &str, head: &str) -> Result<Case, String> {
    let form = "a case's heading is `### WHAT HAPPENS: VERDICT, LOSS[, decays][ (ENGINE[ RELEASE], …)]`";
    let (title, rest) = head.rsplit_once(": ").ok_or(form)?;
    let (words, targets) = match rest.split_once(" (") {
        Some((words, targets)) => (words, targets.strip_suffix(')').ok_or(form)?.split(", ").map(target).collect::<Result<_, _>>()?),
        None => (rest, Engine::ALL.map(|engine| (engine, None)).to_vec()),
    };
    let words: Vec<&str> = words.split(", ").collect();
    let (verdict, loss, decays) = match words[..] {
        [verdict, loss] => (verdict, loss, false),
        [verdict, loss, "decays"] => (verdict, loss, true),
        _ => return Err(form.into()),
    };
    let verdicts = [Verdict::Reversible, Verdict::Partial, Verdict::Irreversible];
    let losses = [Loss::None, Loss::WrittenSince, Loss::Possible, Loss::Certain];
    Ok(Case {
        family: family.to_owned(),
        title: title.to_owned(),
        place: place.to_owned(),
        engines: targets.iter().map(|(engine, _)| *engine).collect(),
        since: targets.iter().filter_map(|(engine, since)| Some((*engine, (*since)?))).collect(),
        verdict: verdicts.into_iter().find(|v| v.name() == verdict).ok_or_else(|| format!("{verdict:?} is no verdict; {form}"))?,
        loss: losses.into_iter().find(|l| l.name() == loss).ok_or_else(|| format!("{loss:?} is no loss; {form}"))?,
        decays,
        before: String::new(),
        up: String::new(),
        expected: Vec::new(),
        down: None,
    })
}

fn engine(name: &str) -> Result<Engine, String> {
    Engine::ALL.into_iter().find(|e| e.name() == name).ok_or_else(|| format!("{name:?} is no engine"))
}

/// `postgres` or `postgres 18`.
fn target(text: &str) -> Result<(Engine, Option<Release>), String> {
    let (name, release) = text.split_once(' ').map_or((text, None), |(name, release)| (name, Some(release)));
    Ok((engine(name)?, release.map(str::parse).transpose()?))
}

fn rule(name: &str) -> Result<&'static str, String> {
    table::find(name).map(|row| row.name).ok_or_else(|| format!("{name:?} is no rule of the table"))
}

/// Puts a block where its first line says it belongs.
fn fill(case: &mut Case, fence: &str, body: String) -> Result<(), String> {
    match fence {
        "sql before" if case.before.is_empty() && case.up.is_empty() => case.before = body,
        "sql up" if case.up.is_empty() && case.down.is_none() => {
            case.expected = body.lines().zip(1..).filter_map(|(line, number)| expected(line, number).transpose()).collect::<Result<_, _>>()?;
            case.up = body;
        }
        "sql down" if !case.up.is_empty() && case.down.is_none() => case.down = Some(body),
        "sql before" | "sql up" | "sql down" => return Err(format!("`{fence}` stands twice or out of order")),
        _ => return Err("a block is one of `sql before`, `sql up`, `sql down`".into()),
    }
    Ok(())
}

/// The rules in the comment that ends a line; a line that is all comment (a directive) names none.
fn expected(line: &str, end_line: u32) -> Result<Option<Expected>, String> {
    let Some((_, names)) = line.rsplit_once(" -- ") else { return Ok(None) };
    let rules = names.split(", ").map(rule).collect::<Result<_, _>>()?;
    Ok(Some(Expected { end_line, rules }))
}

/// `RULE[ on ENGINE, …] (reason).`, the rule with or without backticks.
fn without(line: &str) -> Result<Without, String> {
    let form = "the form is `Without a case: RULE[ on ENGINE, …] (reason).`, on one line";
    let (what, reason) = line.split_once(" (").ok_or(form)?;
    if !reason.ends_with(").") {
        return Err(form.into());
    }
    let (name, engines) = match what.split_once(" on ") {
        Some((name, engines)) => (name, engines.split(", ").map(engine).collect::<Result<_, _>>()?),
        None => (what, Engine::ALL.to_vec()),
    };
    Ok(Without { rule: rule(name.trim_matches('`'))?, engines })
}

fn whole(case: &Case) -> Result<(), &'static str> {
    if case.expected.is_empty() { Err("has no `sql up` block with a rule behind a statement") } else { Ok(()) }
}

impl Page {
    /// Whether a case on `engine` shows `row`.
    pub(crate) fn shows(&self, row: &Row, engine: Engine) -> bool {
        self.cases.iter().any(|case| case.engines.contains(&engine) && case.expected.iter().any(|e| e.rules.contains(&row.name)))
    }

    /// Whether the page says that `row` has no case on `engine`.
    pub(crate) fn excuses(&self, row: &Row, engine: Engine) -> bool {
        self.without.iter().any(|w| w.rule == row.name && w.engines.contains(&engine))
    }
}
