//! Cuts a script into what stands or falls as one. In: statements and how each meets a transaction. Out: [`Segment`]s, in order.

use crate::gate::Sql;
use crate::parse::manner::{Manner, Touched};
use std::ops::Range;

/// A stretch of statements that stands or falls as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// One transaction.
    Together(Range<usize>),
    /// Each commits by itself: one statement, or those under LOCK TABLES, during which nothing else can be written.
    Alone(Range<usize>),
    /// Sets something for the session, and is said again when the run goes on in another one.
    Said(usize),
}

/// Where the catalog shows whether these took effect; `None` where it does not.
pub(super) fn touched_by(statements: &[Sql]) -> Option<Vec<Touched>> {
    let mut all: Vec<Touched> = Vec::new();
    for sql in statements {
        for touched in sql.touched.as_ref()? {
            if !all.contains(touched) {
                all.push(touched.clone());
            }
        }
    }
    // Of rows a transaction takes back all or nothing; several that commit by themselves may stand in part.
    (statements.len() == 1 || statements.iter().all(|sql| sql.manner == Manner::Inside)).then_some(all)
}

/// Cuts a script into what stands or falls as one. `transactional`: DDL rolls back.
pub(super) fn segments(statements: &[Sql], in_transaction: bool, transactional: bool) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut locked = false;
    for (at, sql) in statements.iter().enumerate() {
        let opens = |word: &str| sql.text.split_ascii_whitespace().next().is_some_and(|first| first.eq_ignore_ascii_case(word));
        let said = matches!(sql.manner, Manner::Session | Manner::Carried);
        match segments.last_mut() {
            Some(Segment::Alone(range)) if locked => {
                range.end = at + 1;
                locked = !opens("UNLOCK");
            }
            _ if !transactional && opens("LOCK") => {
                locked = true;
                segments.push(Segment::Alone(at..at + 1));
            }
            _ if said && !transactional => segments.push(Segment::Said(at)),
            // A procedure that ends transactions by itself may stand in none.
            _ if transactional && !in_transaction && (opens("CALL") || opens("DO")) => segments.push(Segment::Alone(at..at + 1)),
            Some(Segment::Together(range)) if in_transaction && (said || sql.manner == Manner::Inside) => range.end = at + 1,
            _ if said || sql.manner == Manner::Inside => segments.push(Segment::Together(at..at + 1)),
            _ => segments.push(Segment::Alone(at..at + 1)),
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_cut_where_its_database_commits() {
        use Segment::{Alone, Said, Together};
        let cut = |manners: &[(&str, Manner)], in_transaction, transactional| {
            let sql = |(text, manner): &(&str, Manner)| Sql { text: (*text).into(), path: String::new(), line: 1, manner: *manner, touched: None };
            segments(&manners.iter().map(sql).collect::<Vec<_>>(), in_transaction, transactional)
        };
        let mixed = [("a", Manner::Inside), ("b", Manner::Inside), ("c", Manner::Alone), ("d", Manner::Session), ("e", Manner::Inside)];
        assert_eq!(cut(&mixed, true, true), [Together(0..2), Alone(2..3), Together(3..5)]);
        assert_eq!(cut(&mixed, false, true), [Together(0..1), Together(1..2), Alone(2..3), Together(3..4), Together(4..5)]);
        assert_eq!(cut(&mixed, true, false), [Together(0..2), Alone(2..3), Said(3), Together(4..5)]);
        let locked = [("LOCK TABLES t WRITE", Manner::Alone), ("i", Manner::Inside), ("UNLOCK TABLES", Manner::Session), ("j", Manner::Inside)];
        assert_eq!(cut(&locked, true, false), [Alone(0..3), Together(3..4)]);
        let calls = [("CALL p()", Manner::Inside), ("DO $$ BEGIN END $$", Manner::Inside)];
        assert_eq!(cut(&calls, true, true), [Together(0..2)]);
        assert_eq!(cut(&calls, false, true), [Alone(0..1), Alone(1..2)], "where the script wants no transaction");
        assert_eq!(cut(&[], true, true), []);
    }
}
