//! Imports point down the list of modules in `lib.rs`, siblings do not use each other, and only `cli` prints.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module's level: modules that stand in one paragraph of `lib.rs` are siblings.
fn levels(lib: &str) -> HashMap<String, usize> {
    let modules =
        |paragraph: &str| -> Vec<String> { paragraph.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect() };
    lib.split("\n\n").map(modules).filter(|m| !m.is_empty()).enumerate().flat_map(|(level, modules)| modules.into_iter().map(move |m| (m, level))).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The modules that `text` uses by `crate::NAME`, one a use.
fn used(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("crate::").map(|(at, m)| text[at + m.len()..].split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(""))
}

#[test]
fn imports_point_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let levels = levels(&fs::read_to_string(root.join("lib.rs")).unwrap());
    assert!(levels.len() > 10, "lib.rs lists its modules by paragraphs: {levels:?}");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let inside = file.strip_prefix(&root).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let Some(level) = levels.get(&module) else { continue };
        for name in used(&fs::read_to_string(file).unwrap()) {
            if name != module && levels.get(name).is_some_and(|other| other >= level) {
                wrong.push(format!("{} uses crate::{name}, which is not above it in lib.rs", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
