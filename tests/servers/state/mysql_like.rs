//! What MySQL and MariaDB have in common. In: a connection, and the questions about one of them. Out: the answers, what `SHOW CREATE`
//! says of each table, view and sequence, and every row, those of the past too.

use super::{OUTSIDE, Scope, State, evened};
use crate::link::{Cells, Link};
use crate::support::Database;

/// A label, and the question whose rows it stands before.
pub(super) type Question = (&'static str, &'static str);

/// The answers to what is asked of the whole server and, with its name for `{own}`, of each schema.
pub(super) async fn dump(link: &mut Link, on_server: &[Question], in_schema: &[Question], scope: Scope) -> State {
    let mut state = State { schema: Vec::new(), rows: Vec::new() };
    for (label, sql) in on_server.iter().filter(|_| scope == Scope::Server) {
        state.schema.extend(link.lines(label, sql).await);
    }
    let others = if scope == Scope::Server { " OR schema_name LIKE 'migrate\\_case%'" } else { "" };
    for schema in link.rows(&format!("SELECT schema_name FROM information_schema.schemata WHERE schema_name = DATABASE(){others}")).await.concat() {
        let own = |sql: &str| sql.replace("{own}", &format!("'{schema}'"));
        for (label, sql) in in_schema {
            state.schema.extend(link.lines(label, &own(sql)).await);
        }
        let tables = link.rows(&own("SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema = {own}")).await;
        for table in &tables {
            self::table(link, &mut state, table).await;
        }
    }
    state
}

/// One table, view or sequence with its rows.
async fn table(link: &mut Link, state: &mut State, table: &Cells) {
    let [schema, name, kind] = &table[..] else { panic!("three cells: {table:?}") };
    let place = format!("`{schema}`.`{name}`");
    let what = match kind.as_str() {
        "VIEW" => "VIEW",
        "SEQUENCE" => "SEQUENCE",
        _ => "TABLE",
    };
    let shown = link.rows(&format!("SHOW CREATE {what} {place}")).await.swap_remove(0).swap_remove(1);
    let (shown, position) = without_position(&shown);
    state.schema.push(format!("{place}: {}", evened(&shown.lines().collect::<Vec<_>>())));
    state.rows.extend(position.map(|position| format!("{place} position: {position}")));
    match what {
        "VIEW" => {}
        "SEQUENCE" => state.rows.extend(link.lines(&format!("{place} position"), &format!("SELECT next_not_cached_value FROM {place}")).await),
        _ => state.rows.extend(rows(link, schema, name, kind).await),
    }
}

/// The next key of a table is a position, as that of a sequence is.
fn without_position(shown: &str) -> (String, Option<String>) {
    let Some((head, rest)) = shown.split_once(" AUTO_INCREMENT=") else { return (shown.to_owned(), None) };
    let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    (format!("{head}{tail}"), Some(number.to_owned()))
}

async fn rows(link: &mut Link, schema: &str, name: &str, kind: &str) -> Vec<String> {
    let place = format!("`{schema}`.`{name}`");
    let columns = link
        .rows(&format!("SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = '{schema}' AND table_name = '{name}' ORDER BY 1"))
        .await;
    let cell = |column: &Vec<String>| {
        let [name, kind] = &column[..] else { panic!("two cells: {column:?}") };
        let bytes = ["blob", "binary", "bit", "geometry", "point", "vector"].iter().any(|word| kind.contains(word));
        let text = if bytes { format!("HEX(`{name}`)") } else { format!("QUOTE(CONVERT(`{name}` USING utf8mb4))") };
        format!("CONCAT('{name}=', IFNULL({text}, 'NULL'))")
    };
    let cells: Vec<String> = columns.iter().map(cell).collect();
    let cells = cells.join(", ");
    let mut rows = link.lines(&place, &format!("SELECT {cells} FROM {place}")).await;
    if kind == "SYSTEM VERSIONED" {
        rows.extend(link.lines(&format!("{place} ever"), &format!("SELECT {cells} FROM {place} FOR SYSTEM_TIME ALL")).await);
    }
    rows
}

/// Drops the database, and the schemas that a case made outside of it.
pub(super) async fn drop_schemas(link: &mut Link, database: &Database) {
    let ours = format!("SELECT schema_name FROM information_schema.schemata WHERE schema_name = '{}' OR schema_name LIKE '{OUTSIDE}%'", database.name());
    for schema in link.rows(&ours).await.concat() {
        link.execute(&format!("DROP DATABASE `{schema}`")).await.expect("a database of ours");
    }
}
