//! A connection that stays open beside a runner. In: statements, whenever a test likes. Out: their rows.

use crate::link::Link;
use crate::support::Database;
use tokio::runtime::{Builder, Runtime};

/// An open connection, and what drives it.
pub(super) struct Watch {
    runtime: Runtime,
    link: Link,
}

impl Watch {
    pub(super) fn on(database: &Database) -> Watch {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let link = runtime.block_on(Link::open(database)).expect("a connection");
        Watch { runtime, link }
    }

    /// The first cells of a question's rows.
    pub(super) fn query(&mut self, sql: &str) -> Vec<String> {
        let rows = self.runtime.block_on(self.link.rows(sql));
        rows.into_iter().filter_map(|row| row.into_iter().next()).collect()
    }

    pub(super) fn execute(&mut self, sql: &str) {
        self.runtime.block_on(self.link.execute(sql)).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Runs what may be refused.
    pub(super) fn attempt(&mut self, sql: &str) -> sqlx::Result<()> {
        self.runtime.block_on(self.link.execute(sql))
    }
}
