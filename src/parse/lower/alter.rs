//! ALTER TABLE, action by action.

use super::column::identity;
use super::{Lower, action, bare};
use crate::engine::Engine;
use crate::parse::action::{Action, ColumnChange, Dropped, Name, Op};
use crate::parse::even;
use crate::parse::kinds::{add_constraint, of_column};
use crate::table::Kind;
use sqlparser::ast::{self, AlterColumnOperation, AlterTableOperation as Alter, DropBehavior};

fn cascades(behavior: Option<DropBehavior>) -> bool {
    behavior == Some(DropBehavior::Cascade)
}

impl Lower {
    pub(crate) fn alter_table(self, alter: &ast::AlterTable) -> Option<Vec<Action>> {
        let table = self.name(&alter.name);
        let mut actions = Vec::new();
        for operation in &alter.operations {
            actions.extend(self.alter_action(&table, operation)?);
        }
        Some(actions)
    }

    fn attribute(self, kind: Kind, table: &Name, attribute: impl Into<String>, value: Option<String>) -> Action {
        action(kind, table.clone(), Op::SetAttribute { object: table.clone(), attribute: attribute.into(), value })
    }

    fn add_column(self, table: &Name, definition: &ast::ColumnDef, if_not_exists: bool) -> Action {
        let (column, constraints) = self.column(definition);
        let object = format!("{table}.{}", column.name);
        action(of_column(&column), object, Op::AddColumn { table: table.clone(), column: Box::new(column), constraints, if_not_exists })
    }

    fn redefine(self, table: &Name, from: &ast::Ident, to: &ast::Ident, data_type: &ast::DataType, options: &[ast::ColumnOption]) -> Action {
        let from = self.ident(from);
        let options: Vec<_> = options.iter().map(|o| (None, o)).collect();
        let (column, _) = self.column_of(self.ident(to), data_type, &options);
        action(Kind::RedefineColumn, format!("{table}.{from}"), Op::RedefineColumn { table: table.clone(), from, column: Box::new(column) })
    }

    fn alter_column(self, table: &Name, name: &ast::Ident, operation: &AlterColumnOperation) -> Action {
        let column = self.ident(name);
        let (kind, change) = match operation {
            AlterColumnOperation::SetNotNull => (Kind::SetNotNull, ColumnChange::SetNotNull),
            AlterColumnOperation::DropNotNull => (Kind::DropNotNull, ColumnChange::DropNotNull),
            AlterColumnOperation::SetDefault { value } => match self.default(value) {
                Some(default) => (Kind::SetDefault, ColumnChange::SetDefault(default)),
                None => (Kind::DropDefault, ColumnChange::DropDefault),
            },
            AlterColumnOperation::DropDefault => (Kind::DropDefault, ColumnChange::DropDefault),
            AlterColumnOperation::SetDataType { data_type, using, had_set: _ } => {
                let using = using.as_ref().map(|u| even::text(&bare(u).to_string()));
                (Kind::ChangeType, ColumnChange::SetType { ty: self.ty(data_type), using, collation: None })
            }
            AlterColumnOperation::AddGenerated { generated_as, sequence_options: _ } => {
                (Kind::ColumnIdentity, ColumnChange::AddIdentity(generated_as.as_ref().map_or("identity always", identity).into()))
            }
        };
        action(kind, format!("{table}.{column}"), Op::AlterColumn { table: table.clone(), column, change })
    }

