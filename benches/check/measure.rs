//! What a command costs. In: a command line. Out: user and system time, wall time and peak memory, as the operating system
//! counts them.
//!
//! Each command runs below a process of its own that does nothing else: what the system counts for the children of that one
//! is what the command took.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::ffi::OsStr;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The first argument of the process in between.
pub(crate) const HIDDEN: &str = "--measured";

/// What a command took.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    pub(crate) peak_kib: u64,
}

/// Runs `command` once, its output into a pipe.
pub(crate) fn cost<S: AsRef<OsStr>>(command: &[S]) -> Cost {
    let this = std::env::current_exe().expect("a running program has a path");
    let output = Command::new(this).arg(HIDDEN).args(command).stderr(Stdio::inherit()).output().expect("this program can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    let [cpu, wall, peak_kib] = numbers[..] else { panic!("the command failed: {text}") };
    Cost { cpu: Duration::from_micros(cpu), wall: Duration::from_micros(wall), peak_kib }
}

/// The process in between: runs `command`, throws its output away, and prints what it took.
#[expect(clippy::print_stdout, reason = "its output is what the benchmark reads")]
pub(crate) fn in_between(command: &[String]) {
    let start = Instant::now();
    let mut child = Command::new(&command[0]).args(&command[1..]).stdout(Stdio::piped()).spawn().expect("the command can be run");
    let mut pipe = child.stdout.take().expect("its output is a pipe");
    let mut buffer = vec![0; 1 << 16];
    while pipe.read(&mut buffer).expect("the pipe can be read") > 0 {}
    let status = child.wait().expect("the command ends");
    let wall = start.elapsed();
    assert!(matches!(status.code(), Some(0 | 1)), "{command:?} ended with {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system counts what children take");
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    println!("{cpu} {} {}", wall.as_micros(), usage.max_rss());
}
