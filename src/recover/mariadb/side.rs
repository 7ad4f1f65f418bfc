//! The second server. In: backup and pin. Out: commands that bring it up to the pin, and those that take it away.

use super::Story;
use crate::engine::Engine;
use crate::pin::{Destroyed, backquoted};
use crate::recover::runbook::{Command, quoted as shell};

/// What the programs are called.
pub(super) struct Programs {
    client: &'static str,
    server: &'static str,
    admin: &'static str,
    dump: &'static str,
    pub(super) binlog: &'static str,
    backup: &'static str,
    /// What keeps the server from following another one.
    no_replica: &'static str,
}

impl Programs {
    const MARIADB: Programs = Programs {
        client: "mariadb",
        server: "mariadbd",
        admin: "mariadb-admin",
        dump: "mariadb-dump",
        binlog: "mariadb-binlog",
        backup: "mariadb-backup",
        no_replica: "--skip-slave-start",
    };
    /// The backup is of Percona's XtraBackup.
    const MYSQL: Programs = Programs {
        client: "mysql",
        server: "mysqld",
        admin: "mysqladmin",
        dump: "mysqldump --set-gtid-purged=OFF",
        binlog: "mysqlbinlog",
        backup: "xtrabackup",
        no_replica: "--skip-replica-start",
    };

