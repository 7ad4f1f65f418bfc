//! One spelling for equal texts and types. In: SQL as written or as sqlparser prints it. Out: text that compares equal where
//! the database would see the same thing.

use crate::engine::Engine;

/// `text` with unquoted letters lower-cased and no white space but one blank between two words.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quote, mut gap) = (None, false);
    for c in text.chars() {
        if let Some(close) = quote {
            out.push(c);
            if c == close {
                quote = None;
            }
            continue;
        }
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        let wordy = |c: char| c.is_alphanumeric() || matches!(c, '_' | '\'' | '"' | '`' | '$');
        if std::mem::take(&mut gap) && wordy(c) && out.chars().next_back().is_some_and(wordy) {
            out.push(' ');
        }
        if matches!(c, '\'' | '"' | '`') {
            quote = Some(c);
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// A type in the engine's own first name for it, with length and precision (`INT4` on PostgreSQL is `integer`).
pub fn ty(written: &str, engine: Engine) -> String {
    let even = text(written).replace('"', "");
    match engine {
        Engine::Sqlite => even,
        Engine::Postgres => postgres_type(even.trim_start_matches("pg_catalog.").trim_start_matches("public.")),
        Engine::Mysql | Engine::Mariadb => mysql_type(&even, engine),
    }
}

/// `name(arguments) rest` taken apart.
fn parts(even: &str) -> (&str, &str, &str) {
    let Some(open) = even.find('(') else { return (even, "", "") };
    let close = even[open..].find(')').map_or(even.len(), |at| open + at + 1);
    (even[..open].trim_end(), &even[open..close], even[close..].trim_start())
}

/// PostgreSQL's aliases: manual, section 8, table 8.1.
fn postgres_type(even: &str) -> String {
    if let Some(element) = even.strip_suffix("[]") {
        return postgres_type(element) + "[]";
    }
    let (name, arguments, rest) = parts(even);
    let zoned = |base: &str, zone: &str| format!("{base}{arguments} {zone} time zone");
    match name {
        "int" | "int4" | "integer" => "integer".into(),
        "int8" | "bigint" => "bigint".into(),
        "int2" | "smallint" => "smallint".into(),
        "bool" | "boolean" => "boolean".into(),
        "float8" | "double precision" | "double" => "double precision".into(),
        "float4" | "real" => "real".into(),
        "float" => match arguments.trim_matches(['(', ')']).parse::<u32>() {
            Ok(bits) if bits <= 24 => "real".into(),
            _ => "double precision".into(),
        },
        "decimal" | "numeric" | "dec" => format!("numeric{}", arguments.replace(",0)", ")")),
        "varchar" | "character varying" | "char varying" => format!("character varying{arguments}"),
        "char" | "character" | "bpchar" if arguments.is_empty() || arguments == "(1)" => "character(1)".into(),
        "char" | "character" | "bpchar" => format!("character{arguments}"),
        "varbit" | "bit varying" => format!("bit varying{arguments}"),
        "timestamptz" | "timestamp with time zone" => zoned("timestamp", "with"),
        "timetz" | "time with time zone" => zoned("time", "with"),
        "timestamp" | "time" if rest.starts_with("with time zone") => zoned(name, "with"),
        "timestamp" | "time" => zoned(name, "without"),
        "timestamp without time zone" => zoned("timestamp", "without"),
        "time without time zone" => zoned("time", "without"),
        _ => even.to_owned(),
    }
}

/// MySQL's and MariaDB's aliases: manuals, "Data Types". A display width of integers means nothing, but for `tinyint(1)`.
fn mysql_type(even: &str, engine: Engine) -> String {
    let (name, arguments, rest) = parts(even);
    let (name, sign) = name.strip_suffix(" unsigned").map_or((name, ""), |n| (n, " unsigned"));
    let rest = if rest.is_empty() { sign.to_owned() } else { format!(" {rest}") };
    match name {
        "bool" | "boolean" => "tinyint(1)".into(),
        "tinyint" if arguments == "(1)" => format!("tinyint(1){rest}"),
        "integer" | "int" => format!("int{rest}"),
        "tinyint" | "smallint" | "mediumint" | "bigint" => format!("{name}{rest}"),
        "numeric" | "decimal" | "dec" | "fixed" => {
            let arguments = match arguments {
                "" => "(10,0)".into(),
                one if !one.contains(',') => one.replace(')', ",0)"),
                both => both.to_owned(),
            };
            format!("decimal{arguments}{rest}")
        }
        "double precision" | "double" | "real" | "float8" => format!("double{arguments}{rest}"),
        "character varying" | "varchar" | "nvarchar" => format!("varchar{arguments}{rest}"),
        "character" | "char" if arguments.is_empty() => format!("char(1){rest}"),
        "character" | "char" => format!("char{arguments}{rest}"),
        "json" if engine == Engine::Mariadb => "longtext".into(),
        _ => even.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_become_equal() {
        assert_eq!(text("CREATE  View v\nAS SELECT 'It''s  X' , A . b"), "create view v as select 'It''s  X',a.b");
        assert_eq!(text("lower( Email )"), text("LOWER(email)"));
    }

    #[test]
    fn aliases_of_types_become_one() {
        let same = |engine, spellings: &[&str]| {
            for spelling in spellings {
                assert_eq!(ty(spelling, engine), spellings[0], "{spelling} on {engine}");
            }
        };
        same(Engine::Postgres, &["integer", "INT", "int4", "pg_catalog.int4"]);
        same(Engine::Postgres, &["character varying(20)", "VARCHAR(20)", "character varying (20)"]);
        same(Engine::Postgres, &["timestamp(3) with time zone", "TIMESTAMPTZ(3)", "timestamp (3) WITH TIME ZONE"]);
        same(Engine::Postgres, &["timestamp without time zone", "timestamp"]);
        same(Engine::Postgres, &["numeric(10)", "DECIMAL(10, 0)"]);
        same(Engine::Postgres, &["bigint[]", "int8[]"]);
        same(Engine::Mysql, &["int unsigned", "INT(10) UNSIGNED", "integer unsigned"]);
        same(Engine::Mysql, &["decimal(10,0)", "NUMERIC", "dec(10)"]);
        same(Engine::Mariadb, &["tinyint(1)", "BOOL", "BOOLEAN"]);
    }
}
