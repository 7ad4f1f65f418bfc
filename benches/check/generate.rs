//! Migrations as projects write them. In: how many, and an engine. Out: native files, the same at every run.
//!
//! The kinds of statement and how often each stands follow a count over some thirty public projects. Later migrations speak of
//! tables that earlier ones made: often of young ones, and foreign keys often of the same few old ones.

use unmigrate::engine::Engine;

/// A migration's file.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The line that begins DOWN in every file.
pub(crate) const DOWN: &str = "\n-- DOWN\n";

/// `count` migrations.
pub(crate) fn migrations(count: usize, engine: Engine) -> Vec<File> {
    let mut world = World { dice: Dice(20_240_116), engine, tables: Vec::new(), views: Vec::new(), enums: Vec::new(), made: 0 };
    let kinds: Vec<_> = KINDS.iter().filter(|kind| kind.1.contains(world.letter())).collect();
    let total = kinds.iter().map(|kind| kind.0).sum();
    (0..count).map(|at| migration(at, &mut world, &kinds, total)).collect()
}

fn migration(at: usize, world: &mut World, kinds: &[&Kind], total: usize) -> File {
    let (mut ups, mut downs) = (Vec::new(), Vec::new());
    let statements = [1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 8][world.dice.below(12)];
    while ups.len() < statements {
        let mut left = world.dice.below(total);
        let kind = kinds
            .iter()
            .find(|kind| {
                kind.0 > left || {
                    left -= kind.0;
                    false
                }
            })
            .expect("the weights sum up to the total");
        if let Some((up, down)) = if world.tables.len() < HUBS { Some(create_table(world)) } else { kind.2(world) } {
            ups.push(up);
            downs.insert(0, down);
        }
    }
    let name = format!("V2024{at:06}_Change_{}.sql", world.tables[world.tables.len() - 1].name);
    let down = match world.dice.below(16) {
        0 => "-- IRREVERSIBLE: the old values are in last night's backup\n".to_owned(),
        1 => String::new(),
        _ => downs.concat(),
    };
    File { text: format!("-- Migration {at}\n-- UP\n{}{DOWN}{down}", ups.concat()), name }
}

/// A stream of numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

struct Table {
    name: String,
    columns: Vec<(String, usize)>,
    indexes: Vec<(String, String)>,
    checks: Vec<(String, String)>,
}

struct World {
    dice: Dice,
    engine: Engine,
    tables: Vec<Table>,
    views: Vec<(String, String)>,
    enums: Vec<String>,
    made: usize,
}

