//! What is said of a thing that stands: comments, options, owners, rights, switches. In: the world. Out: a change that says something
//! else, and a DOWN that says what was said before, or takes it back.

use super::grammar::{Change, Kind, On, change};
use super::world::{Thing, World, pick};
use fastrand::Rng;
use unmigrate::engine::Engine;

pub(super) const KINDS: &[Kind] = &[
    ("setting", 120, On::Postgres, |w, r| setting(w, r, POSTGRES)),
    ("setting", 16, On::Mariadb, |w, r| setting(w, r, MARIADB)),
    ("setting", 6, On::Sqlite, |w, r| setting(w, r, SQLITE)),
    ("type-attribute", 28, On::Postgres, type_attribute),
    ("schema-owner", 6, On::Postgres, schema_owner),
    ("rename-thing", 12, On::Postgres, rename),
    ("rename-new-schema", 2, On::Postgres, rename_new_schema),
    ("revoke-right", 5, On::Postgres, |w, r| setting(w, r, RIGHTS)),
    ("foreign-key-mode", 3, On::Postgres, |w, r| setting(w, r, KEY_MODE)),
    ("set-sequence", 4, On::Sqlite, set_sequence),
    ("without-trace", 34, On::All, without_trace),
    ("unseen", 9, On::Postgres, unseen),
];

/// What a setting is of.
#[derive(Clone, Copy)]
enum Of {
    Table,
    Column,
    Index,
    View,
    Function,
    Trigger,
    ForeignKey,
    Thing(&'static str),
    Database,
}

/// What it is of, how it is set to `@`, how it is taken back, and its values. `#` is the table, `~` the thing.
type Setting = (Of, &'static str, &'static str, &'static [&'static str]);

