//! What attestations are at hand, and which of them open the gate. In: flags, `[attestation]` of `migrate.toml`, the files there; the database. Out:
//! what the gate takes, or the one sentence that says why not.

use super::backup_tool::{self, NoEvidence, Place, limited};
use super::failure::Failure;
use crate::assess::Assessment;
use crate::backup::{Backup, Log, Refused, Tool, fit};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::gate::attestation::{Attestation, LIMIT, LookAgain, Now, Policy, Signers, Unfit, says};
use crate::gate::merge::AttestationStatus;
use crate::gate::{self, Consents, Step, wants_attestation};
use crate::migration::{Migration, Script};
use crate::observed::Observed;
use crate::observed::site::Site;
use crate::report::Entry;
use crate::run::{Interrupt, Locked, RunError};
use chrono::{DateTime, Utc};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What `up` takes besides.
#[derive(clap::Args, Clone, Debug, Default)]
#[group(skip)]
pub(super) struct Arguments {
    /// The attestation of a backup, its signature beside it as FILE.sig; may be given more than once
    #[arg(long, value_name = "FILE")]
    attestation: Vec<PathBuf>,
    /// Run without an attestation, where `[attestation]` of `migrate.toml` has `override = true`; the reason is recorded
    #[arg(long = "override", value_name = "REASON", conflicts_with = "attestation")]
    overriding: Option<String>,
}

/// An attestation's bytes and those of its signature.
struct Found {
    path: PathBuf,
    bytes: Vec<u8>,
    signature: Option<Vec<u8>>,
}

/// Where the signature of an attestation stands, as `ssh-keygen -Y sign` puts it.
pub(super) fn signature_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

/// Those who may sign; `None` where nobody said who.
pub(super) fn signers(policy: &Policy) -> Result<Option<Signers>, Failure> {
    let Some(path) = &policy.allowed_signers else { return Ok(None) };
    let help = "`migrate explain attestation` shows such a file";
    let bytes = limited(path, LIMIT).map_err(|error| Failure::usage("unreadable-file", format!("cannot read {}: {error}", path.display()), help))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage("bad-signers", format!("{} is no text", path.display()), help))?;
    let signers = Signers::read(&text).map_err(|error| Failure {
        path: Some(path.display().to_string()),
        line: u32::try_from(error.line).ok(),
        ..Failure::usage("bad-signers", format!("{}: {error}", path.display()), help)
    })?;
    Ok(Some(signers))
}

/// Why the gate stays shut though an attestation is there.
fn blocked(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    let help = "take a backup and attest it again: `migrate attest`; `migrate explain attestation` says what is looked at";
    Failure { exit: Exit::Blocked, path: Some(path.display().to_string()), ..Failure::usage("attestation-invalid", format!("{}: {why}", path.display()), help) }
}

/// Reads a plain file that is not reached by a link: what a link leads to may change between two looks.
fn plain(path: &Path) -> std::io::Result<Vec<u8>> {
    if !path.symlink_metadata()?.is_file() {
        return Err(std::io::Error::other("it is no plain file"));
    }
    limited(path, LIMIT)
}

fn read(path: &Path) -> std::io::Result<Found> {
    let bytes = plain(path)?;
    let signature = match plain(&signature_of(path)) {
        Ok(signature) => Some(signature),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(std::io::Error::other(format!("its signature: {error}"))),
    };
    Ok(Found { path: path.to_owned(), bytes, signature })
}

/// All of the folder, the newest name first; what is none, or cannot be read, is passed over: nobody asked for it by name.
fn in_directory(policy: &Policy) -> Vec<Found> {
    let Some(folder) = &policy.directory else { return Vec::new() };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect();
    paths.sort();
    paths.iter().rev().filter_map(|path| read(path).ok()).collect()
}

impl Found {
    fn verified(&self, signers: Option<&Signers>, now: DateTime<Utc>) -> Result<Attestation, Failure> {
        let signers = signers.ok_or_else(|| blocked(&self.path, &"nobody may sign: [attestation] of migrate.toml names no allowed-signers"))?;
        let missing = || blocked(&self.path, &format!("there is no signature {}", signature_of(&self.path).display()));
        let signature = self.signature.as_deref().ok_or_else(missing)?;
        Attestation::verified(&self.bytes, signature, signers, now).map_err(|unfit| blocked(&self.path, &unfit))
    }
}

