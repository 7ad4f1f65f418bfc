//! Whether a statement took effect whose end nobody saw. In: what it touches, what the catalog showed before it. Out: the answer of
//! the catalog now.
//!
//! DDL of one object is atomic on all that commits it by itself (MySQL 8.4 manual, "Atomic Data Definition Statement Support"; MariaDB
//! documentation, "Atomic DDL"), so what differs from before took effect, and what does not did not.

use super::connection::{Connection, Driver, lost};
use super::tables::quoted;
use crate::engine::Engine;
use crate::observed::Next;
use crate::parse::manner::{Touchable, Touched};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::mysql::MySqlDatabaseError;

/// What a look at the catalog showed before a statement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Look {
    /// The database's user: another one may be shown more, or less, of the same things.
    user: String,
    /// Where names without a schema are looked for: the database (MySQL, MariaDB), the schemas of the search path (PostgreSQL).
    #[serde(default)]
    schema: Option<String>,
    objects: Vec<Looked>,
}

/// An object, and what the catalog showed of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Looked {
    class: String,
    name: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dropped: bool,
    before: String,
}

impl Look {
    /// All that is touched are rows that come and go with a transaction.
    pub(super) fn all_transactional(&self) -> bool {
        // Into a table that is not there, nothing goes.
        self.objects.iter().all(|one| one.class == Touchable::Rows.name() && [TRANSACTIONAL, ABSENT].contains(&one.before.as_str()))
    }
}

impl Looked {
    /// For people, to whom a table is a table.
    fn shown(&self) -> String {
        let class = if self.class == Touchable::Replaced.name() { Touchable::Table.name() } else { &self.class };
        format!("{class} {}", self.name)
    }
}

/// What the catalog may show besides a checksum.
const ABSENT: &str = "absent";
/// An index of PostgreSQL whose building or dropping beside the application's work broke off, or a sequence of MariaDB without its row: to
/// make that table and to fill it are two steps.
const INVALID: &str = "invalid";
/// A table whose rows come and go with a transaction.
const TRANSACTIONAL: &str = "transactional";
const UNKNOWN: &str = "unknown";

/// Looks at all of `touched` before a statement runs.
pub(super) async fn before(connection: &mut Connection, touched: &[Touched]) -> sqlx::Result<Look> {
    let mut look = Look { user: connection.user().await?.unwrap_or_default(), schema: schema(connection).await?, objects: Vec::new() };
    for one in touched {
        let before = seen(connection, one.class, &one.name, look.schema.as_deref()).await?;
        look.objects.push(Looked { class: one.class.name().to_owned(), name: one.name.clone(), dropped: one.dropped, before });
    }
    Ok(look)
}

/// Where names without a schema are looked for now; a script may change that.
async fn schema(connection: &mut Connection) -> sqlx::Result<Option<String>> {
    match connection.driver {
        Driver::Mysql(_) => connection.cell("SELECT DATABASE()").await,
        Driver::Postgres(_) => connection.cell("SELECT current_schemas(false)::text").await,
        Driver::Sqlite(_) => Ok(None),
    }
}

/// What became of a statement that began; `None`: it stands.
pub(super) async fn after(connection: &mut Connection, look: Option<&Look>) -> sqlx::Result<Option<Next>> {
    let undecided = |what: &str| Ok(Some(Next::Undecided(what.to_owned())));
    let Some(Look { user, schema: was_in, objects }) = look else {
        return undecided("no look at the catalog tells what it did");
    };
    if !objects.is_empty() && connection.user().await?.unwrap_or_default() != *user {
        return undecided(&format!("it was begun by the database's user {user}, and another one may not see the same: connect as {user}"));
    }
    if matches!(connection.driver, Driver::Mysql(_)) && schema(connection).await? != *was_in {
        return undecided(&format!("it ran in the database {}, where this session is not: look there", was_in.as_deref().unwrap_or("without a name")));
    }
    let (mut changed, mut same) = (0, 0);
    for one in objects {
        let Some(class) = Touchable::ALL.into_iter().find(|class| class.name() == one.class) else {
            return undecided(&format!("look at {}", one.shown()));
        };
        let now = seen(connection, class, &one.name, was_in.as_deref()).await?;
        match (class, one.before.as_str(), now.as_str()) {
            (Touchable::Rows, _, TRANSACTIONAL | ABSENT) => same += 1,
            (Touchable::Rows, ..) => return undecided(&format!("look at the rows of {}: its storage knows no transactions", one.name)),
            (_, UNKNOWN, _) | (_, _, UNKNOWN) => return undecided(&format!("look at {}", one.shown())),
            (Touchable::Sequence, ABSENT, INVALID) => {
                let places = places(connection, &in_schema("TABLES", "TABLE", "TABLE_SCHEMA, TABLE_NAME", &one.name)).await?;
                return Ok(Some(Next::Cleanup(format!("DROP SEQUENCE {}", places.join(", ")))));
            }
            (Touchable::Index, before, INVALID) if before != INVALID && !one.dropped => {
                let name = connection.cell(&invalid_index(&one.name, was_in.as_deref())).await?;
                return Ok(Some(Next::Cleanup(format!("DROP INDEX CONCURRENTLY {}", name.unwrap_or_default()))));
            }
            (_, _, INVALID) => same += 1,
            // What was not there is not dropped: DROP … IF EXISTS.
            (_, ABSENT, ABSENT) if one.dropped => {}
            (_, before, now) if before == now => same += 1,
            // CREATE OR REPLACE drops first: what is gone though it was to stay did not come to its end.
            (_, _, ABSENT) if !one.dropped => return undecided(&format!("{} is gone: look what became of it", one.shown())),
            _ => changed += 1,
        }
    }
    match (changed, same) {
        (0, _) => Ok(Some(Next::Due)),
        (_, 0) => Ok(None),
        _ => {
            let names = objects.iter().map(Looked::shown).collect::<Vec<_>>().join(", ");
            undecided(&format!("it took effect on a part of what it names: look at {names}"))
        }
    }
}

