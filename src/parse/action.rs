//! What a statement does, in the few words that the catalog and the judgement need. In: nothing. Out: plain values.
//!
//! sqlparser's tree ends here: `lower` turns it into these, `recognise` does so for what sqlparser cannot read. Names are
//! folded as the engine folds them (see `names`), expressions are text with white space and keyword case made even.

use crate::table::Kind;

/// A folded name. Objects of PostgreSQL outside `public` keep their schema: `audit.log`.
pub type Name = String;

/// One thing that a statement does: an ALTER TABLE with three parts makes three.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Its line of the reversibility table.
    pub kind: Kind,
    /// What it is done to, for people: `users.email`, `idx_users_email`.
    pub object: String,
    /// What it does to the catalog and to rows.
    pub op: Op,
}

/// A column in full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Folded name.
    pub name: Name,
    /// The type with length and precision, aliases resolved (`int4` is `integer`); empty where none is given.
    pub ty: String,
    /// `NOT NULL` is written, or follows from what is written (a primary key, serial).
    pub not_null: bool,
    /// The default's expression.
    pub default: Option<String>,
    /// The expression of a generated column, with its mode.
    pub generated: Option<String>,
    /// `identity always`, `identity by default`, `serial` or `auto_increment`: the database hands out values.
    pub identity: Option<String>,
    /// Collation and character set.
    pub collation: Option<String>,
    /// The comment written in the definition (MySQL, MariaDB).
    pub comment: Option<String>,
    /// Any other attribute (`on update current_timestamp`, `invisible`), in order.
    pub other: Vec<String>,
    /// What in it the engine does not accept, in a few words.
    pub faulty: Option<String>,
}

/// Why SQLite refuses a default that is computed and stands in no brackets (manual, "CREATE TABLE", section 3.2).
pub(super) const BARE_DEFAULT: &str = "a default that is computed must stand in brackets";

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "field names speak in SQL's own words")]
pub enum Rule {
    /// No two rows alike, none null.
    PrimaryKey(Vec<Name>),
    /// No two rows alike.
    Unique(Vec<Name>),
    /// Each row points at one of another table; the rest is `on delete …`, `on update …`, `deferrable …`.
    ForeignKey { columns: Vec<Name>, target: Name, target_columns: Vec<Name>, actions: String },
    /// An expression that must not be false.
    Check(String),
    /// An exclusion constraint, as text.
    Exclude(String),
}

/// A constraint with the name that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// The written name; the catalog gives one where there is none, as the engine would.
    pub name: Option<Name>,
    /// What it demands.
    pub rule: Rule,
    /// `NOT VALID` or `NOT ENFORCED`: rows that stand are not looked at.
    pub not_valid: bool,
    /// The index that it takes over (`USING INDEX`).
    pub using_index: Option<Name>,
    /// How it is held, as even text: `nulls not distinct`, `include(a)`, `deferrable`, `no inherit`, `not enforced`, `on conflict replace`.
    pub mode: String,
}

impl Constraint {
    /// Whether rows that stand are not looked at when it is made.
    pub(crate) fn looks_at_no_row(&self) -> bool {
        self.not_valid || self.mode.contains(NOT_ENFORCED)
    }
}

/// The attribute of a column that holds the name of its NOT NULL, where PostgreSQL would give it another one.
pub(crate) const NOT_NULL_NAMED: &str = "not null named";

/// The words of a constraint that nobody holds rows against.
pub(crate) const NOT_ENFORCED: &str = "not enforced";

/// An index in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The written name; the catalog gives one where there is none, as the engine would.
    pub name: Option<Name>,
    /// Its table.
    pub table: Name,
    /// `UNIQUE`.
    pub unique: bool,
    /// Its columns or expressions with order and operator class, in order.
    pub columns: Vec<String>,
    /// Method, predicate, included columns and all else, as even text; empty for a plain one.
    pub rest: String,
}

/// The classes of objects that are held whole, as a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Class {
    View,
    MaterializedView,
    Type,
    Domain,
    Sequence,
    Routine,
    Trigger,
    Schema,
    Extension,
    Policy,
    Role,
    Event,
    Rule,
    /// Anything else that has a name: aggregates, operators, casts, collations, publications, statistics, …
    Other,
}

impl Class {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Class::View => "view",
            Class::MaterializedView => "materialized view",
            Class::Type => "type",
            Class::Domain => "domain",
            Class::Sequence => "sequence",
            Class::Routine => "routine",
            Class::Trigger => "trigger",
            Class::Schema => "schema",
            Class::Extension => "extension",
            Class::Policy => "policy",
            Class::Role => "role",
            Class::Event => "event",
            Class::Rule => "rule",
            Class::Other => "object",
        }
    }
}

/// A value that is written to a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A literal, NULL and TRUE included, as even text.
    Literal(String),
    /// The value of a column of the same row (or, in INSERT … SELECT, of the row read).
    Column(Name),
    /// A column's value put through something that keeps it apart from every other value (a widening or text cast).
    Cast(Name, String),
    /// Anything else.
    Computed(String),
}

impl Value {
    /// The column that it is read from.
    pub fn read(&self) -> Option<&str> {
        match self {
            Value::Column(name) | Value::Cast(name, _) => Some(name),
            Value::Literal(_) | Value::Computed(_) => None,
        }
    }
}

/// Columns, each with the literals that one of its values must be.
pub type Picks = Vec<(Name, Vec<String>)>;

/// Which rows a statement touches.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every row.
    All,
    /// Rows in which each of the columns holds one of its literals.
    Literals(Picks),
    /// Rows in which one of the columns is null.
    AnyNull(Vec<Name>),
    /// Rows that an expression picks; the text is even.
    Other(String),
}

