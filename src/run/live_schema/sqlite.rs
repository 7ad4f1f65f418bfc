//! SQLite keeps the text of each statement (sqlite.org/schematab.html), and rewrites it where something is altered.

use super::super::connection::Connection;
use super::super::history::HistoryTable;

pub(super) async fn read(connection: &mut Connection, history: &HistoryTable) -> sqlx::Result<String> {
    // What a virtual table keeps for itself is not a table of anybody's.
    let rows = connection
        .rows(
            "SELECT tbl_name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow') ORDER BY type <> 'table', type = 'trigger', rowid",
        )
        .await?;
    let mut out = String::new();
    for row in rows {
        let [Some(table), Some(sql)] = <[Option<String>; 2]>::try_from(row).unwrap_or_default() else { continue };
        if history.is(&(String::from("main"), table)) {
            continue;
        }
        out.push_str(&sql);
        // The text may end in a comment.
        out.push_str("\n;\n");
    }
    Ok(out)
}