/// UP and DOWN of one change, or `None` where there is nothing to do it to.
type Change = Option<(String, String)>;
type Kind = (usize, &'static str, fn(&mut World) -> Change);

/// Tables that everything points at.
const HUBS: usize = 6;

/// How often in the count, on which engines (PostgreSQL, SQLite, MySQL and MariaDB), and what.
#[rustfmt::skip]
const KINDS: &[Kind] = &[
    (914, "PSM", |w| Some(create_table(w))),   (1120, "PSM", |w| create_index(w, "")), (440, "PSM", |w| create_index(w, "UNIQUE ")),
    (617, "PSM", |w| add_column(w, false)),    (443, "PSM", |w| add_column(w, true)),  (315, "PSM", drop_column),
    (285, "PSM", drop_index),                  (263, "PSM", rename_column),            (241, "PSM", drop_table),
    (230, "PM",  add_foreign_key),             (218, "P",   function),                 (393, "PSM", insert),
    (189, "P",   settings),                    (177, "PSM", change_type),              (104, "P",   change_type_using),
    (306, "PSM", update),                      (165, "PM",  drop_check),               (215, "PM",  add_check),
    (165, "PSM", create_view),                 (124, "PSM", drop_view),                (118, "P",   set_not_null),
    (54,  "P",   drop_not_null),               (206, "P",   set_default),              (108, "P",   comment),
    (79,  "PSM", rename_table),                (90,  "P",   create_index_concurrently), (72, "P",   enum_type),
    (158, "P",   trigger),                     (42,  "PSM", delete),                   (20,  "P",   sequence),
];

const NOUNS: &[&str] = &[
    "account", "address", "audit", "badge", "branch", "build", "campaign", "channel", "comment", "contract", "device", "document", "event", "folder", "grant",
    "group", "invoice", "job", "label", "member", "message", "order", "owner", "payment", "policy", "product", "project", "report", "session", "shipment",
    "team", "token", "user", "version", "webhook",
];
const ATTRIBUTES: &[&str] = &["name", "status", "created_at", "price", "note", "state", "kind", "expires_at", "enabled", "position", "payload", "email"];

/// A type on PostgreSQL, SQLite, and MySQL and MariaDB, and a default value.
const TYPES: &[([&str; 3], &str)] = &[
    (["bigint", "INTEGER", "BIGINT"], "0"),
    (["integer", "INTEGER", "INT"], "1"),
    (["text", "TEXT", "VARCHAR(500)"], "''"),
    (["varchar(255)", "VARCHAR(255)", "VARCHAR(255)"], "'none'"),
    (["boolean", "BOOLEAN", "TINYINT(1)"], "0"),
    (["timestamp with time zone", "DATETIME", "DATETIME"], "CURRENT_TIMESTAMP"),
    (["numeric(10, 2)", "NUMERIC", "DECIMAL(10, 2)"], "0.00"),
    (["date", "DATE", "DATE"], "'2024-01-01'"),
];

impl World {
    fn letter(&self) -> char {
        ['P', 'S', 'M'][self.column_of_types()]
    }

    fn column_of_types(&self) -> usize {
        match self.engine {
            Engine::Postgres => 0,
            Engine::Sqlite => 1,
            Engine::Mysql | Engine::Mariadb => 2,
        }
    }

    fn ty(&self, ty: usize) -> &'static str {
        TYPES[ty].0[self.column_of_types()]
    }

    fn default(&self, ty: usize) -> &'static str {
        if ty == 4 && self.engine == Engine::Postgres { "false" } else { TYPES[ty].1 }
    }

    /// A name that nothing else has.
    fn fresh(&mut self, word: &str) -> String {
        self.made += 1;
        format!("{word}_{}", self.made)
    }

    /// A table, half of the time a young one.
    fn table(&mut self) -> usize {
        let (count, young) = (self.tables.len(), self.tables.len().min(20));
        if self.dice.below(2) == 0 { count - 1 - self.dice.below(young) } else { self.dice.below(count) }
    }

    /// A table and one of its columns that is no key.
    fn column(&mut self) -> Option<(usize, usize)> {
        let at = self.table();
        let columns = self.tables[at].columns.len();
        (columns > 1).then(|| (at, 1 + self.dice.below(columns - 1)))
    }

    /// The names of that table and column, and the column's type.
    fn names(&self, (at, column): (usize, usize)) -> (&str, &str, usize) {
        let (name, ty) = &self.tables[at].columns[column];
        (&self.tables[at].name, name, *ty)
    }
}

fn create_table(w: &mut World) -> (String, String) {
    let noun = format!("{}_{}", w.dice.pick(NOUNS), w.dice.pick(NOUNS));
    let name = w.fresh(&noun);
    let key = ["id bigserial PRIMARY KEY", "id INTEGER PRIMARY KEY AUTOINCREMENT", "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"][w.column_of_types()];
    let mut lines = vec![format!("    {key}")];
    let mut table = Table { name: name.clone(), columns: vec![("id".into(), 0)], indexes: Vec::new(), checks: Vec::new() };
    for _ in 0..3 + w.dice.below(7) {
        let (word, ty) = (w.dice.pick(ATTRIBUTES), w.dice.below(TYPES.len()));
        let column = w.fresh(word);
        let rest = match w.dice.below(4) {
            0 => format!(" NOT NULL DEFAULT {}", w.default(ty)),
            1 => " NOT NULL".to_owned(),
            _ => String::new(),
        };
        lines.push(format!("    {column} {}{rest}", w.ty(ty)));
        table.columns.push((column, ty));
    }
    for _ in 0..w.dice.below(3).min(w.tables.len()) {
        let (target, column) = (w.parent(), w.fresh("parent"));
        lines.push(format!("    {column} {} REFERENCES {target} (id) ON DELETE CASCADE", w.ty(0)));
    }
    let mut up = format!("CREATE TABLE {name} (\n{}\n);\n", lines.join(",\n"));
    if w.dice.below(2) == 0 {
        let column = &table.columns[1].0;
        up += &format!("CREATE INDEX idx_{name} ON {name} ({column});\n");
        table.indexes.push((format!("idx_{name}"), column.clone()));
    }
    w.tables.push(table);
    (up, format!("DROP TABLE {name};\n"))
}

