//! MariaDB and MySQL say for each thing what makes it (SHOW CREATE).

use super::super::connection::Connection;
use super::super::history::HistoryTable;
use super::super::tables::quoted;
use crate::engine::Engine;

/// What there is to ask for: a query for the names, the word after SHOW CREATE, and the column of the answer that holds the statement.
const THINGS: [(&str, &str, usize); 6] = [
    (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY table_name",
        "TABLE",
        1,
    ),
    ("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type LIKE '%VIEW' ORDER BY table_name", "VIEW", 1),
    ("SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE() AND routine_type = 'FUNCTION' ORDER BY 1", "FUNCTION", 2),
    ("SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE() AND routine_type = 'PROCEDURE' ORDER BY 1", "PROCEDURE", 2),
    ("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY event_object_table, action_order", "TRIGGER", 2),
    ("SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY 1", "EVENT", 3),
];

pub(super) async fn read(connection: &mut Connection, history: &HistoryTable) -> sqlx::Result<String> {
    let database = connection.database().to_owned();
    let mut out = String::from("SET foreign_key_checks = 0;\nDELIMITER ;;\n");
    // Seconds on MariaDB, milliseconds on MySQL, where it has another name.
    let limit = if connection.engine == Engine::Mysql {
        ["max_execution_time = 60000", "max_execution_time = DEFAULT"]
    } else {
        ["max_statement_time = 60", "max_statement_time = DEFAULT"]
    };
    connection.execute(&format!("SET SESSION {}", limit[0])).await?;
    for (names, thing, at) in THINGS {
        for row in connection.rows(names).await? {
            let Some(Some(name)) = row.into_iter().next() else { continue };
            if thing == "TABLE" && history.is(&(history.schema().to_owned(), name.clone())) {
                continue;
            }
            let shown = connection.rows(&format!("SHOW CREATE {thing} {}", quoted(&name, '`'))).await?;
            let Some(Some(sql)) = shown.into_iter().next().and_then(|row| row.into_iter().nth(at)) else { continue };
            out.push_str(&without_definer(&sql).replace(&format!("{}.", quoted(&database, '`')), ""));
            out.push_str("\n;;\n");
        }
    }
    connection.execute(&format!("SET SESSION {}", limit[1])).await?;
    out.push_str("DELIMITER ;\n");
    Ok(out)
}

/// `CREATE DEFINER=… FUNCTION` without whose it is: that is whoever ran the statement.
fn without_definer(sql: &str) -> String {
    let Some((head, rest)) = sql.split_once("DEFINER=").filter(|(head, _)| head.len() < 40) else { return sql.to_owned() };
    let (mut quote, mut end) = (false, rest.len());
    for (at, letter) in rest.char_indices() {
        match letter {
            '`' => quote = !quote,
            ' ' if !quote => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    format!("{head}{}", rest[end..].trim_start())
}
