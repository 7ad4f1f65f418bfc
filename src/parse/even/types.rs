//! One name for each type. In: a type as tokens or text. Out: the engine's own first name for it, with length and precision.

use super::{even_token, is_bare, text};
use crate::engine::Engine;
use crate::parse::action::Name;
use crate::parse::names::{fold, join};
use sqlparser::tokenizer::{Token, Tokenizer};

/// A type under its one name, from its text (see [`even_type`]).
pub fn ty(written: &str, engine: Engine) -> String {
    if let Some(parts) = Parts::plain(written) {
        return parts.even(engine);
    }
    match Tokenizer::new(engine.dialect(), written).tokenize() {
        Ok(tokens) => even_type(&tokens, engine),
        Err(_) => text(written),
    }
}

/// A type under its one name: `varchar(20)` on PostgreSQL is `character varying(20)`, `INT(11)` on MySQL is `int`. The tokens
/// are the type's alone, without NOT NULL, COLLATE and the like; [`serial`] takes serial types apart.
pub(crate) fn even_type(tokens: &[Token], engine: Engine) -> String {
    Parts::read(tokens, engine).even(engine)
}

/// What a type that hands out values by itself (`serial`) stores, and how it hands them out.
pub(crate) fn serial(ty: &str, engine: Engine) -> Option<(&'static str, &'static str)> {
    match (engine, ty) {
        (Engine::Postgres, "serial" | "serial4") => Some(("integer", "serial")),
        (Engine::Postgres, "bigserial" | "serial8") => Some(("bigint", "serial")),
        (Engine::Postgres, "smallserial" | "serial2") => Some(("smallint", "serial")),
        (Engine::Mysql | Engine::Mariadb, "serial") => Some(("bigint unsigned", "auto_increment")),
        _ => None,
    }
}

/// A type taken apart: `timestamp(3) with time zone[]`.
#[derive(Default)]
struct Parts {
    /// The words before the arguments.
    name: String,
    /// The text between the parentheses.
    arguments: Option<String>,
    /// The words after the arguments.
    after: String,
    /// How many dimensions an array has.
    array: usize,
}

impl Parts {
    /// The parts of a type of bare words, perhaps with numbers in parentheses, which needs no tokenizer: most are.
    fn plain(written: &str) -> Option<Parts> {
        let (name, rest) = match written.split_once('(') {
            Some((name, rest)) => (name, Some(rest.split_once(')')?)),
            None => (written, None),
        };
        let (numbers, after) = rest.unzip();
        let arguments = numbers.map(|numbers| numbers.replace(' ', ""));
        let numbers = arguments.iter().all(|a| a.bytes().all(|b| b.is_ascii_digit() || b == b','));
        numbers.then_some(Parts { name: bare_words(name)?, arguments, after: bare_words(after.unwrap_or_default())?, array: 0 })
    }

    /// The engine's own name for the type.
    fn even(&self, engine: Engine) -> String {
        match engine {
            Engine::Sqlite => self.join(&self.name),
            Engine::Postgres => postgres(self),
            Engine::Mysql | Engine::Mariadb => mysql(self),
        }
    }

    fn read(tokens: &[Token], engine: Engine) -> Parts {
        let mut parts = Parts::default();
        let (mut depth, mut bracket, mut path) = (0_usize, 0_usize, Vec::<Name>::new());
        let (mut dotted, mut array_word) = (false, false);
        for token in tokens {
            match token {
                Token::Whitespace(_) | Token::EOF => {}
                Token::LBracket => {
                    bracket += 1;
                    parts.array += 1;
                }
                Token::RBracket => bracket = bracket.saturating_sub(1),
                _ if bracket > 0 => {}
                Token::LParen => {
                    if depth > 0 {
                        parts.argument("(");
                    } else {
                        parts.arguments.get_or_insert_default();
                    }
                    depth += 1;
                }
                Token::RParen => {
                    depth = depth.saturating_sub(1);
                    if depth > 0 {
                        parts.argument(")");
                    }
                }
                token if depth > 0 => parts.argument(&even_token(token)),
                Token::Period => dotted = true,
                Token::Word(word) => {
                    let text = match engine {
                        // A type of this name in quotes is another one.
                        Engine::Postgres if word.quote_style.is_some() && word.value == "char" => "\"char\"".to_owned(),
                        _ => fold(&word.value, word.quote_style.is_some(), engine),
                    };
                    if engine == Engine::Postgres && is_bare(word, "array") && !path.is_empty() {
                        array_word = true;
                        continue;
                    }
                    if dotted || path.is_empty() && parts.arguments.is_none() {
                        path.push(text);
                    } else if parts.arguments.is_some() {
                        spaced(&mut parts.after, &text);
                    } else {
                        spaced(&mut parts.name, &text);
                    }
                    dotted = false;
                }
                other => spaced(if parts.arguments.is_some() { &mut parts.after } else { &mut parts.name }, &even_token(other)),
            }
        }
        let path = path.strip_prefix(&["pg_catalog".to_owned()]).unwrap_or(&path);
        let rest = std::mem::take(&mut parts.name);
        parts.name = join(path, engine);
        if !rest.is_empty() {
            spaced(&mut parts.name, &rest);
        }
        // `text ARRAY[4]` has one dimension, and its brackets are counted already.
        if array_word {
            parts.array = 1;
        }
        parts
    }