    pub(super) fn of(story: &Story<'_>) -> &'static Programs {
        if story.engine == Engine::Mysql { &Programs::MYSQL } else { &Programs::MARIADB }
    }
}

pub(super) fn command(story: &Story<'_>, what: impl Into<String>, shell: String, expect: impl Into<String>) -> Command {
    Command { what: what.into(), shell, expect: expect.into(), proved: story.proved() }
}

/// A folder or file of the second server.
fn place(story: &Story<'_>, name: &str) -> String {
    shell(&format!("{}/{name}", story.folder))
}

/// Asks one of the two, `live` or `side`.
pub(super) fn ask(which: &str, sql: &str) -> String {
    format!("{which} -e {}", shell(&format!("SET time_zone = '+00:00'; {sql}")))
}

/// Its data, restored, played up to the pin and running.
pub(super) fn up(story: &Story<'_>) -> Vec<Command> {
    let (log, backup, pid, programs) = (story.log, shell(story.backup), place(story, "pid"), Programs::of(story));
    let mut all = vec![
        values(story),
        command(story, "a folder for the second server; it is refused where one is there", format!("mkdir -m 700 {}", shell(story.folder)), "nothing"),
        reaches(story),
        command(
            story,
            "copy it, and make the copy whole; a table that is missing in it is only warned of, so its words are read",
            format!(
                "cp -a {backup} {copy}\n{tool} --no-defaults --prepare --target-dir={copy} >{log} 2>&1\n\
                 test \"$(grep -c 'was not found' {log})\" = 0\ntail -n 1 {log} | grep -F 'completed OK!'",
                tool = programs.backup,
                copy = place(story, "copy"),
                log = place(story, "prepare.log"),
            ),
            "a line that ends in completed OK!",
        ),
        command(
            story,
            "make it the data of the second server",
            format!(
                "mkdir -m 700 {data}\n{tool} --no-defaults --move-back --target-dir={} --datadir={data} >{} 2>&1",
                place(story, "copy"),
                place(story, "move.log"),
                tool = programs.backup,
                data = place(story, "data"),
            ),
            "nothing",
        ),
        command(story, "start it, and wait until it answers", started(story), log_tells(story)),
        command(
            story,
            "play the log from the backup up to the pin, in one go; a server that asks for no rights refuses to change any, so it learns to ask",
            format!(
                "{{ echo 'FLUSH PRIVILEGES;'; {} --no-defaults --start-position=\"$position\" --stop-position={} \"${{logs[@]}}\"; }} | \
                 side --binary-mode",
                programs.binlog, log.position,
            ),
            "nothing",
        ),
        command(story, "start it again, so that it asks for none", format!("kill \"$(cat {pid})\"\n{}\n{}", gone(&pid), started(story)), log_tells(story)),
    ];
    all.extend(
        story.pin.destroys.iter().filter(|one| one.rows > 0).map(|one| holds(story, "side", one, &one.sql(backquoted), "the second server holds", None)),
    );
    all
}

/// What the other commands are given.
fn values(story: &Story<'_>) -> Command {
    let arguments = story.live.arguments.iter().map(|argument| shell(argument)).collect::<Vec<_>>().join(" ");
    let database = shell(&story.log.database);
    command(
        story,
        "run all of this as the operating system's user that runs the server, on its computer; the password of the live server is in MYSQL_PWD or ~/.my.cnf",
        format!(
            "export PATH=\"$PATH:/usr/sbin\"\nlive() {{ {client} {arguments} --default-character-set=utf8mb4 -BN \"$@\" {database}; }}\n\
             side() {{ {client} --no-defaults --socket={} --user=root --default-character-set=utf8mb4 -BN \"$@\" {database}; }}",
            place(story, "socket"),
            client = Programs::of(story).client,
        ),
        "nothing",
    )
}

/// Finds where the backup ends, as `file` and `position`, and the `logs` from there to the pin.
fn reaches(story: &Story<'_>) -> Command {
    let log = story.log;
    let (name, number) = log.file.rsplit_once('.').unwrap_or((&log.file, "0"));
    command(
        story,
        "the backup ends before the pin, and the log from there on is still kept",
        format!(
            "read -r file position rest <<<\"$(cat {}/*_binlog_info)\"\nfirst=$((10#${{file##*.}})) last=$((10#{number}))\n\
             ((first < last || first == last && position <= {}))\n\
             logs=()\nfor ((n = first; n <= last; n++)); do logs+=({}/\"$(printf '%s.%06d' {} \"$n\")\"); done\nls -- \"${{logs[@]}}\" >/dev/null\n\
             echo \"$file $position is before {} {1}\"",
            shell(story.backup),
            log.position,
            shell(story.logs()),
            shell(name),
            log.file,
        ),
        format!("a place in the log that is before {} {}", log.file, log.position),
    )
}

/// Starts it, and waits until it answers.
fn started(story: &Story<'_>) -> String {
    format!(
        "{} --defaults-file={} --datadir={} --socket={} --pid-file={} --log-error={} --tmpdir={} --lower-case-table-names={} --skip-networking \
         --skip-log-bin {} --event-scheduler=OFF --skip-grant-tables </dev/null >/dev/null 2>&1 &\n\
         for try in $(seq 3600); do side -e 'SELECT 1' >/dev/null 2>&1 && break; kill -0 $!; sleep 1; done\nside -e 'SELECT 1' >/dev/null",
        Programs::of(story).server,
        shell(&format!("{}/backup-my.cnf", story.backup)),
        place(story, "data"),
        place(story, "socket"),
        place(story, "pid"),
        place(story, "log"),
        shell(story.folder),
        shell(&story.live.lower_case),
        Programs::of(story).no_replica,
    )
}

fn log_tells(story: &Story<'_>) -> String {
    format!("nothing; what goes wrong stands in {}/log", story.folder)
}

/// `which` holds in `table` what was destroyed, by the numbers of the pin or, where it was not counted, by what `like` says.
pub(super) fn holds(story: &Story<'_>, which: &str, one: &Destroyed, table: &str, what: &str, like: Option<&str>) -> Command {
    let object = one.object();
    let found = format!("read -r rows sum <<<\"$({})\"\necho \"$rows $sum\"", ask(which, &one.counted_mysql(table)));
    match (&one.checksum, like) {
        (Some(checksum), _) => command(
            story,
            format!("{what} {object}, as it stood at the pin: rows and checksum"),
            format!("{found}\ntest \"$rows $sum\" = {}", shell(&format!("{} {checksum}", one.rows))),
            format!("{} {checksum}", one.rows),
        ),
        (None, Some(like)) => command(
            story,
            format!("{what} {object}, as it stands in the second server; it was not counted at the pin"),
            format!("{found}\nread -r like of <<<\"$({like})\"\ntest \"$rows $sum\" = \"$like $of\""),
            format!("about {} rows, and a checksum", one.rows),
        ),
        (None, None) => command(
            story,
            format!("{what} {object}; it was not counted at the pin, so there must be rows, about {}", one.rows),
            format!("{found}\ntest \"$rows\" -gt 0"),
            format!("about {} rows, and a checksum", one.rows),
        ),
    }
}

/// Copies tables of one schema of the second server to the live one, where none of that name may stand.
pub(super) fn carried<'t>(story: &Story<'_>, schema: &str, tables: impl IntoIterator<Item = &'t str>) -> String {
    let dump = format!(
        "{} --no-defaults --socket={} --user=root --default-character-set=utf8mb4 --single-transaction --skip-add-drop-table --skip-add-locks \
         {} {}",
        Programs::of(story).dump,
        place(story, "socket"),
        shell(schema),
        tables.into_iter().map(shell).collect::<Vec<_>>().join(" ")
    );
    match schema == story.log.database {
        true => format!("{dump} | live"),
        false => format!("{{ echo {}; {dump}; }} | live", shell(&format!("USE {};", backquoted(schema)))),
    }
}

/// Ends the server that `arguments` lead to, and waits until it has gone.
pub(super) fn stopped(story: &Story<'_>, arguments: &str, pid_file: &str) -> String {
    format!("{} {arguments} shutdown\n{}", Programs::of(story).admin, gone(pid_file))
}

/// Waits until a server that was told to end has ended.
fn gone(pid_file: &str) -> String {
    format!("for try in $(seq 1200); do test -e {pid_file} || break; sleep 0.5; done\ntest ! -e {pid_file}")
}

/// Ends the second server.
pub(super) fn side_stopped(story: &Story<'_>) -> String {
    stopped(story, &format!("--no-defaults --socket={} --user=root", place(story, "socket")), &place(story, "pid"))
}

/// What takes it away.
pub(super) fn down(story: &Story<'_>) -> Command {
    let shell = format!("{}\nrm -rf -- {}", side_stopped(story), shell(story.folder));
    command(story, "stop the second server, and remove it", shell, "nothing")
}
