//! `migrate attest`: writes down that a backup exists which covers this database, these migrations and this moment, and signs it.

use super::backup_tool::{self, NoEvidence, Place, limited};
use super::database::{Database, block_on};
use super::failure::Failure;
use super::settings::Settings;
use super::{Console, Format, Global, attested};
use crate::backup::{Check, Level, Tool, fit};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::gate::attestation::{self, LIMIT, NAMESPACE, PREDICATE_TYPE, Predicate, STATEMENT_TYPE, Statement, subjects};
use crate::migration::{Migration, Version};
use crate::run::tool::quoted;
use chrono::{DateTime, NaiveDate, SubsecRound, TimeDelta, Utc};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The migrations that it is for
    #[arg(value_name = "VERSION", required = true)]
    versions: Vec<String>,
    /// What made the backup: pgbackrest, pg_basebackup, mariadb-backup, pg_dump, mariadb-dump; `generic` for any other
    #[arg(long, value_name = "TOOL", value_parser = tool)]
    tool: Tool,
    /// Ask the tool itself, on this computer
    #[arg(long, conflicts_with = "evidence", required_unless_present = "evidence")]
    run: bool,
    /// Read the tool's output that somebody saved; more than once where the tool has several
    #[arg(long, value_name = "FILE")]
    evidence: Vec<PathBuf>,
    /// pgBackRest's stanza [default: the only one]
    #[arg(long, value_name = "NAME")]
    stanza: Option<String>,
    /// Which backup of the stanza [default: the newest]
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// The backup's folder or file (pg_basebackup, mariadb-backup, dumps)
    #[arg(long, value_name = "PATH")]
    backup: Option<PathBuf>,
    /// The folder that archive_command fills (pg_basebackup)
    #[arg(long, value_name = "FOLDER")]
    archive: Option<PathBuf>,
    /// When a backup of this kind was last restored and looked at: YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    restore_tested: Option<NaiveDate>,
    /// When the backup's own retention drops it, RFC 3339
    #[arg(long, value_name = "TIME")]
    backup_expires: Option<DateTime<Utc>>,
    /// How long it may be used
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = humantime::parse_duration)]
    expires: Duration,
    /// The private SSH key to sign with; without it, the command that signs is printed
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    /// Who says so, a principal of allowed_signers [default: whom allowed_signers has that key for, else user@host]
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// The file to write [default: VERSION.attestation.json, in `directory` of `[attestation]` where that is set]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn tool(name: &str) -> Result<Tool, String> {
    Tool::from_name(name).ok_or_else(|| format!("the tools are {}", Tool::ALL.map(Tool::name).join(", ")))
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    let loaded = settings.load(database.engine)?;
    let migrations = arguments.versions.iter().map(|text| find(&loaded.migrations, text)).collect::<Result<Vec<&Migration>, _>>()?;
    let out = arguments.out.clone().unwrap_or_else(|| {
        let folder = settings.config.attestation.directory.clone().unwrap_or_default();
        folder.join(format!("{}.attestation.json", migrations[0].version))
    });
    // Before a backup is read for an hour.
    for path in [out.clone(), attested::signature_of(&out)] {
        if path.symlink_metadata().is_ok() {
            let message = format!("{} is there already, and no attestation is written over another", path.display());
            return Err(Failure::usage("unwritable-file", message, "give another name (--out FILE), or remove it where it has had its time").into());
        }
    }
    let key = arguments.sign_key.as_ref().map(|path| Ok::<_, Failure>((path, key(path, &out)?))).transpose()?;
    let place =
        Place { stanza: arguments.stanza.clone(), label: arguments.label.clone(), backup: arguments.backup.clone(), archive: arguments.archive.clone() };
    let tool = arguments.tool;
    let (site, evidence) = block_on(async |interrupt| {
        let mut session = database.look(&interrupt).await?;
        let binlogs = session.binlogs().await?;
        let evidence = match arguments.evidence.as_slice() {
            [] => backup_tool::look(tool, &place, binlogs.as_deref(), true, &interrupt).await,
            files => backup_tool::saved(tool, files, &place),
        };
        let evidence = evidence.map_err(|error| error.stops(tool))?;
        // After the evidence: what it says must not be later.
        let site = session.site().await?;
        let gtid = match evidence.backup.stop.binlog.as_ref().filter(|_| site.engine == Engine::Mariadb) {
            Some(place) => Some(session.gtid_at(place).await?),
            None => None,
        };
        session.close().await;
        if let Some(gtid) = gtid {
            fit::same_transactions(&evidence.backup, gtid.as_deref()).map_err(|refused| NoEvidence::Refused(refused).stops(tool))?;
        }
        Ok((site, evidence))
    })?;

    let refused = |refused: crate::backup::Refused| NoEvidence::Refused(refused).stops(tool);
    let (mut backup, log, mut checks) = (evidence.backup, evidence.log, evidence.checks);
    backup.expires = arguments.backup_expires.or(backup.expires);
    fit::clocks_agree(Utc::now(), &site).map_err(refused)?;
    fit::same_server(&evidence.claims, &site).map_err(refused)?;
    fit::covers(&backup, log.as_ref(), &site).map_err(refused)?;
    if let Some(log) = &log {
        fit::keeps_up(log, &site).map_err(refused)?;
    }
    let issued_at = site.clock.trunc_subsecs(0);
    if let Some(date) = arguments.restore_tested {
        checks.push(restore(date, issued_at)?);
    }
    let expires_at = TimeDelta::from_std(arguments.expires).ok().and_then(|time| issued_at.checked_add_signed(time)).filter(|end| *end > issued_at);
    let expires_at = expires_at.ok_or_else(|| Failure::usage("bad-expiry", "--expires must be more than nothing, and no eternity", "write 24h, or 3days"))?;
    let predicate = Predicate {
        issuer: issuer(arguments, &settings, key.as_ref().map(|(_, key)| key.as_slice()))?,
        database: site,
        backup,
        log,
        checks,
        issued_at,
        expires_at,
        nonce: nonce()?,
    };
    let subject = migrations.iter().flat_map(|m| {
        let down = m.down.as_ref().map(crate::migration::Script::sha256);
        subjects(m.version.as_str(), &m.name, &m.up.sha256(), down.as_deref())
    });
    let statement = Statement { kind: STATEMENT_TYPE.to_owned(), subject: subject.collect(), predicate_type: PREDICATE_TYPE.to_owned(), predicate };
    let text = format!("{}\n", serde_json::to_string_pretty(&statement)?);
    // What this writes, it must also take.
    Statement::read(text.as_bytes())?;
    let signature = match &key {
        Some((_, key)) => Some(attestation::sign(key, text.as_bytes())?.0),
        None => None,
    };
    write(&out, text.as_bytes())?;
    if let Some(signature) = &signature
        && let Err(failure) = write(&attested::signature_of(&out), signature.as_bytes())
    {
        // Best effort: the failure says which file could not be written.
        let _ = std::fs::remove_file(&out);
        return Err(failure.into());
    }
    tell(global, console, &statement.predicate, &out, signature.is_some())?;
    Ok(Exit::Done)
}

