//! Cases as proptest draws and shrinks them.
//!
//! proptest gives the seed, the runner and the search for a smaller case. What "smaller" means is ours: a case is SQL, and any part of
//! its statements is a case again (one that the database refuses fails no test), so a case shrinks by leaving statements out. A
//! `Strategy` of nested choices would shrink the choices instead, and each smaller choice early on makes another schema, on which all
//! that follows means something else. Failures are not kept in a file either: a seed is worth nothing once the grammar grows, so
//! what is found becomes a case on a rule page.

use super::Case;
use fastrand::Rng;
use proptest::prelude::{Strategy, any};
use proptest::strategy::{NewTree, ValueTree};
use proptest::test_runner::TestRunner;
use unmigrate::engine::Engine;

/// Every case of an engine.
#[derive(Debug)]
pub(super) struct Cases(pub(super) Engine);

impl Strategy for Cases {
    type Tree = Smaller;
    type Value = Case;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let seed = any::<u64>().new_tree(runner)?.current();
        let case = Case::generate(self.0, &mut Rng::with_seed(seed));
        Ok(Smaller { case, less: None, at: 0, passes: 0 })
    }
}

/// A case that fails, and the part of it that is tried.
pub(super) struct Smaller {
    case: Case,
    less: Option<Case>,
    /// The next part.
    at: usize,
    /// Parts tried in vain since the last success.
    passes: usize,
}

impl Smaller {
    /// Leaves out one statement, or two: first one at a time, from DOWN's last to the start's first.
    fn next(&mut self) -> bool {
        let count = self.case.len();
        let all = count + count * count.saturating_sub(1) / 2;
        if self.passes >= all {
            self.less = None;
            return false;
        }
        let at = self.at % all;
        self.at += 1;
        self.passes += 1;
        let places = match at.checked_sub(count) {
            None => vec![at],
            Some(pair) => {
                let (mut first, mut left) = (0, pair);
                while left >= count - 1 - first {
                    left -= count - 1 - first;
                    first += 1;
                }
                vec![first, first + 1 + left]
            }
        };
        self.less = Some(self.case.without(&places));
        true
    }
}

impl ValueTree for Smaller {
    type Value = Case;

    fn current(&self) -> Case {
        self.less.as_ref().unwrap_or(&self.case).clone()
    }

    fn simplify(&mut self) -> bool {
        if let Some(less) = self.less.take() {
            self.case = less;
            (self.at, self.passes) = (self.at.saturating_sub(1), 0);
            if self.at >= self.case.len() {
                self.at = 0;
            }
        }
        self.next()
    }

    fn complicate(&mut self) -> bool {
        self.next()
    }
}
