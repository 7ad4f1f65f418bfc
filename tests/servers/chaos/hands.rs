//! The history table was altered by hand. Out: it is told apart from what the runner wrote, or nothing comes to harm.

use super::case::Case;
use unmigrate::engine::Engine;

const ENGINES: [Engine; 3] = [Engine::Sqlite, Engine::Postgres, Engine::Mariadb];

/// Three migrations that would fail, or show, if they ran twice.
const FILES: [(&str, &str); 3] = [
    ("V1_One.sql", "-- UP\nCREATE TABLE one (id INTEGER NOT NULL);\n-- DOWN\nDROP TABLE one;\n"),
    ("V2_Two.sql", "-- UP\nINSERT INTO one (id) VALUES (2);\n-- DOWN\nDELETE FROM one WHERE id = 2;\n"),
    ("V3_Three.sql", "-- UP\nCREATE TABLE three (id INTEGER NOT NULL);\n-- DOWN\nDROP TABLE three;\n"),
];

/// What somebody did, and what `up` makes of it: exit code and words.
const CHANGES: [(&str, i32, &[&str]); 7] = [
    ("DELETE FROM migrate_history WHERE version = '2'", 4, &["V2_Two.sql has not run, and 3 has, which comes after it"]),
    ("UPDATE migrate_history SET outcome = 'undone' WHERE version = '2'", 4, &["V2_Two.sql has not run, and 3 has"]),
    ("UPDATE migrate_history SET outcome = 'brilliant' WHERE version = '2'", 4, &["version 2", "outcome", "brilliant"]),
    ("UPDATE migrate_history SET direction = 'sideways' WHERE version = '2'", 4, &["version 2", "direction", "sideways"]),
    ("UPDATE migrate_history SET up_sha256 = 'aa', up_text = 'SELECT 2' WHERE version = '2'", 4, &["V2_Two.sql was changed after it ran"]),
    ("UPDATE migrate_history SET version = '7' WHERE version = '2'", 4, &["7 Two ran on this database, and no file has that version"]),
    ("DELETE FROM migrate_history WHERE version = '3'", 6, &["statement 1 of 1 of 3 Three failed", "three"]),
];

#[test]
fn what_the_history_says_wrongly_does_no_harm() {
    for engine in ENGINES {
        for (change, code, words) in CHANGES {
            let Some(case) = Case::new(engine, &FILES) else { continue };
            case.run(&["up"]).expect(0, &[]);
            case.database.execute(change);
            case.run(&["up"]).expect(code, words);
            assert_eq!(case.database.query("SELECT id FROM one"), ["2"], "{engine}: {change}");
        }
    }
}

#[test]
fn a_journal_with_a_gap_is_not_gone_on_from() {
    let broken = "-- UP\nINSERT INTO one VALUES (3);\nCREATE TABLE three (id INTEGER NOT NULL);\nINSERT INTO nowhere VALUES (1);\n-- DOWN\nDROP TABLE three;\n";
    for change in [
        "DELETE FROM migrate_history_journal WHERE run = 5 AND entry = 2",
        "DELETE FROM migrate_history_journal WHERE run = 5 AND entry = 1",
        "UPDATE migrate_history_journal SET phase = 'perhaps' WHERE run = 5 AND entry = 2",
    ] {
        let Some(case) = Case::new(Engine::Mariadb, &[FILES[0], FILES[1], ("V3_Three.sql", broken)]) else { return };
        case.run(&["up"]).expect(6, &["the statements on lines 2, 3 stand"]);
        case.database.execute(change);
        case.run(&["up", "--finish"]).expect(4, &["migrate_history_journal", "run 5"]);
        assert_eq!(case.database.query("SELECT id FROM one ORDER BY id"), ["2", "3"], "{change}");
    }
}

/// Where the history is gone altogether, nothing is known, and what stands is in the way.
#[test]
fn a_history_that_is_gone_is_not_taken_for_a_fresh_database() {
    for engine in ENGINES {
        let Some(case) = Case::new(engine, &FILES) else { continue };
        case.run(&["up"]).expect(0, &[]);
        case.database.execute("DROP TABLE migrate_history");
        case.run(&["up"]).expect(6, &["statement 1 of 1 of 1 One failed"]);
        assert_eq!(case.database.query("SELECT id FROM one"), ["2"]);
    }
}
