//! How does an action work on its table? In: the action, its statement's words, the catalog before it. Out: a line of the lock
//! table, and the table.

use super::change;
use crate::engine::Engine;
use crate::lock_table::Way;
use crate::parse::Statement;
use crate::parse::action::{Action, Class, ColumnChange, Constraint, CreateTable, Dropped, Index, Name, Op, Rule};
use crate::schema::catalog::{Catalog, Entry, Key, Leaning};
use crate::table::Kind;

pub(super) fn way(catalog: &Catalog, statement: &Statement, action: &Action) -> (Way, Option<Name>) {
    match gentlest(catalog, statement, action) {
        // The statement asks for the slow way.
        (_, Some(table)) if catalog.engine.is_mysql_like() && asks_for_copy(statement) => (Way::TableRewrite, Some(table)),
        found => found,
    }
}

/// Whether the statement says `ALGORITHM = COPY`.
fn asks_for_copy(statement: &Statement) -> bool {
    let mut words = statement.words();
    words.any(|word| word.eq_ignore_ascii_case(b"algorithm")) && words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"copy"))
}

fn gentlest(catalog: &Catalog, statement: &Statement, action: &Action) -> (Way, Option<Name>) {
    let on = |way: Way, table: &Name| (way, Some(table.clone()));
    match &action.op {
        Op::CreateTable(create) if catalog.engine == Engine::Postgres => made_beside(create),
        Op::CreateTable(_) => (Way::Definition, None),
        Op::DropTable { name, .. } => on(Way::DropTable, name),
        Op::RenameTable { from, .. } => on(Way::RenameTable, from),
        Op::AddColumn { table, column, constraints, .. } => {
            let placed = catalog.engine.is_mysql_like() && (statement.says("first") || statement.says("after"));
            on(change::added(catalog, column, constraints, placed), table)
        }
        Op::DropColumn { table, .. } => on(Way::DropColumn, table),
        Op::RenameColumn { table, .. } => on(Way::RenameColumn, table),
        Op::AlterColumn { table, column, change } => on(altered(catalog, table, column, change), table),
        Op::RedefineColumn { table, from, column } => on(change::redefined(catalog.table(table).map(|t| &**t), from, column), table),
        Op::AddConstraint { table, constraint } => on(constrained(catalog, table, constraint), table),
        Op::DropConstraint { table, which, .. } => on(released(catalog, table, which), table),
        Op::RenameConstraint { table, .. } => on(Way::RenameConstraint, table),
        Op::CreateIndex { index, concurrently, .. } => on(indexed(index, *concurrently), &index.table),
        Op::DropIndex { table, name, concurrently, .. } => {
            let table = table.clone().or_else(|| table_of_index(catalog, name));
            (if *concurrently { Way::DropIndexBeside } else { Way::DropIndex }, table)
        }
        Op::RenameIndex { table, from, .. } => (Way::IndexCatalog, table.clone().or_else(|| table_of_index(catalog, from))),
        Op::CreateObject { class: Class::Trigger, on: table, .. } => (Way::Trigger, table.clone()),
        Op::CreateObject { class: Class::Policy | Class::Rule, on: table, .. } => (Way::TableCatalog, table.clone()),
        Op::CreateObject { class: Class::View, name, or_replace: true, .. } => on(Way::TableCatalog, name),
        Op::CreateObject { class: Class::Other, definition, .. } if ["create publication", "create statistics"].iter().any(|w| definition.starts_with(w)) => {
            (Way::TableOption, None)
        }
        Op::CreateObject { .. } => (Way::Definition, None),
        Op::DropObject { class: Class::Trigger | Class::Policy | Class::Rule, on: table, .. } => (Way::TableCatalog, table.clone()),
        Op::DropObject { class: Class::View | Class::MaterializedView, name, .. } => on(Way::TableCatalog, name),
        Op::RenameObject { class: Class::View | Class::MaterializedView, from, .. } => on(Way::TableCatalog, from),
        Op::RenameObject { class: Class::Trigger | Class::Policy | Class::Rule, .. } => (Way::TableCatalog, None),
        Op::DropObject { .. } | Op::RenameObject { .. } | Op::AddEnumValue { .. } | Op::RenameEnumValue { .. } => (Way::NoTable, None),
        Op::SetAttribute { object, attribute, value } => set(catalog, statement, action, object, attribute, value.as_deref()),
        Op::Insert { table, .. } | Op::Update { table, .. } | Op::Delete { table, .. } => on(Way::WritesRows, table),
        Op::Truncate { table, .. } => on(Way::Truncate, table),
        Op::ValidateConstraint { table, .. } => on(Way::Validate, table),
        Op::Nothing => nothing(statement, action),
        Op::DisableChecks => (Way::NoTable, None),
        Op::Unseen => (Way::NotKnown, None),
    }
}

