//! Values that UP wrote over by a rule that DOWN may turn round. In: an UPDATE of UP, then one of DOWN. Out: the number of the
//! values before UP, where DOWN leads back to them, unless the new value stood there before.

use crate::engine::Engine;
use crate::parse::action::{Filter, Value};
use crate::schema::catalog::{Catalog, Origin};
use crate::schema::naming::words;

/// How values came from others.
#[derive(Clone, Debug)]
pub(crate) struct Mapped {
    /// What stood before the first of the rules.
    base: Origin,
    /// Which literal was written where which stood: old and new.
    pairs: Vec<(String, String)>,
    /// Each value was computed from the old one.
    computed: bool,
}

/// Functions that forget what they were given: nothing computed from their result leads back.
const FORGETFUL: &[&str] = &[
    "abs",
    "btrim",
    "ceil",
    "coalesce",
    "date_trunc",
    "floor",
    "ifnull",
    "initcap",
    "left",
    "length",
    "lower",
    "ltrim",
    "md5",
    "nullif",
    "random",
    "right",
    "round",
    "rtrim",
    "sha256",
    "substr",
    "substring",
    "trim",
    "trunc",
    "unaccent",
    "upper",
];

/// Whether `value` is computed from the column that it is written to, by something that may be turned round.
pub(super) fn follows_from(value: &Value, column: &str, engine: Engine) -> bool {
    match value {
        Value::Computed(text) => words(text, engine).any(|w| w == column) && !words(text, engine).any(|w| FORGETFUL.contains(&&*w)),
        Value::Literal(_) | Value::Column(_) | Value::Cast(..) => false,
    }
}

/// `SET column = literal WHERE column = literal`: the literal that stood and the one that is written.
fn literal_pair<'a>(column: &str, value: &'a Value, filter: &'a Filter) -> Option<(&'a String, &'a String)> {
    match (value, filter) {
        (Value::Literal(new), Filter::Literals(picks)) => match picks.as_slice() {
            [(picked, old)] if picked == column && old.len() == 1 => Some((&old[0], new)),
            _ => None,
        },
        _ => None,
    }
}

impl Catalog {
    /// Notes by which rule the values `new` came from those at `old`.
    pub(super) fn note_mapping(&mut self, new: Origin, column: &str, value: &Value, filter: &Filter, old: Origin) {
        let mut mapped = self.mappings.get(&old).cloned().unwrap_or(Mapped { base: old, pairs: Vec::new(), computed: false });
        if let Some((from, to)) = literal_pair(column, value, filter) {
            // Two values that became one cannot be told apart.
            if mapped.computed || mapped.pairs.iter().any(|(_, other)| other == to) {
                return;
            }
            mapped.pairs.push((from.clone(), to.clone()));
        } else if *filter == Filter::All && follows_from(value, column, self.engine) && mapped.pairs.is_empty() && !mapped.computed {
            mapped.computed = true;
        } else {
            return;
        }
        self.mappings.insert(new, mapped);
    }

    /// The number of the values that DOWN leads back to, from those at `current`.
    pub(super) fn mapping_back(&mut self, column: &str, value: &Value, filter: &Filter, current: Origin) -> Option<Origin> {
        if !self.judging_down {
            return None;
        }
        let mut mapped = self.mappings.get(&current)?.clone();
        if mapped.computed {
            return (*filter == Filter::All && follows_from(value, column, self.engine)).then_some(mapped.base);
        }
        let (now, back) = literal_pair(column, value, filter)?;
        let at = mapped.pairs.iter().position(|(from, to)| from == back && to == now)?;
        mapped.pairs.remove(at);
        if mapped.pairs.is_empty() {
            return Some(mapped.base);
        }
        let left = self.fresh();
        self.mappings.insert(left, mapped);
        Some(left)
    }
}
