//! What `recover` says where there is nothing to print commands for.

use super::support::{folder, migrate_with};

#[test]
fn where_nothing_was_recorded_it_says_so() {
    let folder = folder(&[("migrations/V1_notes.sql", "-- UP\nCREATE TABLE notes (id INTEGER);\n-- DOWN\nDROP TABLE notes;\n")]);
    let run = |arguments: &[&str]| migrate_with(folder.path(), arguments, &[("DATABASE_URL", "sqlite:notes.db")]);
    assert_eq!(run(&["up", "-q"]).code, 0);
    for (arguments, code, says) in [
        (&["recover", "1"][..], 3, "nothing was recorded of the database before 1 notes ran (reversible, loss: written-since)"),
        (&["recover", "2"], 2, "version 2 never ran on this database"),
        (&["recover", "one"], 2, "version one never ran on this database"),
        (&["recover", "1", "--route", "whole", "--execute"], 2, "`--execute` brings back what is lost on SQLite"),
    ] {
        let ran = run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
    }
}
