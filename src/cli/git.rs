//! Which files a branch changed. In: a revision. Out: paths, as git knows them.

use super::failure::Failure;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files in `dir` that differ from where this branch left `revision`, or that git does not know yet; absolute paths.
pub(super) fn changed_since(dir: &Path, revision: &str) -> anyhow::Result<Vec<PathBuf>> {
    let git = |arguments: &[&str]| -> anyhow::Result<String> {
        let fail = |why: String| {
            Failure::usage(
                "git-failed",
                format!("`git {}` in {}: {why}", arguments.join(" "), dir.display()),
                "is this a git work tree, and the revision fetched (`git fetch`, `fetch-depth: 0`)?",
            )
        };
        let output = Command::new("git").arg("-C").arg(dir).args(arguments).output().map_err(|e| fail(e.to_string()))?;
        if !output.status.success() {
            return Err(fail(String::from_utf8_lossy(&output.stderr).trim().to_owned()).into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let base = git(&["merge-base", "--end-of-options", revision, "HEAD"])?;
    let changed = git(&["diff", "--name-only", "--relative", "--no-renames", "-z", base.trim(), "--", "."])?;
    let untracked = git(&["ls-files", "--others", "--exclude-standard", "-z", "--", "."])?;
    let dir = dir.canonicalize()?;
    Ok(changed.split('\0').chain(untracked.split('\0')).filter(|p| !p.is_empty()).map(|p| dir.join(p)).collect())
}
