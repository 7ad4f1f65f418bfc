//! The JSON of `check` has the shape that the design gives: every key, nothing else, with the right type.

use super::support::{migrate, root};
use serde_json::Value;

/// The keys of each object with the type of their values; `a|b` is one of two.
#[rustfmt::skip]
const SHAPES: [(&str, &[(&str, &str)]); 9] = [
    ("report", &[("schema", "number"), ("tool_version", "string"), ("engine", "string"), ("layout", "string"), ("migrations", "list of migration"), ("summary", "summary")]),
    ("migration", &[("version", "string"), ("name", "string"), ("path", "string"), ("down_path", "string|null"), ("verdict", "string"), ("loss", "string"), ("decays", "bool"),
        ("app_rollback", "string"), ("round_trip", "round_trip"), ("attestation", "attestation"), ("allowed", "list of allow|null"), ("statements", "list of statement"), ("findings", "list of finding")]),
    ("round_trip", &[("proved", "bool"), ("differences", "list of difference")]),
    ("difference", &[("object", "string"), ("kind", "string"), ("what", "string"), ("matters", "bool")]),
    ("attestation", &[("required", "bool"), ("status", "string")]),
    ("allow", &[("rule", "string"), ("reason", "string"), ("line", "number")]),
    ("statement", &[("direction", "string"), ("line", "number"), ("column", "number"), ("end_line", "number"), ("code", "string"), ("name", "string"), ("object", "string"),
        ("verdict", "string|null"), ("loss", "string|null"), ("why", "string"), ("lock", "string|null"), ("rewrite", "bool|null")]),
    ("finding", &[("code", "string"), ("name", "string"), ("severity", "string"), ("direction", "string|null"), ("line", "number|null"), ("message", "string"), ("help", "string")]),
    ("summary", &[("reversible", "number"), ("partial", "number"), ("irreversible", "number"), ("blocked", "number"), ("statements", "number"), ("not_understood", "number")]),
];

/// What in `value` is not as the shape says; `seen` collects the shapes that were met.
fn wrong(value: &Value, shape: &str, at: &str, seen: &mut Vec<String>) -> Vec<String> {
    if let Some((one, null)) = shape.split_once('|') {
        assert_eq!(null, "null");
        return if value.is_null() { Vec::new() } else { wrong(value, one, at, seen) };
    }
    if let (Some(item), Value::Array(list)) = (shape.strip_prefix("list of "), value) {
        return list.iter().enumerate().flat_map(|(n, value)| wrong(value, item, &format!("{at}[{n}]"), seen)).collect();
    }
    let Some((_, keys)) = SHAPES.iter().find(|(name, _)| *name == shape) else {
        let fits = match shape {
            "string" => value.is_string(),
            "number" => value.is_u64(),
            "bool" => value.is_boolean(),
            _ => false,
        };
        return if fits { Vec::new() } else { vec![format!("{at} is no {shape}: {value}")] };
    };
    seen.push(shape.to_owned());
    let Some(object) = value.as_object() else { return vec![format!("{at} is no object: {value}")] };
    let more = object.keys().filter(|key| !keys.iter().any(|(known, _)| known == key)).map(|key| format!("{at}.{key} is not in the design"));
    let mut found: Vec<String> = more.collect();
    for (key, shape) in *keys {
        match object.get(*key) {
            Some(value) => found.extend(wrong(value, shape, &format!("{at}.{key}"), seen)),
            None => found.push(format!("{at}.{key} is missing")),
        }
    }
    found
}

#[test]
fn every_key_is_there_with_its_type() {
    let mut seen = Vec::new();
    for engine in ["sqlite", "postgres", "mysql"] {
        let ran = migrate(&root(), &["check", "--dir", &format!("migrations-examples/{engine}"), "--format", "json"]);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(wrong(&report, "report", engine, &mut seen), Vec::<String>::new());
        assert_eq!((&report["schema"], &report["engine"], &report["layout"]), (&1.into(), &engine.into(), &"native".into()));
        for statement in report["migrations"].as_array().unwrap().iter().flat_map(|m| m["statements"].as_array().unwrap()) {
            assert_eq!(statement["verdict"].is_null(), statement["direction"] == "down", "only UP has verdicts: {statement}");
        }
    }
    for (shape, _) in SHAPES {
        assert!(seen.iter().any(|s| s == shape), "no example shows a {shape}");
    }
}

#[test]
fn the_classic_drop_of_a_column_in_full() {
    let ran =
        migrate(&root(), &["check", "--dir", "migrations-examples/mysql", "migrations-examples/mysql/V20240117_Remove_Legacy_Column.sql", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!("check_json", serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn an_error_is_one_object_too() {
    let ran = migrate(&root(), &["check", "--dir", "nowhere", "--format", "json"]);
    let error = serde_json::json!({"schema": 1, "error": {"code": "no-folder", "message": "nowhere: no such folder", "path": "nowhere", "line": null,
        "help": "name the folder of migrations with `--dir`, or make the first migration with `migrate new NAME`"}});
    assert_eq!((ran.code, serde_json::from_str::<Value>(&ran.out).unwrap(), ran.err.as_str()), (2, error, ""));
}