const POSTGRES: &[Setting] = &[
    (Of::Table, "COMMENT ON TABLE # IS @", "COMMENT ON TABLE # IS NULL", &["'first'", "'it''s'", "'Second words'"]),
    (Of::Column, "COMMENT ON COLUMN #.~ IS @", "COMMENT ON COLUMN #.~ IS NULL", &["'first'", "'it''s'"]),
    (Of::View, "COMMENT ON VIEW ~ IS @", "COMMENT ON VIEW ~ IS NULL", &["'first'", "'second'"]),
    (Of::Table, "ALTER TABLE # SET (fillfactor = @)", "ALTER TABLE # RESET (fillfactor)", &["60", "80", "90"]),
    (Of::Table, "ALTER TABLE # SET (autovacuum_enabled = @)", "ALTER TABLE # RESET (autovacuum_enabled)", &["false", "true"]),
    (Of::Table, "ALTER TABLE # REPLICA IDENTITY @", "ALTER TABLE # REPLICA IDENTITY DEFAULT", &["FULL", "NOTHING"]),
    (Of::Table, "ALTER TABLE # SET @", "ALTER TABLE # SET LOGGED", &["UNLOGGED"]),
    (Of::Table, "ALTER TABLE # @ ROW LEVEL SECURITY", "ALTER TABLE # DISABLE ROW LEVEL SECURITY", &["ENABLE"]),
    (Of::Table, "ALTER TABLE # @ ROW LEVEL SECURITY", "ALTER TABLE # NO FORCE ROW LEVEL SECURITY", &["FORCE"]),
    (Of::Table, "ALTER TABLE # OWNER TO @", "ALTER TABLE # OWNER TO CURRENT_USER", &["pg_monitor", "pg_read_all_data"]),
    (Of::Table, "GRANT @ ON # TO pg_monitor", "REVOKE ALL ON # FROM pg_monitor", &["SELECT", "SELECT, INSERT"]),
    (Of::Table, "GRANT @ ON # TO PUBLIC", "REVOKE SELECT ON # FROM PUBLIC", &["SELECT"]),
    (Of::Table, "GRANT @ ON # TO pg_read_all_data WITH GRANT OPTION", "REVOKE UPDATE ON # FROM pg_read_all_data", &["UPDATE"]),
    (Of::Column, "GRANT @ (~) ON # TO pg_monitor", "REVOKE UPDATE (~) ON # FROM pg_monitor", &["UPDATE"]),
    (Of::Column, "ALTER TABLE # ALTER COLUMN ~ SET STATISTICS @", "ALTER TABLE # ALTER COLUMN ~ SET STATISTICS -1", &["100", "200"]),
    (Of::Column, "ALTER TABLE # ALTER COLUMN ~ SET (n_distinct = @)", "ALTER TABLE # ALTER COLUMN ~ RESET (n_distinct)", &["5", "9"]),
    (Of::Column, "ALTER TABLE # ALTER COLUMN ~ SET STORAGE @", "ALTER TABLE # ALTER COLUMN ~ SET STORAGE EXTENDED", &["EXTERNAL", "MAIN"]),
    (Of::Index, "ALTER INDEX ~ SET (fillfactor = @)", "ALTER INDEX ~ RESET (fillfactor)", &["60", "70"]),
    (Of::Index, "ALTER INDEX ~ SET (deduplicate_items = @)", "ALTER INDEX ~ RESET (deduplicate_items)", &["on", "off"]),
    (Of::Index, "COMMENT ON INDEX ~ IS @", "COMMENT ON INDEX ~ IS NULL", &["'first'", "'second'"]),
    (Of::Table, "ALTER TABLE # CLUSTER ON @", "ALTER TABLE # SET WITHOUT CLUSTER", &["users_pkey"]),
    (Of::View, "ALTER VIEW ~ SET (security_barrier = @)", "ALTER VIEW ~ RESET (security_barrier)", &["true", "false"]),
    (Of::View, "ALTER VIEW ~ ALTER COLUMN id SET DEFAULT @", "ALTER VIEW ~ ALTER COLUMN id DROP DEFAULT", &["5", "6"]),
    (Of::Function, "ALTER FUNCTION ~() @", "ALTER FUNCTION ~() VOLATILE", &["IMMUTABLE", "STABLE"]),
    (Of::Function, "ALTER FUNCTION ~() COST @", "ALTER FUNCTION ~() COST 100", &["5", "50"]),
    (Of::Function, "ALTER FUNCTION ~() SET work_mem = @", "ALTER FUNCTION ~() RESET work_mem", &["'5MB'", "'6MB'"]),
    (Of::Trigger, "ALTER TABLE # @ TRIGGER ~", "ALTER TABLE # ENABLE TRIGGER ~", &["DISABLE", "ENABLE ALWAYS", "ENABLE REPLICA"]),
    (Of::Trigger, "ALTER TABLE # DISABLE TRIGGER @", "ALTER TABLE # ENABLE TRIGGER USER", &["USER"]),
    (Of::Thing("SEQUENCE"), "ALTER SEQUENCE ~ INCREMENT BY @", "ALTER SEQUENCE ~ INCREMENT BY 1", &["2", "5"]),
    (Of::Thing("SEQUENCE"), "ALTER SEQUENCE ~ RESTART WITH @", "ALTER SEQUENCE ~ RESTART WITH 1", &["7"]),
    (Of::Thing("DOMAIN"), "ALTER DOMAIN ~ SET DEFAULT @", "ALTER DOMAIN ~ DROP DEFAULT", &["'1'", "'2'"]),
    (Of::Thing("DOMAIN"), "ALTER DOMAIN ~ ADD CONSTRAINT @ CHECK (VALUE IS NOT NULL)", "ALTER DOMAIN ~ DROP CONSTRAINT ck_domain", &["ck_domain"]),
    (Of::Thing("TYPE"), "ALTER TYPE ~ ADD ATTRIBUTE @ integer", "ALTER TYPE ~ DROP ATTRIBUTE c", &["c"]),
    (Of::Thing("TYPE"), "ALTER TYPE ~ DROP ATTRIBUTE @", "ALTER TYPE ~ ADD ATTRIBUTE b text", &["b"]),
    (Of::Thing("TYPE"), "ALTER TYPE ~ OWNER TO @", "ALTER TYPE ~ OWNER TO CURRENT_USER", &["pg_monitor"]),
    (Of::Thing("SCHEMA"), "ALTER SCHEMA ~ OWNER TO @", "ALTER SCHEMA ~ OWNER TO CURRENT_USER", &["pg_monitor"]),
    (Of::Thing("SCHEMA"), "GRANT @ ON SCHEMA ~ TO PUBLIC", "REVOKE USAGE ON SCHEMA ~ FROM PUBLIC", &["USAGE"]),
    (Of::Thing("ROLE"), "ALTER ROLE ~ @", "ALTER ROLE ~ NOCREATEDB", &["CREATEDB"]),
    (Of::Thing("ROLE"), "ALTER ROLE ~ SET work_mem = @", "ALTER ROLE ~ RESET work_mem", &["'5MB'"]),
    (Of::Thing("ROLE"), "GRANT @ TO ~", "REVOKE pg_monitor FROM ~", &["pg_monitor"]),
    (Of::Thing("POLICY"), "ALTER POLICY ~ ON # USING @", "ALTER POLICY ~ ON # USING (id > 0)", &["(id > 1)", "(true)"]),
    (Of::Thing("POLICY"), "ALTER POLICY ~ ON # TO @", "ALTER POLICY ~ ON # TO PUBLIC", &["pg_monitor"]),
    (Of::Thing("STATISTICS"), "ALTER STATISTICS ~ SET STATISTICS @", "ALTER STATISTICS ~ SET STATISTICS -1", &["50"]),
    (Of::Thing("AGGREGATE"), "ALTER AGGREGATE ~(integer) OWNER TO @", "ALTER AGGREGATE ~(integer) OWNER TO CURRENT_USER", &["pg_monitor"]),
    (Of::Thing("COLLATION"), "ALTER COLLATION ~ OWNER TO @", "ALTER COLLATION ~ OWNER TO CURRENT_USER", &["pg_monitor"]),
    (
        Of::Thing("PUBLICATION"),
        "ALTER PUBLICATION ~ SET (publish = @)",
        "ALTER PUBLICATION ~ SET (publish = 'insert, update, delete, truncate')",
        &["'insert'"],
    ),
    (Of::Thing("EXTENSION"), "ALTER EXTENSION ~ SET SCHEMA @", "ALTER EXTENSION ~ SET SCHEMA public", &["pg_catalog"]),
    (Of::Thing("EXTENSION"), "ALTER EXTENSION ~ UPDATE@", "ALTER EXTENSION ~ UPDATE TO '1.6'", &[" TO '1.8'", ""]),
    (Of::Thing("MATERIALIZED VIEW"), "COMMENT ON MATERIALIZED VIEW ~ IS @", "COMMENT ON MATERIALIZED VIEW ~ IS NULL", &["'first'"]),
    (
        Of::Database,
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT @ ON TABLES TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM PUBLIC",
        &["SELECT"],
    ),
    (Of::Database, "ALTER SYSTEM SET work_mem = @", "ALTER SYSTEM RESET work_mem", &["'5MB'", "'6MB'"]),
];

