//! sqlparser's tree to actions. In: one parsed statement. Out: what it does, or `None` for the statements whose words say it
//! better than the tree (`recognise` reads those).
//!
//! No arm is `_`: a statement that a newer sqlparser brings must not compile before somebody has decided about it.

mod alter;
mod column;
mod data;

use super::action::{Action, CreateTable, Index, Name, Op};
use super::{even, names};
use crate::engine::Engine;
use crate::table::Kind;
use sqlparser::ast::{self, Ident, ObjectName, ObjectNamePart, ObjectType, Statement};
use std::fmt::Display;

/// What is the same for all of a statement.
#[derive(Clone, Copy)]
pub(crate) struct Lower {
    pub(crate) engine: Engine,
}

pub(crate) fn action(kind: Kind, object: impl Into<String>, op: Op) -> Action {
    Action { kind, object: object.into(), op }
}

impl Lower {
    pub(crate) fn ident(self, ident: &Ident) -> Name {
        names::fold(&ident.value, ident.quote_style.is_some(), self.engine)
    }

    pub(crate) fn name(self, name: &ObjectName) -> Name {
        if let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() {
            return self.ident(ident);
        }
        let parts: Vec<Name> = name
            .0
            .iter()
            .map(|part| match part {
                ObjectNamePart::Identifier(ident) => self.ident(ident),
                ObjectNamePart::Function(function) => even::text(&function.to_string()),
            })
            .collect();
        names::join(&parts, self.engine)
    }

    pub(crate) fn idents(self, idents: &[Ident]) -> Vec<Name> {
        idents.iter().map(|i| self.ident(i)).collect()
    }

    pub(crate) fn ty(self, ty: &ast::DataType) -> String {
        even::ty(&ty.to_string(), self.engine)
    }

    /// What `statement` does; `None` where its words are to be read instead.
    pub(crate) fn statement(self, statement: &Statement) -> Option<Vec<Action>> {
        Some(match statement {
            Statement::CreateTable(create) => vec![self.create_table(create)],
            Statement::CreateIndex(create) => vec![self.create_index(create)],
            Statement::AlterTable(alter) => return self.alter_table(alter),
            Statement::RenameTable(renames) => renames.iter().map(|r| self.rename_table(self.name(&r.old_name), self.name(&r.new_name))).collect(),
            Statement::Drop { object_type, if_exists, names, cascade, restrict: _, purge: _, temporary, table } => {
                return self.drop(object_type, *if_exists, names, *cascade, *temporary, table.as_ref());
            }
            Statement::Truncate(truncate) => truncate
                .table_names
                .iter()
                .map(|target| {
                    let table = self.name(&target.name);
                    action(Kind::Truncate, table.clone(), Op::Truncate { table, cascade: matches!(truncate.cascade, Some(ast::CascadeOption::Cascade)) })
                })
                .collect(),
            Statement::Insert(insert) => vec![self.insert(insert)],
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => vec![self.merge(merge)],
            Statement::Query(query) => self.query(query),
            Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::Savepoint { .. }
            | Statement::ReleaseSavepoint { .. } => {
                vec![action(Kind::Transaction, "", Op::Nothing)]
            }
            // Their words say more than the tree does, or the tree has no place for all that they may say.
            Statement::Analyze(_)
            | Statement::Set(_)
            | Statement::Call(_)
            | Statement::Copy { .. }
            | Statement::CreateView(_)
            | Statement::CreateVirtualTable { .. }
            | Statement::CreateRole(_)
            | Statement::CreateServer(_)
            | Statement::CreatePolicy(_)
            | Statement::CreateOperator(_)
            | Statement::CreateOperatorFamily(_)
            | Statement::CreateOperatorClass(_)
            | Statement::CreateTextSearch(_)
            | Statement::AlterSchema(_)
            | Statement::AlterIndex { .. }
            | Statement::AlterView { .. }
            | Statement::AlterFunction(_)
            | Statement::AlterType(_)
            | Statement::AlterCollation(_)
            | Statement::AlterOperator(_)
            | Statement::AlterOperatorFamily(_)
            | Statement::AlterOperatorClass(_)
            | Statement::AlterTextSearch(_)
            | Statement::AlterRole { .. }
            | Statement::AlterPolicy(_)
            | Statement::AttachDatabase { .. }
            | Statement::DropFunction(_)
            | Statement::DropDomain(_)
            | Statement::DropProcedure { .. }
            | Statement::DropPolicy(_)
            | Statement::CreateExtension(_)
            | Statement::CreateCollation(_)
            | Statement::DropExtension(_)
            | Statement::DropOperator(_)
            | Statement::DropOperatorFamily(_)
            | Statement::DropOperatorClass(_)
            | Statement::Comment { .. }
            | Statement::CreateSchema { .. }
            | Statement::CreateDatabase { .. }
            | Statement::CreateFunction(_)
            | Statement::CreateTrigger(_)
            | Statement::DropTrigger(_)
            | Statement::CreateProcedure { .. }
            | Statement::Grant(_)
            | Statement::Revoke(_)
            | Statement::CreateSequence { .. }
            | Statement::CreateDomain(_)
            | Statement::CreateType { .. }
            | Statement::Pragma { .. }
            | Statement::CreateUser(_)
            | Statement::AlterUser(_)
            | Statement::Vacuum(_)
            | Statement::Reset(_)
            | Statement::Use(_)
            | Statement::Discard { .. }
            | Statement::Flush { .. }
            | Statement::Deallocate { .. }
            | Statement::Execute { .. }
            | Statement::Prepare { .. }
            | Statement::Kill { .. }
            | Statement::Explain { .. }
            | Statement::ExplainTable { .. }
            | Statement::Lock(_)
            | Statement::LockTables { .. }
            | Statement::UnlockTables
            | Statement::OptimizeTable { .. }
            | Statement::LISTEN { .. }
            | Statement::UNLISTEN { .. }
            | Statement::NOTIFY { .. }
            | Statement::LoadData { .. }
            | Statement::Declare { .. }
            | Statement::Fetch { .. }
            | Statement::Open(_)
            | Statement::Close { .. }
            | Statement::ShowFunctions { .. }
            | Statement::ShowVariable { .. }
            | Statement::ShowStatus { .. }
            | Statement::ShowVariables { .. }
            | Statement::ShowCreate { .. }
            | Statement::ShowColumns { .. }
            | Statement::ShowCatalogs { .. }
            | Statement::ShowDatabases { .. }
            | Statement::ShowProcessList { .. }
            | Statement::ShowSchemas { .. }
            | Statement::ShowCharset(_)
            | Statement::ShowObjects(_)
            | Statement::ShowTables { .. }
            | Statement::ShowViews { .. }
            | Statement::ShowCollation { .. } => return None,
            // Statements of other databases, which none of our engines has.
            Statement::Msck(_)
            | Statement::Install { .. }
            | Statement::Load { .. }
            | Statement::Directory { .. }
            | Statement::Case(_)
            | Statement::If(_)
            | Statement::While(_)
            | Statement::Raise(_)
            | Statement::CopyIntoSnowflake { .. }
            | Statement::CreateSecret { .. }
            | Statement::CreateConnector(_)
            | Statement::AlterConnector { .. }
            | Statement::AlterSession { .. }
            | Statement::AttachDuckDBDatabase { .. }
            | Statement::DetachDuckDBDatabase { .. }
            | Statement::DropSecret { .. }
            | Statement::DropConnector { .. }
            | Statement::CreateMacro { .. }
            | Statement::CreateStage { .. }
            | Statement::CreateFileFormat { .. }
            | Statement::CreateWarehouse(_)
            | Statement::Assert { .. }
            | Statement::Deny(_)
            | Statement::Cache { .. }
            | Statement::UNCache { .. }
            | Statement::Unload { .. }
            | Statement::List(_)
            | Statement::Put { .. }
            | Statement::Remove(_)
            | Statement::RaisError { .. }
            | Statement::Throw(_)
            | Statement::Print(_)
            | Statement::WaitFor(_)
            | Statement::Return(_)
            | Statement::ExportData(_) => return None,
        })
    }

