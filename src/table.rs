//! The reversibility table. One line is one kind of statement; one column is one database.
//!
//! A line says what a statement means before anything is known of the schema and of DOWN; the catalog and the pair UP/DOWN
//! finish the judgement (`assess`). To add a line: add it here and to the family's page in `fixtures/rules/`.

use crate::engine::Engine;
use Cell::{Absent, Decays, Definition, Depends, Destroys, Keeps, Moves, OneWay, Undo, UndoNew, Unseen};
use serde::Serialize;

/// Whether a migration can be undone. Worst wins, so the order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// After UP then DOWN, schema and data are what they were.
    Reversible,
    /// The way back has a reservation, and the report names it.
    Partial,
    /// UP destroys data that no DOWN can rebuild, or there is no way back as written.
    Irreversible,
}

impl Verdict {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Reversible => "reversible",
            Verdict::Partial => "partial",
            Verdict::Irreversible => "irreversible",
        }
    }
}

/// What data goes. Worst wins, so the order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Nothing.
    None,
    /// What was written since UP into what UP made goes with DOWN.
    WrittenSince,
    /// Depends on the values that stand there.
    Possible,
    /// Gone with UP.
    Certain,
}

impl Loss {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Loss::None => "none",
            Loss::WrittenSince => "written-since",
            Loss::Possible => "possible",
            Loss::Certain => "certain",
        }
    }
}

/// What one kind of statement means on one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// DOWN restores everything.
    Undo,
    /// DOWN restores what stood before; what was written since UP into what UP made goes with it.
    UndoNew,
    /// DOWN restores everything, but every application must move with it both times.
    Moves,
    /// DOWN restores everything where it rebuilds the definition that stood before and that is known; else unproved.
    Definition,
    /// DOWN restores everything until rows stand that only the new schema admits.
    Decays,
    /// Decided from the old and the new definition; where one is unknown the way back may fail or change values.
    Depends,
    /// UP itself destroys data.
    Destroys,
    /// No statement of this database takes it back.
    OneWay,
    /// Leaves nothing to undo.
    Keeps,
    /// What it does cannot be seen from its text.
    Unseen,
    /// This database has no such statement.
    Absent,
}

impl Cell {
    /// The verdict before schema and DOWN are known.
    pub fn verdict(self) -> Verdict {
        match self {
            Undo | UndoNew | Keeps | Definition => Verdict::Reversible,
            Moves | Decays | Depends | Unseen => Verdict::Partial,
            Destroys | OneWay | Absent => Verdict::Irreversible,
        }
    }

    /// The loss before schema and DOWN are known.
    pub fn loss(self) -> Loss {
        match self {
            Undo | Keeps | Definition | Moves | Decays | OneWay | Absent => Loss::None,
            UndoNew => Loss::WrittenSince,
            Depends | Unseen => Loss::Possible,
            Destroys => Loss::Certain,
        }
    }

    /// The cell in a few words, for the printed table.
    pub fn words(self) -> &'static str {
        match self {
            Undo => "reversible",
            UndoNew => "reversible (written since)",
            Moves => "partial (app must move)",
            Definition => "reversible if definition known",
            Decays => "partial (decays)",
            Depends => "partial (by definition)",
            Destroys => "irreversible",
            OneWay => "irreversible (no inverse)",
            Keeps => "nothing to undo",
            Unseen => "partial (unseen)",
            Absent => "–",
        }
    }
}

/// One line of the table.
pub struct Row {
    /// Stable code, never used again for something else.
    pub code: &'static str,
    /// Stable name in kebab case.
    pub name: &'static str,
    /// The kind of statement.
    pub kind: Kind,
    /// The page in `fixtures/rules/` that explains it.
    pub family: &'static str,
    /// One cell an engine, in the order of `engine::ENGINES`.
    pub cells: [Cell; 4],
    /// What DOWN cannot bring back, in a few words.
    pub beyond_down: &'static str,
    /// The family's page, whole.
    pub page: &'static str,
}

