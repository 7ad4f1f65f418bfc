//! The lock table. One line is one way in which a statement works on a table; one column is one database.
//!
//! A line is finer than a kind of the reversibility table: one `ADD COLUMN` only writes to the catalog, another rewrites every
//! row. `assess` finds the line from the statement and the catalog. PostgreSQL's and MariaDB's cells are run on a server by
//! `tests/servers/locks.rs`, MySQL's by `tests/unstable.sh`. What an older release did otherwise stands in a table of its own.

use crate::engine::Engine;
use crate::table::{Check, check};
use crate::target::{Release, Target};
use Lock::{
    AccessExclusive, Copied, Exclusive, Free, Inplace, InplaceBlocked, Instant, Metadata, RowExclusive, Rows, Share, ShareRowExclusive, ShareUpdateExclusive,
    Unknown, Writer,
};

/// What is held while a statement works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lock {
    /// No lock on a table.
    Free,
    /// PostgreSQL: writes of rows go on beside it.
    RowExclusive,
    /// PostgreSQL: as above, but no second one, and no other DDL.
    ShareUpdateExclusive,
    /// PostgreSQL: reads go on, writes wait.
    Share,
    /// PostgreSQL: as above, and no second one.
    ShareRowExclusive,
    /// PostgreSQL: as above, and nobody may lock a row.
    Exclusive,
    /// PostgreSQL: all wait, readers too.
    AccessExclusive,
    /// MySQL, MariaDB: only the rows that are written.
    Rows,
    /// MySQL, MariaDB: a short exclusive metadata lock.
    Metadata,
    /// MySQL, MariaDB: only the table's definition is written.
    Instant,
    /// MySQL, MariaDB: the engine does it while rows are written.
    Inplace,
    /// MySQL, MariaDB: the engine does it, and writes wait.
    InplaceBlocked,
    /// MySQL, MariaDB: rows are copied to a new table, and writes wait.
    Copied,
    /// SQLite: the one lock for writing that a whole database has.
    Writer,
    /// Not known.
    Unknown,
}

impl Lock {
    /// The word in reports; none where it is not known.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Free => "none",
            RowExclusive => "ROW EXCLUSIVE",
            ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Share => "SHARE",
            ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Exclusive => "EXCLUSIVE",
            AccessExclusive => "ACCESS EXCLUSIVE",
            Rows => "row locks",
            Metadata => "metadata lock",
            Instant => "INSTANT",
            Inplace => "INPLACE",
            InplaceBlocked => "INPLACE, writes blocked",
            Copied => "COPY, writes blocked",
            Writer => "database writer lock",
            Unknown => return None,
        })
    }

    /// Whether writes to the table wait for as long as the statement works.
    pub fn blocks_writes(self) -> bool {
        matches!(self, Share | ShareRowExclusive | Exclusive | AccessExclusive | InplaceBlocked | Copied)
    }

    /// Whether the statement waits for everybody at work on the table, and everybody who comes later waits for it: then it is the
    /// wait, and not the work, that stops a busy site.
    pub fn queues(self) -> bool {
        self.blocks_writes() || matches!(self, Metadata | Instant | Inplace)
    }
}

/// How much of the table is worked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Only the catalog, or the rows that the statement names.
    Little,
    /// Every row is read.
    Scan,
    /// Every row is written anew.
    Rewrite,
    /// Not known.
    Unknown,
}

/// What one way of working means on one database.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// The strongest lock on the table.
    pub lock: Lock,
    /// What is done under it.
    pub work: Work,
    /// It stops a busy site, and there is a form that does not.
    pub stops: bool,
}

const fn fact(lock: Lock, work: Work) -> Fact {
    let long = matches!(work, Work::Scan | Work::Rewrite);
    let blocks = matches!(lock, Share | ShareRowExclusive | Exclusive | AccessExclusive | InplaceBlocked | Copied);
    Fact { lock, work, stops: long && blocks }
}