    /// `None` where the words say more than the tree.
    fn alter_action(self, table: &Name, operation: &Alter) -> Option<Vec<Action>> {
        let trigger = |name: &ast::Ident, state: &str| {
            let object = format!("{table}.{}", self.ident(name));
            action(
                Kind::ToggleTrigger,
                object.clone(),
                Op::SetAttribute { object, attribute: "trigger state".into(), value: (state != "enabled").then(|| state.into()) },
            )
        };
        let one = match operation {
            Alter::AddConstraint { constraint, not_valid } => {
                let (mut constraints, mut indexes) = (Vec::new(), Vec::new());
                self.table_constraint(table, constraint, *not_valid, &mut constraints, &mut indexes);
                let keys = constraints.into_iter().map(|c| add_constraint(table, c));
                let indexes = indexes.into_iter().map(|index| {
                    let object = index.name.clone().unwrap_or_else(|| format!("on {table}"));
                    action(Kind::CreateIndex, object, Op::CreateIndex { index: Box::new(index), if_not_exists: false, concurrently: false })
                });
                return Some(keys.chain(indexes).collect());
            }
            // `ADD SYSTEM VERSIONING` adds no column of that name.
            Alter::AddColumn { column_def, .. }
                if self.engine == Engine::Mariadb
                    && column_def.name.quote_style.is_none()
                    && column_def.name.value.eq_ignore_ascii_case("system")
                    && column_def.data_type.to_string().eq_ignore_ascii_case("versioning") =>
            {
                return None;
            }
            Alter::AddColumn { if_not_exists, column_def, .. } => self.add_column(table, column_def, *if_not_exists),
            Alter::DropColumn { column_names, if_exists, drop_behavior, .. } => {
                let drop = |column: &ast::Ident| {
                    let column = self.ident(column);
                    action(
                        Kind::DropColumn,
                        format!("{table}.{column}"),
                        Op::DropColumn { table: table.clone(), column, if_exists: *if_exists, cascade: cascades(*drop_behavior) },
                    )
                };
                return Some(column_names.iter().map(drop).collect());
            }
            Alter::RenameColumn { old_column_name, new_column_name } => {
                let (from, to) = (self.ident(old_column_name), self.ident(new_column_name));
                action(Kind::RenameColumn, format!("{table}.{from}"), Op::RenameColumn { table: table.clone(), from, to })
            }
            Alter::RenameTable { table_name: ast::RenameTableNameKind::As(to) | ast::RenameTableNameKind::To(to) } => {
                let to = match (self.name(to), table.rsplit_once('.')) {
                    (to, Some((schema, _))) if !to.contains('.') => format!("{schema}.{to}"),
                    (to, _) => to,
                };
                self.rename_table(table.clone(), to)
            }
            Alter::ChangeColumn { old_name, new_name, data_type, options, .. } => self.redefine(table, old_name, new_name, data_type, options),
            Alter::ModifyColumn { col_name, data_type, options, .. } => self.redefine(table, col_name, col_name, data_type, options),
            Alter::AlterColumn { column_name, op } => self.alter_column(table, column_name, op),
            Alter::DropConstraint { if_exists, name, drop_behavior } => {
                let name = self.ident(name);
                let object = format!("{table}.{name}");
                action(
                    Kind::DropConstraint,
                    object,
                    Op::DropConstraint { table: table.clone(), which: Dropped::Named(name), if_exists: *if_exists, cascade: cascades(*drop_behavior) },
                )
            }
            Alter::DropPrimaryKey { drop_behavior } => action(
                Kind::DropPrimaryKey,
                table.clone(),
                Op::DropConstraint { table: table.clone(), which: Dropped::PrimaryKey, if_exists: false, cascade: cascades(*drop_behavior) },
            ),
            Alter::DropForeignKey { name, drop_behavior } => {
                let name = self.ident(name);
                let object = format!("{table}.{name}");
                action(
                    Kind::DropConstraint,
                    object,
                    Op::DropConstraint { table: table.clone(), which: Dropped::ForeignKey(name), if_exists: false, cascade: cascades(*drop_behavior) },
                )
            }
            Alter::DropIndex { name } => {
                let name = self.ident(name);
                action(Kind::DropIndex, name.clone(), Op::DropIndex { table: Some(table.clone()), name, if_exists: false, concurrently: false })
            }
            Alter::RenameConstraint { old_name, new_name } => {
                let (from, to) = (self.ident(old_name), self.ident(new_name));
                action(Kind::RenameConstraint, format!("{table}.{from}"), Op::RenameConstraint { table: table.clone(), from, to })
            }
            Alter::ValidateConstraint { name } => {
                let name = self.ident(name);
                action(Kind::ValidateConstraint, format!("{table}.{name}"), Op::ValidateConstraint { table: table.clone(), name })
            }
            Alter::EnableRowLevelSecurity => self.attribute(Kind::RowSecurity, table, "row security", Some("enabled".into())),
            Alter::DisableRowLevelSecurity => self.attribute(Kind::RowSecurity, table, "row security", None),
            Alter::ForceRowLevelSecurity => self.attribute(Kind::RowSecurity, table, "forced row security", Some("enabled".into())),
            Alter::NoForceRowLevelSecurity => self.attribute(Kind::RowSecurity, table, "forced row security", None),
            Alter::EnableTrigger { name } => trigger(name, "enabled"),
            Alter::DisableTrigger { name } => trigger(name, "disabled"),
            Alter::EnableAlwaysTrigger { name } => trigger(name, "always"),
            Alter::EnableReplicaTrigger { name } => trigger(name, "replica"),
            Alter::SetLogged => self.attribute(Kind::TableOption, table, "unlogged", None),
            Alter::SetUnlogged => self.attribute(Kind::TableOption, table, "unlogged", Some("yes".into())),
            Alter::OwnerTo { new_owner } => self.attribute(Kind::Owner, table, "owner", Some(even::text(&new_owner.to_string()))),
            Alter::ReplicaIdentity { identity } => self.attribute(Kind::TableOption, table, "replica identity", Some(even::text(&identity.to_string()))),
            Alter::AutoIncrement { value, .. } => self.attribute(Kind::SetSequence, table, "auto_increment", Some(value.to_string())),
            // How the server works, not what it leaves behind.
            Alter::Algorithm { .. } | Alter::Lock { .. } => return Some(Vec::new()),
            Alter::SetOptionsParens { .. }
            | Alter::AddPartitions { .. }
            | Alter::DropPartitions { .. }
            | Alter::RenamePartitions { .. }
            | Alter::AttachPartition { .. }
            | Alter::DetachPartition { .. }
            | Alter::DisableRule { .. }
            | Alter::EnableRule { .. }
            | Alter::EnableAlwaysRule { .. }
            | Alter::EnableReplicaRule { .. }
            | Alter::AddProjection { .. }
            | Alter::DropProjection { .. }
            | Alter::MaterializeProjection { .. }
            | Alter::ClearProjection { .. }
            | Alter::FreezePartition { .. }
            | Alter::UnfreezePartition { .. }
            | Alter::SwapWith { .. }
            | Alter::SetTblProperties { .. }
            | Alter::ClusterBy { .. }
            | Alter::DropClusteringKey
            | Alter::AlterSortKey { .. }
            | Alter::SuspendRecluster
            | Alter::ResumeRecluster
            | Alter::Refresh { .. }
            | Alter::Suspend
            | Alter::Resume => return None,
        };
        Some(vec![one])
    }
}
