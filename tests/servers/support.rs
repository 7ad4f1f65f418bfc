//! Throw-away database servers. In: the binaries that are installed. Out: a fresh, empty database for each test.
//!
//! Each server is started at most once a test process, listens on a socket in its own folder and on nothing else, and is no
//! service of the machine. A guard, a small shell that reads from a pipe of this process, stops it and removes the folder
//! when the pipe closes: at the process's end, however that comes.

#[cfg(target_os = "linux")]
mod own;

#[cfg(target_os = "linux")]
pub(crate) use own::OwnServer;
use std::fs;
use std::future::Future;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use unmigrate::engine::Engine;

/// The superuser's password on the throw-away servers.
pub(crate) const PASSWORD: &str = "throw-away";

/// How long a server may take to start on a busy machine.
const START: Duration = Duration::from_secs(120);

/// A fresh database.
pub(crate) struct Database {
    pub(crate) engine: Engine,
    /// How to reach it, with all rights.
    pub(crate) url: String,
    /// How to reach the server's own database; a file has none.
    root: Option<String>,
    _folder: Option<tempfile::TempDir>,
}

/// A running server.
struct Server {
    engine: Engine,
    /// The folder with its socket.
    folder: PathBuf,
    /// Stops the server when its standard input closes, which is when this process ends.
    _guard: Child,
}

impl Server {
    fn url(&self, database: &str) -> String {
        self.url_as("root", PASSWORD, database)
    }

    /// The server's own database, from which others are made and dropped.
    fn root(&self) -> Database {
        let url = self.url(if self.engine == Engine::Postgres { "postgres" } else { "mysql" });
        Database { engine: self.engine, root: Some(url.clone()), url, _folder: None }
    }

    /// A fresh database.
    fn database(&self, name: &str) -> Database {
        self.root().execute(&format!("CREATE DATABASE {name}"));
        Database { url: self.url(name), ..self.root() }
    }

    fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        let folder = self.folder.display();
        match self.engine {
            Engine::Postgres => format!("postgres://{user}:{password}@localhost/{database}?host={folder}"),
            engine => format!("{engine}://{user}:{password}@localhost/{database}?socket={folder}/socket"),
        }
    }
}

/// Runs a future to its end, as the command line does.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// The program of a MySQL server, for it is not installed beside MariaDB: `tests/unstable.sh` gets one and says here where it is.
fn mysqld() -> Option<PathBuf> {
    std::env::var_os("MIGRATE_MYSQLD").map(PathBuf::from)
}

/// The engines that these tests run on: MySQL only where its server is given.
pub(crate) fn engines() -> Vec<Engine> {
    Engine::ALL.into_iter().filter(|&engine| engine != Engine::Mysql || mysqld().is_some()).collect()
}

/// Runs `test` on a fresh database of every engine.
#[expect(clippy::print_stderr, reason = "captured, and shown where the test fails")]
pub(crate) fn each_engine(test: impl Fn(&Database)) {
    for engine in engines() {
        if let Some(database) = database(engine) {
            eprintln!("on {engine}");
            test(&database);
        }
    }
}

/// Held while a test changes or looks at what belongs to a whole server: roles, global variables.
pub(crate) fn alone_on_the_server(engine: Engine) -> MutexGuard<'static, ()> {
    static SERVERS: [Mutex<()>; Engine::ALL.len()] = [const { Mutex::new(()) }; Engine::ALL.len()];
    // A test that failed has left its words; the next one begins with its own.
    SERVERS[engine as usize].lock().unwrap_or_else(PoisonError::into_inner)
}

/// A fresh database; `None`, after saying so, where the server is not installed.
pub(crate) fn database(engine: Engine) -> Option<Database> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    if engine == Engine::Sqlite {
        let folder = tempfile::tempdir().expect("a folder");
        return Some(Database { engine, url: format!("sqlite:{}", folder.path().join("test.db").display()), root: None, _folder: Some(folder) });
    }
    Some(server(engine)?.database(&format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed))))
}

impl Database {
    /// Runs one statement on a connection of its own.
    pub(crate) fn execute(&self, sql: &str) {
        wait(try_execute(self, sql)).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Runs one statement on a connection of its own, and gives what the database has against it.
    pub(crate) fn refusal(&self, sql: &str) -> Option<String> {
        wait(try_execute(self, sql)).err().map(|error| error.to_string())
    }

    /// The first column of a query's rows, as text.
    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        wait(async {
            macro_rules! ask {
                ($link:ty) => {{
                    use sqlx::{Connection as _, Row as _};
                    let mut link = <$link>::connect(&self.url).await.expect("a connection");
                    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_all(&mut link).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
                    // MySQL ends an encrypted connection before it hears the goodbye out.
                    let _ = link.close().await;
                    rows.iter().map(|row| row.try_get_unchecked::<Option<String>, _>(0).expect("text").unwrap_or_else(|| String::from("NULL"))).collect()
                }};
            }
            match self.engine {
                Engine::Sqlite => ask!(sqlx::SqliteConnection),
                Engine::Postgres => ask!(sqlx::PgConnection),
                Engine::Mysql | Engine::Mariadb => ask!(sqlx::MySqlConnection),
            }
        })
    }