macro_rules! reversibility {
    ($($code:ident $name:literal $kind:ident $family:literal $sqlite:ident $postgres:ident $mysql:ident $mariadb:ident $beyond:literal;)*) => {
        /// A kind of statement, down to the action of an ALTER.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is explained by its line and its page")]
        pub enum Kind { $($kind),* }

        /// All lines, in the order of [`Kind`].
        pub const TABLE: &[Row] = &[$(Row {
            code: stringify!($code), name: $name, kind: Kind::$kind, family: $family,
            cells: [$sqlite, $postgres, $mysql, $mariadb], beyond_down: $beyond,
            page: include_str!(concat!("../fixtures/rules/", $family, ".md")),
        }),*];
    };
}

#[rustfmt::skip]
reversibility! {
//  code name                       Kind                family            SQLite     PostgreSQL MySQL      MariaDB    what DOWN cannot bring back
    T01 "create-table"              CreateTable         "create-table"    UndoNew    UndoNew    UndoNew    UndoNew    "rows written since UP";
    T02 "create-table-as"           CreateTableAs       "create-table"    UndoNew    UndoNew    UndoNew    UndoNew    "rows written since UP";
    T03 "create-temporary-table"    CreateTemporary     "create-table"    Keeps      Keeps      Keeps      Keeps      "nothing: it goes with the session";
    T04 "create-virtual-table"      CreateVirtual       "create-table"    UndoNew    UndoNew    Absent     Absent     "rows written since UP";
    T05 "drop-table"                DropTable           "drop-table"      Destroys   Destroys   Destroys   Destroys   "every row of the table";
    T06 "truncate-table"            Truncate            "truncate-table"  Absent     Destroys   Destroys   Destroys   "every row of the table";
    T07 "rename-table"              RenameTable         "rename-table"    Moves      Moves      Moves      Moves      "nothing";
    T08 "move-table"                MoveTable           "rename-table"    Absent     Moves      Moves      Moves      "nothing";
    T09 "table-option"              TableOption         "table-option"    Absent     Definition Definition Definition "the option's old value, where unknown";
    T10 "convert-charset"           ConvertCharset      "table-option"    Absent     Absent     Depends    Depends    "characters that the new set lacks";
    T11 "attach-partition"          AttachPartition     "partition"       Absent     Definition UndoNew    UndoNew    "where rows written since are kept";
    T12 "detach-partition"          DetachPartition     "partition"       Absent     Definition Definition Definition "the bounds, where unknown";
    T13 "drop-partition"            DropPartition       "partition"       Absent     Destroys   Destroys   Destroys   "every row of the partition";
    T14 "partition-scheme"          PartitionScheme     "partition"       Absent     Definition Definition Definition "the old scheme, where unknown";
    T15 "system-versioning"         SystemVersioning    "table-option"    Absent     Absent     Absent     Destroys   "the history rows";

    C01 "add-column"                AddColumn           "add-column"      UndoNew    UndoNew    UndoNew    UndoNew    "values written since UP";
    C02 "drop-column"               DropColumn          "drop-column"     Destroys   Destroys   Destroys   Destroys   "every value of the column";
    C03 "rename-column"             RenameColumn        "rename-column"   Moves      Moves      Moves      Moves      "nothing";
    C04 "change-column-type"        ChangeType          "column-type"     Absent     Depends    Depends    Depends    "what the new type cannot hold";
    C05 "add-column-default"        AddColumnDefault    "add-column"      UndoNew    UndoNew    UndoNew    UndoNew    "the default values set";
    C06 "add-column-required"       AddColumnRequired   "add-column"      UndoNew    UndoNew    UndoNew    UndoNew    "values written since UP";
    C07 "add-not-null"              SetNotNull          "not-null"        Undo       Undo       Undo       Undo       "nothing";
    C08 "drop-not-null"             DropNotNull         "not-null"        Decays     Decays     Decays     Decays     "the rule, once a NULL stands";
    C09 "set-default"               SetDefault          "default"         Definition Definition Definition Definition "the old default, where unknown";
    C10 "drop-default"              DropDefault         "default"         Definition Definition Definition Definition "the old default, where unknown";
    C11 "redefine-column"           RedefineColumn      "column-type"     Absent     Absent     Depends    Depends    "what the new definition leaves out";
    C12 "column-identity"           ColumnIdentity      "identity"        Absent     Definition Definition Definition "the sequence's position";
    C13 "column-option"             ColumnOption        "table-option"    Absent     Definition Definition Definition "the option's old value, where unknown";
    C14 "drop-expression"           DropExpression      "identity"        Absent     OneWay     OneWay     OneWay     "the rule that made the values";

    K01 "add-primary-key"           AddPrimaryKey       "add-constraint"  Absent     Undo       Undo       Undo       "nothing";
    K02 "add-unique"                AddUnique           "add-constraint"  Absent     Undo       Undo       Undo       "nothing";
    K03 "add-foreign-key"           AddForeignKey       "add-constraint"  Absent     Undo       Undo       Undo       "nothing";
    K04 "add-check"                 AddCheck            "add-constraint"  Undo       Undo       Undo       Undo       "nothing";
    K05 "add-exclusion"             AddExclusion        "add-constraint"  Absent     Undo       Absent     Absent     "nothing";
    K06 "drop-constraint"           DropConstraint      "drop-constraint" Decays     Decays     Decays     Decays     "the rule, once a row stands that breaks it";
    K07 "drop-primary-key"          DropPrimaryKey      "drop-constraint" Absent     Decays     Decays     Decays     "the key, once a duplicate stands";
    K08 "rename-constraint"         RenameConstraint    "rename-constraint" Absent   Undo       Undo       Undo       "nothing";
    K09 "validate-constraint"       ValidateConstraint  "rename-constraint" Absent   Keeps      Absent     Absent     "nothing";
    K10 "alter-constraint"          AlterConstraint     "rename-constraint" Absent   Definition Definition Definition "the old mode, where unknown";

    I01 "create-index"              CreateIndex         "create-index"    Undo       Undo       Undo       Undo       "nothing";
    I02 "create-unique-index"       CreateUniqueIndex   "create-index"    Undo       Undo       Undo       Undo       "nothing";
    I03 "drop-index"                DropIndex           "drop-index"      Definition Definition Definition Definition "the definition, where unknown";
    I04 "drop-unique-index"         DropUniqueIndex     "drop-index"      Decays     Decays     Decays     Decays     "the rule, once a duplicate stands";
    I05 "rename-index"              RenameIndex         "rename-index"    Absent     Undo       Undo       Undo       "nothing";
    I06 "index-option"              IndexOption         "rename-index"    Absent     Definition Definition Definition "the option's old value, where unknown";

    E01 "create-type"               CreateType          "create-type"     Absent     Undo       Absent     Absent     "nothing";
    E02 "drop-type"                 DropType            "drop-type"       Absent     Definition Absent     Absent     "the definition, where unknown";
    E03 "add-enum-value"            AddEnumValue        "enum-value"      Absent     OneWay     Absent     Absent     "the type without the label";
    E04 "rename-enum-value"         RenameEnumValue     "enum-value"      Absent     Moves      Absent     Absent     "nothing";
    E05 "alter-type"                AlterType           "create-type"     Absent     Definition Absent     Absent     "the old definition, where unknown";
    E06 "drop-attribute"            DropAttribute       "drop-type"       Absent     Destroys   Absent     Absent     "every value of the attribute";
    E07 "alter-domain"              AlterDomain         "create-type"     Absent     Definition Absent     Absent     "the old definition, where unknown";

    Q01 "create-sequence"           CreateSequence      "sequence"        Absent     Undo       Absent     Undo       "the position";
    Q02 "drop-sequence"             DropSequence        "sequence"        Absent     Depends    Absent     Depends    "the position";
    Q03 "alter-sequence"            AlterSequence       "sequence"        Absent     Definition Absent     Definition "the old options, where unknown";
    Q04 "set-sequence"              SetSequence         "sequence"        Depends    Depends    Depends    Depends    "the old position";

    V01 "create-view"               CreateView          "create-view"     Undo       Undo       Undo       Undo       "nothing";
    V02 "replace-view"              ReplaceView         "create-view"     Absent     Definition Definition Definition "the old body, where unknown";
    V03 "drop-view"                 DropView            "drop-view"       Definition Definition Definition Definition "the body and its grants, where unknown";
    V04 "refresh-view"              RefreshView         "create-view"     Absent     Keeps      Absent     Absent     "the earlier snapshot";
    V05 "alter-view"                AlterView           "create-view"     Absent     Definition Definition Definition "the old options, where unknown";

    F01 "create-routine"            CreateRoutine       "create-routine"  Absent     Undo       Undo       Undo       "nothing";
    F02 "replace-routine"           ReplaceRoutine      "create-routine"  Absent     Definition Absent     Definition "the old body, where unknown";
    F03 "drop-routine"              DropRoutine         "drop-routine"    Absent     Definition Definition Definition "the body and its grants, where unknown";
    F04 "alter-routine"             AlterRoutine        "create-routine"  Absent     Definition Definition Definition "the old attributes, where unknown";
    F05 "create-object"             CreateObject        "create-object"   Absent     Undo       Undo       Undo       "nothing";
    F06 "alter-object"              AlterObject         "create-object"   Absent     Definition Definition Definition "the old definition, where unknown";
    F07 "drop-object"               DropObject          "create-object"   Absent     Definition Definition Definition "the definition, where unknown";

    G01 "create-trigger"            CreateTrigger       "create-trigger"  Undo       Undo       Undo       Undo       "what it did to rows since UP";
    G02 "drop-trigger"              DropTrigger         "drop-trigger"    Definition Definition Definition Definition "the body, where unknown; what it would have done";
    G03 "toggle-trigger"            ToggleTrigger       "drop-trigger"    Absent     Definition Absent     Absent     "what it would have done";

    S01 "create-schema"             CreateSchema        "schema"          Absent     Undo       UndoNew    UndoNew    "objects made in it since UP";
    S02 "drop-schema"               DropSchema          "schema"          Absent     Definition Destroys   Destroys   "everything in it";
    S03 "create-database"           CreateDatabase      "schema"          Absent     UndoNew    UndoNew    UndoNew    "everything written since UP";
    S04 "drop-database"             DropDatabase        "schema"          Absent     Destroys   Destroys   Destroys   "everything in it";
    S05 "alter-schema"              AlterSchema         "schema"          Absent     Definition Definition Definition "the old setting, where unknown";
    S06 "create-extension"          CreateExtension     "extension"       Absent     Undo       Undo       Undo       "nothing";
    S07 "drop-extension"            DropExtension       "extension"       Absent     Definition Definition Definition "version and settings, where unknown";
    S08 "alter-extension"           AlterExtension      "extension"       Absent     OneWay     Absent     Absent     "the old version";

    P01 "grant"                     Grant               "grant"           Absent     Definition Definition Definition "whether the right was there before";
    P02 "revoke"                    Revoke              "grant"           Absent     Definition Definition Definition "the grantor and what hung on it";
    P03 "create-role"               CreateRole          "role"            Absent     Undo       Undo       Undo       "nothing";
    P04 "drop-role"                 DropRole            "role"            Absent     Depends    Depends    Depends    "password and memberships";
    P05 "alter-role"                AlterRole           "role"            Absent     Depends    Depends    Depends    "the old password or attribute";
    P06 "default-privileges"        DefaultPrivileges   "grant"           Absent     Definition Absent     Absent     "the old default, where unknown";
    P07 "create-policy"             CreatePolicy        "policy"          Absent     Undo       Absent     Absent     "nothing";
    P08 "alter-policy"              AlterPolicy         "policy"          Absent     Definition Absent     Absent     "the definition; what was seen meanwhile";
    P09 "row-security"              RowSecurity         "policy"          Absent     Definition Absent     Absent     "what was seen meanwhile";
    P10 "owner"                     Owner               "grant"           Absent     Definition Absent     Absent     "the old owner, where unknown";

    D01 "insert-rows"               Insert              "insert-rows"     UndoNew    UndoNew    UndoNew    UndoNew    "edits to those rows since UP";
    D02 "insert-select"             InsertSelect        "insert-rows"     UndoNew    UndoNew    UndoNew    UndoNew    "edits to those rows since UP";
    D03 "insert-or-ignore"          InsertIgnore        "insert-rows"     Depends    Depends    Depends    Depends    "which of the rows stood before";
    D04 "upsert-rows"               Upsert              "upsert-rows"     Destroys   Destroys   Destroys   Destroys   "the values overwritten";
    D05 "replace-rows"              Replace             "upsert-rows"     Destroys   Absent     Destroys   Destroys   "the rows replaced, and what hung on them";
    D06 "update-rows"               Update              "update-rows"     Destroys   Destroys   Destroys   Destroys   "the values overwritten";
    D07 "delete-rows"               Delete              "delete-rows"     Destroys   Destroys   Destroys   Destroys   "the deleted rows";
    D08 "merge-rows"                Merge               "upsert-rows"     Absent     Destroys   Absent     Absent     "the values overwritten";
    D09 "load-rows"                 Load                "insert-rows"     Absent     Depends    Depends    Depends    "which of the rows stood before";
    D10 "query"                     Query               "query"           Keeps      Keeps      Keeps      Keeps      "nothing";
    D11 "call"                      Call                "dynamic"         Unseen     Unseen     Unseen     Unseen     "whatever it does";
    D12 "dynamic-code"              Dynamic             "dynamic"         Absent     Unseen     Unseen     Unseen     "whatever it does";

    N01 "session-setting"           SessionSetting      "session"         Keeps      Keeps      Keeps      Keeps      "nothing: it goes with the session";
    N02 "disable-checks"            DisableChecks       "session"         Keeps      Keeps      Keeps      Keeps      "rows that entered unchecked";
    N03 "transaction"               Transaction         "session"         Keeps      Keeps      Keeps      Keeps      "nothing";
    N04 "maintenance"               Maintenance         "maintenance"     Keeps      Keeps      Keeps      Keeps      "nothing";
    N05 "comment"                   Comment             "comment"         Absent     Definition Definition Definition "the old text, where unknown";
    N06 "database-setting"          DatabaseSetting     "maintenance"     Definition Definition Definition Definition "the old value, where unknown";
    N07 "purge-logs"                PurgeLogs           "maintenance"     Absent     Absent     Destroys   Destroys   "point-in-time recovery";
    N08 "replication"               Replication         "replication"     Absent     Definition Definition Definition "changes that subscribers missed";
    N09 "drop-replication"          DropReplication     "replication"     Absent     OneWay     OneWay     OneWay     "the slot's position";
    N10 "client-command"            ClientCommand       "client-command"  Unseen     Unseen     Unseen     Unseen     "whatever it does";

    Z01 "not-understood"            NotUnderstood       "not-understood"  Unseen     Unseen     Unseen     Unseen     "unknown";
}

