//! Changes of tables as a whole, views, functions, triggers and enums.

use super::grammar::{Change, Kind, On, change};
use super::world::{Over, Part, Table, World};
use fastrand::Rng;
use unmigrate::engine::Engine;

pub(super) const KINDS: &[Kind] = &[
    ("create-table", 10, On::All, create_table),
    ("drop-table", 4, On::All, drop_table),
    ("rename-table", 2, On::All, rename_table),
    ("create-view", 10, On::All, create_view),
    ("drop-view", 8, On::All, drop_view),
    ("replace-view", 10, On::Servers, replace_view),
    ("create-function", 6, On::Postgres, create_function),
    ("replace-function", 8, On::Postgres, replace_function),
    ("drop-function", 8, On::Postgres, drop_function),
    ("create-trigger", 8, On::All, create_trigger),
    ("drop-trigger", 8, On::All, drop_trigger),
    ("create-type", 8, On::Postgres, create_type),
    ("add-enum-value", 4, On::Postgres, add_label),
    ("rename-enum-value", 3, On::Postgres, rename_label),
];

fn create_table(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let mut table = Table { name: world.fresh("t"), ..Table::default() };
    for _ in 0..rng.usize(1..4) {
        table.columns.push(world.new_column(rng));
    }
    let first = table.columns[0].clone();
    if let (Some(text), true) = (world.a_check(&first, rng), rng.bool()) {
        table.constraints.push(Part { name: world.fresh("ck_"), generated: false, unique: false, text });
    }
    if rng.u8(..3) == 0 {
        table.indexes.push(Part { name: world.fresh("ix_"), generated: false, unique: false, text: format!("({})", first.name) });
    }
    let if_missing = rng.u8(..6) == 0;
    let mut up = table.create_all();
    if if_missing {
        up[0] = up[0].replacen("TABLE", "TABLE IF NOT EXISTS", 1);
    }
    let down = format!("DROP TABLE {}{}", if rng.u8(..4) == 0 { "IF EXISTS " } else { "" }, table.name);
    world.tables.push(table);
    Some(Change { up, down: vec![down], alone: false })
}

fn drop_table(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.table(rng)?;
    let held = world.tables.remove(table);
    let gone: Vec<Over> = world.views.iter().filter(|v| v.table == held.name).cloned().collect();
    let mut up: Vec<String> = gone.iter().map(|v| format!("DROP VIEW {}", v.name)).collect();
    world.views.retain(|v| v.table != held.name);
    world.triggers.retain(|t| t.table != held.name);
    world.things.retain(|t| t.table.as_ref() != Some(&held.name));
    up.push(format!("DROP TABLE {}{}", held.name, if world.engine == Engine::Postgres && rng.bool() { " CASCADE" } else { "" }));
    let mut down = held.create_all();
    down.extend(gone.iter().map(|v| format!("CREATE VIEW {} AS {}", v.name, v.text)));
    Some(Change { up, down, alone: false })
}

fn rename_table(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.table(rng)?;
    let new = world.fresh("t");
    let old = std::mem::replace(&mut world.tables[table].name, new.clone());
    if old.contains('.') {
        return None;
    }
    world.rename_table(&old, &new);
    change(format!("ALTER TABLE {old} RENAME TO {new}"), format!("ALTER TABLE {new} RENAME TO {old}"))
}

fn create_view(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let name = world.fresh("v");
    let table = &world.tables[world.table(rng)?];
    let columns = if rng.bool() { table.names() } else { String::from("id") };
    let view = Over { name, table: table.name.clone(), text: format!("SELECT {columns} FROM {} WHERE id > 0", table.name) };
    let made = change(format!("CREATE VIEW {} AS {}", view.name, view.text), format!("DROP VIEW {}", view.name));
    world.views.push(view);
    made
}

fn drop_view(world: &mut World, rng: &mut Rng) -> Option<Change> {
    if world.views.is_empty() {
        return None;
    }
    let view = world.views.remove(rng.usize(..world.views.len()));
    change(format!("DROP VIEW {}", view.name), format!("CREATE VIEW {} AS {}", view.name, view.text))
}

fn replace_view(world: &mut World, rng: &mut Rng) -> Option<Change> {
    if world.views.is_empty() {
        return None;
    }
    let at = rng.usize(..world.views.len());
    let view = &mut world.views[at];
    let old = view.text.clone();
    view.text = match rng.u8(..3) {
        0 => format!("{old} ORDER BY id"),
        1 if !old.contains(" WHERE ") => format!("{old} WHERE id > 1"),
        // One column more: the way back is refused.
        _ => old.replacen(" FROM", ", id + 1 AS more FROM", 1),
    };
    let to = |text: &str| format!("CREATE OR REPLACE VIEW {} AS {text}", view.name);
    change(to(&view.text), to(&old))
}

fn function(name: &str, body: &str) -> String {
    format!("CREATE OR REPLACE FUNCTION {name}() RETURNS integer LANGUAGE sql AS '{body}'")
}