/// What is at hand when files are judged without a database.
pub(super) struct AtHand<'a> {
    policy: &'a Policy,
    signers: Option<Signers>,
    found: Vec<Found>,
}

impl<'a> AtHand<'a> {
    /// Looks into the policy's folder.
    pub(super) fn new(policy: &'a Policy) -> Result<AtHand<'a>, Failure> {
        Ok(AtHand { policy, signers: signers(policy)?, found: in_directory(policy) })
    }

    /// The entry, with what is at hand taken into account.
    pub(super) fn weigh<'e>(&self, mut entry: Entry<'e>, policy: &gate::policy::Policy, has_downs: bool) -> Entry<'e> {
        let status = self.status(&entry.migration, &entry.assessment);
        entry.merge.attested(&entry.assessment, policy, has_downs, status);
        entry
    }

    /// How it stands with `migration`, as far as that shows offline.
    fn status(&self, migration: &Migration, assessment: &Assessment) -> AttestationStatus {
        if self.found.is_empty() || assessment.loss < crate::table::Loss::Possible {
            return AttestationStatus::Missing;
        }
        let (version, down) = (migration.version.as_str(), migration.down.as_ref().map(Script::sha256));
        let mut of_this = self.found.iter().filter(|found| says(&found.bytes, version, &migration.name)).peekable();
        if of_this.peek().is_none() {
            return AttestationStatus::Missing;
        }
        let now = Now { policy: self.policy, clock: Utc::now() };
        let fits = of_this.any(|found| {
            let verified = found.verified(self.signers.as_ref(), now.clock);
            verified.is_ok_and(|attestation| attestation.is_for(version, &migration.name, &migration.up.sha256(), down.as_deref(), now).is_ok())
        });
        if fits { AttestationStatus::Valid } else { AttestationStatus::Invalid }
    }
}

/// Adds to `consents` what opens the gate for those of `steps` that want an attestation.
pub(super) async fn add(
    arguments: &Arguments,
    policy: &Policy,
    interrupt: &Interrupt,
    locked: &mut Locked,
    steps: &[Step],
    observed: &Observed,
    consents: &mut Consents,
) -> anyhow::Result<()> {
    // A flag that does nothing today must not be taken for one that works.
    if arguments.overriding.is_some() && !policy.may_override {
        let help = "who may decide that writes `override = true` under [attestation] of migrate.toml";
        return Err(Failure { exit: Exit::Blocked, ..Failure::usage("override-denied", "the policy knows no --override", help) }.into());
    }
    if arguments.overriding.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
        return Err(Failure::usage("no-reason", "--override needs a reason", "say why, for who reads the history").into());
    }
    let wanting: Vec<&Step> = steps.iter().filter(|step| wants_attestation(step, observed)).collect();
    if wanting.is_empty() {
        return Ok(());
    }
    let unreadable = |path: &PathBuf, error: &std::io::Error| {
        Failure::usage("unreadable-file", format!("cannot read {}: {error}", path.display()), "give the attestation's own file, of at most 1 MiB")
    };
    let given = arguments.attestation.iter().map(|path| read(path).map_err(|error| unreadable(path, &error))).collect::<Result<Vec<_>, _>>()?;
    let signers = signers(policy)?;
    let named = !given.is_empty();
    let found = if named { given } else { in_directory(policy) };
    // Who may not ask where the server stands can still be told that there is none, or override that.
    if found.is_empty() || arguments.overriding.is_some() {
        return overridden(arguments, &wanting, consents);
    }
    let site = locked.site().await?;
    for step in wanting {
        let mut problem = None;
        for found in found.iter().filter(|found| named || says(&found.bytes, &step.version, &step.name)) {
            match accept(found, signers.as_ref(), policy, interrupt, locked, step, observed, &site).await? {
                Ok(accepted) => {
                    tracing::info!("{} lets {} {} run", found.path.display(), step.version, step.name);
                    consents.accepted.push(accepted);
                    problem = None;
                    break;
                }
                Err(failure) => problem = problem.or(Some(failure)),
            }
        }
        if let Some(failure) = problem {
            return Err(failure.into());
        }
    }
    Ok(())
}

/// Lets the steps run without an attestation, loudly.
fn overridden(arguments: &Arguments, wanting: &[&Step], consents: &mut Consents) -> anyhow::Result<()> {
    let Some(reason) = &arguments.overriding else { return Ok(()) };
    for Step { version, name, .. } in wanting {
        writeln!(std::io::stderr(), "WARNING: OVERRIDE: {version} {name} destroys data, and no backup is attested for it: {reason}")?;
    }
    consents.overriding = Some(reason.clone());
    Ok(())
}

