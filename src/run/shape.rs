//! The shape of what a migration destroys, from the database's catalogue. In: what its statements destroy, a table's columns. Out: a
//! [`Destroyed`] that nobody has counted yet; and what goes along by foreign keys and inheritance, which no statement names.

use super::connection::{Connection, Driver};
use super::postgres::literal;
use super::tables::quoted;
use crate::pin::{Column, Destroyed, Destroys, Now, What};
use std::collections::{BTreeMap, BTreeSet};

/// A table that is there.
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    /// The catalogue's estimate.
    pub(super) rows: u64,
    /// All columns that are stored, each with its place in the primary key.
    pub(super) columns: Vec<(Column, Option<u32>)>,
    /// The columns of the primary key, generated ones included.
    pub(super) in_key: usize,
}

impl Table {
    /// What `one` of `all` destroys of it; none where that is nothing. `same` compares folded names with the catalogue's, `home` is the schema
    /// that a name without one means.
    pub(super) fn destroyed(self, one: &Destroys, all: &[Destroys], same: fn(&str, &str) -> bool, home: &str) -> Option<Destroyed> {
        let among = |columns: &[String], name: &str| columns.iter().any(|column| same(column, name));
        // A key that is taken away or written over leads to no row any more.
        let lost = |name: &str| all.iter().any(|d| d.table == one.table && matches!(d.what, What::Columns | What::Values) && among(&d.columns, name));
        let mut key: Vec<(u32, &Column)> = self.columns.iter().filter_map(|(column, place)| Some(((*place)?, column))).collect();
        key.sort_by_key(|(place, _)| *place);
        let keyed = !key.is_empty() && key.len() == self.in_key && !key.iter().any(|(_, column)| lost(&column.name));
        let key: Vec<Column> = key.into_iter().filter(|_| keyed).map(|(_, column)| column.clone()).collect();
        let rest = self.columns.iter().filter(|(_, place)| place.is_none() || !keyed).map(|(column, _)| column.clone());
        let (columns, with): (Vec<Column>, Vec<Column>) = rest.partition(|column| one.columns.is_empty() || among(&one.columns, &column.name));
        if columns.is_empty() && !matches!(one.what, What::Table | What::Rows) {
            return None;
        }
        let renamed = one.renamed.iter().filter_map(|(before, now)| {
            let (column, _) = self.columns.iter().find(|(column, _)| same(before, &column.name))?;
            Some((column.name.clone(), now.clone()))
        });
        let renamed: BTreeMap<String, String> = renamed.collect();
        let now = match one.now.rsplit_once('.') {
            _ if one.now == one.table => (self.schema.clone(), self.name.clone()),
            Some((schema, table)) => (schema.to_owned(), table.to_owned()),
            None if one.table.contains('.') => (home.to_owned(), one.now.clone()),
            None => (self.schema.clone(), one.now.clone()),
        };
        let moved = now != (self.schema.clone(), self.name.clone()) || !renamed.is_empty();
        Some(Destroyed {
            what: one.what,
            schema: self.schema,
            table: self.name,
            key,
            columns,
            with: if keyed { Vec::new() } else { with },
            now: moved.then_some(Now { schema: now.0, table: now.1, columns: renamed }),
            rows: self.rows,
            estimated: true,
            checksum: None,
        })
    }
}

/// `destroys` with what goes along: rows that point at rows which go, or that are changed by that; tables that inherit from one.
pub(super) async fn with_what_goes_along(connection: &mut Connection, destroys: &[Destroys]) -> sqlx::Result<Vec<Destroys>> {
    let mut all = destroys.to_vec();
    let mut seen: BTreeSet<(What, String)> = BTreeSet::new();
    let mut at = 0;
    while let Some(one) = all.get(at).cloned() {
        if !matches!(one.what, What::Table | What::Rows) || !seen.insert((one.what, one.table.clone())) {
            at += 1;
            continue;
        }
        for (what, table, columns) in along(connection, &one).await? {
            let next = Destroys { what, now: table.clone(), table, columns, renamed: Vec::new(), cascade: one.cascade };
            match all.iter_mut().find(|other| other.what == what && other.table == next.table) {
                Some(other) if next.columns.is_empty() => other.columns.clear(),
                Some(other) if other.columns.is_empty() => {}
                Some(other) => other.columns.extend(next.columns.into_iter().filter(|column| !other.columns.contains(column)).collect::<Vec<_>>()),
                // Before what it points at, as if its own statement had gone first.
                None => all.insert(at, next),
            }
        }
    }
    Ok(all)
}