const FREE: Fact = fact(Free, Work::Little);
const UNK: Fact = fact(Unknown, Work::Unknown);
const RE: Fact = fact(RowExclusive, Work::Little);
const SUE: Fact = fact(ShareUpdateExclusive, Work::Little);
const SUE_SCAN: Fact = fact(ShareUpdateExclusive, Work::Scan);
const SH_SCAN: Fact = fact(Share, Work::Scan);
const SRE: Fact = fact(ShareRowExclusive, Work::Little);
const SRE_SCAN: Fact = fact(ShareRowExclusive, Work::Scan);
const EX: Fact = fact(Exclusive, Work::Scan);
const AE: Fact = fact(AccessExclusive, Work::Little);
const AE_SCAN: Fact = fact(AccessExclusive, Work::Scan);
const AE_RW: Fact = fact(AccessExclusive, Work::Rewrite);
/// Short, but its CONCURRENTLY form takes less.
const AE_MORE: Fact = Fact { stops: true, ..AE };
const ROWS: Fact = fact(Rows, Work::Little);
const MDL: Fact = fact(Metadata, Work::Little);
const INST: Fact = fact(Instant, Work::Little);
const INPL: Fact = fact(Inplace, Work::Little);
const IN_SCAN: Fact = fact(Inplace, Work::Scan);
const IN_RW: Fact = fact(Inplace, Work::Rewrite);
const IN_BLR: Fact = fact(InplaceBlocked, Work::Rewrite);
const COPY: Fact = fact(Copied, Work::Rewrite);
const WR: Fact = fact(Writer, Work::Little);
const WR_SCAN: Fact = fact(Writer, Work::Scan);
const WR_RW: Fact = fact(Writer, Work::Rewrite);

/// One line of the lock table.
pub struct Line {
    /// The way of working.
    pub way: Way,
    /// One fact an engine, in the order of `engine::ENGINES`.
    pub facts: [Fact; 4],
    /// What PostgreSQL is told where the fact stops a busy site; MySQL and MariaDB have one rule for all.
    rule: Option<&'static Check>,
}

macro_rules! ways {
    ($($way:ident $rule:expr, $sqlite:ident $postgres:ident $mysql:ident $mariadb:ident $what:literal;)*) => {
        /// A way in which a statement works on a table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Way { $(#[doc = $what] $way),* }

        /// All lines, in the order of [`Way`].
        pub const LOCKS: &[Line] = &[$(Line { way: Way::$way, rule: $rule, facts: [$sqlite, $postgres, $mysql, $mariadb] }),*];
    };
}

const QUIET: Option<&Check> = None;
const INDEX: Option<&Check> = Some(check::BLOCKING_INDEX);
const LESS: Option<&Check> = Some(check::NOT_CONCURRENTLY);
const VALID: Option<&Check> = Some(check::VALIDATING);
const NULLS: Option<&Check> = Some(check::NULL_SCAN);
const COLUMN: Option<&Check> = Some(check::REWRITING_COLUMN);
const TYPE: Option<&Check> = Some(check::REWRITING_TYPE);
const KEY: Option<&Check> = Some(check::BLOCKING_KEY);
const UPKEEP: Option<&Check> = Some(check::REWRITING_TABLE);