    fn argument(&mut self, text: &str) {
        self.arguments.get_or_insert_default().push_str(text);
    }

    fn join(&self, name: &str) -> String {
        let arguments = self.arguments.as_ref().map(|a| format!("({a})")).unwrap_or_default();
        let after = if self.after.is_empty() { String::new() } else { format!(" {}", self.after) };
        format!("{name}{arguments}{after}{}", "[]".repeat(self.array))
    }
}

/// `text` in lower case with one blank between two words, if it is made of words alone, none of which has a meaning of its own in a type.
fn bare_words(text: &str) -> Option<String> {
    let mut words = String::with_capacity(text.len());
    for word in text.split_ascii_whitespace() {
        let first = word.as_bytes()[0];
        if first.is_ascii_digit() || !word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') || word.eq_ignore_ascii_case("array") {
            return None;
        }
        spaced(&mut words, word);
    }
    words.make_ascii_lowercase();
    Some(words)
}

fn spaced(text: &mut String, word: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(word);
}

fn postgres(parts: &Parts) -> String {
    let arguments = parts.arguments.as_deref();
    let array = "[]".repeat(parts.array);
    let name = match parts.name.as_str() {
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "bool" => "boolean",
        "float4" => "real",
        "float8" => "double precision",
        "float" => match arguments.and_then(|a| a.parse::<u8>().ok()) {
            Some(1..=24) => return format!("real{array}"),
            _ => return format!("double precision{array}"),
        },
        "decimal" | "dec" | "numeric" => match arguments {
            Some(a) => return format!("numeric({}){array}", a.trim_end_matches(",0")),
            None => "numeric",
        },
        "varchar" | "char varying" | "character varying" | "national character varying" | "national char varying" | "nchar varying" => "character varying",
        "char" | "character" | "nchar" | "national char" | "national character" => match arguments {
            None => return format!("character(1){array}"),
            Some(_) => "character",
        },
        "bpchar" => match arguments {
            None => "bpchar",
            Some(_) => "character",
        },
        "bit" if arguments.is_none() => return format!("bit(1){array}"),
        "varbit" => "bit varying",
        name @ ("timestamp"
        | "timestamptz"
        | "time"
        | "timetz"
        | "timestamp with time zone"
        | "timestamp without time zone"
        | "time with time zone"
        | "time without time zone") => {
            let zone = name.ends_with("tz") || name.contains("with time") || parts.after == "with time zone";
            let base = if name.starts_with("timestamp") { "timestamp" } else { "time" };
            let arguments = arguments.map(|a| format!("({a})")).unwrap_or_default();
            return format!("{base}{arguments} {} time zone{array}", if zone { "with" } else { "without" });
        }
        other => other,
    };
    parts.join(name)
}