/// A table's name as statements fold it: with its schema where the search path does not find it.
const VISIBLE: &str = "CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN c.relname::text ELSE n.nspname || '.' || c.relname END";

/// What goes along with `one`, a step further.
async fn along(connection: &mut Connection, one: &Destroys) -> sqlx::Result<Vec<(What, String, Vec<String>)>> {
    let sql = match (&connection.driver, one.what) {
        (Driver::Sqlite(_), _) => return Ok(Vec::new()),
        (Driver::Postgres(_), What::Table) => format!(
            "SELECT 't', {VISIBLE}, '' FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE i.inhparent = {} AND c.relkind IN ('r', 'p') ORDER BY 2",
            postgres_table(&one.table)
        ),
        (Driver::Postgres(_), _) => format!(
            "SELECT k.confdeltype::text, {VISIBLE}, (SELECT string_agg(a.attname, chr(1)) FROM pg_catalog.pg_attribute a \
             WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)) FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE k.contype = 'f' AND k.confrelid = {} AND k.conparentid = 0 ORDER BY 2",
            postgres_table(&one.table)
        ),
        (Driver::Mysql(_), What::Table) => return Ok(Vec::new()),
        (Driver::Mysql(_), _) => format!(
            "SELECT CASE r.delete_rule WHEN 'CASCADE' THEN 'c' WHEN 'SET NULL' THEN 'n' ELSE 'a' END, \
             lower(IF(u.table_schema = DATABASE(), u.table_name, CONCAT(u.table_schema, '.', u.table_name))), \
             GROUP_CONCAT(u.column_name SEPARATOR '\u{1}') FROM information_schema.referential_constraints r \
             JOIN information_schema.key_column_usage u ON u.constraint_schema = r.constraint_schema AND u.constraint_name = r.constraint_name \
             AND u.table_name = r.table_name WHERE {} GROUP BY r.constraint_schema, r.constraint_name, r.delete_rule, u.table_schema, u.table_name \
             ORDER BY 2",
            mysql_table(&one.table, "u.referenced_table_schema", "u.referenced_table_name")
        ),
    };
    let rows = connection.rows(&sql).await?;
    let parts = rows.into_iter().filter_map(|row| <[Option<String>; 3]>::try_from(row).ok());
    let parts = parts.filter_map(|[rule, table, columns]| {
        let table = table?;
        match rule.as_deref()? {
            "t" => Some((What::Table, table, Vec::new())),
            "c" => Some((What::Rows, table, Vec::new())),
            _ if one.cascade => Some((What::Rows, table, Vec::new())),
            "n" | "d" => Some((What::Values, table, columns?.split('\u{1}').map(str::to_owned).collect())),
            _ => None,
        }
    });
    Ok(parts.collect())
}

/// A table by its folded name, as an expression for its `regclass`: what stands before a dot is a schema, or else the dot is the name's own.
pub(super) fn postgres_table(table: &str) -> String {
    let names = splits(table).map(|(schema, name)| schema.into_iter().chain([name]).map(|part| quoted(part, '"')).collect::<Vec<_>>().join("."));
    format!("coalesce({})", names.map(|name| format!("to_regclass({})", literal(Some(&name)))).collect::<Vec<_>>().join(", "))
}

/// The same, as the conditions of a query on columns that hold the names.
pub(super) fn mysql_table(table: &str, schema_in: &str, name_in: &str) -> String {
    let is = |(schema, name): (Option<&str>, &str)| {
        let schema = schema.map_or_else(|| String::from("DATABASE()"), |schema| quoted(schema, '\''));
        format!("{schema_in} = {schema} AND lower({name_in}) = lower({})", quoted(name, '\''))
    };
    format!("({})", splits(table).map(is).collect::<Vec<_>>().join(" OR "))
}

/// The ways to read a folded name, likeliest first: schema and name at each dot, from the last one; then no schema.
fn splits(table: &str) -> impl Iterator<Item = (Option<&str>, &str)> {
    let at_dots = table.rmatch_indices('.').map(|(at, dot)| (Some(&table[..at]), &table[at + dot.len()..]));
    at_dots.chain([(None, table)])
}