/// PostgreSQL: the new table is nobody's, but what it belongs to, or points at, is locked.
fn made_beside(create: &CreateTable) -> (Way, Option<Name>) {
    let target = |c: &Constraint| if let Rule::ForeignKey { target, .. } = &c.rule { Some(target.clone()) } else { None };
    match &create.like {
        Some(whole) if create.options.starts_with("partition of") => (Way::TableCatalog, Some(whole.clone())),
        Some(parent) if create.options.contains("inherits") => (Way::TableOption, Some(parent.clone())),
        _ => match create.constraints.iter().find_map(target).filter(|target| *target != create.name) {
            Some(target) => (Way::AddForeignKeyOnly, Some(target)),
            None => (Way::Definition, None),
        },
    }
}

/// The table of an index, where index names are unique in their schema.
fn table_of_index(catalog: &Catalog, index: &str) -> Option<Name> {
    match catalog.get(&Key::IndexTable(index.to_owned())) {
        Some(Entry::Text(table)) => Some(table.to_string()),
        _ => None,
    }
}

fn altered(catalog: &Catalog, table: &str, column: &str, change: &ColumnChange) -> Way {
    let held = catalog.table(table).map(|t| &**t);
    match change {
        ColumnChange::SetNotNull if change::proved_not_null(held, column) => Way::SetNotNullProved,
        ColumnChange::SetNotNull => Way::SetNotNull,
        ColumnChange::DropNotNull => Way::DropNotNull,
        ColumnChange::SetType { ty, using, collation: _ } => {
            let old = held.and_then(|t| t.column(column)).filter(|c| !c.assumed).map(|c| &*c.def);
            change::type_set(catalog, column, old, ty, using.as_deref())
        }
        ColumnChange::Attribute(name, _) if name == "expression" => Way::StoredExpression,
        ColumnChange::Attribute(name, _) if !matches!(name.as_str(), "storage" | "compression" | "position") => Way::ColumnStatistics,
        ColumnChange::Attribute(..)
        | ColumnChange::SetDefault(_)
        | ColumnChange::DropDefault
        | ColumnChange::AddIdentity(_)
        | ColumnChange::SetIdentity(_)
        | ColumnChange::DropIdentity { .. }
        | ColumnChange::DropExpression => Way::ColumnCatalog,
    }
}

fn constrained(catalog: &Catalog, table: &str, constraint: &Constraint) -> Way {
    let columns_forbid_null =
        |columns: &[Name]| columns.iter().all(|c| catalog.table(table).and_then(|t| t.column(c).map(|c| c.def.not_null)).unwrap_or(false));
    let index = constraint.using_index.as_ref().and_then(|index| catalog.table(table)?.indexes.iter().find(|i| i.name == *index)?.def.as_ref());
    match &constraint.rule {
        // The key forbids NULL, which reads every row unless the column does so already.
        Rule::PrimaryKey(_) if constraint.using_index.is_some() && index.is_none_or(|i| columns_forbid_null(&i.columns)) => Way::AddKeyByIndex,
        Rule::PrimaryKey(_) => Way::AddPrimaryKey,
        Rule::Unique(_) if constraint.using_index.is_some() => Way::AddKeyByIndex,
        Rule::Unique(_) | Rule::Exclude(_) => Way::AddKey,
        // InnoDB then copies nothing, and looks at no row.
        Rule::ForeignKey { .. } if constraint.looks_at_no_row() || catalog.engine.is_mysql_like() && catalog.checks_off => Way::AddForeignKeyOnly,
        Rule::ForeignKey { .. } => Way::AddForeignKey,
        Rule::Check(_) if constraint.looks_at_no_row() => Way::AddCheckOnly,
        Rule::Check(_) => Way::AddCheck,
    }
}

fn released(catalog: &Catalog, table: &str, which: &Dropped) -> Way {
    let rule = |name: &str| catalog.table(table)?.constraints.iter().find(|c| c.name == name)?.rule.clone();
    match which {
        Dropped::PrimaryKey => Way::DropPrimaryKey,
        Dropped::ForeignKey(_) => Way::DropForeignKey,
        Dropped::Named(name) => match rule(name) {
            Some(Rule::PrimaryKey(_)) => Way::DropPrimaryKey,
            Some(Rule::ForeignKey { .. }) => Way::DropForeignKey,
            Some(Rule::Unique(_)) if catalog.engine.is_mysql_like() => Way::DropIndex,
            _ => Way::DropConstraint,
        },
    }
}