fn create_function(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (name, body) = (world.fresh("f"), format!("SELECT {}", rng.u8(..9)));
    let sql = if rng.bool() { function(&name, &body) } else { function(&name, &body).replacen("OR REPLACE ", "", 1) };
    let made = change(sql, format!("DROP FUNCTION {name}{}", if rng.bool() { "()" } else { "" }));
    world.functions.push((name, body));
    made
}

fn replace_function(world: &mut World, rng: &mut Rng) -> Option<Change> {
    if world.functions.is_empty() {
        return None;
    }
    let at = rng.usize(..world.functions.len());
    let (name, body) = &mut world.functions[at];
    let old = std::mem::replace(body, format!("SELECT {}", rng.u8(..9)));
    change(function(name, body), function(name, &old))
}

fn drop_function(world: &mut World, rng: &mut Rng) -> Option<Change> {
    if world.functions.is_empty() {
        return None;
    }
    let (name, body) = world.functions.remove(rng.usize(..world.functions.len()));
    change(format!("DROP FUNCTION {name}()"), function(&name, &body))
}

fn create_trigger(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let name = world.fresh("g");
    let table = world.tables[world.table(rng)?].name.clone();
    if world.engine == Engine::Sqlite {
        let text = format!("AFTER INSERT ON {table} BEGIN UPDATE {table} SET id = id WHERE id = NEW.id; END");
        let made = change(format!("CREATE TRIGGER {name} {text}"), format!("DROP TRIGGER {name}"));
        world.triggers.push(Over { name, table, text });
        return made;
    }
    if world.engine == Engine::Mariadb {
        let text = format!("BEFORE UPDATE ON {table} FOR EACH ROW SET @seen = OLD.id");
        let made = change(format!("CREATE TRIGGER {name} {text}"), format!("DROP TRIGGER {name}"));
        world.triggers.push(Over { name, table, text });
        return made;
    }
    let called = world.fresh("f");
    let text = format!("BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {called}()");
    let made = Change {
        up: vec![
            format!("CREATE FUNCTION {called}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"),
            format!("CREATE TRIGGER {name} {text}"),
        ],
        down: vec![format!("DROP TRIGGER {name} ON {table}"), format!("DROP FUNCTION {called}()")],
        alone: false,
    };
    world.triggers.push(Over { name, table, text });
    Some(made)
}

fn drop_trigger(world: &mut World, rng: &mut Rng) -> Option<Change> {
    if world.triggers.is_empty() {
        return None;
    }
    let trigger = world.triggers.remove(rng.usize(..world.triggers.len()));
    let on = if world.engine != Engine::Postgres { String::new() } else { format!(" ON {}", trigger.table) };
    change(format!("DROP TRIGGER {}{on}", trigger.name), format!("CREATE TRIGGER {} {}", trigger.name, trigger.text))
}

fn create_type(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let name = world.fresh("e");
    let mut made = Change { up: vec![format!("CREATE TYPE {name} AS ENUM ('a', 'b')")], down: vec![format!("DROP TYPE {name}")], alone: false };
    if rng.bool() {
        let column = world.fresh("c");
        let table = &world.tables[world.table(rng)?].name;
        made.up.push(format!("ALTER TABLE {table} ADD COLUMN {column} {name} DEFAULT 'a'"));
        made.down.insert(0, format!("ALTER TABLE {table} DROP COLUMN {column}"));
    }
    Some(made)
}

/// The type is made anew on the way back, with its column cast by way of text.
fn add_label(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let label = world.fresh("label");
    let at = ["", " BEFORE 'ok'", " AFTER 'sad'"][rng.usize(..3)];
    let up = vec![format!("ALTER TYPE mood ADD VALUE '{label}'{at}")];
    let list: Vec<String> = world.labels.iter().map(|l| format!("'{l}'")).collect();
    let mut down = vec![String::from("ALTER TYPE mood RENAME TO mood_old"), format!("CREATE TYPE mood AS ENUM ({})", list.join(", "))];
    for table in &world.tables {
        for column in table.columns.iter().filter(|c| c.ty == "mood") {
            let place = format!("ALTER TABLE {} ALTER COLUMN {}", table.name, column.name);
            if column.default.is_some() {
                down.push(format!("{place} DROP DEFAULT"));
            }
            down.push(format!("{place} TYPE mood USING {}::text::mood", column.name));
            down.extend(column.default.iter().map(|default| format!("{place} SET DEFAULT {default}")));
        }
    }
    down.push(String::from("DROP TYPE mood_old"));
    world.labels.push(label);
    Some(Change { up, down: if rng.bool() { down } else { Vec::new() }, alone: false })
}

fn rename_label(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let new = world.fresh("label");
    let at = rng.usize(..world.labels.len());
    let old = std::mem::replace(&mut world.labels[at], new.clone());
    change(format!("ALTER TYPE mood RENAME VALUE '{old}' TO '{new}'"), format!("ALTER TYPE mood RENAME VALUE '{new}' TO '{old}'"))
}