impl World {
    /// A table to point at, half of the time one at which many do.
    fn parent(&mut self) -> String {
        let at = if self.dice.below(2) == 0 { self.dice.below(HUBS.min(self.tables.len())) } else { self.table() };
        self.tables[at].name.clone()
    }
}

fn create_index(w: &mut World, unique: &str) -> Change {
    let at = w.column()?;
    let name = w.fresh("idx");
    let (table, column, _) = w.names(at);
    let (up, on) = (format!("CREATE {unique}INDEX {name} ON {table} ({column});\n"), if w.letter() == 'M' { format!(" ON {table}") } else { String::new() });
    let index = (name.clone(), column.to_owned());
    w.tables[at.0].indexes.push(index);
    Some((up, format!("DROP INDEX {name}{on};\n")))
}

fn create_index_concurrently(w: &mut World) -> Change {
    let at = w.column()?;
    let name = w.fresh("idx");
    let (table, column, _) = w.names(at);
    let up = format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} ({column}) WHERE {column} IS NOT NULL;\n");
    Some((up, format!("DROP INDEX CONCURRENTLY IF EXISTS {name};\n")))
}

fn drop_index(w: &mut World) -> Change {
    let at = w.table();
    let (index, column) = w.tables[at].indexes.pop()?;
    let table = &w.tables[at].name;
    let on = if w.letter() == 'M' { format!(" ON {table}") } else { String::new() };
    Some((format!("DROP INDEX {index}{on};\n"), format!("CREATE INDEX {index} ON {table} ({column});\n")))
}

fn add_column(w: &mut World, default: bool) -> Change {
    let (at, word, ty) = (w.table(), w.dice.pick(ATTRIBUTES), w.dice.below(TYPES.len()));
    let column = w.fresh(word);
    let rest = if default { format!(" NOT NULL DEFAULT {}", w.default(ty)) } else { String::new() };
    let table = &w.tables[at].name;
    let change = (format!("ALTER TABLE {table} ADD COLUMN {column} {}{rest};\n", w.ty(ty)), format!("ALTER TABLE {table} DROP COLUMN {column};\n"));
    w.tables[at].columns.push((column, ty));
    Some(change)
}

fn drop_column(w: &mut World) -> Change {
    let at = w.column()?;
    let (table, column, ty) = w.names(at);
    let change = (format!("ALTER TABLE {table} DROP COLUMN {column};\n"), format!("ALTER TABLE {table} ADD COLUMN {column} {};\n", w.ty(ty)));
    let (column, _) = w.tables[at.0].columns.remove(at.1);
    w.tables[at.0].indexes.retain(|index| index.1 != column);
    w.tables[at.0].checks.retain(|check| check.1 != column);
    Some(change)
}

fn rename_column(w: &mut World) -> Change {
    let at = w.column()?;
    let word = w.dice.pick(ATTRIBUTES);
    let new = w.fresh(word);
    let table = &mut w.tables[at.0];
    let old = std::mem::replace(&mut table.columns[at.1].0, new.clone());
    for held in table.indexes.iter_mut().chain(&mut table.checks).filter(|held| held.1 == old) {
        held.1.clone_from(&new);
    }
    let rename = |from: &str, to: &str| format!("ALTER TABLE {} RENAME COLUMN {from} TO {to};\n", table.name);
    Some((rename(&old, &new), rename(&new, &old)))
}

fn drop_table(w: &mut World) -> Change {
    let at = w.table();
    if at < HUBS || w.tables.len() <= 2 * HUBS {
        return None;
    }
    let table = w.tables.remove(at);
    let columns: Vec<String> = table.columns.iter().map(|(name, ty)| format!("    {name} {}", w.ty(*ty))).collect();
    Some((format!("DROP TABLE {};\n", table.name), format!("CREATE TABLE {} (\n{}\n);\n", table.name, columns.join(",\n"))))
}

fn rename_table(w: &mut World) -> Change {
    let (at, noun) = (w.table(), w.dice.pick(NOUNS));
    let new = w.fresh(noun);
    let old = std::mem::replace(&mut w.tables[at].name, new.clone());
    let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to};\n");
    Some((rename(&old, &new), rename(&new, &old)))
}