/// What to do with a row whose key stands already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Fail.
    Fail,
    /// Leave the old one.
    Ignore,
    /// Change the old one.
    Update,
    /// Delete the old one.
    Replace,
}

/// Where the rows of an INSERT come from.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "what each is stands at its variant")]
pub enum Rows {
    /// Written out, at most [`MAX_ROWS`]; beyond that `Unknown`.
    Written(Vec<Vec<Value>>),
    /// One plain table, each value in turn; `whole` where every row is taken once.
    Copied { from: Name, values: Vec<Value>, whole: bool },
    /// Something else.
    Unknown,
}

/// Rows of an INSERT that are kept for comparison with DOWN.
pub const MAX_ROWS: usize = 2_000;

/// What an ALTER COLUMN changes.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "what each is stands at its variant")]
pub enum ColumnChange {
    /// Forbid NULL.
    SetNotNull,
    /// Admit NULL.
    DropNotNull,
    /// Set the default.
    SetDefault(String),
    /// Remove the default.
    DropDefault,
    /// Change the type; `using` is the conversion as written.
    SetType { ty: String, using: Option<String>, collation: Option<String> },
    /// Begin to hand out values.
    AddIdentity(String),
    /// Hand them out in another mode.
    SetIdentity(String),
    /// Stop doing so.
    DropIdentity { if_exists: bool },
    /// Stop computing the value.
    DropExpression,
    /// Any other attribute, by name (`storage`, `statistics`, `compression`).
    Attribute(String, String),
}

/// What an action does to the catalog and to rows.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "field names speak in SQL's own words")]
pub enum Op {
    CreateTable(Box<CreateTable>),
    DropTable {
        name: Name,
        if_exists: bool,
        cascade: bool,
    },
    RenameTable {
        from: Name,
        to: Name,
    },
    AddColumn {
        table: Name,
        column: Box<Column>,
        constraints: Vec<Constraint>,
        if_not_exists: bool,
    },
    DropColumn {
        table: Name,
        column: Name,
        if_exists: bool,
        cascade: bool,
    },
    RenameColumn {
        table: Name,
        from: Name,
        to: Name,
    },
    AlterColumn {
        table: Name,
        column: Name,
        change: ColumnChange,
    },
    /// MODIFY and CHANGE state the whole definition anew.
    RedefineColumn {
        table: Name,
        from: Name,
        column: Box<Column>,
    },
    AddConstraint {
        table: Name,
        constraint: Box<Constraint>,
    },
    DropConstraint {
        table: Name,
        which: Dropped,
        if_exists: bool,
        cascade: bool,
    },
    ValidateConstraint {
        table: Name,
        name: Name,
    },
    RenameConstraint {
        table: Name,
        from: Name,
        to: Name,
    },
    CreateIndex {
        index: Box<Index>,
        if_not_exists: bool,
        concurrently: bool,
    },
    DropIndex {
        table: Option<Name>,
        name: Name,
        if_exists: bool,
        concurrently: bool,
    },
    RenameIndex {
        table: Option<Name>,
        from: Name,
        to: Name,
    },
    /// `on` is the table of a trigger, policy or rule, whose names are unique within it on PostgreSQL.
    CreateObject {
        class: Class,
        name: Name,
        on: Option<Name>,
        definition: String,
        or_replace: bool,
        if_not_exists: bool,
    },
    DropObject {
        class: Class,
        name: Name,
        on: Option<Name>,
        if_exists: bool,
        cascade: bool,
    },
    RenameObject {
        class: Class,
        from: Name,
        to: Name,
    },
    AddEnumValue {
        ty: Name,
        label: String,
        place: String,
        if_not_exists: bool,
    },
    RenameEnumValue {
        ty: Name,
        from: String,
        to: String,
    },
    /// An attribute of an object that is held by name: owner, comment, storage option, row security, a grant, a trigger's
    /// state. `None` takes it away.
    SetAttribute {
        object: String,
        attribute: String,
        value: Option<String>,
    },
    Insert {
        table: Name,
        columns: Vec<Name>,
        rows: Rows,
        conflict: OnConflict,
    },
    Update {
        table: Name,
        set: Vec<(Name, Value)>,
        filter: Filter,
    },
    Delete {
        table: Name,
        filter: Filter,
    },
    Truncate {
        table: Name,
        cascade: bool,
    },
    /// Leaves nothing in the database: a setting of the session, a constant query, maintenance.
    Nothing,
    /// Turns off what checks rows, for the statements that follow.
    DisableChecks,
    /// Changes something, but nobody can see what.
    Unseen,
}

/// How DROP CONSTRAINT names what it drops.
#[derive(Clone, Debug, PartialEq)]
pub enum Dropped {
    /// By name, whatever it is.
    Named(Name),
    /// The primary key.
    PrimaryKey,
    /// A foreign key by name (MySQL, MariaDB).
    ForeignKey(Name),
}

/// A table as written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateTable {
    /// Folded name.
    pub name: Name,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `OR REPLACE` (MariaDB).
    pub or_replace: bool,
    /// Goes with the session.
    pub temporary: bool,
    /// Its columns; unknown where `of_query`.
    pub columns: Vec<Column>,
    /// Its constraints, those written beside a column included.
    pub constraints: Vec<Constraint>,
    /// Its indexes written inside (MySQL, MariaDB).
    pub indexes: Vec<Index>,
    /// `LIKE`, `PARTITION OF`, `INHERITS`: the table whose columns it takes.
    pub like: Option<Name>,
    /// `AS SELECT`: the columns are not written.
    pub of_query: bool,
    /// Engine, partitioning, storage and all else, as even text.
    pub options: String,
}
