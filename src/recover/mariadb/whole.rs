//! The second server's data in the place of the live ones. In: what the live server says. Out: commands, and those that prove it.

use super::Story;
use super::side::{ask, command, holds, side_stopped, stopped};
use crate::pin::backquoted;
use crate::recover::runbook::{Command, quoted as shell};

/// The recovered data take the place of the live ones, which are kept.
pub(super) fn changed_over(story: &Story<'_>) -> Vec<Command> {
    let data = story.log.data_directory.trim_end_matches('/');
    let (live, kept) = (shell(data), shell(&format!("{data}.damaged-{}", story.applied.version)));
    let arguments = story.live.arguments.iter().map(|argument| shell(argument)).collect::<Vec<_>>().join(" ");
    let pid_file = shell(&story.live.pid_file);
    vec![
        command(story, "stop the second server; its data are ready", side_stopped(story), "nothing"),
        command(
            story,
            "stop every application, and then the live server; where a service runs it, through that",
            format!(
                "test ! -e {kept}\ntest -w \"$(dirname -- {live})\"\nmapfile -d '' -t server <\"/proc/$(cat {pid_file})/cmdline\"\n{}",
                stopped(story, &arguments, &pid_file)
            ),
            "nothing",
        ),
        command(
            story,
            "keep the damaged data, with the binary logs that stand among them, and put the recovered ones into their place",
            format!("mv -- {live} {kept}\nmv -- {} {live}", shell(&format!("{}/data", story.folder))),
            "nothing",
        ),
        command(
            story,
            "start it as it was started; where a service runs it, through that",
            String::from(
                "\"${server[@]}\" </dev/null >/dev/null 2>&1 &\n\
                 for try in $(seq 3600); do live -e 'SELECT 1' >/dev/null 2>&1 && break; kill -0 $!; sleep 1; done\nlive -e 'SELECT 1' >/dev/null",
            ),
            "nothing",
        ),
    ]
}

/// The live database is what it was at the pin.
pub(super) fn restored(story: &Story<'_>) -> Vec<Command> {
    let ran = format!("SELECT COUNT(*) FROM {} WHERE seq >= {}", story.history_table, story.applied.seq);
    let is = |what: &str, sql: &str, expect: &str| {
        command(story, what, format!("found=$({})\necho \"$found\"\ntest \"$found\" = {expect}", ask("live", sql)), expect)
    };
    let held = story.pin.destroys.iter().filter(|one| one.rows > 0).map(|one| holds(story, "live", one, &one.sql(backquoted), "the live database holds", None));
    held.chain([is("the migration has not run there", &ran, "0"), is("it writes a log", "SELECT @@log_bin", "1")]).collect()
}
