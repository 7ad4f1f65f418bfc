//! Policies of row security. In: tokens of CREATE or ALTER POLICY. Out: what each clause says, and an even definition that says it.

use super::cursor::{Cursor, bare};
use super::even::{self, even_text};
use super::tokens::tokens;
use crate::engine::Engine;
use sqlparser::tokenizer::Token;

/// The clauses that ALTER POLICY can say anew, in the order in which they stand (PostgreSQL manual, CREATE POLICY).
pub(crate) const CLAUSES: [&str; 3] = ["to", "using", "with check"];

type Clauses = [Option<String>; CLAUSES.len()];

/// The clauses that stand from here to the end, each as even text; `None` where anything else stands.
pub(super) fn clauses(mut cursor: Cursor<'_>) -> Option<Clauses> {
    let mut said = Clauses::default();
    for (clause, said) in CLAUSES.into_iter().zip(&mut said) {
        if cursor.eat(clause) {
            *said = Some(even_text(if clause == CLAUSES[0] { cursor.until(&CLAUSES[1..]) } else { bare(cursor.parens()?) }));
        }
    }
    cursor.done().then_some(said)
}

/// The even definition of what `whole`, a CREATE POLICY, makes. A policy that names no role is one for PUBLIC.
pub(super) fn definition(whole: &[Token]) -> String {
    let mut cursor = Cursor::new(whole, Engine::Postgres);
    let head = cursor.until(&CLAUSES);
    clauses(cursor).map_or_else(|| even::definition(whole), |said| joined(&even_text(head), said))
}

fn joined(head: &str, said: Clauses) -> String {
    let [to, rules @ ..] = said;
    let to = to.filter(|roles| roles != "public").map(|roles| format!(" to {roles}")).unwrap_or_default();
    let rules = CLAUSES[1..].iter().zip(rules).filter_map(|(clause, rule)| Some(format!(" {clause}({})", rule?)));
    even::text(&format!("{head}{to}{}", rules.collect::<String>()))
}

fn spoken(sql: &str) -> Option<Vec<Token>> {
    Some(tokens(sql, Engine::Postgres)?.into_iter().map(|t| t.token).filter(|t| !matches!(t, Token::Whitespace(_))).collect())
}

/// The policy's `definition` with `clause` saying `value`; `None` where it cannot be read.
pub(crate) fn altered(definition: &str, clause: &str, value: &str) -> Option<String> {
    let at = CLAUSES.iter().position(|one| *one == clause)?;
    let tokens = spoken(definition)?;
    let mut cursor = Cursor::new(&tokens, Engine::Postgres);
    let head = cursor.until(&CLAUSES);
    let mut said = clauses(cursor)?;
    said[at] = Some(value.to_owned());
    Some(joined(&even_text(head), said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_is_said_anew_and_back() {
        let sql = "CREATE POLICY \"Own\" ON app.notes FOR UPDATE TO PUBLIC USING ((id > 0)) WITH CHECK (note <> 'to x using (y)')";
        let made = definition(&spoken(sql).unwrap());
        assert_eq!(made, "create policy \"Own\" on app.notes for update using(id>0)with check(note<>'to x using (y)')");
        let other = altered(&altered(&made, "to", "pg_monitor,bob").unwrap(), "using", "id>1").unwrap();
        assert_eq!(other, "create policy \"Own\" on app.notes for update to pg_monitor,bob using(id>1)with check(note<>'to x using (y)')");
        assert_eq!(altered(&altered(&other, "using", "id>0").unwrap(), "to", "public").unwrap(), made);
    }
}