fn add_foreign_key(w: &mut World) -> Change {
    let (at, target) = (w.table(), w.parent());
    let column = w.fresh("ref");
    let table = &w.tables[at].name;
    let up = format!(
        "ALTER TABLE {table} ADD COLUMN {column} {};\nALTER TABLE {table} ADD CONSTRAINT fk_{column} FOREIGN KEY ({column}) REFERENCES {target} (id) ON DELETE SET NULL;\n",
        w.ty(0)
    );
    let word = if w.letter() == 'M' { "FOREIGN KEY" } else { "CONSTRAINT" };
    Some((up, format!("ALTER TABLE {table} DROP {word} fk_{column};\nALTER TABLE {table} DROP COLUMN {column};\n")))
}

fn add_check(w: &mut World) -> Change {
    let at = w.column()?;
    let name = w.fresh("chk");
    let (table, column, _) = w.names(at);
    let (up, down) = checks(table, &name, column);
    let check = (name.clone(), column.to_owned());
    w.tables[at.0].checks.push(check);
    Some((up, down))
}

fn checks(table: &str, name: &str, column: &str) -> (String, String) {
    let add = format!("ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL OR id > 100 AND id NOT IN (1, 2, 3));\n");
    (add, format!("ALTER TABLE {table} DROP CONSTRAINT {name};\n"))
}

fn drop_check(w: &mut World) -> Change {
    let at = w.table();
    let (name, column) = w.tables[at].checks.pop()?;
    let (add, drop) = checks(&w.tables[at].name, &name, &column);
    Some((drop, add))
}

/// SQLite has no such statement: its way is a new table.
fn change_type(w: &mut World) -> Change {
    let at = w.column()?;
    let new = (w.names(at).2 + 1) % TYPES.len();
    let (table, column, old) = w.names(at);
    let to = |ty: usize| match w.letter() {
        'P' => format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {};\n", w.ty(ty)),
        'M' => format!("ALTER TABLE {table} MODIFY COLUMN {column} {};\n", w.ty(ty)),
        _ => {
            let columns: Vec<_> = w.tables[at.0].columns.iter().map(|c| format!("{} {}", c.0, w.ty(if c.0 == column { ty } else { c.1 }))).collect();
            let names = w.tables[at.0].columns.iter().map(|c| c.0.as_str()).collect::<Vec<_>>().join(", ");
            let columns = columns.join(", ");
            format!(
                "CREATE TABLE {table}_new ({columns});\nINSERT INTO {table}_new ({names}) SELECT {names} FROM {table};\nDROP TABLE {table};\nALTER TABLE {table}_new RENAME TO {table};\n"
            )
        }
    };
    let change = (to(new), to(old));
    w.tables[at.0].columns[at.1].1 = new;
    if w.letter() == 'S' {
        w.tables[at.0].indexes.clear();
    }
    Some(change)
}

fn change_type_using(w: &mut World) -> Change {
    let at = w.column()?;
    let (table, column, old) = w.names(at);
    let to = |ty| format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {ty} USING {column}::{ty};\n");
    let change = (to("text"), to(w.ty(old)));
    w.tables[at.0].columns[at.1].1 = 2;
    Some(change)
}

fn set_not_null(w: &mut World) -> Change {
    let at = w.column()?;
    let (table, column, ty) = w.names(at);
    let alter = |what: &str| format!("ALTER TABLE {table} ALTER COLUMN {column} {what} NOT NULL;\n");
    Some((format!("UPDATE {table} SET {column} = {} WHERE {column} IS NULL;\n{}", w.default(ty), alter("SET")), alter("DROP")))
}

fn drop_not_null(w: &mut World) -> Change {
    let at = w.column()?;
    let (table, column, _) = w.names(at);
    let alter = |what: &str| format!("ALTER TABLE {table} ALTER COLUMN {column} {what} NOT NULL;\n");
    Some((alter("DROP"), alter("SET")))
}

fn set_default(w: &mut World) -> Change {
    let at = w.column()?;
    let (table, column, ty) = w.names(at);
    let alter = |what: String| format!("ALTER TABLE {table} ALTER COLUMN {column} {what};\n");
    Some((alter(format!("SET DEFAULT {}", w.default(ty))), alter("DROP DEFAULT".into())))
}

