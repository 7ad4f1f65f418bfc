//! What a change of type does to values. In: two even types. Out: whether every value survives.

use crate::engine::Engine;

/// What happens to the values that stand when a column gets another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// The same type.
    Same,
    /// Every value fits and comes back unchanged.
    Widens,
    /// A value that does not fit is refused, and nothing changes.
    Refuses,
    /// A value that does not fit is changed without a word.
    Cuts,
    /// Not known.
    Unknown,
}

use Conversion::{Cuts, Refuses, Same, Unknown, Widens};

/// A type's base name, its numbers and what follows.
fn parts(ty: &str) -> (&str, Vec<u32>, &str) {
    let Some((base, rest)) = ty.split_once('(') else { return (ty, Vec::new(), "") };
    let (numbers, after) = rest.split_once(')').unwrap_or((rest, ""));
    (base, numbers.split(',').filter_map(|n| n.trim().parse().ok()).collect(), after.trim())
}

/// The labels of a MySQL ENUM or SET; values are kept by label when the list changes (manual, "The ENUM Type").
fn labels(ty: &str) -> Option<Vec<&str>> {
    let list = ty.strip_prefix("enum(").or_else(|| ty.strip_prefix("set("))?;
    Some(list.split(')').next()?.split(',').collect())
}

fn integer_rank(base: &str) -> Option<u32> {
    Some(match base {
        "tinyint" => 1,
        "smallint" => 2,
        "mediumint" => 3,
        "integer" | "int" => 4,
        "bigint" => 8,
        _ => return None,
    })
}

/// How many characters a text type holds; `u64::MAX` where there is no bound.
fn text_length(base: &str, numbers: &[u32], engine: Engine) -> Option<u64> {
    Some(match (base, engine) {
        ("character varying" | "varchar", _) => numbers.first().map_or(u64::MAX, |&n| u64::from(n)),
        ("character" | "char", _) => numbers.first().map_or(1, |&n| u64::from(n)),
        ("tinytext", _) => 255,
        ("text", Engine::Mysql | Engine::Mariadb) => 65_535,
        ("mediumtext", _) => 1 << 24,
        ("longtext", _) => 1 << 32,
        ("text" | "citext", _) => u64::MAX,
        _ => return None,
    })
}

/// Types whose every value has a text form that reads back as the same value.
fn has_exact_text(base: &str) -> bool {
    integer_rank(base).is_some() || matches!(base, "uuid" | "boolean" | "date" | "inet" | "json" | "jsonb" | "numeric")
}

/// The type that somebody may have made, of which an even type is, or is an array.
pub fn made_type(ty: &str) -> Option<&str> {
    let ty = ty.trim_end_matches("[]");
    let base = ty.split('(').next().unwrap_or(ty);
    // Types of PostgreSQL that most columns have: nobody made them, and nobody drops them.
    let built_in = matches!(
        base,
        "bigint"
            | "boolean"
            | "bytea"
            | "character"
            | "character varying"
            | "date"
            | "double precision"
            | "integer"
            | "json"
            | "jsonb"
            | "numeric"
            | "smallint"
            | "text"
            | "timestamp with time zone"
            | "timestamp without time zone"
            | "uuid"
    );
    (!base.is_empty() && !built_in).then_some(ty)
}

