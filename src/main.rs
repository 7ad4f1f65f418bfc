//! Parse, run, turn the outcome into an exit code.

use std::process::ExitCode;
use unmigrate::cli;

fn main() -> ExitCode {
    let code = match std::thread::Builder::new().stack_size(cli::STACK).spawn(cli::main) {
        // What panicked has said so.
        Ok(thread) => thread.join().unwrap_or(101),
        Err(_) => cli::main(),
    };
    ExitCode::from(code)
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
