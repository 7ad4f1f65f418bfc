//! Does a change of a column touch every row? In: the old and the new definition. Out: a line of the lock table.

use crate::engine::Engine;
use crate::lock_table::Way;
use crate::parse::action::{Class, Column, Constraint, Rule};
use crate::schema::catalog::{Catalog, Entry, Key, Table};

/// Functions that PostgreSQL calls once a statement, or that give the same each time. All others count as volatile: that is what
/// CREATE FUNCTION makes where it says nothing.
const STEADY: &[&str] = &[
    "now",
    "current_timestamp",
    "current_time",
    "localtimestamp",
    "localtime",
    "transaction_timestamp",
    "statement_timestamp",
    "timezone",
    "date_trunc",
    "date_part",
    "extract",
    "to_timestamp",
    "to_date",
    "make_date",
    "make_interval",
    "make_timestamp",
    "current_setting",
    "current_database",
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "lower",
    "upper",
    "md5",
    "length",
    "concat",
    "replace",
    "abs",
    "round",
    "floor",
    "ceil",
    "cast",
    "array",
    "row",
    "jsonb_build_object",
    "json_build_object",
    "jsonb_build_array",
    "to_jsonb",
    "encode",
    "decode",
    "txid_current",
    // Types with a length, behind a cast.
    "varchar",
    "char",
    "character",
    "varying",
    "bit",
    "numeric",
    "decimal",
    "timestamp",
    "timestamptz",
    "time",
    "interval",
];

/// Whether an expression (even text) calls a function that may give another value for each row.
fn volatile(expression: &str) -> bool {
    let outside: String = expression.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let called = |before: &str| {
        let name = before.trim_end().rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("").to_owned();
        !name.is_empty() && !STEADY.contains(&name.as_str())
    };
    outside.match_indices('(').any(|(at, _)| called(&outside[..at]))
}

/// A literal, or the time of the statement.
fn constant(default: &str) -> bool {
    let quoted = default.trim_start_matches(['b', 'x', 'n']).starts_with('\'') && default.ends_with('\'');
    let time = ["current_timestamp", "now", "localtime"].iter().any(|word| default.starts_with(word));
    quoted || time || default.parse::<f64>().is_ok() || matches!(default, "true" | "false")
}

/// How a new column comes to its values in the rows that stand; `placed` where it does not stand last.
pub(super) fn added(catalog: &Catalog, column: &Column, constraints: &[Constraint], placed: bool) -> Way {
    let default = column.default.as_deref().filter(|d| !d.eq_ignore_ascii_case("null"));
    let key = |c: &Constraint| matches!(c.rule, Rule::PrimaryKey(_) | Rule::Unique(_) | Rule::Exclude(_));
    if column.identity.is_some() {
        return Way::AddColumnCounted;
    }
    // What is not said to be stored is virtual on SQLite and MySQL, and on PostgreSQL before 18 an error.
    if column.generated.as_deref().is_some_and(|g| g.contains("stored") || g.contains("persistent")) {
        return Way::AddColumnComputed;
    }
    // SQLite refuses such a default where rows stand.
    if catalog.engine != Engine::Sqlite && default.is_some_and(volatile) {
        return Way::AddColumnVolatile;
    }
    // MySQL computes any expression for each row.
    if catalog.engine == Engine::Mysql && default.is_some_and(|d| !constant(d)) {
        return Way::AddColumnVolatile;
    }
    if catalog.engine == Engine::Postgres && constrained_domain(catalog, &column.ty) {
        return Way::AddColumnComputed;
    }
    match () {
        () if constraints.iter().any(key) => Way::AddColumnUnique,
        () if constraints.iter().any(|c| matches!(c.rule, Rule::Check(_))) => Way::AddColumnChecked,
        // Old rows hold NULL, and nothing is to be looked up, unless there is a default (PostgreSQL, transformFKConstraints).
        () if default.is_some() && constraints.iter().any(|c| matches!(c.rule, Rule::ForeignKey { .. })) => Way::AddColumnChecked,
        () if placed => Way::AddColumnPlaced,
        () if default.is_some() => Way::AddColumnConstant,
        () => Way::AddColumn,
    }
}

/// A domain with a rule of its own is put to every row, which PostgreSQL does by a rewrite.
fn constrained_domain(catalog: &Catalog, ty: &str) -> bool {
    match catalog.get(&Key::Object(Class::Domain, ty.to_owned(), None)) {
        Some(Entry::Object(object)) => object.definition.as_deref().is_none_or(|d| d.contains("check") || d.contains("not null")),
        _ => false,
    }
}

