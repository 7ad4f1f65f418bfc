//! What a real database says of a case. In: its statements. Out: whether UP is refused, and whether DOWN brings schema and rows
//! back, the order of columns and names that the database makes aside.

use super::Case;
use crate::support::{self, wait};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use unmigrate::engine::Engine;

/// What became of a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// The database refuses the start or UP.
    Refused(String),
    /// After UP and DOWN all is as it was.
    Clean,
    /// It is not; and why.
    Bad(String),
}

/// A database to try cases on, one after another, each on an empty schema.
pub(super) enum Server {
    /// A new one in memory for each case.
    Sqlite,
    /// One that each case leaves by a ROLLBACK.
    Postgres(Box<PgConnection>, tokio::runtime::Runtime),
}

/// Everything in the schema `public` that a user can see, a line each.
const POSTGRES_STATE: &str = r#"
SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
    || coalesce(pg_get_expr(d.adbin, d.adrelid), '-') || ' ' || coalesce(col_description(c.oid, a.attnum), '-') AS line
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
UNION ALL SELECT 'relation ' || relkind::text || ' ' || relname || ' ' || coalesce(obj_description(oid, 'pg_class'), '-') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i'
UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || CASE WHEN conname ~ '^(uq|ck|fk)_' THEN conname ELSE '*' END || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT 'index ' || CASE WHEN indexname ~ '^(uq|ix)_' THEN indexdef ELSE tablename || regexp_replace(indexdef, '^.* USING', '') END
    FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'view ' || viewname || ' ' || definition FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || pg_get_functiondef(oid) || coalesce(obj_description(oid, 'pg_proc'), '-') FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'enum ' || t.typname || ' ' || string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.typname
UNION ALL SELECT 'rows ' || relname || ' ' || query_to_xml(format('SELECT to_jsonb(t)::text AS r FROM %I t ORDER BY 1', relname), true, false, '')::text
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
ORDER BY 1"#;

impl Server {
    pub(super) fn open(engine: Engine) -> Option<Server> {
        if engine == Engine::Sqlite {
            return Some(Server::Sqlite);
        }
        let database = support::database(engine)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let link = runtime.block_on(PgConnection::connect(&database.url)).expect("a connection");
        Some(Server::Postgres(Box::new(link), runtime))
    }

    pub(super) fn fate(&mut self, case: &Case) -> Fate {
        match self {
            Server::Sqlite => wait(on_sqlite(case)),
            Server::Postgres(link, runtime) => runtime.block_on(on_postgres(link, case)),
        }
    }
}

fn compare(before: &[String], after: &[String]) -> Fate {
    let only = |a: &[String], b: &[String]| a.iter().find(|line| !b.contains(line)).cloned().unwrap_or_else(|| String::from("nothing"));
    if before == after { Fate::Clean } else { Fate::Bad(format!("before: {}\n-- after: {}", only(before, after), only(after, before))) }
}

async fn on_postgres(link: &mut PgConnection, case: &Case) -> Fate {
    let fate = match try_on_postgres(link, case).await {
        Ok(fate) => fate,
        Err(error) => Fate::Refused(error.to_string()),
    };
    run_postgres(link, "ROLLBACK").await.expect("a rollback");
    fate
}

async fn try_on_postgres(link: &mut PgConnection, case: &Case) -> sqlx::Result<Fate> {
    run_postgres(link, "BEGIN").await?;
    run_postgres(link, &Case::script(&case.start)).await?;
    let before = postgres_state(link).await?;
    run_postgres(link, &Case::script(&case.up)).await?;
    if let Err(error) = run_postgres(link, &Case::script(case.down.as_deref().unwrap_or_default())).await {
        return Ok(Fate::Bad(format!("DOWN fails: {error}")));
    }
    Ok(compare(&before, &postgres_state(link).await?))
}

async fn run_postgres(link: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(link).await.map(drop)
}

async fn postgres_state(link: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    let rows = sqlx::raw_sql(AssertSqlSafe(POSTGRES_STATE)).fetch_all(link).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

async fn on_sqlite(case: &Case) -> Fate {
    let mut link = SqliteConnection::connect("sqlite::memory:").await.expect("a database in memory");
    let fate = try_on_sqlite(&mut link, case).await.unwrap_or_else(|error| Fate::Refused(error.to_string()));
    link.close().await.expect("a goodbye");
    fate
}

async fn try_on_sqlite(link: &mut SqliteConnection, case: &Case) -> sqlx::Result<Fate> {
    run_sqlite(link, &case.start).await?;
    let before = sqlite_state(link).await?;
    run_sqlite(link, &case.up).await?;
    if let Err(error) = run_sqlite(link, case.down.as_deref().unwrap_or_default()).await {
        return Ok(Fate::Bad(format!("DOWN fails: {error}")));
    }
    Ok(compare(&before, &sqlite_state(link).await?))
}

/// In one transaction, as the runner does it.
async fn run_sqlite(link: &mut SqliteConnection, statements: &[String]) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(format!("BEGIN IMMEDIATE;\n{}COMMIT;", Case::script(statements)))).execute(link).await.map(drop)
}

async fn sqlite_lines(link: &mut SqliteConnection, sql: String) -> sqlx::Result<Vec<Vec<String>>> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(link).await?;
    rows.iter().map(|row| (0..row.len()).map(|at| row.try_get_unchecked::<Option<String>, _>(at).map(Option::unwrap_or_default)).collect()).collect()
}

async fn sqlite_state(link: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let mut state = Vec::new();
    for object in sqlite_lines(link, String::from("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite^_%' ESCAPE '^'")).await? {
        let [kind, name, sql] = object.as_slice() else { continue };
        let sql = sql.replace(['"', '`'], "").split_whitespace().collect::<Vec<_>>().join(" ");
        if kind != "table" {
            state.push(format!("{kind} {name} {sql}"));
            continue;
        }
        let mut items = items(&sql);
        items.sort_unstable();
        state.push(format!("table {name} ({})", items.join(" | ")));
        let mut columns: Vec<String> = sqlite_lines(link, format!("SELECT name FROM pragma_table_info('{name}')")).await?.concat();
        columns.sort_unstable();
        let values = columns.iter().map(|c| format!("quote(\"{c}\")")).collect::<Vec<_>>().join(" || ', ' || ");
        let mut rows: Vec<String> = sqlite_lines(link, format!("SELECT {values} FROM \"{name}\"")).await?.concat();
        rows.sort_unstable();
        state.push(format!("rows {name} {}: {}", columns.join(", "), rows.join(" | ")));
    }
    state.sort_unstable();
    Ok(state)
}

/// What stands between the outer brackets of a CREATE TABLE, parted at its commas.
fn items(sql: &str) -> Vec<String> {
    let inner = sql.split_once('(').map_or("", |(_, rest)| rest.strip_suffix(')').unwrap_or(rest));
    let (mut depth, mut quoted, mut items) = (0, false, vec![String::new()]);
    for c in inner.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        items.last_mut().expect("never empty").push(c);
    }
    items.iter().map(|item| item.trim().to_lowercase().replace(" (", "(")).collect()
}