/// What everybody may do until it is taken away: nothing else is revoked before it was granted.
const RIGHTS: &[Setting] = &[
    (Of::Function, "REVOKE @ ON FUNCTION ~() FROM PUBLIC", "GRANT EXECUTE ON FUNCTION ~() TO PUBLIC", &["EXECUTE"]),
    (Of::Thing("PROCEDURE"), "REVOKE @ ON PROCEDURE ~(integer) FROM PUBLIC", "GRANT EXECUTE ON PROCEDURE ~(integer) TO PUBLIC", &["EXECUTE"]),
];

/// Keys that can be held so stand seldom: this is drawn for itself.
const KEY_MODE: &[Setting] = &[(
    Of::ForeignKey,
    "ALTER TABLE # ALTER CONSTRAINT ~ @",
    "ALTER TABLE # ALTER CONSTRAINT ~ NOT DEFERRABLE",
    &["DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"],
)];

const MARIADB: &[Setting] = &[
    (Of::Table, "ALTER TABLE # COMMENT = @", "ALTER TABLE # COMMENT = ''", &["'first'", "'it''s'"]),
    (Of::Table, "ALTER TABLE # ENGINE = @", "ALTER TABLE # ENGINE = InnoDB", &["Aria", "MyISAM"]),
    (Of::Table, "ALTER TABLE # AUTO_INCREMENT = @", "ALTER TABLE # AUTO_INCREMENT = 5", &["500"]),
    (Of::Table, "ALTER TABLE # ROW_FORMAT = @", "ALTER TABLE # ROW_FORMAT = DEFAULT", &["COMPRESSED", "REDUNDANT"]),
    (Of::Table, "ALTER TABLE # CONVERT TO CHARACTER SET @", "ALTER TABLE # CONVERT TO CHARACTER SET utf8mb4", &["latin1", "utf8mb3"]),
    (Of::Thing("SEQUENCE"), "ALTER SEQUENCE ~ INCREMENT BY @", "ALTER SEQUENCE ~ INCREMENT BY 1", &["3"]),
    (Of::Thing("EVENT"), "ALTER EVENT ~ @", "ALTER EVENT ~ ENABLE", &["DISABLE"]),
    (Of::Thing("ROLE"), "GRANT @ ON users TO ~", "REVOKE SELECT ON users FROM ~", &["SELECT"]),
    (Of::Thing("FUNCTION"), "ALTER FUNCTION ~ COMMENT @", "ALTER FUNCTION ~ COMMENT ''", &["'first'"]),
];