fn mysql(parts: &Parts) -> String {
    let arguments = parts.arguments.as_deref();
    let (name, mut words): (&str, Vec<&str>) = match parts.name.as_str() {
        "double precision" => ("double", Vec::new()),
        name => {
            let mut words = name.split(' ');
            let first = words.next().unwrap_or_default();
            let rest: Vec<&str> = words.collect();
            match (first, rest.as_slice()) {
                ("character" | "char", ["varying", ..]) => ("varchar", rest[1..].to_vec()),
                ("national", ["varchar", ..] | ["char" | "character", "varying", ..]) => ("varchar", Vec::new()),
                ("national", ["char" | "character", ..]) => ("char", Vec::new()),
                ("char", ["byte"]) => ("binary", Vec::new()),
                ("double", ["precision", ..]) => ("double", rest[1..].to_vec()),
                ("long", ["varbinary"]) => ("mediumblob", Vec::new()),
                ("long", ["varchar"] | []) => ("mediumtext", Vec::new()),
                _ => (first, rest),
            }
        }
    };
    words.extend(parts.after.split(' ').filter(|w| !w.is_empty()));
    words.retain(|w| *w != "signed");
    let zerofill = words.contains(&"zerofill");
    if zerofill && !words.contains(&"unsigned") {
        words.insert(0, "unsigned");
    }
    let name = match name {
        "integer" | "int4" => "int",
        "int1" => "tinyint",
        "int2" => "smallint",
        "int3" | "middleint" => "mediumint",
        "int8" => "bigint",
        "numeric" | "dec" | "fixed" => "decimal",
        "real" | "float8" => "double",
        "float4" => "float",
        "character" | "nchar" => "char",
        "nvarchar" | "varcharacter" => "varchar",
        "bool" | "boolean" => return "tinyint(1)".to_owned(),
        other => other,
    };
    let arguments = match (name, arguments) {
        ("tinyint", Some("1")) => Some("1".to_owned()),
        ("tinyint" | "smallint" | "mediumint" | "int" | "bigint", _) if !zerofill => None,
        ("decimal", None) => Some("10,0".to_owned()),
        ("decimal", Some(a)) if !a.contains(',') => Some(format!("{a},0")),
        ("char" | "bit" | "binary", None) => Some("1".to_owned()),
        ("year", _) | ("datetime" | "timestamp" | "time", Some("0")) => None,
        (_, a) => a.map(str::to_owned),
    };
    let mut text = name.to_owned();
    if let Some(a) = arguments {
        text = format!("{text}({a})");
    }
    for word in words {
        spaced(&mut text, word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(sql: &str, engine: Engine) -> Vec<Token> {
        let all = Tokenizer::new(engine.dialect(), sql).tokenize().expect("the case is made of tokens");
        all.into_iter().filter(|t| !matches!(t, Token::Whitespace(_))).collect()
    }

    #[test]
    fn tokens_make_even_types() {
        for (engine, cases) in [
            (
                Engine::Postgres,
                &[
                    ("INT", "integer"),
                    ("int8", "bigint"),
                    ("VARCHAR(20)", "character varying(20)"),
                    ("character varying ( 20 )", "character varying(20)"),
                    ("decimal(10, 2)", "numeric(10,2)"),
                    ("numeric(10,0)", "numeric(10)"),
                    ("timestamptz", "timestamp with time zone"),
                    ("TIMESTAMP(3)", "timestamp(3) without time zone"),
                    ("timestamp (3) with time zone", "timestamp(3) with time zone"),
                    ("timestamp with time zone", "timestamp with time zone"),
                    ("time", "time without time zone"),
                    ("float(10)", "real"),
                    ("char", "character(1)"),
                    ("\"char\"", "\"char\""),
                    ("public.Mood", "mood"),
                    ("\"Mood\"", "Mood"),
                    ("pg_catalog.int4", "integer"),
                    ("int[3][]", "integer[][]"),
                    ("text ARRAY", "text[]"),
                    ("text ARRAY[4]", "text[]"),
                ][..],
            ),
            (
                Engine::Mysql,
                &[
                    ("INTEGER(11)", "int"),
                    ("int(10) unsigned", "int unsigned"),
                    ("INT UNSIGNED ZEROFILL", "int unsigned zerofill"),
                    ("tinyint(1)", "tinyint(1)"),
                    ("BOOL", "tinyint(1)"),
                    ("tinyint(4)", "tinyint"),
                    ("double precision", "double"),
                    ("character varying(9)", "varchar(9)"),
                    ("NUMERIC(5)", "decimal(5,0)"),
                    ("enum('A', 'b''c')", "enum('A','b''c')"),
                ],
            ),
            (Engine::Sqlite, &[("VarChar(255)", "varchar(255)"), ("UNSIGNED BIG INT", "unsigned big int"), ("", "")]),
        ] {
            for (written, expected) in cases {
                assert_eq!(even_type(&tokens(written, engine), engine), *expected, "{written} on {engine}");
            }
        }
    }

    #[test]
    fn plain_types_are_read_as_their_tokens_are() {
        let types = [
            "",
            "INT",
            "varchar ( 20 )",
            "NUMERIC(10, 2)",
            "TIMESTAMP (3) WITH  TIME ZONE",
            "int(10) unsigned zerofill",
            "unsigned BIG int",
            "character varying",
            "t()",
        ];
        let (mut plain, mut other) = (0, 0);
        for written in types.into_iter().chain(["text ARRAY", "int[]", "enum('a')", "\"char\"", "public.mood", "2 int", "geometry(point, 4326)", "bit(1"]) {
            for engine in Engine::ALL {
                match Parts::plain(written) {
                    Some(parts) => {
                        plain += 1;
                        assert_eq!(parts.even(engine), even_type(&tokens(written, engine), engine), "{written} on {engine}");
                    }
                    None => other += 1,
                }
            }
        }
        assert_eq!((plain, other), (9 * 4, 8 * 4));
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