#[rustfmt::skip]
ways! {
//  way               rule    SQLite  PostgreSQL MySQL MariaDB what it is
    NoTable           QUIET,  FREE    FREE     FREE    FREE    "No table is locked: settings, roles, types, routines.";
    NotKnown          QUIET,  UNK     UNK      UNK     UNK     "What it does cannot be seen.";
    Definition        QUIET,  WR      FREE     MDL     MDL     "A new table, view or routine: nobody can wait for it.";
    Reads             QUIET,  FREE    FREE     FREE    FREE    "A query: no write waits for it.";
    WritesRows        QUIET,  WR      RE       ROWS    ROWS    "Rows are written.";
    Truncate          QUIET,  WR      AE       MDL     MDL     "All rows go at once.";
    DropTable         QUIET,  WR      AE       MDL     MDL     "The table goes.";
    RenameTable       QUIET,  WR      AE       INST    INST    "The table gets another name or schema.";

    AddColumn         QUIET,  WR      AE       INST    INST    "A column that is NULL in old rows.";
    AddColumnConstant COLUMN, WR      AE       INST    INST    "A column whose value for old rows is one constant.";
    AddColumnPlaced   QUIET,  UNK     UNK      INST    INST    "Such a column, put before others.";
    AddColumnComputed COLUMN, WR      AE_RW    COPY    COPY    "A column whose value is computed and stored for each old row.";
    AddColumnVolatile COLUMN, UNK     AE_RW    COPY    INST    "A column whose default is called once a row.";
    AddColumnCounted  COLUMN, UNK     AE_RW    IN_BLR  IN_BLR  "A column that numbers the rows.";
    AddColumnUnique   KEY,    UNK     AE_SCAN  IN_RW   IN_RW   "A column with a key of its own.";
    AddColumnChecked  VALID,  WR_SCAN AE_SCAN  COPY    INST    "A column with a check that is put to every row.";
    DropColumn        QUIET,  WR_RW   AE       INST    INST    "The column goes.";
    RenameColumn      QUIET,  WR      AE       INST    INST    "The column gets another name.";
    ColumnCatalog     QUIET,  WR      AE       INST    INST    "A default, a comment, an identity: no row is looked at.";
    ColumnStatistics  QUIET,  FREE    SUE      FREE    FREE    "Statistics targets and options of a column.";
    StoredExpression  COLUMN, UNK     AE_RW    COPY    COPY    "Another expression for a stored column.";
    TypeCatalog       QUIET,  WR      AE       INPL    INST    "A type whose values are stored alike.";
    TypeAppended      QUIET,  WR      AE       INST    INST    "Labels at the end of an ENUM or SET.";
    TypeRewrite       TYPE,   UNK     AE_RW    COPY    COPY    "A type whose values are stored otherwise, or may not fit.";
    DropNotNull       QUIET,  WR      AE       IN_RW   IN_RW   "NULL is admitted.";
    SetNotNull        NULLS,  WR_SCAN AE_SCAN  IN_RW   IN_RW   "NULL is forbidden, and looked for in every row.";
    SetNotNullProved  NULLS,  WR_SCAN AE       IN_RW   IN_RW   "NULL is forbidden, and a valid check says that there is none.";

    AddKey            KEY,    UNK     AE_SCAN  IN_SCAN IN_SCAN "A unique or exclusion constraint that builds its index.";
    AddPrimaryKey     KEY,    UNK     AE_SCAN  IN_RW   IN_RW   "A primary key that builds its index.";
    AddKeyByIndex     QUIET,  UNK     AE       UNK     UNK     "A key that takes over an index.";
    AddForeignKey     VALID,  UNK     SRE_SCAN COPY    COPY    "A foreign key that is checked for every row.";
    AddForeignKeyOnly QUIET,  UNK     SRE      INPL    INPL    "A foreign key that looks at no old row.";
    AddCheck          VALID,  WR_SCAN AE_SCAN  COPY    COPY    "A check that is put to every row.";
    AddCheckOnly      QUIET,  WR      AE       INST    UNK     "A check that looks at no old row.";
    DropConstraint    QUIET,  WR      AE       INST    INST    "A constraint goes.";
    DropForeignKey    QUIET,  WR      AE       INPL    INST    "A foreign key goes.";
    DropPrimaryKey    QUIET,  UNK     AE       COPY    COPY    "The primary key goes.";
    RenameConstraint  QUIET,  UNK     AE       UNK     UNK     "A constraint gets another name or mode.";
    DomainRule        VALID,  UNK     SH_SCAN  UNK     UNK     "A rule of a domain is put to every row of the tables that hold it.";
    Validate          QUIET,  UNK     SUE_SCAN UNK     UNK     "A constraint is put to every row while they are written.";

    CreateIndex       INDEX,  WR_SCAN SH_SCAN  IN_SCAN IN_SCAN "An index is built.";
    CreateIndexBeside QUIET,  UNK     SUE_SCAN UNK     UNK     "An index is built CONCURRENTLY.";
    CreateIndexText   INDEX,  UNK     UNK      IN_BLR  IN_BLR  "A FULLTEXT or SPATIAL index is built.";
    DropIndex         LESS,   WR      AE_MORE  INPL    INPL    "An index goes.";
    DropIndexBeside   QUIET,  UNK     SUE      UNK     UNK     "An index goes CONCURRENTLY.";
    IndexCatalog      QUIET,  UNK     SUE      INPL    INST    "An index gets another name or option.";

    Trigger           QUIET,  WR      SRE      MDL     MDL     "A trigger is made, or turned on or off.";
    TableCatalog      QUIET,  WR      AE       INST    INST    "A view, a policy, an owner, a rule, a dropped trigger: definitions only.";
    TableOption       QUIET,  UNK     SUE      INPL    INST    "Storage parameters, comments.";
    TableRewrite      UPKEEP, UNK     AE_RW    COPY    COPY    "Another place, engine, character set or way of storing the table.";
    TableRebuild      UPKEEP, UNK     AE_RW    IN_RW   IN_RW   "The table is written anew in its own form.";
    Attach            QUIET,  UNK     SUE      INPL    IN_SCAN "A partition is added.";
    Detach            LESS,   UNK     AE_MORE  INPL    INPL    "A partition goes its own way.";
    DetachBeside      QUIET,  UNK     SUE      UNK     UNK     "A partition goes its own way CONCURRENTLY.";
    Refresh           LESS,   UNK     AE_RW    UNK     UNK     "A materialized view is filled anew.";
    RefreshBeside     QUIET,  UNK     EX       UNK     UNK     "A materialized view is filled anew CONCURRENTLY: readers do not wait.";
    Vacuum            UPKEEP, WR_RW   AE_RW    IN_RW   IN_RW   "VACUUM FULL, CLUSTER, OPTIMIZE TABLE.";
    Reindex           LESS,   WR_SCAN SH_SCAN  UNK     UNK     "Indexes are built anew.";
    Upkeep            QUIET,  WR      SUE      FREE    FREE    "VACUUM, ANALYZE, REINDEX CONCURRENTLY.";
}

