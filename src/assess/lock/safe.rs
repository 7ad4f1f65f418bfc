//! The form that stops nobody. In: an action that stops a busy site. Out: SQL that can be pasted, in the order to run it.

use crate::engine::Engine;
use crate::lock_table::Way;
use crate::parse::Statement;
use crate::parse::action::{Action, Column, ColumnChange, Constraint, Dropped, Index, Name, Op, Rule};
use crate::schema::catalog::Catalog;

/// `name` as it must be written, schema and all.
fn ident(name: &str) -> String {
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') && !part.starts_with(|c: char| c.is_ascii_digit());
    name.split('.').map(|part| if plain(part) { part.to_owned() } else { format!("\"{part}\"") }).collect::<Vec<_>>().join(".")
}

fn idents(names: &[Name]) -> String {
    names.iter().map(|n| ident(n)).collect::<Vec<_>>().join(", ")
}

/// The last part of a name.
fn bare(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The safe form of `action`, which works on `table` in a `way` that stops a busy site.
pub(super) fn form(catalog: &Catalog, statement: &Statement, action: &Action, way: Way, table: Option<&Name>) -> String {
    if catalog.engine.is_mysql_like() {
        return mysql(action, catalog.engine);
    }
    match (&action.op, way) {
        (Op::CreateIndex { index, .. }, _) => index_beside(index),
        (Op::DropIndex { name, .. }, _) => format!("in a migration of its own, with `-- migrate: no-transaction`: DROP INDEX CONCURRENTLY {};", ident(name)),
        (Op::AddConstraint { table, constraint }, _) => constraint_beside(table, constraint),
        (Op::AlterColumn { table, column, change: ColumnChange::SetNotNull }, _) => not_null_beside(table, column),
        (Op::AlterColumn { table, column, change: ColumnChange::SetType { ty, using, .. } }, _) => type_beside(table, column, ty, using.as_deref()),
        (Op::AddColumn { table, column, constraints, .. }, Way::AddColumnUnique | Way::AddColumnChecked) => column_then(table, column, constraints),
        (Op::AddColumn { table, column, .. }, _) => column_filled(table, column),
        (_, Way::Detach) => with_word(statement, "in a migration of its own, with `-- migrate: no-transaction`", " CONCURRENTLY", None),
        (_, Way::Refresh) => {
            let view = table.map_or_else(String::new, |t| ident(t));
            format!("with a unique index on the view: REFRESH MATERIALIZED VIEW CONCURRENTLY {view};")
        }
        (_, Way::Reindex) => with_word(statement, "in a migration of its own, with `-- migrate: no-transaction`", " CONCURRENTLY", Some(2)),
        (_, Way::Vacuum) => "outside of migrations, with an extension that copies the table beside its use (pg_repack); plain `VACUUM` stops nobody".into(),
        (_, Way::DomainRule) => {
            "a check of the table instead, NOT VALID first and validated in a later migration: a domain's own VALIDATE makes writes wait".into()
        }
        (_, Way::StoredExpression) => "add a second column with the new expression, fill it in batches, and rename the two".into(),
        _ => "make a new table beside it, copy the rows in batches while a trigger follows, and rename the two in one short transaction".into(),
    }
}

/// The statement's own text with `word` behind its first `at` words, or at its end.
fn with_word(statement: &Statement, how: &str, word: &str, at: Option<usize>) -> String {
    let words: Vec<&str> = statement.text.split_whitespace().collect();
    let (head, tail) = words.split_at(at.unwrap_or(words.len()).min(words.len()));
    let tail = if tail.is_empty() { String::new() } else { format!(" {}", tail.join(" ")) };
    format!("{how}: {}{word}{tail};", head.join(" "))
}

fn index_beside(index: &Index) -> String {
    let name = index.name.as_deref().map_or_else(String::new, |n| format!(" {}", ident(bare(n))));
    let unique = if index.unique { "UNIQUE " } else { "" };
    let (using, rest) = match index.rest.strip_prefix("using ").and_then(|r| r.split_once(' ').or(Some((r, "")))) {
        Some((method, rest)) => (format!(" USING {method}"), rest),
        None => (String::new(), index.rest.as_str()),
    };
    let rest = if rest.is_empty() { String::new() } else { format!(" {rest}") };
    let columns = index.columns.join(", ");
    format!(
        "in a migration of its own, with `-- migrate: no-transaction`: CREATE {unique}INDEX CONCURRENTLY{name} ON {}{using} ({columns}){rest};",
        ident(&index.table)
    )
}

/// The constraint's written name, or one as PostgreSQL makes it.
fn name_of(table: &str, constraint: &Constraint) -> String {
    let (columns, end): (&[Name], &str) = match &constraint.rule {
        Rule::PrimaryKey(_) => (&[], "pkey"),
        Rule::Unique(columns) => (columns, "key"),
        Rule::ForeignKey { columns, .. } => (columns, "fkey"),
        Rule::Check(_) => (&[], "check"),
        Rule::Exclude(_) => (&[], "excl"),
    };
    let made = || [bare(table)].into_iter().chain(columns.iter().map(String::as_str)).chain([end]).collect::<Vec<_>>().join("_");
    ident(&constraint.name.clone().unwrap_or_else(made))
}

fn constraint_beside(table: &str, constraint: &Constraint) -> String {
    let (t, name) = (ident(table), name_of(table, constraint));
    let later = format!("and in a later migration: ALTER TABLE {t} VALIDATE CONSTRAINT {name};");
    match &constraint.rule {
        Rule::ForeignKey { columns, target, target_columns, actions } => {
            let to = if target_columns.is_empty() { String::new() } else { format!(" ({})", idents(target_columns)) };
            let actions = if actions.is_empty() { String::new() } else { format!(" {actions}") };
            let key = format!("FOREIGN KEY ({}) REFERENCES {}{to}{actions}", idents(columns), ident(target));
            format!("ALTER TABLE {t} ADD CONSTRAINT {name} {key} NOT VALID; {later}")
        }
        Rule::Check(check) => format!("ALTER TABLE {t} ADD CONSTRAINT {name} CHECK ({check}) NOT VALID; {later}"),
        Rule::PrimaryKey(columns) | Rule::Unique(columns) => {
            let word = if matches!(constraint.rule, Rule::PrimaryKey(_)) { "PRIMARY KEY" } else { "UNIQUE" };
            // A key over an index asks each column for NOT NULL, and finds it said or reads every row.
            let first = if word == "PRIMARY KEY" { "make its columns NOT NULL by a valid check first; then " } else { "" };
            format!(
                "{first}in a migration of its own, with `-- migrate: no-transaction`: CREATE UNIQUE INDEX CONCURRENTLY {name} ON {t} ({}); and in a later one: \
                 ALTER TABLE {t} ADD CONSTRAINT {name} {word} USING INDEX {name};",
                idents(columns)
            )
        }
        Rule::Exclude(_) => "no form of it stops nobody: add it while the table is small or the site is quiet".into(),
    }
}

fn not_null_beside(table: &str, column: &str) -> String {
    let (t, c, name) = (ident(table), ident(column), ident(&format!("{}_{column}_not_null", bare(table))));
    format!(
        "ALTER TABLE {t} ADD CONSTRAINT {name} CHECK ({c} IS NOT NULL) NOT VALID; in a later migration: ALTER TABLE {t} VALIDATE CONSTRAINT {name}; and in one \
         after that: ALTER TABLE {t} ALTER COLUMN {c} SET NOT NULL; ALTER TABLE {t} DROP CONSTRAINT {name};"
    )
}

fn type_beside(table: &str, column: &str, ty: &str, using: Option<&str>) -> String {
    let (t, c, new) = (ident(table), ident(column), ident(&format!("{column}_new")));
    let value = using.map_or_else(|| format!("{c}::{ty}"), str::to_owned);
    format!(
        "ALTER TABLE {t} ADD COLUMN {new} {ty}; let the application write both; UPDATE {t} SET {new} = {value} WHERE {new} IS NULL; in batches; and in a later \
         migration: ALTER TABLE {t} RENAME COLUMN {c} TO {c}_old; ALTER TABLE {t} RENAME COLUMN {new} TO {c};"
    )
}

/// The column first, its rule by itself.
fn column_then(table: &str, column: &Column, constraints: &[Constraint]) -> String {
    let rules: Vec<String> = constraints.iter().map(|c| constraint_beside(table, c)).collect();
    let default = column.default.as_ref().map_or_else(String::new, |d| format!(" DEFAULT {d}"));
    format!("ALTER TABLE {} ADD COLUMN {} {}{default}; then {}", ident(table), ident(&column.name), column.ty, rules.join(" then "))
}

/// The column empty first, then its values in batches.
fn column_filled(table: &str, column: &Column) -> String {
    let (t, c, ty) = (ident(table), ident(&column.name), &column.ty);
    match (&column.default, &column.generated) {
        (Some(default), None) => format!(
            "ALTER TABLE {t} ADD COLUMN {c} {ty}; ALTER TABLE {t} ALTER COLUMN {c} SET DEFAULT {default}; then UPDATE {t} SET {c} = {default} WHERE {c} IS NULL; \
             in batches"
        ),
        (_, Some(_)) => format!("ALTER TABLE {t} ADD COLUMN {c} {ty}; fill it by a trigger for new rows, and by UPDATE in batches for those that stand"),
        _ => format!(
            "ALTER TABLE {t} ADD COLUMN {c} {ty}; CREATE SEQUENCE {name} OWNED BY {t}.{c}; ALTER TABLE {t} ALTER COLUMN {c} SET DEFAULT nextval('{name}'); then \
             UPDATE {t} SET {c} = DEFAULT WHERE {c} IS NULL; in batches",
            name = ident(&format!("{}_{}_seq", bare(table), column.name))
        ),
    }
}

/// MySQL and MariaDB have no second form of most of these: another tool copies the table beside its use.
fn mysql(action: &Action, engine: Engine) -> String {
    let words = "copy the table beside its use, with gh-ost or pt-online-schema-change";
    match &action.op {
        Op::AddConstraint { constraint, .. } if matches!(constraint.rule, Rule::ForeignKey { .. }) => {
            format!("where no row breaks it: SET foreign_key_checks = 0; the same statement with `, ALGORITHM=INPLACE, LOCK=NONE`; else {words}")
        }
        Op::DropConstraint { which: Dropped::PrimaryKey, .. } => {
            "drop it and add the new one in one statement, with `, ALGORITHM=INPLACE, LOCK=NONE`: then rows are written meanwhile".into()
        }
        _ if engine == Engine::Mariadb => format!("{words}; from MariaDB 11.2 on the same statement with `, ALGORITHM=COPY, LOCK=NONE` lets writes go on"),
        _ => words.into(),
    }
}