const SQLITE: &[Setting] = &[
    (Of::Database, "PRAGMA user_version = @", "PRAGMA user_version = 0", &["5", "6"]),
    (Of::Database, "PRAGMA application_id = @", "PRAGMA application_id = 0", &["7"]),
];

/// Something that is said before the migration.
pub(super) fn said_before(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let all = match world.engine {
        Engine::Postgres => POSTGRES,
        Engine::Sqlite => SQLITE,
        Engine::Mysql | Engine::Mariadb => MARIADB,
    };
    setting(world, rng, all).filter(|change| !change.alone)
}

fn setting(world: &mut World, rng: &mut Rng, all: &[Setting]) -> Option<Change> {
    // One that fits what stands.
    (0..20).find_map(|_| one_setting(world, rng, all))
}

fn one_setting(world: &mut World, rng: &mut Rng, all: &[Setting]) -> Option<Change> {
    // What seldom stands is asked for more often.
    let things: Vec<&Setting> = all.iter().filter(|(of, ..)| matches!(of, Of::Thing(_))).collect();
    let (of, set, unset, values) = if !things.is_empty() && rng.u8(..5) < 3 { **pick(rng, &things)? } else { *pick(rng, all)? };
    let table = world.tables[world.table(rng)?].clone();
    let (table, thing) = match of {
        Of::Database => (String::new(), String::new()),
        Of::Table => (table.name, String::new()),
        Of::Column => (table.name.clone(), pick(rng, &table.columns)?.name.clone()),
        Of::Index => (table.name.clone(), table.beside(&pick(rng, &table.indexes)?.name)),
        Of::ForeignKey => {
            let keys: Vec<_> = table.constraints.iter().filter(|c| c.text.starts_with("FOREIGN")).collect();
            (table.name.clone(), pick(rng, &keys)?.name.clone())
        }
        Of::View => (String::new(), pick(rng, &world.views)?.name.clone()),
        Of::Function => (String::new(), pick(rng, &world.functions)?.0.clone()),
        Of::Trigger => pick(rng, &world.triggers).map(|t| (t.table.clone(), t.name.clone()))?,
        Of::Thing(class) => {
            let fits: Vec<&Thing> = world.things.iter().filter(|t| t.class == class).collect();
            pick(rng, &fits).map(|t| (t.table.clone().unwrap_or_default(), t.name.clone()))?
        }
    };
    let fill = |text: &str| text.replace('~', &thing).replace('#', &table);
    let to = |value: &str| fill(set).replace('@', value);
    let value = *pick(rng, values)?;
    let old = world.set(&fill(set), Some(value.to_owned()));
    let alone = set.starts_with("ALTER SYSTEM");
    let down = match &old {
        Some(old) => to(old),
        None => fill(unset),
    };
    Some(Change { alone, ..change(to(value), down)? })
}

