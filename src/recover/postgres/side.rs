//! The second cluster. In: backup and pin. Out: commands that bring it up to the pin, and those that take it away.

use super::{Source, Story};
use crate::pin::{Destroyed, PLAIN, quoted};
use crate::recover::runbook::{Command, quoted as shell};

/// The port of its socket: no other server has one in that folder.
const PORT: u16 = 56433;

/// How long a recovery and a promotion may take, in seconds.
const PATIENCE: u32 = 86_400;

pub(super) fn command(story: &Story<'_>, what: impl Into<String>, shell: String, expect: impl Into<String>) -> Command {
    Command { what: what.into(), shell, expect: expect.into(), proved: story.proved() }
}

/// A folder or file of the second cluster.
pub(super) fn place(story: &Story<'_>, name: &str) -> String {
    shell(&format!("{}/{name}", story.folder))
}

/// What asks one of the two, `LIVE` or `SIDE`.
pub(super) fn ask(which: &str, sql: &str) -> String {
    format!("psql -XAtq -v ON_ERROR_STOP=1 -d \"${which}\" -c {}", shell(sql))
}

/// Its data, recovered to the pin and running.
pub(super) fn up(story: &Story<'_>) -> Vec<Command> {
    let mut all = vec![values(story), empty(story)];
    all.extend(match story.source {
        Source::BaseBackup { backup, .. } => base_backup(story, backup),
        Source::PgBackRest { stanza, label } => pgbackrest(story, stanza, label),
    });
    all.push(of_this_cluster(story));
    all.push(started(story));
    all.push(at_the_pin(story));
    all.extend(
        story.pin.destroys.iter().filter(|one| one.rows > 0).map(|one| holds(story, "SIDE", one, &one.sql(quoted), "the recovered cluster holds", None)),
    );
    all
}

/// What the other commands are given.
fn values(story: &Story<'_>) -> Command {
    let side = format!("host={} port={PORT} user={} dbname={}", conninfo(story.folder), conninfo(&story.live.user), conninfo(&story.wal.database));
    let options = PLAIN.iter().map(|(name, value)| format!("-c {name}={value}")).collect::<Vec<_>>().join(" ");
    let programs = story.live.programs.as_ref().map_or_else(String::new, |folder| format!("export PATH={}:\"$PATH\"\n", shell(folder)));
    command(
        story,
        "run all of this as the operating system's user that runs the server, on its computer; the password of the live database is in PGPASSWORD or \
         ~/.pgpass",
        format!("{programs}export LIVE={} SIDE={} PGOPTIONS={}", shell(&story.live.conninfo), shell(&side), shell(&options)),
        "nothing",
    )
}