    /// The URL with another user and password, which is put into it as it stands.
    pub(crate) fn url_as(&self, user: &str, password: &str) -> String {
        let server = server(self.engine).expect("the server of this database runs");
        server.url_as(user, password, self.name())
    }

    /// Its name on its server.
    pub(crate) fn name(&self) -> &str {
        self.url.split('/').nth(3).unwrap_or_default().split('?').next().unwrap_or_default()
    }

    /// One that stands there already.
    pub(crate) fn at(engine: Engine, url: String) -> Database {
        Database { engine, root: None, url, _folder: None }
    }

    /// The own database of the server that this one stands on; a file is its own.
    pub(crate) fn root(&self) -> Option<Database> {
        let url = self.root.clone()?;
        Some(Database { engine: self.engine, root: Some(url.clone()), url, _folder: None })
    }
}

async fn try_execute(database: &Database, sql: &str) -> Result<(), sqlx::Error> {
    macro_rules! run {
        ($link:ty) => {{
            use sqlx::Connection as _;
            let mut link = <$link>::connect(&database.url).await?;
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut link).await?;
            let _ = link.close().await;
            Ok(())
        }};
    }
    match database.engine {
        Engine::Sqlite => run!(sqlx::SqliteConnection),
        Engine::Postgres => run!(sqlx::PgConnection),
        Engine::Mysql | Engine::Mariadb => run!(sqlx::MySqlConnection),
    }
}

/// The server of this process, started when first asked for.
fn server(engine: Engine) -> Option<&'static Server> {
    static POSTGRES: OnceLock<Option<Server>> = OnceLock::new();
    static MYSQL: OnceLock<Option<Server>> = OnceLock::new();
    static MARIADB: OnceLock<Option<Server>> = OnceLock::new();
    let cell = match engine {
        Engine::Postgres => &POSTGRES,
        Engine::Mysql => &MYSQL,
        Engine::Sqlite | Engine::Mariadb => &MARIADB,
    };
    cell.get_or_init(|| Some(launch(engine, folder(), &binaries(engine)?, false, ""))).as_ref()
}

/// Where the programs of `engine` are; `None`, after saying so, where they are not installed.
fn binaries(engine: Engine) -> Option<PathBuf> {
    let found = match engine {
        Engine::Postgres => postgres_binaries(),
        Engine::Mysql => mysqld(),
        Engine::Sqlite | Engine::Mariadb => mariadb_binaries(),
    };
    if found.is_none() && engine == Engine::Mysql {
        // Past the capture of test output: who runs the tests must see it.
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: all tests on MySQL, which is not installed; tests/unstable.sh gets it\n");
    } else if found.is_none() {
        missing(&engine.to_string(), &format!("all tests on {engine}"));
    }
    found
}

/// Says that `program` is not installed, so that `tests` are skipped; panics where this run requires it.
pub(crate) fn missing(program: &str, tests: &str) {
    let required = ["CI", "MIGRATE_REQUIRE_SERVERS"].iter().any(|name| std::env::var(name).is_ok_and(|value| value == "true" || value == "1"));
    assert!(!required, "{program} is not installed, and this run requires it: tests/all.sh installs it");
    // Past the capture of test output: who runs the tests must see it.
    let _ = writeln!(std::io::stderr(), "\nSKIPPED: {tests}, for {program} is not installed; tests/all.sh installs it\n");
}

/// The folder of the newest PostgreSQL's programs.
pub(crate) fn postgres_binaries() -> Option<PathBuf> {
    // Those of another release, which `tests/unstable.sh` gets.
    if let Some(folder) = std::env::var_os("MIGRATE_POSTGRES") {
        return Some(PathBuf::from(folder));
    }
    let version = |path: &PathBuf| path.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let newest = debian.filter(|path| path.join("initdb").exists()).max_by_key(version);
    newest.or_else(|| on_path("initdb").filter(|folder| folder.join("postgres").exists()))
}

fn mariadb_binaries() -> Option<PathBuf> {
    on_path("mariadb-install-db")?;
    on_path("mariadbd").or_else(|| Some(PathBuf::from("/usr/sbin")).filter(|folder| folder.join("mariadbd").exists()))
}

fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).find(|folder| folder.join(program).exists())
}

const START_POSTGRES: &str = r#"
[ -d "$folder/data" ] || "$bin/initdb" -D "$folder/data" -U root --auth=scram-sha-256 --pwfile="$folder/password" -E UTF8 --locale=C --no-sync || exit 1
exec "$bin/postgres" -D "$folder/data" -c listen_addresses= -c unix_socket_directories="$folder" \
    -c fsync=off -c synchronous_commit="$durable" -c full_page_writes=off
"#;