/// A composite type gets an attribute, or loses one; now and then a type that the migration makes.
fn type_attribute(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let composite: Vec<&Thing> = world.things.iter().filter(|t| t.class == "TYPE" && t.create.contains(" AS (")).collect();
    let found = pick(rng, &composite).map(|thing| thing.name.clone());
    let new = world.fresh("a");
    let Some(name) = found else {
        let made = world.fresh("o");
        let alter = if rng.bool() { String::from("DROP ATTRIBUTE b") } else { format!("ADD ATTRIBUTE {new} integer") };
        let up = vec![format!("CREATE TYPE {made} AS (a integer, b text)"), format!("ALTER TYPE {made} {alter}")];
        return (rng.u8(..4) == 0).then(|| Change { up, down: vec![format!("DROP TYPE {made}")], alone: false });
    };
    match rng.u8(..4) {
        0 | 1 => change(format!("ALTER TYPE {name} DROP ATTRIBUTE b"), format!("ALTER TYPE {name} ADD ATTRIBUTE b text")),
        2 => change(format!("ALTER TYPE {name} RENAME ATTRIBUTE a TO {new}"), format!("ALTER TYPE {name} RENAME ATTRIBUTE {new} TO a")),
        _ => change(format!("ALTER TYPE {name} ADD ATTRIBUTE {new} integer"), format!("ALTER TYPE {name} DROP ATTRIBUTE {new}")),
    }
}

fn schema_owner(world: &mut World, _: &mut Rng) -> Option<Change> {
    let to = |owner: &str| format!("ALTER SCHEMA app OWNER TO {owner}");
    let old = if world.quoted { world.set("owner of app", Some("pg_monitor".into())) } else { return None };
    change(to("pg_monitor"), to(old.as_deref().unwrap_or("CURRENT_USER")))
}

/// Another name, and the old one again.
fn rename(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let new = world.fresh("n");
    // Schemas stand seldom, and take a new name as rarely as that.
    let schemas: Vec<usize> = (0..world.things.len()).filter(|&at| world.things[at].class == "SCHEMA").collect();
    let at = match pick(rng, &schemas) {
        Some(&at) if rng.bool() => at,
        _ if world.things.is_empty() => return None,
        _ => rng.usize(..world.things.len()),
    };
    let thing = &mut world.things[at];
    let new = if thing.class == "ROLE" { format!("migrate_case_{new}") } else { new };
    let (class, on) = match thing.class {
        "EXTENSION" => return None,
        "SERVER" => ("FOREIGN DATA WRAPPER", String::new()),
        "AGGREGATE" | "PROCEDURE" => (thing.class, String::from("(integer)")),
        "POLICY" | "RULE" => (thing.class, format!(" ON {}", thing.table.clone()?)),
        class => (class, String::new()),
    };
    let old = std::mem::replace(&mut thing.name, new.clone());
    (thing.create, thing.drop) = (super::world::reword(&thing.create, &old, &new), super::world::reword(&thing.drop, &old, &new));
    for (key, _) in &mut world.settings {
        *key = super::world::reword(key, &old, &new);
    }
    change(format!("ALTER {class} {old}{on} RENAME TO {new}"), format!("ALTER {class} {new}{on} RENAME TO {old}"))
}

fn rename_new_schema(world: &mut World, _: &mut Rng) -> Option<Change> {
    let (made, new) = (world.fresh("o"), world.fresh("n"));
    let up = vec![format!("CREATE SCHEMA {made}"), format!("ALTER SCHEMA {made} RENAME TO {new}")];
    Some(Change { up, down: vec![format!("DROP SCHEMA {new}")], alone: false })
}