/// What was another fact until a release, the oldest first (PostgreSQL, release notes of 11 and 12; MySQL manual, "Online DDL
/// Operations"; MariaDB manual, "InnoDB Online DDL Operations with the INSTANT Alter Algorithm").
#[rustfmt::skip]
const EARLIER: &[(Way, Engine, Release, Fact)] = &[
    (Way::AddColumnConstant, Engine::Postgres, Release(11, 0, 0),  AE_RW),
    (Way::SetNotNullProved,  Engine::Postgres, Release(12, 0, 0),  AE_SCAN),
    (Way::AddColumn,         Engine::Mysql,    Release(8, 0, 12),  IN_RW),
    (Way::AddColumnConstant, Engine::Mysql,    Release(8, 0, 12),  IN_RW),
    (Way::AddColumnPlaced,   Engine::Mysql,    Release(8, 0, 29),  IN_RW),
    (Way::DropColumn,        Engine::Mysql,    Release(8, 0, 29),  IN_RW),
    (Way::RenameColumn,      Engine::Mysql,    Release(8, 0, 28),  INPL),
    (Way::AddColumn,         Engine::Mariadb,  Release(10, 3, 2),  IN_RW),
    (Way::AddColumnConstant, Engine::Mariadb,  Release(10, 3, 2),  IN_RW),
    (Way::AddColumnPlaced,   Engine::Mariadb,  Release(10, 4, 0),  IN_RW),
    (Way::DropColumn,        Engine::Mariadb,  Release(10, 4, 0),  IN_RW),
];

impl Way {
    /// What this way means on `target`.
    pub fn fact(self, target: impl Into<Target>) -> Fact {
        let target = target.into();
        let earlier = EARLIER.iter().find(|(way, engine, until, _)| *way == self && *engine == target.engine && target.release() < *until);
        earlier.map_or(LOCKS[self as usize].facts[target.engine as usize], |(.., fact)| *fact)
    }

    /// The rule that speaks of it where it stops a busy site of `target`. SQLite has one writer in any case.
    pub fn rule(self, target: impl Into<Target>) -> Option<&'static Check> {
        let target = target.into();
        match target.engine {
            _ if !self.fact(target).stops => None,
            Engine::Sqlite => None,
            Engine::Postgres => LOCKS[self as usize].rule,
            Engine::Mysql | Engine::Mariadb => Some(check::TABLE_COPIED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_in_the_order_of_their_ways_and_what_stops_has_a_rule() {
        for (at, line) in LOCKS.iter().enumerate() {
            assert_eq!(line.way as usize, at);
            let stops = |engine: Engine| line.way.fact(engine).stops && line.way.rule(engine).is_none();
            // A refresh beside readers is the safe form itself.
            assert!(!stops(Engine::Postgres) || line.way == Way::RefreshBeside, "{:?} stops a busy site, and no rule says so", line.way);
        }
    }
}
