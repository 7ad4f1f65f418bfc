//! Text that compares equal where it means the same. In: tokens. Out: text with even white space, letter case and quotes, and
//! types under one name each.

use super::action::Name;
use super::names::{fold, join};
use crate::engine::Engine;
use sqlparser::tokenizer::{Token, Word};

/// Words that mean something else when they are quoted, so that their quotes stay.
const SPEAKING: &[&str] = &[
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "false",
    "localtime",
    "localtimestamp",
    "null",
    "session_user",
    "true",
    "user",
    "value",
];

/// Tokens with a blank between two words and nowhere else: words lower-cased where they are not quoted, quotes dropped where
/// they change nothing, strings kept, all of one spelling (`$tag$ … $tag$` is `$$ … $$`).
pub(crate) fn even_text(tokens: &[Token]) -> String {
    let wordy = |c: char| c.is_alphanumeric() || matches!(c, '_' | '\'' | '"' | '`' | '$');
    let mut text = String::new();
    for token in tokens {
        if matches!(token, Token::Whitespace(_) | Token::EOF) {
            continue;
        }
        let word = even_token(token);
        if text.ends_with(wordy) && word.starts_with(wordy) {
            text.push(' ');
        }
        text.push_str(&word);
    }
    text
}

/// The definition of an object: the even text of its CREATE, without `OR REPLACE` and `IF NOT EXISTS`, which do not outlive it.
/// Only the first words are looked at, so that a body keeps what it says.
pub(crate) fn definition(tokens: &[Token]) -> String {
    let body = |t: &Token| matches!(t, Token::LParen) || matches!(t, Token::Word(w) if ["as", "on", "begin"].iter().any(|word| is_bare(w, word)));
    let head = tokens.iter().position(body).unwrap_or(tokens.len());
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let left_out = [&["or", "replace"][..], &["if", "not", "exists"]].into_iter().find(|words| at < head && starts(&tokens[at..], words));
        match left_out {
            Some(words) => at += words.len(),
            None => {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    even_text(&kept)
}

fn starts(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| matches!(token, Token::Word(w) if is_bare(w, word)))
}

fn is_bare(word: &Word, text: &str) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text)
}

/// The even spelling of one token.
pub(crate) fn even_token(token: &Token) -> String {
    match token {
        Token::Word(word) => even_word(word),
        Token::SingleQuotedString(s) | Token::DoubleQuotedString(s) => quoted("", s),
        Token::EscapedStringLiteral(s) => quoted("e", s),
        Token::NationalStringLiteral(s) => quoted("n", s),
        Token::HexStringLiteral(s) => quoted("x", &s.to_ascii_lowercase()),
        Token::DollarQuotedString(s) => format!("$${}$$", s.value),
        Token::DoubleEq => "=".to_owned(),
        other => other.to_string(),
    }
}

fn quoted(prefix: &str, text: &str) -> String {
    format!("{prefix}'{}'", text.replace('\'', "''"))
}

fn even_word(word: &Word) -> String {
    let lower = word.value.to_lowercase();
    let Some(quote) = word.quote_style else { return lower };
    // Backticks and brackets stand on engines whose names have no case.
    let value = if quote == '"' { &word.value } else { &lower };
    let plain =
        value.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && !SPEAKING.contains(&value.as_str()) { value.clone() } else { format!("\"{}\"", value.replace('"', "\"\"")) }
}

/// A type under its one name: `varchar(20)` on PostgreSQL is `character varying(20)`, `INT(11)` on MySQL is `int`. The tokens
/// are the type's alone, without NOT NULL, COLLATE and the like.
pub(crate) fn even_type(tokens: &[Token], engine: Engine) -> String {
    let parts = Parts::read(tokens, engine);
    match engine {
        Engine::Sqlite => parts.join(&parts.name),
        Engine::Postgres => postgres(&parts),
        Engine::Mysql | Engine::Mariadb => mysql(&parts, engine),
    }
}

/// The way in which a type hands out values by itself (`serial`), if it does.
pub(crate) fn serial(tokens: &[Token], engine: Engine) -> Option<&'static str> {
    let [Token::Word(word)] = tokens else { return None };
    let name = word.value.to_ascii_lowercase();
    match engine {
        Engine::Postgres if matches!(name.as_str(), "serial" | "serial2" | "serial4" | "serial8" | "smallserial" | "bigserial") => Some("serial"),
        Engine::Mysql | Engine::Mariadb if name == "serial" => Some("auto_increment"),
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
        "int" | "int4" | "serial" | "serial4" => "integer",
        "int8" | "bigserial" | "serial8" => "bigint",
        "int2" | "smallserial" | "serial2" => "smallint",
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

fn mysql(parts: &Parts, engine: Engine) -> String {
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
        "serial" => return "bigint unsigned".to_owned(),
        "json" if engine == Engine::Mariadb => "longtext",
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
    use sqlparser::tokenizer::Tokenizer;

    fn tokens(sql: &str, engine: Engine) -> Vec<Token> {
        let all = Tokenizer::new(engine.dialect(), sql).tokenize().expect("the case is made of tokens");
        all.into_iter().filter(|t| !matches!(t, Token::Whitespace(_))).collect()
    }

    #[test]
    fn types_have_one_name() {
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
                    ("bigserial", "bigint"),
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
    fn text_is_even() {
        for (written, expected) in [
            ("Lower( \"name\" )  <> 'It''s'", "lower(name)<>'It''s'"),
            ("\"User\" = \"user\" AND user != 1", "\"User\"=\"user\" and user<>1"),
            ("$x$ a $x$", "$$ a $$"),
        ] {
            assert_eq!(even_text(&tokens(written, Engine::Postgres)), expected);
        }
        assert_eq!(even_text(&tokens("`Name` = \"X\"", Engine::Mysql)), "name='X'");
        let trigger = tokens("CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT OR REPLACE INTO u VALUES (1); END", Engine::Sqlite);
        assert!(definition(&trigger).contains("insert or replace"));
        let view = tokens("CREATE OR REPLACE VIEW v AS SELECT replace(a, 'x', '') FROM t", Engine::Postgres);
        assert_eq!(definition(&view), "create view v as select replace(a,'x','')from t");
    }
}