    pub(crate) fn rename_table(self, from: Name, to: Name) -> Action {
        action(Kind::RenameTable, from.clone(), Op::RenameTable { from, to })
    }

    fn create_table(self, create: &ast::CreateTable) -> Action {
        let name = self.name(&create.name);
        let (mut columns, mut constraints, mut indexes) = (Vec::new(), Vec::new(), Vec::new());
        for definition in &create.columns {
            let (column, own) = self.column(definition);
            columns.push(column);
            constraints.extend(own);
        }
        for constraint in &create.constraints {
            self.table_constraint(&name, constraint, false, &mut constraints, &mut indexes);
        }
        let like = match &create.like {
            Some(ast::CreateTableLikeKind::Parenthesized(like) | ast::CreateTableLikeKind::Plain(like)) => Some(self.name(&like.name)),
            None => create.partition_of.as_ref().or(create.clone.as_ref()).or_else(|| create.inherits.as_ref().and_then(|i| i.first())).map(|n| self.name(n)),
        };
        let mut options = Vec::new();
        let mut option = |text: String| options.push(even::text(&text));
        if !matches!(create.table_options, ast::CreateTableOptions::None) {
            option(create.table_options.to_string());
        }
        if let Some(partition) = &create.partition_by {
            option(format!("partition by {partition}"));
        }
        if let (Some(of), Some(values)) = (&create.partition_of, &create.for_values) {
            option(format!("partition of {of} {values}"));
        }
        if let Some(parents) = &create.inherits {
            option(format!("inherits ({})", list(parents)));
        }
        if let Some(comment) = &create.comment {
            option(format!("comment {comment}"));
        }
        for (set, word) in [(create.without_rowid, "without rowid"), (create.strict, "strict"), (create.unlogged, "unlogged")] {
            if set {
                option(word.into());
            }
        }
        let temporary = create.temporary || names::is_temporary(&name, self.engine);
        let kind = match () {
            () if temporary => Kind::CreateTemporary,
            () if create.query.is_some() => Kind::CreateTableAs,
            () => Kind::CreateTable,
        };
        let table = CreateTable {
            name: name.clone(),
            if_not_exists: create.if_not_exists,
            or_replace: create.or_replace,
            temporary,
            columns,
            constraints,
            indexes,
            like,
            of_query: create.query.is_some(),
            options: options.join(" "),
        };
        action(kind, name, Op::CreateTable(Box::new(table)))
    }