/// The next key of a table, which SQLite keeps in a table of its own.
fn set_sequence(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let counted: Vec<_> = world.tables.iter().filter(|t| t.id.as_deref().is_some_and(|id| id.contains("AUTOINCREMENT"))).collect();
    let name = pick(rng, &counted)?.name.replace('"', "");
    let to = |seq: usize| format!("UPDATE sqlite_sequence SET seq = {seq} WHERE name = '{name}'");
    change(to(900), to(rng.usize(..5)))
}

/// What leaves nothing behind.
fn without_trace(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = &world.tables[world.table(rng)?].name;
    let scratch = format!("scratch{}", rng.u8(..9));
    let view = world.things.iter().find(|t| t.class == "MATERIALIZED VIEW").map(|t| format!("REFRESH MATERIALIZED VIEW {}", t.name));
    if let (Some(refresh), true) = (&view, rng.u8(..4) > 0) {
        return Some(Change { up: vec![refresh.clone()], ..Change::default() });
    }
    let all: Vec<(String, bool)> = match world.engine {
        Engine::Postgres => vec![
            ("SET lock_timeout = '20s'".into(), false),
            ("SET session_replication_role = replica".into(), false),
            (format!("ANALYZE {table}"), false),
            (format!("VACUUM {table}"), true),
            (format!("REINDEX TABLE {table}"), false),
            (format!("SELECT count(*) FROM {table}"), false),
            (format!("CREATE TEMPORARY TABLE {scratch} (id integer)"), false),
            ("SAVEPOINT here".into(), false),
        ],
        Engine::Sqlite => vec![
            ("PRAGMA cache_size = -4000".into(), false),
            ("PRAGMA foreign_keys = OFF".into(), true),
            ("PRAGMA foreign_keys = OFF".into(), false),
            (format!("ANALYZE {table}"), false),
            (format!("REINDEX {table}"), false),
            ("VACUUM".into(), true),
            (format!("SELECT count(*) FROM {table}"), false),
            (format!("CREATE TEMPORARY TABLE {scratch} (id integer)"), false),
            ("SAVEPOINT here".into(), false),
        ],
        Engine::Mysql | Engine::Mariadb => vec![
            ("SET SESSION lock_wait_timeout = 20".into(), false),
            ("SET FOREIGN_KEY_CHECKS = 0".into(), false),
            (format!("ANALYZE TABLE {table}"), false),
            (format!("SELECT count(*) FROM {table}"), false),
            (format!("CREATE TEMPORARY TABLE {scratch} (id integer)"), false),
            ("COMMIT".into(), false),
        ],
    };
    let (up, alone) = pick(rng, &all)?.clone();
    Some(Change { up: vec![up], down: Vec::new(), alone })
}

/// Code whose work its text does not show.
fn unseen(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.tables[world.table(rng)?].name.clone();
    let column = world.fresh("c");
    let undo = format!("ALTER TABLE {table} DROP COLUMN {column}");
    let block = |sql: &str| format!("DO $$ BEGIN EXECUTE '{sql}'; END $$");
    let procedure = world.things.iter().find(|t| t.class == "PROCEDURE").map(|t| format!("CALL {}(3)", t.name));
    match (rng.u8(..8), procedure) {
        (0..=2, Some(call)) => change(call, "SELECT 1"),
        (0..=2, None) => {
            let made = world.fresh("f");
            let up = vec![format!("CREATE PROCEDURE {made}() LANGUAGE sql AS 'SELECT 1'"), format!("CALL {made}()")];
            Some(Change { up, down: vec![format!("DROP PROCEDURE {made}()")], alone: false })
        }
        (3 | 4, _) => {
            let loaded = world.fresh("t");
            let up = vec![format!("CREATE TABLE {loaded} (id integer)"), format!("COPY {loaded} (id) FROM PROGRAM 'echo 881'")];
            Some(Change { up, down: vec![format!("DROP TABLE {loaded}")], alone: false })
        }
        (5 | 6, _) => change(block(&format!("ALTER TABLE {table} ADD COLUMN {column} integer")), undo),
        _ => change(format!("DO $$ BEGIN ALTER TABLE {table} ADD COLUMN {column} integer; END $$"), undo),
    }
}
