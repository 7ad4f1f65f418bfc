//! Where statements begin and end.

use super::*;

fn texts(sql: &str, engine: Engine) -> Vec<&str> {
    split(sql, 1, engine).into_iter().map(|p| p.text).collect()
}

#[test]
fn semicolons_in_strings_bodies_and_comments_end_nothing() {
    let sql = "SELECT 'a;b', $f$ ; $f$, $$;$$, E'\\';' /* ; /* ; */ */; -- ;\nSELECT \"x;y\";";
    assert_eq!(texts(sql, Engine::Postgres), ["SELECT 'a;b', $f$ ; $f$, $$;$$, E'\\';'", "SELECT \"x;y\""]);
    assert_eq!(texts("SELECT 'it\\'s;'; SELECT `a;b`; # x;\nSELECT 1--1;", Engine::Mysql), ["SELECT 'it\\'s;'", "SELECT `a;b`", "SELECT 1--1"]);
    assert_eq!(texts("SELECT [a;b]; SELECT 'x\\'; SELECT 2", Engine::Sqlite), ["SELECT [a;b]", "SELECT 'x\\'", "SELECT 2"]);
}

#[test]
fn bodies_of_triggers_and_routines_stay_whole() {
    let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; DELETE FROM d; END";
    assert_eq!(texts(&format!("{trigger}; SELECT 1;"), Engine::Sqlite), [trigger, "SELECT 1"]);
    let routine = "CREATE PROCEDURE p() BEGIN IF a THEN SET b = 1; END IF; CASE x WHEN 1 THEN SET y = 2; END CASE; WHILE z DO SET z = 0; END WHILE; END";
    assert_eq!(texts(&format!("{routine}; SELECT 1"), Engine::Mysql), [routine, "SELECT 1"]);
    let atomic = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END";
    assert_eq!(texts(&format!("{atomic}; SELECT 1"), Engine::Postgres), [atomic, "SELECT 1"]);
    let rule = "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)";
    assert_eq!(texts(&format!("{rule}; SELECT 1"), Engine::Postgres), [rule, "SELECT 1"]);
}

#[test]
fn the_mysql_clients_delimiter_is_obeyed() {
    let sql = "SELECT 1;\nDELIMITER //\nCREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW IF 1 THEN SET NEW.x = 1; END IF//\nDELIMITER ;\nSELECT 2;";
    assert_eq!(texts(sql, Engine::Mariadb), ["SELECT 1", "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW IF 1 THEN SET NEW.x = 1; END IF", "SELECT 2"]);
}

#[test]
fn lines_for_a_client_and_open_ends_are_told_apart() {
    let kinds = |sql, engine| split(sql, 1, engine).into_iter().map(|p| (p.kind, p.text)).collect::<Vec<_>>();
    assert_eq!(
        kinds("\\connect x\nSELECT 1 \\gexec\nSELECT 2", Engine::Postgres),
        [(PieceKind::Client, "\\connect x"), (PieceKind::Sql, "SELECT 1"), (PieceKind::Client, "\\gexec"), (PieceKind::Sql, "SELECT 2")]
    );
    assert_eq!(kinds(".mode list\nSELECT 1;", Engine::Sqlite), [(PieceKind::Client, ".mode list"), (PieceKind::Sql, "SELECT 1")]);
    assert_eq!(kinds("SELECT 1; SELECT 'open; SELECT 2", Engine::Sqlite)[1], (PieceKind::Unterminated, "SELECT 'open; SELECT 2"));
    assert_eq!(texts("COPY t FROM stdin;\n1\t;x\n\\.\nSELECT 1;", Engine::Postgres), ["COPY t FROM stdin", "SELECT 1"]);
}

#[test]
fn positions_count_lines_from_the_first_given_and_columns_in_characters() {
    let pieces = split("-- é\n  SELECT 1; /* é */ SELECT\n 2;\n\n;;", 10, Engine::Postgres);
    let at: Vec<_> = pieces.iter().map(|p| (p.line, p.column, p.end_line)).collect();
    assert_eq!(at, [(11, 3, 11), (11, 21, 12)]);
}

#[test]
fn a_long_line_of_statements_is_split_in_one_walk() {
    let sql = "SELECT 1;".repeat(100_000);
    assert_eq!(split(&sql, 1, Engine::Sqlite).len(), 100_000);
}

#[test]
fn comments_inside_bodies_are_text() {
    let sql = "-- UP\nSELECT $$\n-- DOWN\n$$; -- tail\n/*\n-- DOWN\n*/\n  -- DOWN\n";
    let found: Vec<_> = line_comments(sql, Engine::Postgres).into_iter().map(|c| (c.text, c.line, c.alone)).collect();
    assert_eq!(found, [("-- UP", 1, true), ("-- tail", 4, false), ("-- DOWN", 8, true)]);
}
