//! Words that a server learnt late. In: a statement's text, and the release that the user states. Out: what that release does not have
//! yet. Where no release is stated, nothing is held against a statement.

use crate::engine::Engine;
use crate::target::{Release, Target};

/// One thing that a release brought.
pub struct Newer {
    engine: Engine,
    /// The first release that has it.
    pub since: Release,
    /// Phrases that all stand in the statement, one behind the other.
    phrases: &'static [&'static str],
    /// What it is called.
    pub what: &'static str,
}

const fn newer(engine: Engine, since: Release, phrases: &'static [&'static str], what: &'static str) -> Newer {
    Newer { engine, since, phrases, what }
}

/// From the release notes of each server.
#[rustfmt::skip]
const NEWER: &[Newer] = &[
    newer(Engine::Postgres, Release(14, 0, 0),  &["alter table", "detach partition", "concurrently"], "DETACH PARTITION … CONCURRENTLY"),
    newer(Engine::Postgres, Release(14, 0, 0),  &["create or replace trigger"],                       "CREATE OR REPLACE TRIGGER"),
    newer(Engine::Postgres, Release(14, 0, 0),  &["alter table", "set compression"],                  "SET COMPRESSION"),
    newer(Engine::Postgres, Release(15, 0, 0),  &["nulls not distinct"],                              "NULLS NOT DISTINCT"),
    newer(Engine::Postgres, Release(15, 0, 0),  &["merge into"],                                      "MERGE"),
    newer(Engine::Postgres, Release(15, 0, 0),  &["view", "security_invoker"],                        "security_invoker"),
    newer(Engine::Postgres, Release(15, 0, 0),  &["alter table", "set access method"],                "SET ACCESS METHOD"),
    newer(Engine::Postgres, Release(17, 0, 0),  &["alter table", "set expression as"],                "SET EXPRESSION"),
    newer(Engine::Postgres, Release(17, 0, 0),  &["grant maintain"],                                  "the right MAINTAIN"),
    newer(Engine::Postgres, Release(18, 0, 0),  &["generated always as", "virtual"],                  "a virtual generated column"),
    newer(Engine::Postgres, Release(18, 0, 0),  &["without overlaps"],                                "WITHOUT OVERLAPS"),
    newer(Engine::Postgres, Release(18, 0, 0),  &["not enforced"],                                    "NOT ENFORCED"),
    newer(Engine::Mysql,    Release(8, 0, 16),  &["alter check"],                                     "ALTER CHECK"),
    newer(Engine::Mysql,    Release(8, 0, 19),  &["alter table", "drop constraint"],                  "DROP CONSTRAINT"),
    newer(Engine::Mysql,    Release(8, 0, 23),  &["set invisible"],                                   "an invisible column"),
    newer(Engine::Mysql,    Release(8, 0, 29),  &["create", "trigger if not exists"],                 "CREATE TRIGGER IF NOT EXISTS"),
    newer(Engine::Mysql,    Release(8, 0, 29),  &["create", "procedure if not exists"],               "CREATE PROCEDURE IF NOT EXISTS"),
    newer(Engine::Mysql,    Release(8, 0, 29),  &["create", "function if not exists"],                "CREATE FUNCTION IF NOT EXISTS"),
    newer(Engine::Mysql,    Release(9, 0, 0),   &["table", "vector"],                                 "the type VECTOR"),
    newer(Engine::Mariadb,  Release(10, 7, 0),  &["table", "uuid"],                                   "the type UUID"),
    newer(Engine::Mariadb,  Release(10, 10, 0), &["table", "inet4"],                                  "the type INET4"),
    newer(Engine::Mariadb,  Release(11, 7, 0),  &["vector"],                                          "vectors"),
];

/// The words of a statement outside of quotes and brackets of functions, in lower case.
fn words(text: &str) -> Vec<String> {
    let outside: String = text.split(['\'', '"', '`']).step_by(2).collect::<Vec<_>>().join(" ");
    outside.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// What `text` needs and the stated release of `target` does not have.
pub fn than(target: Target, text: &str) -> Option<&'static Newer> {
    let stated = target.stated?;
    let mut late = NEWER.iter().filter(|newer| newer.engine == target.engine && stated < newer.since).peekable();
    late.peek()?;
    let words = words(text);
    late.find(|newer| {
        let mut rest = &words[..];
        newer.phrases.iter().all(|phrase| {
            let phrase: Vec<&str> = phrase.split(' ').collect();
            let at = rest.windows(phrase.len()).position(|window| window.iter().map(String::as_str).eq(phrase.iter().copied()));
            at.is_some_and(|at| {
                rest = &rest[at + phrase.len()..];
                true
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stated_release_is_held_against_a_statement() {
        let detach = "ALTER TABLE logs DETACH PARTITION logs_2024 CONCURRENTLY";
        let found = |target: &str, text: &str| than(target.parse().unwrap(), text).map(|newer| newer.what);
        assert_eq!(found("postgres@13", detach), Some("DETACH PARTITION … CONCURRENTLY"));
        assert_eq!(found("postgres@14", detach), None);
        assert_eq!(found("postgres", detach), None);
        assert_eq!(found("mysql@8.0", detach), None);
        assert_eq!(found("postgres@13", "COMMENT ON TABLE t IS 'merge into'"), None);
        assert_eq!(found("mysql@8.4", "ALTER TABLE t ADD COLUMN v VECTOR(3)"), Some("the type VECTOR"));
        assert_eq!(found("postgres@17", "ALTER TABLE t ADD CHECK (a > 0) NOT ENFORCED"), Some("NOT ENFORCED"));
    }
}