/// What the catalog shows of an object: one of the words above, or a checksum.
async fn seen(connection: &mut Connection, class: Touchable, name: &str, schemas: Option<&str>) -> sqlx::Result<String> {
    match connection.driver {
        Driver::Postgres(_) => match postgres(class, name, schemas) {
            Some(sql) => Ok(shown(connection.cell(&sql).await?)),
            None => Ok(UNKNOWN.to_owned()),
        },
        Driver::Mysql(_) => mysql(connection, class, name).await,
        // What cannot stand in a transaction there (VACUUM) changes nothing in the catalog.
        Driver::Sqlite(_) => Ok(UNKNOWN.to_owned()),
    }
}

fn shown(text: Option<String>) -> String {
    match text.as_deref() {
        None => ABSENT.to_owned(),
        Some(INVALID) => INVALID.to_owned(),
        Some(text) => hex::encode(&Sha256::digest(text)[..16]),
    }
}

/// The condition that a name of the catalog is `name`, which may have its schema before it.
fn named(name: &str, object: &str, schema: &str, schemas: Option<&str>) -> String {
    match name.rsplit_once('.') {
        Some((space, name)) => format!("{object} = {} AND {schema} = {}", literal(name), literal(space)),
        // A name without a schema means what the session finds by it, and no other schema's object.
        None => format!("{object} = {} AND {schema} = ANY ({}::name[])", literal(name), literal(schemas.unwrap_or("{}"))),
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn invalid_index(name: &str, schemas: Option<&str>) -> String {
    format!(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index i ON i.indexrelid = c.oid \
         WHERE NOT i.indisvalid AND {}",
        named(name, "c.relname", "n.nspname", schemas)
    )
}

/// Only what PostgreSQL refuses inside of a transaction ends up here.
fn postgres(class: Touchable, name: &str, schemas: Option<&str>) -> Option<String> {
    match class {
        Touchable::Index => Some(format!(
            "SELECT CASE WHEN bool_and(i.indisvalid) THEN string_agg(pg_get_indexdef(c.oid), ';' ORDER BY c.oid) ELSE '{INVALID}' END \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index i ON i.indexrelid = c.oid WHERE {} HAVING count(*) > 0",
            named(name, "c.relname", "n.nspname", schemas)
        )),
        Touchable::Table => Some(format!(
            "SELECT string_agg(c.oid || ' ' || c.relispartition || ' ' || coalesce(h.inhparent::text, ''), ';' ORDER BY c.oid) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_inherits h ON h.inhrelid = c.oid WHERE {}",
            named(name, "c.relname", "n.nspname", schemas)
        )),
        Touchable::Type => Some(format!(
            "SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid \
             JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {}",
            named(name, "t.typname", "n.nspname", schemas)
        )),
        Touchable::Database => Some(format!("SELECT 'there' FROM pg_database WHERE datname = {}", literal(name))),
        Touchable::View | Touchable::Routine | Touchable::Trigger | Touchable::Event | Touchable::Sequence | Touchable::Replaced | Touchable::Rows => None,
    }
}

/// Asks a view of `information_schema` for what has that name. Names were folded to lower case, which the server may not have done; so all
/// objects of that name in any case are looked at.
fn in_schema(view: &str, prefix: &str, what: &str, name: &str) -> String {
    let (schema, name) = match name.rsplit_once('.') {
        Some((schema, name)) => (literal(schema), name),
        None => (String::from("DATABASE()"), name),
    };
    format!("SELECT {what} FROM information_schema.{view} WHERE {prefix}_SCHEMA = {schema} AND LOWER({prefix}_NAME) = {}", literal(name))
}

async fn mysql(connection: &mut Connection, class: Touchable, name: &str) -> sqlx::Result<String> {
    let of = |view: &str, prefix: &str, what: &str| in_schema(view, prefix, what, name);
    let concat = |columns: &str| format!("GROUP_CONCAT(CONCAT_WS('|', {columns}) SEPARATOR ';')");
    let sql = match class {
        Touchable::Table | Touchable::Sequence => return tables(connection, &of("TABLES", "TABLE", "TABLE_SCHEMA, TABLE_NAME")).await,
        Touchable::Replaced => return number(connection, &of("TABLES", "TABLE", "CONCAT(TABLE_SCHEMA, '/', TABLE_NAME)")).await,
        Touchable::View => of("VIEWS", "TABLE", &concat("VIEW_DEFINITION, DEFINER, SECURITY_TYPE, CHECK_OPTION")),
        Touchable::Routine => of("ROUTINES", "ROUTINE", &concat("ROUTINE_TYPE, ROUTINE_DEFINITION, LAST_ALTERED, DEFINER, SQL_DATA_ACCESS, SECURITY_TYPE")),
        Touchable::Trigger => of("TRIGGERS", "TRIGGER", &concat("ACTION_TIMING, EVENT_MANIPULATION, EVENT_OBJECT_TABLE, ACTION_STATEMENT, DEFINER")),
        Touchable::Event => of("EVENTS", "EVENT", &concat("EVENT_DEFINITION, LAST_ALTERED, STATUS, DEFINER")),
        Touchable::Database => format!(
            "SELECT CONCAT_WS('|', DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME) FROM information_schema.SCHEMATA WHERE LOWER(SCHEMA_NAME) = {}",
            literal(name)
        ),
        Touchable::Rows => {
            let storage = of("TABLES", "TABLE", "ENGINE");
            let rows = connection.rows(&storage).await?;
            if rows.is_empty() {
                return Ok(ABSENT.to_owned());
            }
            let transactional = rows.iter().all(|row| matches!(row.first(), Some(Some(engine)) if TRANSACTIONAL_STORAGE.contains(&engine.as_str())));
            return Ok(if transactional { TRANSACTIONAL } else { UNKNOWN }.to_owned());
        }
        Touchable::Index | Touchable::Type => return Ok(UNKNOWN.to_owned()),
    };
    Ok(shown(connection.cell(&sql).await?))
}

const TRANSACTIONAL_STORAGE: [&str; 4] = ["InnoDB", "ROCKSDB", "TokuDB", "ndbcluster"];

/// The tables whose schemas and names `sql` asks for, as SQL names them.
async fn places(connection: &mut Connection, sql: &str) -> sqlx::Result<Vec<String>> {
    let rows = connection.rows(sql).await?;
    let place = |row: Vec<Option<String>>| row.iter().flatten().map(|name| quoted(name, '`')).collect::<Vec<_>>().join(".");
    Ok(rows.into_iter().map(place).collect())
}

/// A checksum over the definitions of the tables that `sql` names. The counter of AUTO_INCREMENT moves with every row, so it is left out.
async fn tables(connection: &mut Connection, sql: &str) -> sqlx::Result<String> {
    let mut definitions = String::new();
    let places = places(connection, sql).await?;
    if places.is_empty() {
        return Ok(ABSENT.to_owned());
    }
    for place in places {
        let shown = match connection.rows(&format!("SHOW CREATE TABLE {place}")).await {
            Ok(shown) => shown,
            Err(error) if lost(&error) => return Err(error),
            Err(error) => return Ok(if lacks_its_row(&error) { INVALID } else { UNKNOWN }.to_owned()),
        };
        let definition = shown.into_iter().next().and_then(|row| row.into_iter().nth(1).flatten()).unwrap_or_default();
        definitions.extend(definition.split(' ').filter(|word| !word.starts_with("AUTO_INCREMENT=")));
    }
    Ok(shown(Some(definitions)))
}

/// Whether a sequence is there without the row that holds its position (ER_KEY_NOT_FOUND).
fn lacks_its_row(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    error.try_downcast_ref::<MySqlDatabaseError>().is_some_and(|error| error.number() == 1032)
}

/// InnoDB's number of the table that `sql` names, which TRUNCATE makes anew and which goes along with a table to its new name. Who may
/// not see it cannot see whether that ran.
async fn number(connection: &mut Connection, sql: &str) -> sqlx::Result<String> {
    let Some(full) = connection.cell(sql).await? else { return Ok(ABSENT.to_owned()) };
    let view = if connection.engine == Engine::Mariadb { "INNODB_SYS_TABLES" } else { "INNODB_TABLES" };
    let number = connection.cell(&format!("SELECT TABLE_ID FROM information_schema.{view} WHERE NAME = {}", literal(&full))).await;
    Ok(number.ok().flatten().map_or_else(|| UNKNOWN.to_owned(), |number| shown(Some(number))))
}
