//! Statements on rows: INSERT, UPDATE, DELETE, MERGE and queries that change something.

use super::{Lower, action, bare};
use crate::engine::Engine;
use crate::parse::action::{Action, CreateTable, Filter, MAX_ROWS, Name, OnConflict, Op, Rows, Value};
use crate::parse::even;
use crate::parse::functions::is_harmless;
use crate::table::Kind;
use sqlparser::ast::{self, Expr, SelectItem, SetExpr, TableFactor, TableObject, TableWithJoins, Visit, Visitor};
use std::ops::ControlFlow;

/// What the functions of a query mean, worst last.
#[derive(PartialEq, PartialOrd)]
enum Calls {
    Harmless,
    Session,
    Sequence(String),
    Unknown,
}

impl Visitor for Calls {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            let name = function.name.0.last().map(|part| part.to_string().trim_matches('"').to_ascii_lowercase()).unwrap_or_default();
            let found = match name.as_str() {
                "set_config" => Calls::Session,
                "setval" | "nextval" => Calls::Sequence(even::text(&function.args.to_string()).split(['\'']).nth(1).unwrap_or("").to_owned()),
                name if is_harmless(name) => Calls::Harmless,
                _ => Calls::Unknown,
            };
            if found > *self {
                *self = found;
            }
        }
        ControlFlow::Continue(())
    }
}

impl Lower {
    /// The table that a FROM item names, with its alias, past sqlparser's reading of `ONLY t` as a table `ONLY` named `t`.
    fn table_of(self, factor: &TableFactor) -> Option<(Name, Option<Name>)> {
        let TableFactor::Table { name, alias, .. } = factor else { return None };
        let alias = alias.as_ref().map(|a| self.ident(&a.name));
        let found = self.name(name);
        match alias {
            Some(table) if matches!(found.as_str(), "only" | "ignore") => Some((table, None)),
            alias => Some((found, alias)),
        }
    }

    /// What `expr` writes; `plain` where column names mean columns of the row at hand.
    fn value(self, expr: &Expr, plain: bool) -> Value {
        let text = || even::text(&bare(expr).to_string());
        match bare(expr) {
            Expr::Value(_) => Value::Literal(text()),
            Expr::UnaryOp { expr, .. } if matches!(**expr, Expr::Value(_)) => Value::Literal(text()),
            Expr::TypedString(_) => Value::Literal(text()),
            Expr::Identifier(ident) if plain => Value::Column(self.ident(ident)),
            // SQLite and MySQL read "x" as a string where no column has that name.
            Expr::Identifier(ident) if ident.quote_style == Some('"') && self.engine != Engine::Postgres => Value::Literal(format!("'{}'", ident.value)),
            Expr::CompoundIdentifier(idents) if plain => idents.last().map_or_else(|| Value::Computed(text()), |i| Value::Column(self.ident(i))),
            Expr::Cast { expr, data_type, .. } => match self.value(expr, plain) {
                Value::Literal(text) => Value::Literal(text),
                Value::Column(column) => Value::Cast(column, self.ty(data_type)),
                Value::Cast(..) | Value::Computed(_) => Value::Computed(text()),
            },
            _ => Value::Computed(text()),
        }
    }

    pub(crate) fn filter(self, selection: Option<&Expr>) -> Filter {
        let Some(selection) = selection else { return Filter::All };
        let mut found = Vec::new();
        if self.literals(selection, &mut found) {
            return if found.is_empty() { Filter::All } else { Filter::Literals(found) };
        }
        let mut nulls = Vec::new();
        if self.nulls(selection, &mut nulls) {
            return Filter::AnyNull(nulls);
        }
        Filter::Other(even::text(&selection.to_string()))
    }

    /// Reads `a IS NULL OR b IS NULL` into `found`; false where anything else stands there.
    fn nulls(self, expr: &Expr, found: &mut Vec<Name>) -> bool {
        match bare(expr) {
            Expr::BinaryOp { left, op: ast::BinaryOperator::Or, right } => self.nulls(left, found) && self.nulls(right, found),
            Expr::IsNull(inner) => match self.value(inner, true) {
                Value::Column(column) => {
                    found.push(column);
                    true
                }
                Value::Literal(_) | Value::Cast(..) | Value::Computed(_) => false,
            },
            _ => false,
        }
    }

