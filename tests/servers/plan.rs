//! `plan` on every database: it shows what would run, touches nothing, and what it counts as lost is what is lost.

use crate::recover::migrate;
use crate::support::{Database, each_engine, engines};
use serde_json::Value;
use std::collections::HashSet;
use tempfile::TempDir;
use unmigrate::engine::Engine;

/// A folder with these migrations.
fn project(migrations: &[(&str, String)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    for (name, text) in migrations {
        std::fs::write(folder.path().join("migrations").join(format!("{name}.sql")), text).unwrap();
    }
    folder
}

/// The plan as JSON, and its exit code.
fn plan(folder: &TempDir, database: &Database, arguments: &[&str]) -> (Value, i32) {
    let ran = migrate(folder.path(), &database.url, &[&["plan"], arguments, &["--format", "json", "--count-limit", "1min"]].concat());
    (serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err)), ran.code)
}

/// What is lost or in the way, where it is anything: object, what, number.
fn losses(plan: &Value) -> Vec<String> {
    let all = plan["losses"].as_array().expect("losses").iter();
    let words = |loss: &Value| format!("{} {} {}", loss["object"].as_str().unwrap(), loss["counted"].as_str().unwrap(), loss["number"]["exact"]);
    let mut all: Vec<String> = all.map(words).filter(|words| !words.ends_with(" 0")).collect();
    all.sort();
    all
}

#[test]
fn it_shows_what_would_run_and_touches_nothing() {
    each_engine(|database| {
        let folder = project(&[
            ("V1_make", String::from("-- UP\nCREATE TABLE t (id int PRIMARY KEY, a varchar(20));\n-- DOWN\nDROP TABLE t;\n")),
            ("V2_drop", String::from("-- UP\nALTER TABLE t DROP COLUMN a;\n-- DOWN\n-- IRREVERSIBLE: gone\n")),
        ]);
        let run = |arguments: &[&str], code: i32| {
            let ran = migrate(folder.path(), &database.url, arguments);
            assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
        };
        let tables = || match database.engine {
            Engine::Sqlite => database.query("SELECT name FROM sqlite_schema"),
            Engine::Postgres => database.query("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"),
            Engine::Mysql | Engine::Mariadb => database.query("SHOW TABLES"),
        };
        // Nothing stands yet: no table is made, and no file.
        let (shown, code) = plan(&folder, database, &["up"]);
        assert_eq!((code, shown["steps"].as_array().unwrap().len(), &shown["blocked"]), (0, 2, &Value::Null), "{shown}");
        if database.engine == Engine::Sqlite {
            assert!(!std::path::Path::new(database.url.strip_prefix("sqlite:").unwrap()).exists());
        } else {
            assert_eq!(tables(), [] as [&str; 0]);
        }
        run(&["up", "--to", "1"], 0);
        database.execute("INSERT INTO t VALUES (1, 'x'), (2, NULL)");
        let before = (tables(), database.query("SELECT version FROM migrate_history"));
        let (shown, code) = plan(&folder, database, &["up"]);
        let step = &shown["steps"][0];
        assert_eq!((step["version"].as_str(), step["statements"][0]["sql"].as_str()), (Some("2"), Some("ALTER TABLE t DROP COLUMN a")));
        assert!(step["statements"][0]["lock"].is_string() && step["pin"].is_string(), "{step}");
        match database.engine {
            // A copy stands in for an attestation.
            Engine::Sqlite => assert_eq!((code, &shown["blocked"]), (0, &Value::Null)),
            _ => {
                assert_eq!((code, shown["blocked"]["code"].as_str()), (3, Some("attestation-missing")));
                assert!(step["consents"][0].as_str().unwrap().contains("migrate attest 2"), "{step}");
            }
        }
        let (shown, code) = plan(&folder, database, &["down"]);
        assert_eq!((code, losses(&shown)), (3, vec![String::from("table t rows 2")]), "{shown}");
        assert_eq!(plan(&folder, database, &["down", "--accept-loss", "t"]).1, 0);
        assert_eq!(plan(&folder, database, &["goto", "0", "--accept-loss", "all"]).1, 0);
        assert_eq!((tables(), database.query("SELECT version FROM migrate_history")), before, "it writes nothing");
        // An edited migration is told as `up` tells it.
        std::fs::write(folder.path().join("migrations/V1_make.sql"), "-- UP\nCREATE TABLE t (id int PRIMARY KEY);\n-- DOWN\nDROP TABLE t;\n").unwrap();
        run(&["plan", "up"], 4);
    });
}