/// What happens to the values when `old` becomes `new` by an assignment cast; both are even (see `parse::even::ty`). The rules for
/// PostgreSQL were run on a server (`fixtures/rules/column-type.md`); those of MySQL and MariaDB hold in strict mode.
pub fn conversion(old: &str, new: &str, engine: Engine) -> Conversion {
    if old.is_empty() || new.is_empty() {
        return if engine == Engine::Sqlite { Widens } else { Unknown };
    }
    if old == new {
        return Same;
    }
    // SQLite keeps each value as it was written; the declared type is a hint.
    if engine == Engine::Sqlite {
        return Widens;
    }
    if let (Some(old), Some(new)) = (old.strip_suffix("[]"), new.strip_suffix("[]")) {
        return conversion(old, new, engine);
    }
    if let (Some(old), Some(new)) = (labels(old), labels(new)) {
        return if old.iter().all(|label| new.contains(label)) { Widens } else { Refuses };
    }
    let ((ob, on, oa), (nb, nn, na)) = (parts(old), parts(new));
    let unsigned = |base: &str, after: &str| base.ends_with(" unsigned") || after.contains("unsigned");
    let (ob_plain, nb_plain) = (ob.trim_end_matches(" unsigned"), nb.trim_end_matches(" unsigned"));
    if let (Some(o), Some(n)) = (integer_rank(ob_plain), integer_rank(nb_plain)) {
        return match (unsigned(ob, oa), unsigned(nb, na)) {
            (a, b) if a == b => {
                if n >= o {
                    Widens
                } else {
                    Refuses
                }
            }
            (true, false) if n > o => Widens,
            _ => Refuses,
        };
    }
    if let (Some(o), Some(n)) = (text_length(ob, &on, engine), text_length(nb, &nn, engine)) {
        let padded = |base: &str| matches!(base, "character" | "char");
        return match () {
            () if ob == "citext" || nb == "citext" => Widens,
            // Trailing blanks are padding there.
            () if padded(ob) != padded(nb) && n >= o => Unknown,
            () if n >= o => Widens,
            () => Refuses,
        };
    }
    match (ob_plain, nb_plain) {
        ("numeric" | "decimal", "numeric" | "decimal") => {
            let scale = |n: &[u32]| n.get(1).copied().unwrap_or(0);
            match (on.as_slice(), nn.as_slice()) {
                (_, []) => Widens,
                ([], _) => Cuts,
                (o, n) if scale(n) < scale(o) => Cuts,
                (o, n) if n[0] - scale(n).min(n[0]) >= o[0] - scale(o).min(o[0]) => Widens,
                _ => Refuses,
            }
        }
        (o, "numeric" | "decimal") if integer_rank(o).is_some() => {
            if nn.is_empty() {
                Widens
            } else {
                Refuses
            }
        }
        ("numeric" | "decimal" | "real" | "double precision" | "double" | "float", n) if integer_rank(n).is_some() => Cuts,
        ("real" | "float", "double precision" | "double") => Widens,
        ("double precision" | "double", "real" | "float") => Cuts,
        ("smallint", "real" | "float") | ("smallint" | "integer" | "int", "double precision" | "double") => Widens,
        ("timestamp", "date" | "time") | ("datetime", "date") => Cuts,
        ("timestamp" | "datetime" | "time", n) if n == ob_plain && oa == na => match (on.first(), nn.first()) {
            (o, n)
                if n.copied().unwrap_or(if engine == Engine::Postgres { 6 } else { 0 })
                    >= o.copied().unwrap_or(if engine == Engine::Postgres { 6 } else { 0 }) =>
            {
                Widens
            }
            _ => Cuts,
        },
        ("timestamp without time zone", "date" | "time without time zone")
        | ("timestamp with time zone", "date" | "time without time zone" | "time with time zone") => Cuts,
        ("date", "timestamp without time zone" | "timestamp with time zone" | "datetime") => Widens,
        ("json", "jsonb") => Cuts,
        ("jsonb", "json") => Widens,
        (o, n) if text_length(n, &nn, engine) == Some(u64::MAX) && has_exact_text(o) => Widens,
        _ if ob == nb && on.is_empty() && nn.is_empty() && oa == na => Widens,
        _ => Unknown,
    }
}

/// What happens to the values of type `old` in a cast to `new` that is written out: one to a shorter text type cuts without a word what an
/// assignment would refuse (manual of PostgreSQL, "Character Types"; of MySQL, "Cast Functions and Operators").
pub fn written_cast(old: &str, new: &str, engine: Engine) -> Conversion {
    let is_text = |ty: &str| {
        let (base, numbers, _) = parts(ty.trim_end_matches("[]"));
        text_length(base, &numbers, engine).is_some()
    };
    match conversion(old, new, engine) {
        Refuses if is_text(old) && is_text(new) => Cuts,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_somebody_made_are_told_from_those_of_the_engine() {
        for (ty, made) in [("character varying(20)", None), ("bigint[]", None), ("", None), ("mood", Some("mood")), ("audit.mood[]", Some("audit.mood"))] {
            assert_eq!(made_type(ty), made);
        }
    }

    #[test]
    fn postgres_widens_refuses_and_cuts() {
        let is = |old, new, what| assert_eq!(conversion(old, new, Engine::Postgres), what, "{old} to {new}");
        is("integer", "bigint", Widens);
        is("bigint", "integer", Refuses);
        is("character varying(20)", "text", Widens);
        is("text", "character varying(20)", Refuses);
        is("numeric(10,2)", "numeric(12,2)", Widens);
        is("numeric(10,4)", "numeric(10,2)", Cuts);
        is("numeric(10,2)", "numeric(8,2)", Refuses);
        is("numeric", "integer", Cuts);
        is("timestamp without time zone", "date", Cuts);
        is("date", "timestamp without time zone", Widens);
        is("uuid", "text", Widens);
        is("text", "uuid", Unknown);
        is("mood", "text", Unknown);
    }

    #[test]
    fn a_cast_written_out_cuts_text_and_refuses_numbers() {
        let is = |old, new, what| assert_eq!(written_cast(old, new, Engine::Postgres), what, "{old} to {new}");
        is("character varying(40)", "character(8)", Cuts);
        is("text[]", "character varying(10)[]", Cuts);
        is("character varying(20)", "text", Widens);
        is("bigint", "integer", Refuses);
    }
}
