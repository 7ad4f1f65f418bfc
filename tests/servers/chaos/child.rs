//! The binary as a child process. In: arguments. Out: what it said, and how it ended.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, pipe2};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

/// Between two looks, in milliseconds.
const LOOK: u8 = 5;

/// A pipe's page, and the most that one read gives.
const PAGE: usize = 4096;

/// How a child ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit code; 128 and the signal's number where it was killed.
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ended {
    /// All that it said.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Panics unless it ended with `code` and said all of `words`.
    pub(super) fn expect(self, code: i32, words: &[&str]) -> Ended {
        let missing: Vec<&&str> = words.iter().filter(|word| !self.text().contains(**word)).collect();
        assert!(self.code == code && missing.is_empty(), "expected exit {code} and {missing:?}: {self:#?}");
        self
    }
}

/// A running child. Its standard error is a pipe that holds one piece of text at a time: until that is read, the child waits with
/// the next. So a line that was read tells what it is at, and never what it has long done.
pub(super) struct Child {
    process: std::process::Child,
    pipe: File,
    /// What was read of standard error.
    pub(super) stderr: String,
    /// How much of it was looked at.
    seen: usize,
    stdout: File,
}

/// `migrate` on the database at `url`, with the files of `folder`.
pub(super) fn migrate(url: &str, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    command.args(arguments).arg("--dir").arg(folder).arg("--database").arg(url);
    command
}

impl Child {
    pub(super) fn start(mut command: Command) -> Child {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC | OFlag::O_DIRECT).expect("a pipe");
        fcntl(&writer, FcntlArg::F_SETPIPE_SZ(PAGE as i32)).expect("a pipe of one page");
        let stdout = tempfile::tempfile().expect("a file");
        let writes = stdout.try_clone().expect("a handle");
        command.stdin(Stdio::null()).stdout(writes).stderr(writer).env("TERM", "dumb");
        let process = command.spawn().expect("the binary starts");
        // The command holds our end of the writer, and while that is open the pipe has no end.
        drop(command);
        Child { process, pipe: File::from(reader), stderr: String::new(), seen: 0, stdout }
    }

    /// The next whole line of standard error; `None` at its end.
    pub(super) fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.stderr[self.seen..].find('\n') {
                let line = self.stderr[self.seen..self.seen + end].to_owned();
                self.seen += end + 1;
                return Some(line);
            }
            if !self.read() {
                return None;
            }
        }
    }

    /// Reads lines until `wanted` says yes; `None` where the child ended first.
    pub(super) fn until(&mut self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        std::iter::from_fn(|| self.line()).find(|line| wanted(line))
    }

    /// Reads lines until one holds `words`.
    pub(super) fn until_said(&mut self, words: &str) -> String {
        let line = self.until(|line| line.contains(words));
        line.unwrap_or_else(|| panic!("it never said {words:?}: {}", self.stderr))
    }

    /// Reads one piece; `false` at the end.
    fn read(&mut self) -> bool {
        let mut ready = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
        let came = poll(&mut ready, PollTimeout::try_from(PATIENCE).expect("some minutes")).expect("a pipe can be polled");
        assert!(came > 0, "the child has said nothing for {PATIENCE:?} after: {}", self.stderr);
        let mut piece = [0; PAGE];
        let size = self.pipe.read(&mut piece).expect("a readable pipe");
        self.stderr.push_str(&String::from_utf8_lossy(&piece[..size]));
        size > 0
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id().try_into().expect("a process number")), signal).expect("it is our child, and not waited for yet");
    }

    /// Kills it for good.
    pub(super) fn kill(self) -> Ended {
        self.signal(Signal::SIGKILL);
        self.end()
    }

    /// Waits a time, during which it may end; then kills it.
    pub(super) fn kill_after(mut self, pause: Duration) -> Ended {
        let until = Instant::now() + pause;
        self.reads_until(|| Instant::now() >= until);
        self.kill()
    }

    /// Looks again and again whether `done` is; `false` where the child ended first.
    pub(super) fn reads_until(&mut self, mut done: impl FnMut() -> bool) -> bool {
        let started = Instant::now();
        while !done() {
            assert!(started.elapsed() < PATIENCE, "it did not come in {PATIENCE:?}: {}", self.stderr);
            // Its standard error must be emptied meanwhile, else it would wait for us.
            let mut ready = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
            let came = poll(&mut ready, PollTimeout::from(LOOK)).expect("a pipe can be polled");
            if came > 0 && !self.read() {
                return done();
            }
        }
        true
    }

    /// Waits for its end.
    pub(super) fn end(mut self) -> Ended {
        while self.read() {}
        let status = self.process.wait().expect("our child");
        let mut stdout = String::new();
        self.stdout.rewind().and_then(|()| self.stdout.read_to_string(&mut stdout)).expect("text");
        Ended { code: code(status), stdout, stderr: self.stderr }
    }
}

/// Runs it to its end.
pub(super) fn run(command: Command) -> Ended {
    Child::start(command).end()
}

fn code(status: ExitStatus) -> i32 {
    status.code().or(status.signal().map(|signal| 128 + signal)).expect("it ended one way or the other")
}