/// Numbers by chance that are the same everywhere.
struct Chance(fastrand::Rng);

impl Chance {
    fn of(&mut self, limit: usize) -> usize {
        self.0.usize(..limit)
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.of(times) == 0
    }
}

/// A value of a cell, as SQL.
fn literal(value: Option<i64>) -> String {
    value.map_or_else(|| String::from("NULL"), |value| value.to_string())
}

/// A row of `t`: what stands in `x`, in `y` and in the columns that UP added.
struct Row(Option<i64>, Option<i64>, Vec<Option<i64>>);

/// A case: two migrations, what was written since, and what DOWN of the second must lose or stumble over.
struct Case {
    make: String,
    change: String,
    rows: Vec<String>,
    expected: Vec<String>,
    /// DOWN cannot go through.
    fails: bool,
}

/// A table of rows with an id and some columns. UP adds columns and perhaps a table, and takes away what keeps values apart, in order or there.
fn case(engine: Engine, chance: &mut Chance) -> Case {
    let (added, with_table) = (chance.of(4), chance.once_in(2));
    let relaxed = chance.of(if engine == Engine::Sqlite { 2 } else { 5 });
    let mut up = String::new();
    let mut down = String::new();
    let mut defaults: Vec<Option<i64>> = Vec::new();
    for column in 0..added {
        let default = chance.once_in(2).then(|| chance.of(3) as i64);
        let written = default.map(|value| format!(" DEFAULT {value}")).unwrap_or_default();
        up += &format!("ALTER TABLE t ADD COLUMN c{column} int{written};\n");
        down.insert_str(0, &format!("ALTER TABLE t DROP COLUMN c{column};\n"));
        defaults.push(default);
    }
    if with_table {
        up += "CREATE TABLE extra (id int PRIMARY KEY, a int);\n";
        down.insert_str(0, "DROP TABLE extra;\n");
    }
    // Columns `x` and `y` of `t` are held by a rule that UP takes away.
    let (rule, undo, redo) = match (relaxed, engine) {
        (1, Engine::Mysql | Engine::Mariadb) => ("CREATE UNIQUE INDEX t_x ON t (x);", "DROP INDEX t_x ON t;", "CREATE UNIQUE INDEX t_x ON t (x);"),
        (1, _) => ("CREATE UNIQUE INDEX t_x ON t (x);", "DROP INDEX t_x;", "CREATE UNIQUE INDEX t_x ON t (x);"),
        (2, Engine::Postgres) => {
            ("ALTER TABLE t ALTER COLUMN x SET NOT NULL;", "ALTER TABLE t ALTER COLUMN x DROP NOT NULL;", "ALTER TABLE t ALTER COLUMN x SET NOT NULL;")
        }
        (2, _) => ("ALTER TABLE t MODIFY COLUMN x int NOT NULL;", "ALTER TABLE t MODIFY COLUMN x int NULL;", "ALTER TABLE t MODIFY COLUMN x int NOT NULL;"),
        (3, _) => (
            "ALTER TABLE t ADD CONSTRAINT t_y FOREIGN KEY (y) REFERENCES p (id);",
            if engine == Engine::Postgres { "ALTER TABLE t DROP CONSTRAINT t_y;" } else { "ALTER TABLE t DROP FOREIGN KEY t_y;\nDROP INDEX t_y ON t;" },
            "ALTER TABLE t ADD CONSTRAINT t_y FOREIGN KEY (y) REFERENCES p (id);",
        ),
        (4, _) => ("ALTER TABLE t ADD CONSTRAINT t_c CHECK (x < 5);", "ALTER TABLE t DROP CONSTRAINT t_c;", "ALTER TABLE t ADD CONSTRAINT t_c CHECK (x < 5);"),
        _ => ("", "", ""),
    };
    up += undo;
    down.insert_str(0, &format!("{redo}\n"));
    let make = format!(
        "-- UP\nCREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE t (id int PRIMARY KEY, x int, y int);\n{rule}\n-- DOWN\nDROP TABLE t; DROP TABLE p;\n"
    );
    let mut rows = vec![String::from("INSERT INTO p VALUES (0), (1)")];
    let mut held: Vec<Row> = Vec::new();
    for id in 0..chance.of(12) {
        let (x, y) = ((!chance.once_in(4)).then(|| chance.of(8) as i64), (!chance.once_in(4)).then(|| chance.of(4) as i64));
        let cells: Vec<Option<i64>> = (0..added).map(|_| (!chance.once_in(3)).then(|| chance.of(3) as i64)).collect();
        // Some rows leave the new columns to their defaults.
        let given = chance.once_in(2);
        let names: String = if given { (0..added).map(|column| format!(", c{column}")).collect() } else { String::new() };
        let values: String = if given { cells.iter().map(|cell| format!(", {}", literal(*cell))).collect() } else { String::new() };
        rows.push(format!("INSERT INTO t (id, x, y{names}) VALUES ({id}, {}, {}{values})", literal(x), literal(y)));
        held.push(Row(x, y, if given { cells } else { defaults.clone() }));
    }
    let extra = if with_table { chance.of(4) } else { 0 };
    rows.extend((0..extra).map(|id| format!("INSERT INTO extra VALUES ({id}, NULL)")));
    let mut expected: Vec<String> = Vec::new();
    for column in 0..added {
        let lost = held.iter().filter(|Row(.., cells)| cells[column].is_some() && cells[column] != defaults[column]).count();
        expected.push(format!("column t.c{column} values {lost}"));
    }
    expected.push(format!("table extra rows {extra}"));
    let xs = || held.iter().filter_map(|Row(x, ..)| *x);
    let in_the_way = match relaxed {
        1 => ("UNIQUE INDEX (x) duplicates", xs().count() - xs().collect::<HashSet<_>>().len()),
        2 => ("NULLs", held.iter().filter(|Row(x, ..)| x.is_none()).count()),
        3 => ("FOREIGN KEY (y) REFERENCES p orphans", held.iter().filter(|Row(_, y, _)| y.is_some_and(|y| y > 1)).count()),
        4 => ("CHECK (x<5) violations", xs().filter(|x| *x >= 5).count()),
        _ => ("", 0),
    };
    expected.push(match relaxed {
        2 => format!("t.x NOT NULL nulls {}", in_the_way.1),
        _ => format!("t {} {}", in_the_way.0, in_the_way.1),
    });
    expected.retain(|words| !words.ends_with(" 0"));
    expected.sort();
    Case { make, change: format!("-- UP\n{up}\n-- DOWN\n{down}"), rows, expected, fails: in_the_way.1 > 0 }
}