/// Whether one attestation opens the gate for one step. What can be looked at is looked at again.
#[expect(clippy::too_many_arguments, reason = "the attestation, and all that it is held against")]
async fn accept(
    found: &Found,
    signers: Option<&Signers>,
    policy: &Policy,
    interrupt: &Interrupt,
    locked: &mut Locked,
    step: &Step,
    observed: &Observed,
    site: &Site,
) -> anyhow::Result<Result<crate::gate::attestation::Accepted, Failure>> {
    let accepted = found.verified(signers, site.clock).and_then(|attestation| {
        let (version, name) = (step.version.as_str(), step.name.as_str());
        let accepted = attestation.accept(version, name, &step.up_sha256, step.down_sha256.as_deref(), policy, site, &observed.history);
        accepted.map(|accepted| (attestation, accepted)).map_err(|unfit| blocked(&found.path, &unfit))
    });
    let (attestation, accepted) = match accepted {
        Ok(both) => both,
        Err(failure) => return Ok(Err(failure)),
    };
    let predicate = attestation.predicate();
    match again(&predicate.backup, predicate.log.as_ref(), interrupt, locked).await? {
        Ok(()) => Ok(Ok(accepted)),
        Err(NoEvidence::Refused(refused)) => Ok(Err(blocked(&found.path, &Unfit::Backup(refused)))),
        Err(NoEvidence::Interrupted(signal)) => Err(RunError::Interrupted(signal).into()),
        Err(unseen) if policy.look_again == LookAgain::Always => {
            Ok(Err(blocked(&found.path, &format!("the backup cannot be looked at again ({unseen}), and [attestation] has look-again = \"always\""))))
        }
        Err(unseen) => {
            writeln!(std::io::stderr(), "warning: {}: nobody looked again whether the backup is still there: {unseen}", found.path.display())?;
            Ok(Ok(accepted))
        }
    }
}

/// Looks at the backup, and at the server's own log, as they are now.
async fn again(backup: &Backup, log: Option<&Log>, interrupt: &Interrupt, locked: &mut Locked) -> anyhow::Result<Result<(), NoEvidence>> {
    if log.is_some()
        && let Some(why) = locked.archiver_fails().await?
    {
        return Ok(Err(Refused::new("archive", format!("does not grow: {why}")).into()));
    }
    let binlogs = locked.binlogs().await?;
    let place = Place {
        stanza: Some(backup.location.clone()),
        label: Some(backup.label.clone()),
        backup: Some(PathBuf::from(&backup.location)),
        archive: log.and_then(|log| log.location.as_ref()).map(PathBuf::from),
    };
    // The server itself tells of its binary logs, wherever the backup is.
    if let (Some(stop), Some(names)) = (&backup.stop.binlog, &binlogs) {
        let listing = crate::backup::Part {
            name: crate::backup::mariadb_backup::evidence::BINLOGS,
            source: String::from("SHOW BINARY LOGS"),
            bytes: names.join("\n").into_bytes(),
            at: Utc::now(),
        };
        if let Err(refused) = crate::backup::mariadb_backup::evidence::series(&listing, stop) {
            return Ok(Err(refused.into()));
        }
        if locked.engine() == Engine::Mariadb
            && let Err(refused) = fit::same_transactions(backup, locked.gtid_at(stop).await?.as_deref())
        {
            return Ok(Err(refused.into()));
        }
    }
    if backup.tool == Tool::Generic {
        return Ok(Err(NoEvidence::Unseen(String::from("no program tells of it"))));
    }
    let seen = match backup_tool::look(backup.tool, &place, binlogs.as_deref(), false, interrupt).await {
        Ok(seen) => seen,
        Err(error) => return Ok(Err(error)),
    };
    let site = locked.site().await?;
    let fits = || {
        if (&seen.backup.label, &seen.backup.start, &seen.backup.stop) != (&backup.label, &backup.start, &backup.stop) {
            return Err(Refused::new("backup", format!("is another one in {} by now: {}", backup.location, seen.backup.label)));
        }
        fit::same_server(&seen.claims, &site)?;
        fit::covers(&seen.backup, seen.log.as_ref(), &site)?;
        seen.log.as_ref().map_or(Ok(()), |log| fit::keeps_up(log, &site))
    };
    Ok(fits().map_err(NoEvidence::from))
}