    /// Reads `a = 1 AND b IN (2, 3)` into `found`; false where anything else stands there.
    fn literals(self, expr: &Expr, found: &mut Vec<(Name, Vec<String>)>) -> bool {
        let literal = |expr: &Expr| match self.value(expr, false) {
            Value::Literal(text) if text != "null" => Some(text),
            Value::Literal(_) | Value::Column(_) | Value::Cast(..) | Value::Computed(_) => None,
        };
        match bare(expr) {
            Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => self.literals(left, found) && self.literals(right, found),
            Expr::BinaryOp { left, op: ast::BinaryOperator::Eq, right } => match (self.value(left, true), literal(right)) {
                (Value::Column(column) | Value::Cast(column, _), Some(text)) => {
                    found.push((column, vec![text]));
                    true
                }
                // `1 = 1` and its like pick every row.
                (Value::Literal(one), Some(other)) => one == other,
                _ => false,
            },
            Expr::InList { expr, list, negated: false } => {
                let values: Option<Vec<String>> = list.iter().map(literal).collect();
                match (self.value(expr, true), values) {
                    (Value::Column(column), Some(values)) => {
                        found.push((column, values));
                        true
                    }
                    _ => false,
                }
            }
            Expr::Value(value) => matches!(value.value, ast::Value::Boolean(true)),
            _ => false,
        }
    }

    pub(crate) fn insert(self, insert: &ast::Insert) -> Action {
        let table = match &insert.table {
            TableObject::TableName(name) => self.name(name),
            TableObject::TableFunction(function) => even::text(&function.to_string()),
            TableObject::TableQuery(query) => even::text(&query.to_string()),
        };
        let mut columns: Vec<Name> = insert.columns.iter().map(|c| self.name(c)).collect();
        let rows = if insert.assignments.is_empty() {
            insert.source.as_ref().map_or(Rows::Unknown, |query| self.rows(query))
        } else {
            columns = insert.assignments.iter().map(|a| even::text(&a.target.to_string())).collect();
            Rows::Written(vec![insert.assignments.iter().map(|a| self.value(&a.value, false)).collect()])
        };
        let conflict = match (&insert.on, &insert.or) {
            _ if insert.replace_into => OnConflict::Replace,
            _ if insert.ignore => OnConflict::Ignore,
            (Some(ast::OnInsert::DuplicateKeyUpdate(_)), _) => OnConflict::Update,
            (Some(ast::OnInsert::OnConflict(on)), _) => match on.action {
                ast::OnConflictAction::DoNothing => OnConflict::Ignore,
                ast::OnConflictAction::DoUpdate(_) => OnConflict::Update,
            },
            (_, Some(ast::SqliteOnConflict::Replace)) => OnConflict::Replace,
            (_, Some(ast::SqliteOnConflict::Ignore)) => OnConflict::Ignore,
            _ => OnConflict::Fail,
        };
        let kind = match (conflict, &rows) {
            (OnConflict::Replace, _) => Kind::Replace,
            (OnConflict::Update, _) => Kind::Upsert,
            (OnConflict::Ignore, _) => Kind::InsertIgnore,
            (OnConflict::Fail, Rows::Written(_)) => Kind::Insert,
            (OnConflict::Fail, Rows::Copied { .. } | Rows::Unknown) => Kind::InsertSelect,
        };
        if self.engine == Engine::Sqlite && columns.contains(&table) {
            // A command to a full-text table: `INSERT INTO words (words) VALUES ('delete-all')`.
            return action(Kind::Call, table, Op::Unseen);
        }
        action(kind, table.clone(), Op::Insert { table, columns, rows, conflict })
    }