fn insert(w: &mut World) -> Change {
    let at = w.column()?;
    let first = w.fresh("row");
    let (table, column, ty) = w.names(at);
    let (number, value) = (&first[4..], w.default(ty));
    let up = format!("INSERT INTO {table} (id, {column}) VALUES\n    (9{number}1, {value}),\n    (9{number}2, {value}),\n    (9{number}3, {value});\n");
    Some((up, format!("DELETE FROM {table} WHERE id IN (9{number}1, 9{number}2, 9{number}3);\n")))
}

fn update(w: &mut World) -> Change {
    let (at, all) = (w.column()?, w.dice.below(3) == 0);
    let (table, column, ty) = w.names(at);
    let value = w.default(ty);
    if all {
        return Some((format!("UPDATE {table} SET {column} = {value};\n"), String::new()));
    }
    let set = |from: &str, to: &str| format!("UPDATE {table} SET {column} = {to} WHERE {column} = {from} AND id > 1000;\n");
    Some((set("'old'", value), set(value, "'old'")))
}

fn delete(w: &mut World) -> Change {
    let at = w.column()?;
    let (table, column, ty) = w.names(at);
    Some((format!("DELETE FROM {table} WHERE {column} = {};\n", w.default(ty)), String::new()))
}

fn create_view(w: &mut World) -> Change {
    let (at, other) = (w.column()?, w.parent());
    let name = w.fresh("view");
    let (table, column, _) = w.names(at);
    let up = format!(
        "CREATE VIEW {name} AS\nSELECT t.id, t.{column}, count(o.id) AS others\nFROM {table} AS t\nLEFT JOIN {other} AS o ON o.id = t.id\nWHERE t.{column} IS NOT NULL\nGROUP BY t.id, t.{column};\n"
    );
    w.views.push((name.clone(), up.clone()));
    Some((up, format!("DROP VIEW {name};\n")))
}

fn drop_view(w: &mut World) -> Change {
    let (name, create) = w.views.pop()?;
    Some((format!("DROP VIEW {name};\n"), create))
}

fn function(w: &mut World) -> Change {
    let at = w.column()?;
    let name = w.fresh("touch");
    let (table, column, _) = w.names(at);
    let up = format!(
        "CREATE FUNCTION {name}() RETURNS trigger AS $$\nDECLARE\n    found integer;\nBEGIN\n    SELECT count(*) INTO found FROM {table} WHERE {column} IS NOT NULL;\n    IF found > 100 THEN\n        RAISE NOTICE 'many rows in %: %', TG_TABLE_NAME, found; -- DOWN here is no marker\n    END IF;\n    NEW.{column} := OLD.{column};\n    RETURN NEW;\nEND;\n$$ LANGUAGE plpgsql;\n"
    );
    Some((up, format!("DROP FUNCTION {name}();\n")))
}

fn trigger(w: &mut World) -> Change {
    let at = w.table();
    let name = w.fresh("trg");
    let table = &w.tables[at].name;
    let up = format!("CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();\n");
    Some((up, format!("DROP TRIGGER {name} ON {table};\n")))
}

fn settings(_: &mut World) -> Change {
    let set = "SET lock_timeout = '5s';\nSET statement_timeout = '60s';\n";
    Some((set.into(), set.into()))
}

fn comment(w: &mut World) -> Change {
    let at = w.column()?;
    let (table, column, _) = w.names(at);
    let on = |text: &str| format!("COMMENT ON COLUMN {table}.{column} IS {text};\n");
    Some((on("'What the customer sees'"), on("NULL")))
}

fn enum_type(w: &mut World) -> Change {
    if w.dice.below(2) == 0 && !w.enums.is_empty() {
        let (at, label) = (w.dice.below(w.enums.len()), w.fresh("label"));
        return Some((format!("ALTER TYPE {} ADD VALUE '{label}';\n", w.enums[at]), String::new()));
    }
    let name = w.fresh("mood");
    w.enums.push(name.clone());
    Some((format!("CREATE TYPE {name} AS ENUM ('new', 'open', 'done');\n"), format!("DROP TYPE {name};\n")))
}

fn sequence(w: &mut World) -> Change {
    let name = w.fresh("seq");
    Some((format!("CREATE SEQUENCE {name};\n"), format!("DROP SEQUENCE {name};\n")))
}