/// A rule that speaks of more than a statement's kind: of the whole migration, or of those who wait for it.
pub struct Check {
    /// Stable code, never used again for something else.
    pub code: &'static str,
    /// Stable name in kebab case.
    pub name: &'static str,
    /// The page in `fixtures/rules/` that explains it.
    pub family: &'static str,
    /// What it found, in a few words.
    pub what: &'static str,
    /// The family's page, whole.
    pub page: &'static str,
}

/// The family of the rules about locks and rewrites, which never change a verdict.
pub const LOCKS_FAMILY: &str = "locks";

macro_rules! checks {
    ($($id:ident $code:literal $name:literal $family:literal $what:literal;)*) => {
        #[expect(missing_docs, reason = "each is explained by its line and its page")]
        pub mod check {
            //! The rules that speak of a whole migration.
            use super::Check;
            $(pub const $id: &Check = &Check {
                code: $code, name: $name, family: $family, what: $what, page: include_str!(concat!("../fixtures/rules/", $family, ".md")),
            };)*
        }
        /// All rules that speak of a whole migration.
        pub const CHECKS: &[&Check] = &[$(check::$id),*];
    };
}

#[rustfmt::skip]
checks! {
    NO_DOWN                  "R01" "no-down"                  "round-trip" "UP changes something and DOWN is missing or does nothing";
    DOWN_FAILS               "R02" "down-fails"               "round-trip" "the database refuses DOWN right after UP";
    DOWN_INCOMPLETE          "R03" "down-incomplete"          "round-trip" "DOWN undoes less or something else than UP did";
    DOWN_DESTROYS            "R04" "down-destroys"            "round-trip" "DOWN removes or overwrites what stood before UP";
    DECAYS                   "R05" "decays"                   "round-trip" "DOWN works until a row stands that only the new schema admits";
    UNPROVED                 "R06" "unproved"                 "round-trip" "what stood before is not known, so DOWN cannot be compared with it";
    NO_EFFECT                "R07" "no-effect"                "round-trip" "UP and DOWN leave the database as it was";
    DUPLICATE                "R08" "duplicate-version"        "round-trip" "two migrations have one version, so no history can hold both";
    CLEARS                   "R09" "down-clears"              "round-trip" "DOWN deletes or overwrites rows written since, so that it can run";
    OLD_APPLICATION          "R10" "old-application"          "round-trip" "the application before UP may not work on the schema after it";
    TOO_NEW                  "R11" "newer-server"             "round-trip" "the stated release of the server does not have the statement yet";
    VOIDS_RECOVERY           "R12" "voids-recovery"           "round-trip" "what it writes stands in no log that a recovery plays";
    BLOCKING_INDEX           "L01" "blocking-index"           "locks"      "an index is built while writes wait";
    NOT_CONCURRENTLY         "L02" "not-concurrently"         "locks"      "its CONCURRENTLY form would take a weaker lock";
    VALIDATING               "L03" "validating-constraint"    "locks"      "a constraint reads every row while writes wait";
    NULL_SCAN                "L04" "validating-not-null"      "locks"      "NOT NULL reads every row while all wait";
    REWRITING_COLUMN         "L05" "rewriting-column"         "locks"      "a column's values are computed for every row while all wait";
    REWRITING_TYPE           "L06" "rewriting-type"           "locks"      "a change of type writes every row anew while all wait";
    BLOCKING_KEY             "L07" "blocking-key"             "locks"      "a key builds its index while all wait";
    CONCURRENTLY_WITH_OTHERS "L08" "concurrently-with-others" "locks"      "what cannot be in a transaction stands beside other statements";
    TABLE_COPIED             "L09" "table-copied"             "locks"      "the table is copied or rebuilt while writes wait";
    REWRITING_TABLE          "L10" "rewriting-table"          "locks"      "maintenance writes the table anew while all wait";
    LONG_TRANSACTION         "L11" "long-transaction"         "locks"      "one transaction stops writes and does long work";
    NO_LOCK_TIMEOUT          "L12" "no-lock-timeout"          "locks"      "it may wait for a lock for ever, and all others behind it";
}

impl Kind {
    /// This kind's line.
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// What this kind means on `engine`.
    pub fn cell(self, engine: Engine) -> Cell {
        self.row().cells[engine as usize]
    }
}

/// The line with this code or name, in any case.
pub fn find(code_or_name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.code.eq_ignore_ascii_case(code_or_name) || row.name.eq_ignore_ascii_case(code_or_name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_and_names_are_unique_and_rows_stand_in_the_order_of_kind() {
        let mut seen = HashSet::new();
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, at);
            assert!(seen.insert(row.code) && seen.insert(row.name), "{} {} twice", row.code, row.name);
            assert!(row.page.starts_with(&format!("# {}\n", row.family)), "the page of {} must start with its name", row.family);
            assert!(row.page.contains(row.name), "the page {} does not speak of {}", row.family, row.name);
        }
    }
}