    fn rows(self, query: &ast::Query) -> Rows {
        let plain = query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
        match &*query.body {
            SetExpr::Values(values) if values.rows.len() <= MAX_ROWS => {
                Rows::Written(values.rows.iter().map(|row| row.content.iter().map(|e| self.value(e, false)).collect()).collect())
            }
            SetExpr::Select(select) if plain => self.select_rows(select),
            SetExpr::Select(_)
            | SetExpr::Values(_)
            | SetExpr::Query(_)
            | SetExpr::SetOperation { .. }
            | SetExpr::Insert(_)
            | SetExpr::Update(_)
            | SetExpr::Delete(_)
            | SetExpr::Merge(_)
            | SetExpr::Table(_) => Rows::Unknown,
        }
    }

    fn select_rows(self, select: &ast::Select) -> Rows {
        let grouped = !matches!(&select.group_by, ast::GroupByExpr::Expressions(by, _) if by.is_empty());
        if select.distinct.is_some() || grouped || select.having.is_some() {
            return Rows::Unknown;
        }
        let values: Option<Vec<Value>> = select
            .projection
            .iter()
            .map(|item| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(self.value(expr, true)),
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => Some(Value::Column("*".into())),
                SelectItem::ExprWithAliases { .. } => None,
            })
            .collect();
        let Some(values) = values else { return Rows::Unknown };
        match select.from.as_slice() {
            // `INSERT … SELECT 1, 'a'`: one row, written out.
            [] if select.selection.is_none() => Rows::Written(vec![values]),
            [TableWithJoins { relation, joins }] if joins.is_empty() => match self.table_of(relation) {
                Some((from, _)) => Rows::Copied { from, values, whole: self.filter(select.selection.as_ref()) == Filter::All },
                None => Rows::Unknown,
            },
            _ => Rows::Unknown,
        }
    }

    pub(crate) fn update(self, update: &ast::Update) -> Vec<Action> {
        let alone = update.from.is_none() && update.table.joins.is_empty() && update.limit.is_none();
        let mut tables: Vec<(Name, Option<Name>)> = self.table_of(&update.table.relation).into_iter().collect();
        tables.extend(update.table.joins.iter().filter_map(|j| self.table_of(&j.relation)));
        let Some(main) = tables.first().cloned() else { return vec![action(Kind::Update, "", Op::Unseen)] };
        let filter = if alone { self.filter(update.selection.as_ref()) } else { Filter::Other(even::text(&format!("{update}"))) };
        let mut sets: Vec<(Name, Vec<(Name, Value)>)> = Vec::new();
        for assignment in &update.assignments {
            let (targets, single) = match &assignment.target {
                ast::AssignmentTarget::ColumnName(name) => (std::slice::from_ref(name), true),
                ast::AssignmentTarget::Tuple(names) => (names.as_slice(), false),
            };
            for target in targets {
                let parts: Vec<Name> = target.0.iter().map(|p| p.as_ident().map_or_else(|| even::text(&p.to_string()), |i| self.ident(i))).collect();
                let Some((column, owner)) = parts.split_last() else { continue };
                let table = match owner.last() {
                    Some(owner) => tables.iter().find(|(name, alias)| alias.as_ref() == Some(owner) || name == owner).unwrap_or(&main).0.clone(),
                    None => main.0.clone(),
                };
                let value = if alone && single { self.value(&assignment.value, true) } else { Value::Computed(even::text(&assignment.value.to_string())) };
                match sets.iter_mut().find(|(name, _)| *name == table) {
                    Some((_, set)) => set.push((column.clone(), value)),
                    None => sets.push((table, vec![(column.clone(), value)])),
                }
            }
        }
        if self.engine == Engine::Sqlite && main.0 == "sqlite_sequence" {
            return vec![action(Kind::SetSequence, main.0, Op::Nothing)];
        }
        sets.into_iter().map(|(table, set)| action(Kind::Update, table.clone(), Op::Update { table, set, filter: filter.clone() })).collect()
    }

    pub(crate) fn delete(self, delete: &ast::Delete) -> Vec<Action> {
        let (ast::FromTable::WithFromKeyword(from) | ast::FromTable::WithoutKeyword(from)) = &delete.from;
        let mut known: Vec<(Name, Option<Name>)> = Vec::new();
        for item in from {
            known.extend(self.table_of(&item.relation));
            known.extend(item.joins.iter().filter_map(|j| self.table_of(&j.relation)));
        }
        let alone = delete.using.is_none() && known.len() == 1 && delete.limit.is_none();
        let filter = if alone { self.filter(delete.selection.as_ref()) } else { Filter::Other(even::text(&delete.to_string())) };
        let targets: Vec<Name> = if delete.tables.is_empty() {
            known.first().map(|(name, _)| name.clone()).into_iter().collect()
        } else {
            let resolve = |name: Name| known.iter().find(|(_, alias)| alias.as_ref() == Some(&name)).map_or(name.clone(), |(table, _)| table.clone());
            delete.tables.iter().map(|t| resolve(self.name(t))).collect()
        };
        targets.into_iter().map(|table| action(Kind::Delete, table.clone(), Op::Delete { table, filter: filter.clone() })).collect()
    }

    pub(crate) fn merge(self, merge: &ast::Merge) -> Action {
        match self.table_of(&merge.table) {
            Some((table, _)) => {
                action(Kind::Merge, table.clone(), Op::Insert { table, columns: Vec::new(), rows: Rows::Unknown, conflict: OnConflict::Update })
            }
            None => action(Kind::Merge, "", Op::Unseen),
        }
    }

    /// A query, with the statements that stand inside of it (`WITH x AS (DELETE …)`) and the table that `INTO` makes.
    pub(crate) fn query(self, query: &ast::Query) -> Vec<Action> {
        let mut actions = Vec::new();
        self.inside(query, &mut actions);
        if let SetExpr::Select(select) = &*query.body
            && let Some(into) = &select.into
            && !self.engine.is_mysql_like()
        {
            let name = even::text(&super::list(&into.targets));
            let table = CreateTable { name: name.clone(), of_query: true, temporary: into.temporary, ..CreateTable::default() };
            let kind = if into.temporary { Kind::CreateTemporary } else { Kind::CreateTableAs };
            actions.push(action(kind, name, Op::CreateTable(Box::new(table))));
        }
        if actions.is_empty() {
            let mut calls = Calls::Harmless;
            let _ = query.visit(&mut calls);
            actions.push(match calls {
                Calls::Harmless => action(Kind::Query, "", Op::Nothing),
                Calls::Session => action(Kind::SessionSetting, "", Op::Nothing),
                Calls::Sequence(name) => action(Kind::SetSequence, name, Op::Unseen),
                Calls::Unknown => action(Kind::Call, "", Op::Unseen),
            });
        }
        actions
    }

    fn inside(self, query: &ast::Query, actions: &mut Vec<Action>) {
        for part in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.inside(&part.query, actions);
        }
        match &*query.body {
            SetExpr::Insert(statement) | SetExpr::Update(statement) | SetExpr::Delete(statement) | SetExpr::Merge(statement) => {
                // What reads from a WITH part reads more than one table.
                let mut own = self.statement(statement).unwrap_or_default();
                if query.with.is_some() {
                    own.iter_mut().for_each(widen);
                }
                actions.append(&mut own);
            }
            SetExpr::Query(query) => self.inside(query, actions),
            SetExpr::Select(_) | SetExpr::SetOperation { .. } | SetExpr::Values(_) | SetExpr::Table(_) => {}
        }
    }
}

/// Makes an action that reads from a WITH part say no more than is known.
fn widen(action: &mut Action) {
    if let Op::Update { set, .. } = &mut action.op {
        for (_, value) in set {
            if let Value::Column(column) | Value::Cast(column, _) = value {
                *value = Value::Computed(std::mem::take(column));
            }
        }
    } else if let Op::Insert { rows: rows @ Rows::Copied { .. }, .. } = &mut action.op {
        *rows = Rows::Unknown;
    }
}