/// PostgreSQL: whether a column of type `old` becomes `new` without a rewrite (`ATColumnChangeRequiresRewrite`).
pub(super) fn type_set(catalog: &Catalog, column: &str, old: Option<&Column>, new: &str, using: Option<&str>) -> Way {
    let plain = |using: &str| {
        let using = using.trim_matches(['(', ')']);
        using == column || using.strip_prefix(column).is_some_and(|rest| rest.strip_prefix("::") == Some(new))
    };
    let rewrites = match old {
        _ if using.is_some_and(|u| !plain(u)) => true,
        Some(old) if !old.ty.is_empty() => !stored_alike(&old.ty, new),
        // What stood there is not known.
        _ => true,
    };
    if rewrites || constrained_domain(catalog, new) { Way::TypeRewrite } else { Way::TypeCatalog }
}

/// A type's base name and its numbers.
fn parts(ty: &str) -> (String, Vec<u64>) {
    let Some((base, rest)) = ty.split_once('(') else { return (ty.to_owned(), Vec::new()) };
    let (numbers, after) = rest.split_once(')').unwrap_or((rest, ""));
    (format!("{base}{after}"), numbers.split(',').filter_map(|n| n.trim().parse().ok()).collect())
}

fn stored_alike(old: &str, new: &str) -> bool {
    if old == new {
        return true;
    }
    let ((old, from), (new, to)) = (parts(old), parts(new));
    let grows = |unbound: u64| from.first().copied().unwrap_or(unbound) <= to.first().copied().unwrap_or(unbound);
    match (old.as_str(), new.as_str()) {
        ("character varying" | "text" | "citext", "text" | "citext") => true,
        ("character varying" | "text" | "citext", "character varying") | ("bit varying", "bit varying") => {
            to.is_empty() || old == "character varying" && !from.is_empty() && grows(u64::MAX) || old == "bit varying" && !from.is_empty() && grows(u64::MAX)
        }
        ("numeric", "numeric") => {
            let scale = |n: &[u64]| n.get(1).copied().unwrap_or(0);
            to.is_empty() || !from.is_empty() && scale(&from) == scale(&to) && grows(0)
        }
        (a, b) if a == b && (a.starts_with("time") || a == "interval") => grows(6),
        ("cidr", "inet") | ("integer", "oid") => true,
        _ => false,
    }
}

/// MySQL and MariaDB: what MODIFY or CHANGE does, from the whole old and the whole new definition.
pub(super) fn redefined(table: Option<&Table>, from: &str, new: &Column) -> Way {
    let Some(old) = table.and_then(|t| t.column(from)).filter(|c| !c.assumed && !c.def.ty.is_empty()).map(|c| &c.def) else { return Way::TypeRewrite };
    let same_storage = old.generated == new.generated && old.identity == new.identity && (old.collation == new.collation || new.collation.is_none());
    let ty = if old.ty == new.ty { Way::ColumnCatalog } else { redefined_type(&old.ty, &new.ty) };
    match () {
        () if !same_storage || ty == Way::TypeRewrite => Way::TypeRewrite,
        () if !old.not_null && new.not_null => Way::SetNotNull,
        () if old.not_null && !new.not_null => Way::DropNotNull,
        () if ty == Way::ColumnCatalog && old.name != new.name => Way::RenameColumn,
        () => ty,
    }
}

fn redefined_type(old: &str, new: &str) -> Way {
    for list in ["enum(", "set("] {
        if let (Some(old), Some(new)) = (old.strip_prefix(list), new.strip_prefix(list)) {
            // The number of labels may need another byte beyond 255 (ENUM) or at 8, 16, 24, 32 (SET).
            let labels = |text: &str| text.split(',').count();
            let same_size = if list == "set(" { labels(old).div_ceil(8) == labels(new).div_ceil(8) } else { (labels(old) > 255) == (labels(new) > 255) };
            let appended = new.starts_with(old.trim_end_matches(')')) && same_size;
            return if appended { Way::TypeAppended } else { Way::TypeRewrite };
        }
    }
    let ((ob, on), (nb, nn)) = (parts(old), parts(new));
    let varchar = |base: &str| matches!(base, "varchar" | "character varying");
    match (on.first(), nn.first()) {
        // Up to 255 bytes the length takes one byte, beyond that two. Of utf8mb4 63 characters fit into 255 bytes.
        (Some(&o), Some(&n)) if varchar(&ob) && varchar(&nb) && n >= o => {
            if n <= 63 || o > 63 {
                Way::TypeCatalog
            } else {
                Way::TypeRewrite
            }
        }
        _ => Way::TypeRewrite,
    }
}

/// Whether a valid check says that `column` holds no NULL.
pub(super) fn proved_not_null(table: Option<&Table>, column: &str) -> bool {
    let says = |check: &str| check.split(" and ").any(|part| part.trim_matches(['(', ')', ' ']) == format!("{column} is not null"));
    table.is_some_and(|t| t.constraints.iter().any(|c| !c.not_valid && matches!(&c.rule, Some(Rule::Check(text)) if says(text))))
}
