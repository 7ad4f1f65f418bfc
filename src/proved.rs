//! What real databases showed. In: `fixtures/proved.toml`, which `tests/servers/truth.rs` writes and holds true. Out: for a cell of
//! the table, the version that it was proved on; `None` where it is from the manual.

use crate::engine::Engine;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// What was proved on one engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The product and its number, as `PostgreSQL 15.18`.
    pub version: String,
    /// The day of the run, `YYYY-MM-DD`.
    pub date: String,
    /// Another release that showed the same, with the day of that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// The names of the rules whose page has a case that ran there and showed what the page says.
    pub rules: BTreeSet<String>,
}

/// Every engine's proof, by [`Engine::name`]; an engine that ran nothing is missing.
pub fn proofs() -> &'static BTreeMap<String, Proof> {
    static PROOFS: OnceLock<BTreeMap<String, Proof>> = OnceLock::new();
    PROOFS.get_or_init(|| toml::from_str(include_str!("../fixtures/proved.toml")).expect("a test reads this file, which is part of the program"))
}

/// The version on which `rule` was proved for `engine`.
pub fn on(rule: &str, engine: Engine) -> Option<&'static str> {
    proofs().get(engine.name()).filter(|proof| proof.rules.contains(rule)).map(|proof| proof.version.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, TABLE};

    #[test]
    fn what_is_proved_is_a_cell_of_the_table() {
        for (engine, proof) in proofs() {
            let engine = Engine::from_word(engine).unwrap_or_else(|| panic!("{engine} is no engine"));
            assert!(!proof.version.is_empty() && !proof.rules.is_empty(), "{engine}");
            for rule in &proof.rules {
                let row = TABLE.iter().find(|row| row.name == rule).unwrap_or_else(|| panic!("{rule} is no rule"));
                assert_ne!(row.kind.cell(engine), Cell::Absent, "{rule} on {engine}");
                assert_eq!(on(rule, engine), Some(proof.version.as_str()));
            }
        }
    }
}
