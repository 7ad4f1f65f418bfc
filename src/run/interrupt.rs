//! Ends a run early. In: a signal, from whoever hears it. Out: a flag that running statements are cancelled by.

use crate::exit::Exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::Notify;

/// What asked for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What a service manager sends.
    Terminate,
}

impl Signal {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
        }
    }

    /// The exit code of a run that it ended.
    pub fn exit(self) -> Exit {
        match self {
            Signal::Interrupt => Exit::Interrupted,
            Signal::Terminate => Exit::Terminated,
        }
    }
}

/// Whether a run is to end; every clone is the same one.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    signal: AtomicU8,
    raised: Notify,
}

impl Interrupt {
    /// Ends the run.
    pub fn raise(&self, signal: Signal) {
        self.0.signal.store(1 + signal as u8, Ordering::Relaxed);
        self.0.raised.notify_waiters();
    }

    /// What ended the run, if anything did.
    pub fn raised(&self) -> Option<Signal> {
        [None, Some(Signal::Interrupt), Some(Signal::Terminate)][usize::from(self.0.signal.load(Ordering::Relaxed))]
    }

    /// Waits until something ends the run.
    pub async fn wait(&self) -> Signal {
        loop {
            let raised = self.0.raised.notified();
            if let Some(signal) = self.raised() {
                return signal;
            }
            raised.await;
        }
    }
}