/// A value of a connection string.
pub fn conninfo(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn empty(story: &Story<'_>) -> Command {
    command(story, "a folder for the second cluster; it is refused where one is there", format!("mkdir -m 700 {}", shell(story.folder)), "nothing")
}

fn base_backup(story: &Story<'_>, backup: &str) -> Vec<Command> {
    let (from, data, wal) = (shell(backup), place(story, "data"), story.wal);
    let before = format!("SELECT '$end'::pg_lsn <= '{}'::pg_lsn", wal.lsn);
    vec![
        command(
            story,
            "the backup is whole, and in one folder: tablespaces would be copied to the places where the live cluster has its own",
            format!("pg_verifybackup {from}\ntest -z \"$(ls -A {from}/pg_tblspc)\""),
            "backup successfully verified",
        ),
        command(
            story,
            "it ends before the pin",
            format!(
                "end=$(sed -n 's/.*\"End-LSN\": \"\\([0-9A-F/]*\\)\".*/\\1/p' {} | tail -n 1)\ntest \"$(psql -XAtq -d \"$LIVE\" -c \"{before}\")\" = t\n\
                 echo \"$end is before {}\"",
                shell(&format!("{backup}/backup_manifest")),
                wal.lsn
            ),
            format!("an LSN that is before {}", wal.lsn),
        ),
        command(story, "copy it", format!("cp -a {from} {data}\nchmod 700 {data}"), "nothing"),
        command(story, "recover it to the pin, promote it then, and archive nothing", settings(story), "nothing"),
    ]
}

/// The recovery's settings, between two marks by which they can be taken away again.
fn settings(story: &Story<'_>) -> String {
    let Source::BaseBackup { restore_command, .. } = story.source else { return String::new() };
    let value = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut lines = vec![format!("restore_command = {}", value(restore_command))];
    match &story.wal.restore_point {
        Some(name) => lines.push(format!("recovery_target_name = {}", value(name))),
        // A place is where a record ends; to stop after it would replay the next one.
        None => lines.extend([format!("recovery_target_lsn = '{}'", story.wal.lsn), String::from("recovery_target_inclusive = off")]),
    }
    lines.extend([format!("recovery_target_timeline = '{}'", story.wal.timeline), String::from("recovery_target_action = 'promote'")]);
    lines.push(String::from("archive_mode = off"));
    format!(
        "cat >>{} <<'END_OF_SETTINGS'\n# migrate recover: begin\n{}\n# migrate recover: end\nEND_OF_SETTINGS\ntouch {}",
        place(story, "data/postgresql.auto.conf"),
        lines.join("\n"),
        place(story, "data/recovery.signal")
    )
}

fn pgbackrest(story: &Story<'_>, stanza: &str, label: &str) -> Vec<Command> {
    let (stanza, wal) = (shell(&format!("--stanza={stanza}")), story.wal);
    let target = match &wal.restore_point {
        Some(name) => format!("--type=name {}", shell(&format!("--target={name}"))),
        None => format!("--type=lsn --target={} --target-exclusive", wal.lsn),
    };
    vec![
        command(
            story,
            "the backup is there, and its files and the log are whole; this command ends with 0 whatever it finds, so its words are read",
            format!(
                "found=$(pgbackrest {stanza} --output=text --verbose verify)\nprintf '%s\\n' \"$found\" | grep -i 'status'\n\
                 test \"$(printf '%s\\n' \"$found\" | grep -c '^status: ok')\" = 1\npgbackrest {stanza} --output=json info | grep -qF {}",
                shell(&format!("\"label\":\"{label}\""))
            ),
            "status: ok",
        ),
        command(
            story,
            "recover it to the pin, from this backup and on this timeline, promote it then, and archive nothing",
            format!(
                "mkdir -m 700 {0}\npgbackrest {stanza} --pg1-path={0} {1} {target} --target-timeline={2} --target-action=promote --archive-mode=off \
                 --log-level-console=warn restore",
                place(story, "data"),
                shell(&format!("--set={label}")),
                wal.timeline
            ),
            "nothing",
        ),
    ]
}

fn of_this_cluster(story: &Story<'_>) -> Command {
    command(
        story,
        "it is of the cluster that the migration ran on",
        format!(
            "test \"$(LC_ALL=C pg_controldata {0} | sed -n 's/^Database system identifier: *//p')\" = {1}\necho {1}",
            place(story, "data"),
            story.wal.system_identifier
        ),
        story.wal.system_identifier.clone(),
    )
}

fn started(story: &Story<'_>) -> Command {
    let data = format!("{}/data", story.folder);
    // The settings of the live cluster may name its own folders, and Debian keeps them elsewhere.
    let set = |name: &str, value: &str| format!("-c {}", shell(&format!("{name}={value}")));
    let options = [
        set("data_directory", &data),
        set("hba_file", &format!("{}/hba", story.folder)),
        set("ident_file", &format!("{}/ident", story.folder)),
        set("external_pid_file", ""),
        set("listen_addresses", ""),
        set("unix_socket_directories", story.folder),
        set("port", &PORT.to_string()),
        set("hot_standby", "off"),
        set("archive_mode", "off"),
        set("primary_conninfo", ""),
        set("default_transaction_read_only", "on"),
        set("max_logical_replication_workers", "0"),
        set("autovacuum", "off"),
        set("ssl", "off"),
        set("logging_collector", "off"),
        set("log_destination", "stderr"),
        set("lc_messages", "C"),
        set("cluster_name", "migrate_recover"),
    ]
    .join(" ");
    command(
        story,
        "start it, and wait until it is recovered and promoted",
        format!(
            "test -e {conf} || touch {conf}\nprintf 'local all all trust\\n' >{hba}\n: >{ident}\n\
             pg_ctl -D {data} -w -t {PATIENCE} -l {log} -o {options} start >/dev/null\n\
             until test \"$({})\" = f; do pg_ctl -D {data} status >/dev/null; sleep 1; done",
            ask("SIDE", "SELECT pg_is_in_recovery()"),
            conf = place(story, "data/postgresql.conf"),
            hba = place(story, "hba"),
            ident = place(story, "ident"),
            data = place(story, "data"),
            log = place(story, "log"),
            options = shell(&options),
        ),
        format!("nothing; what goes wrong stands in {}/log", story.folder),
    )
}

fn at_the_pin(story: &Story<'_>) -> Command {
    let (words, what) = match &story.wal.restore_point {
        Some(name) => (format!("recovery stopping at restore point \"{name}\""), "at the restore point"),
        None => (format!("recovery stopping before WAL location (LSN) \"{}\"", story.wal.lsn), "before the place in the log"),
    };
    command(story, format!("it stopped {what}"), format!("grep -F {} {}", shell(&words), place(story, "log")), words)
}

/// `which` holds in `table` what was destroyed, by the numbers of the pin or, where it was not counted, by what `like` says.
pub(super) fn holds(story: &Story<'_>, which: &str, one: &Destroyed, table: &str, what: &str, like: Option<&str>) -> Command {
    let (object, found) = (one.object(), format!("found=$({})\necho \"$found\"", ask(which, &one.counted(table))));
    match (&one.checksum, like) {
        (Some(checksum), _) => command(
            story,
            format!("{what} {object}, as it stood at the pin: rows and checksum"),
            format!("{found}\ntest \"$found\" = {}", shell(&format!("{}|{checksum}", one.rows))),
            format!("{}|{checksum}", one.rows),
        ),
        (None, Some(like)) => command(
            story,
            format!("{what} {object}, as it stands in the second cluster; it was not counted at the pin"),
            format!("{found}\ntest \"$found\" = \"$({like})\""),
            format!("about {} rows, and a checksum", one.rows),
        ),
        (None, None) => command(
            story,
            format!("{what} {object}; it was not counted at the pin, so there must be rows, about {}", one.rows),
            format!("{found}\ntest \"${{found%%|*}}\" -gt 0"),
            format!("about {} rows, and a checksum", one.rows),
        ),
    }
}

/// What takes it away.
pub(super) fn down(story: &Story<'_>) -> Command {
    command(
        story,
        "stop the second cluster, and remove it",
        format!("pg_ctl -D {} -m fast -w stop >/dev/null\nrm -rf -- {}", place(story, "data"), shell(story.folder)),
        "nothing",
    )
}
