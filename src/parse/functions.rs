//! Functions that compute or read, and change nothing. In: a function's name, lower case. Out: whether a query that calls it
//! is no more than a query. Any other function may do anything.

#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    "abs", "array_agg", "avg", "cast", "ceil", "char", "char_length", "coalesce", "concat", "concat_ws", "convert", "count", "current_database",
    "current_date", "current_schema", "current_setting", "current_timestamp", "current_user", "database", "date", "date_trunc", "datetime", "decimal",
    "exists", "extract", "floor", "format", "gen_random_uuid", "generate_series", "get_lock", "glob", "greatest", "group_concat", "hex", "if",
    "ifnull", "iif", "instr", "json_agg", "jsonb_agg", "jsonb_build_object", "least", "left", "length", "lower", "ltrim", "max", "md5", "min", "mod",
    "now", "nullif", "numeric", "pg_get_serial_sequence", "pg_sleep", "printf", "quote", "quote_ident", "quote_literal", "raise", "random", "rank",
    "regexp_replace", "release_lock", "replace", "right", "round", "row_number", "rtrim", "sign", "sleep", "sqlite_version", "strftime", "string_agg",
    "substr", "substring", "sum", "time", "to_char", "to_regclass", "to_timestamp", "total", "trim", "typeof", "upper", "user", "uuid",
    "uuid_generate_v4", "varchar", "version",
];

/// Beginnings of the names of such functions.
const FAMILIES: &[&str] = &["json", "array_", "regexp_", "sqlite_", "st_", "unix_", "to_"];

/// Whether the function of that name changes nothing.
pub(super) fn is_harmless(name: &str) -> bool {
    HARMLESS.binary_search(&name).is_ok() || FAMILIES.iter().any(|family| name.starts_with(family))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::HARMLESS.is_sorted());
    }
}