fn find<'a>(migrations: &'a [Migration], text: &str) -> Result<&'a Migration, Failure> {
    let version = Version::new(text);
    let found = version.and_then(|version| migrations.iter().find(|migration| migration.version == version));
    found.ok_or_else(|| Failure::usage("unknown-version", format!("no migration has version {text}"), "`migrate status` lists them"))
}

/// The private key, before anything else is done: a missing one is told at once.
fn key(path: &Path, out: &Path) -> Result<Vec<u8>, Failure> {
    let by_hand = || format!("leave out --sign-key, and sign with `{}`, which also takes keys with a passphrase, in an agent or on a token", command(out));
    let bytes = limited(path, LIMIT).map_err(|error| Failure::usage("unreadable-file", format!("cannot read {}: {error}", path.display()), by_hand()))?;
    match attestation::sign(&bytes, b"try") {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::usage("bad-key", format!("{}: {error}", path.display()), by_hand())),
    }
}

fn issuer(arguments: &Arguments, settings: &Settings, key: Option<&[u8]>) -> anyhow::Result<String> {
    if let Some(issuer) = &arguments.issuer {
        return Ok(issuer.clone());
    }
    if let (Some(key), Some(signers)) = (key, attested::signers(&settings.config.attestation)?) {
        let (_, public) = attestation::sign(key, b"try")?;
        if let Some(principal) = signers.principal(public.key_data()) {
            return Ok(principal.to_owned());
        }
    }
    let or_unknown = |name: whoami::Result<String>| name.unwrap_or_else(|_| String::from("unknown"));
    Ok(format!("{}@{}", or_unknown(whoami::username()), or_unknown(whoami::hostname())))
}

fn restore(date: NaiveDate, now: DateTime<Utc>) -> Result<Check, Failure> {
    let at = date.and_time(chrono::NaiveTime::MIN).and_utc();
    if at > now {
        return Err(Failure::usage("bad-date", format!("--restore-tested {date} lies in the future"), "give the day of the last restore"));
    }
    Ok(Check {
        name: String::from("restore"),
        level: Level::RestoreTested,
        result: String::from("a person says that it was restored"),
        at,
        command: None,
        output_sha256: None,
    })
}

/// 128 bits of the system's own chance.
fn nonce() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(hex::encode(bytes))
}

/// Writes a new file; what stands there stays.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = std::fs::File::options().write(true).create_new(true).open(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| Failure::usage("unwritable-file", format!("cannot write {}: {error}", path.display()), "give another name: --out FILE"))
}

/// What signs by hand.
fn command(out: &Path) -> String {
    format!("ssh-keygen -Y sign -f KEY -n {NAMESPACE} {}", quoted(&out.display().to_string()))
}

fn tell(global: &Global, console: &mut Console, predicate: &Predicate, out: &Path, signed: bool) -> std::io::Result<()> {
    // Whether a restore is too long ago is the gate's to say.
    let (level, backup, site) = (predicate.level(DateTime::<Utc>::MIN_UTC), &predicate.backup, &predicate.database);
    if global.format == Format::Json {
        let signature = signed.then(|| attested::signature_of(out).display().to_string());
        let sign_with = (!signed).then(|| command(out));
        let body = json!({"schema": 1, "attestation": out.display().to_string(), "signature": signature, "sign_with": sign_with, "level": level,
            "expires_at": predicate.expires_at, "statement": PREDICATE_TYPE});
        return writeln!(console.out, "{body}");
    }
    writeln!(console.out, "{}: {} of {} by {}, {}", out.display(), backup.label, site.engine, backup.tool.name(), level.name())?;
    let place = if site.address.is_empty() { String::new() } else { format!(" at {}", site.address) };
    writeln!(console.out, "for the database {}{place}; ended {}, may be used until {}", site.database, backup.stop.at, predicate.expires_at)?;
    if signed {
        writeln!(console.out, "signed for {}: {}", predicate.issuer, attested::signature_of(out).display())
    } else {
        writeln!(console.out, "not signed yet, for {}; this signs it:\n  {}", predicate.issuer, command(out))
    }
}