/// What is counted exactly is what is lost, and DOWN goes through where nothing is in its way.
#[test]
fn what_is_counted_is_what_is_lost() {
    for engine in engines() {
        let (cases, mut chance) = (if engine == Engine::Sqlite { 60 } else { 20 }, Chance(fastrand::Rng::with_seed(20_260_101)));
        let mut told = [0, 0];
        for number in 0..cases {
            let Some(database) = crate::support::database(engine) else { break };
            let case = case(engine, &mut chance);
            let folder = project(&[("V1_make", case.make.clone()), ("V2_change", case.change.clone())]);
            let about = format!("{engine}, case {number}:\n{}\n{}\n{}", case.make, case.change, case.rows.join(";\n"));
            let up = migrate(folder.path(), &database.url, &["up", "-q"]);
            assert_eq!(up.code, 0, "{about}: {}", up.err);
            case.rows.iter().for_each(|row| database.execute(row));
            let (shown, _) = plan(&folder, &database, &["down", "--accept-loss", "all"]);
            assert_eq!(losses(&shown), case.expected, "{about}: {shown}");
            let down = migrate(folder.path(), &database.url, &["down", "--steps", "1", "--accept-loss", "all"]);
            assert_eq!(down.code != 0, case.fails, "{about}: {}{}", down.out, down.err);
            told[usize::from(case.fails)] += usize::from(!case.expected.is_empty());
        }
        assert!(cases < 20 || told.iter().all(|count| *count > 2), "each kind came up: {told:?}");
    }
}