/// A server that starts empties its folder for temporary tables, so that none shares it with another.
const START_MARIADB: &str = r#"
[ -d "$folder/data" ] || TMPDIR="$folder" mariadb-install-db --no-defaults --datadir="$folder/data" --auth-root-authentication-method=normal --skip-test-db || exit 1
echo "SET PASSWORD FOR root@localhost = PASSWORD('$(cat "$folder/password")');" > "$folder/init.sql" &&
exec "$bin/mariadbd" --no-defaults --datadir="$folder/data" --socket="$folder/socket" --pid-file="$folder/pid" --tmpdir="$folder" \
    --init-file="$folder/init.sql" --skip-networking --innodb-flush-log-at-trx-commit="$durable" --innodb-buffer-pool-size=32M $options
"#;

/// Here `$bin` is the program itself.
const START_MYSQL: &str = r#"
"$bin" --no-defaults --initialize-insecure --datadir="$folder/data" &&
echo "ALTER USER root@localhost IDENTIFIED BY '$(cat "$folder/password")';" > "$folder/init.sql" &&
exec "$bin" --no-defaults --datadir="$folder/data" --socket="$folder/socket" --pid-file="$folder/pid" --tmpdir="$folder" \
    --init-file="$folder/init.sql" --skip-networking --mysqlx=OFF --innodb-flush-log-at-trx-commit=0 --sync-binlog=0 \
    --innodb-buffer-pool-size=32M --secure-file-priv=
"#;

/// `$1`: the folder, `$2`: the script that becomes the server; the rest runs it as an ordinary user. A server that was told
/// to stop may wait for its clients, but these are gone with the test process; the second signal is PostgreSQL's fast one.
const GUARD: &str = r#"
PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin folder=$1 script=$2; shift 2
trap : TERM
"$@" /bin/sh -c "$script" >"$folder/log" 2>&1 &
server=$!
( wait_for_end() { while kill -0 "$server" 2>/dev/null; do sleep 1; done; : >"$folder/ended"; }; wait_for_end ) </dev/null >/dev/null 2>&1 &
cat >/dev/null
kill -TERM 0
kill -INT "$server" 2>/dev/null
wait "$server"
rm -rf "$folder"
"#;

/// A folder for a server.
pub(crate) fn folder() -> PathBuf {
    // Not under a long TMPDIR: a socket's path holds some 100 characters.
    let folder = tempfile::Builder::new().prefix("migrate-test-").tempdir_in("/tmp").expect("a folder").keep();
    fs::write(folder.join("password"), PASSWORD).expect("a password file");
    folder
}

/// Starts a server in `folder`, with the data that stand there. `durable`: what was committed outlives the server's own sudden end. `options`
/// are what MariaDB is told besides.
fn launch(engine: Engine, folder: PathBuf, binaries: &Path, durable: bool, options: &str) -> Server {
    let (script, durable) = match (engine, durable) {
        (Engine::Postgres, durable) => (START_POSTGRES, if durable { "on" } else { "off" }),
        (Engine::Mysql, _) => (START_MYSQL, ""),
        (Engine::Sqlite | Engine::Mariadb, durable) => (START_MARIADB, if durable { "2" } else { "0" }),
    };
    let guard = guarded(&folder, script, &[format!("bin={}", binaries.display()), format!("durable={durable}"), format!("options={options}")]);
    let server = Server { engine, folder, _guard: guard };
    let root = server.root();
    let started = Instant::now();
    while let Err(error) = wait(try_execute(&root, "SELECT 1")) {
        let log = || fs::read_to_string(server.folder.join("log")).unwrap_or_default();
        assert!(!server.folder.join("ended").exists(), "{engine} did not start:\n{}", log());
        assert!(started.elapsed() < START, "{engine} does not answer ({error}):\n{}", log());
        std::thread::sleep(Duration::from_millis(100));
    }
    server
}

/// Runs `script` in the background, as an ordinary user, with `folder` and `variables` in its environment, until the guard that is given
/// back is dropped with its standard input.
pub(crate) fn guarded(folder: &Path, script: &str, variables: &[String]) -> Child {
    let user = ordinary_user(folder);
    Command::new("/bin/sh")
        .args(["-c", GUARD, "guard"])
        .arg(folder)
        .arg(script)
        .args(["/usr/bin/env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"])
        .arg(format!("folder={}", folder.display()))
        .args(variables)
        .args(user)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        // A Ctrl-C at the terminal must reach the tests, and not the guard that cleans up after them.
        .process_group(0)
        .spawn()
        .expect("a shell")
}

/// Neither server runs as root. Gives the words that drop root's rights, after handing the folder over.
pub(crate) fn ordinary_user(folder: &Path) -> Vec<String> {
    let output = |program: &str, args: &[&str]| Command::new(program).args(args).output().ok().filter(|output| output.status.success());
    let is_root = output("id", &["-u"]).is_some_and(|id| id.stdout.starts_with(b"0\n"));
    if !is_root {
        return Vec::new();
    }
    let owner = folder.display().to_string();
    assert!(output("chown", &["-R", "nobody", &owner]).is_some(), "cannot give {owner} to the user nobody");
    ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"].map(String::from).to_vec()
}