    fn create_index(self, create: &ast::CreateIndex) -> Action {
        let table = self.name(&create.table_name);
        let schema = table.rsplit_once('.').map(|(schema, _)| schema);
        // An index stands in its table's schema, whatever is written.
        let name = create.name.as_ref().map(|n| match (schema, self.name(n)) {
            (Some(schema), name) if !name.contains('.') => format!("{schema}.{name}"),
            (_, name) => name,
        });
        let mut rest = Vec::new();
        let method = create.using.as_ref().map(|m| even::text(&m.to_string()));
        if let Some(method) = method.filter(|m| m != "btree" && m != "using btree") {
            rest.push(format!("using {}", method.trim_start_matches("using ")));
        }
        if !create.include.is_empty() {
            rest.push(format!("include({})", self.idents(&create.include).join(",")));
        }
        if create.nulls_distinct == Some(false) {
            rest.push("nulls not distinct".into());
        }
        if !create.with.is_empty() {
            rest.push(even::text(&format!("with ({})", list(&create.with))));
        }
        if let Some(predicate) = &create.predicate {
            rest.push(even::text(&format!("where {}", bare(predicate))));
        }
        if !create.index_options.is_empty() {
            rest.push(even::text(&list(&create.index_options)));
        }
        let index = Index {
            name: name.clone(),
            table: table.clone(),
            unique: create.unique,
            columns: create.columns.iter().map(|c| self.index_column(c)).collect(),
            rest: rest.join(" "),
        };
        let object = name.unwrap_or_else(|| format!("on {table}"));
        let kind = if create.unique { Kind::CreateUniqueIndex } else { Kind::CreateIndex };
        action(kind, object, Op::CreateIndex { index: Box::new(index), if_not_exists: create.if_not_exists, concurrently: create.concurrently })
    }

    /// A column or expression of an index, with what is not the default order.
    pub(crate) fn index_column(self, column: &ast::IndexColumn) -> String {
        let mut out = match bare(&column.column.expr) {
            ast::Expr::Identifier(ident) => self.ident(ident),
            expr => even::text(&expr.to_string()),
        };
        if let Some(class) = &column.operator_class {
            out = format!("{out} {}", self.name(class));
        }
        let ast::OrderByOptions { sort, nulls_first } = &column.column.options;
        let descending = match sort {
            // SQLite keeps the text of CREATE INDEX, ASC included.
            Some(ast::OrderBySort::Asc) if self.engine == Engine::Sqlite => {
                out.push_str(" asc");
                false
            }
            None | Some(ast::OrderBySort::Asc) => false,
            Some(ast::OrderBySort::Desc) => true,
            Some(ast::OrderBySort::Using(operator)) => {
                out = even::text(&format!("{out} using {operator}"));
                false
            }
        };
        if descending {
            out.push_str(" desc");
        }
        if let Some(first) = nulls_first.filter(|first| *first != descending) {
            out.push_str(if first { " nulls first" } else { " nulls last" });
        }
        out
    }

    fn drop(self, of: &ObjectType, if_exists: bool, names: &[ObjectName], cascade: bool, temporary: bool, table: Option<&ObjectName>) -> Option<Vec<Action>> {
        let each = |make: &dyn Fn(Name) -> Action| Some(names.iter().map(|n| make(self.name(n))).collect());
        match of {
            ObjectType::Table if temporary => each(&|name| action(Kind::CreateTemporary, name, Op::Nothing)),
            ObjectType::Table => each(&|name| action(Kind::DropTable, name.clone(), Op::DropTable { name, if_exists, cascade })),
            ObjectType::Index => {
                let table = table.map(|t| self.name(t));
                each(&|name| action(Kind::DropIndex, name.clone(), Op::DropIndex { table: table.clone(), name, if_exists, concurrently: false }))
            }
            ObjectType::Collation
            | ObjectType::View
            | ObjectType::MaterializedView
            | ObjectType::Schema
            | ObjectType::Database
            | ObjectType::Role
            | ObjectType::Sequence
            | ObjectType::Stage
            | ObjectType::Type
            | ObjectType::User
            | ObjectType::Stream
            | ObjectType::Warehouse => None,
        }
    }
}

/// `expr` without the parentheses around it.
pub(crate) fn bare(expr: &ast::Expr) -> &ast::Expr {
    match expr {
        ast::Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

pub(crate) fn list(items: &[impl Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