fn indexed(index: &Index, concurrently: bool) -> Way {
    match () {
        () if concurrently => Way::CreateIndexBeside,
        () if ["fulltext", "spatial"].iter().any(|word| index.rest.starts_with(word)) => Way::CreateIndexText,
        () => Way::CreateIndex,
    }
}

fn set(catalog: &Catalog, statement: &Statement, action: &Action, object: &Name, attribute: &str, value: Option<&str>) -> (Way, Option<Name>) {
    let mysql = catalog.engine.is_mysql_like();
    let way = match action.kind {
        Kind::TableOption if mysql => match attribute {
            "row_format" | "key_block_size" | "force" => Way::TableRebuild,
            // The engine that it has already: the usual way to defragment.
            "engine" if value == Some("innodb") => Way::TableRebuild,
            "engine" | "system versioning" | "encryption" | "tablespace" => Way::TableRewrite,
            // The default for columns to come.
            "character set" | "collation" => Way::TableOption,
            _ => Way::TableOption,
        },
        Kind::TableOption => match attribute {
            "unlogged" | "tablespace" | "access method" => Way::TableRewrite,
            "replica identity" | "type" => Way::TableCatalog,
            other if other.starts_with("inherits ") => Way::TableCatalog,
            _ => Way::TableOption,
        },
        Kind::ConvertCharset | Kind::SystemVersioning => Way::TableRewrite,
        Kind::PartitionScheme if mysql => Way::TableRewrite,
        Kind::AttachPartition => Way::Attach,
        Kind::DetachPartition | Kind::DropPartition if statement.says("concurrently") => Way::DetachBeside,
        Kind::DetachPartition | Kind::DropPartition => Way::Detach,
        Kind::RowSecurity | Kind::AlterPolicy | Kind::AlterView => Way::TableCatalog,
        Kind::Owner if catalog.table(object).is_some() => Way::TableCatalog,
        Kind::AlterConstraint | Kind::AlterObject if !mysql && matches!(attribute, "mode" | "enforcement" | "inheritance" | "rule state") => {
            return (Way::TableCatalog, object.rsplit_once('.').map(|(table, _)| table.to_owned()));
        }
        Kind::AlterDomain => return domain(catalog, object, attribute, value),
        Kind::ToggleTrigger => return (Way::Trigger, object.rsplit_once('.').map(|(table, _)| table.to_owned())),
        Kind::IndexOption => return (Way::IndexCatalog, table_of_index(catalog, object)),
        Kind::Comment if mysql => Way::TableOption,
        Kind::Comment if attribute == "comment" && catalog.table(object).is_some() => Way::TableOption,
        Kind::SetSequence if mysql => Way::TableOption,
        _ => return (Way::NoTable, None),
    };
    (way, Some(object.clone()))
}

/// A rule of a domain is put to the rows of each table that holds it; one of them stands for all.
fn domain(catalog: &Catalog, domain: &Name, attribute: &str, value: Option<&str>) -> (Way, Option<Name>) {
    let rule = attribute.starts_with("constraint") && value.is_some_and(|text| !text.ends_with("not valid") && !text.starts_with("was "));
    if !(rule || attribute == "not null" && value.is_some()) {
        return (Way::NoTable, None);
    }
    let holds = |table: &Name| catalog.table(table).is_some_and(|t| t.columns.iter().any(|c| c.def.ty == *domain));
    let leaning = catalog.leaning(domain);
    let table = leaning.iter().find_map(|who| if let Leaning::Table(table) = who { Some(table) } else { None }.filter(|table| holds(table)));
    match table {
        None if catalog.get(&Key::Object(Class::Domain, domain.clone(), None)).is_some() => (Way::NoTable, None),
        table => (Way::DomainRule, table.cloned()),
    }
}

/// Statements that leave nothing to undo.
fn nothing(statement: &Statement, action: &Action) -> (Way, Option<Name>) {
    let object = Some(action.object.clone()).filter(|o| !o.is_empty());
    match action.kind {
        Kind::Maintenance => (maintained(statement), object),
        Kind::RefreshView => (if statement.says("concurrently") { Way::RefreshBeside } else { Way::Refresh }, object),
        Kind::Query => (Way::Reads, None),
        _ => (Way::NoTable, None),
    }
}

fn maintained(statement: &Statement) -> Way {
    let first = statement.text.split_whitespace().next().unwrap_or("").to_ascii_lowercase();
    match first.as_str() {
        "vacuum" if statement.says("full") => Way::Vacuum,
        "cluster" | "optimize" => Way::Vacuum,
        "reindex" if !statement.says("concurrently") => Way::Reindex,
        "alter" if statement.says("force") => Way::TableRebuild,
        "alter" => Way::NotKnown,
        _ => Way::Upkeep,
    }
}
