//! Columns and constraints.

use super::{Lower, bare, list};
use crate::engine::Engine;
use crate::parse::action::{BARE_DEFAULT, Column, Constraint, Index, NOT_ENFORCED, Name, Rule};
use crate::parse::even;
use sqlparser::ast::{self, ColumnOption, GeneratedAs, GeneratedExpressionMode, NullsDistinctOption, TableConstraint};

impl Lower {
    /// A column, and the constraints written beside it.
    pub(crate) fn column(self, definition: &ast::ColumnDef) -> (Column, Vec<Constraint>) {
        let options: Vec<_> = definition.options.iter().map(|o| (o.name.as_ref(), &o.option)).collect();
        self.column_of(self.ident(&definition.name), &definition.data_type, &options)
    }

    /// The same from its parts, as MODIFY and CHANGE give them.
    pub(crate) fn column_of(self, name: Name, data_type: &ast::DataType, options: &[(Option<&ast::Ident>, &ColumnOption)]) -> (Column, Vec<Constraint>) {
        let mut column = Column { name: name.clone(), ty: self.ty(data_type), ..Column::default() };
        let mut constraints = Vec::new();
        if self.engine == Engine::Postgres {
            let ty = match column.ty.as_str() {
                "serial" | "serial4" => Some("integer"),
                "bigserial" | "serial8" => Some("bigint"),
                "smallserial" | "serial2" => Some("smallint"),
                _ => None,
            };
            if let Some(ty) = ty {
                (column.ty, column.not_null, column.identity) = (ty.into(), true, Some("serial".into()));
            }
        }
        for &(named, option) in options {
            let named = named.map(|n| self.ident(n));
            let mut rule =
                |rule: Rule, not_valid: bool, mode: String| constraints.push(Constraint { name: named.clone(), rule, not_valid, using_index: None, mode });
            match option {
                ColumnOption::Null => column.not_null = false,
                ColumnOption::NotNull => column.not_null = true,
                ColumnOption::Default(expr) => {
                    if self.engine == Engine::Sqlite && is_computed(expr) {
                        column.faulty = Some(BARE_DEFAULT.to_owned());
                    }
                    column.default = self.default(expr);
                }
                ColumnOption::PrimaryKey(key) => {
                    column.not_null |= self.engine != Engine::Sqlite;
                    rule(Rule::PrimaryKey(vec![name.clone()]), false, held(key.characteristics));
                }
                ColumnOption::Unique(key) => {
                    rule(Rule::Unique(vec![name.clone()]), false, self.key_mode(&key.nulls_distinct, &key.include, key.characteristics))
                }
                ColumnOption::ForeignKey(key) => {
                    rule(self.foreign_key(key, vec![name.clone()]), false, held(key.characteristics));
                }
                ColumnOption::Check(check) => rule(Rule::Check(even::text(&bare(&check.expr).to_string())), false, held_check(check)),
                ColumnOption::Collation(collation) => column.collation = Some(self.name(collation)),
                ColumnOption::CharacterSet(set) => column.other.push(format!("character set {}", self.name(set))),
                ColumnOption::Comment(comment) => column.comment = Some(comment.clone()),
                ColumnOption::OnUpdate(expr) => column.other.push(even::text(&format!("on update {expr}"))),
                ColumnOption::Generated { generated_as, generation_expr, generation_expr_mode, .. } => match generation_expr {
                    Some(expr) => {
                        let stored = matches!(generation_expr_mode, Some(GeneratedExpressionMode::Stored)) || matches!(generated_as, GeneratedAs::ExpStored);
                        column.generated = Some(format!("{} {}", even::text(&bare(expr).to_string()), if stored { "stored" } else { "virtual" }));
                    }
                    None => {
                        column.not_null = true;
                        column.identity = Some(identity(generated_as).into());
                    }
                },
                ColumnOption::Identity(_) => column.identity = Some("identity always".into()),
                ColumnOption::DialectSpecific(tokens) => {
                    let words = even::text(&tokens.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
                    if words == "auto_increment" || words == "autoincrement" {
                        column.identity = Some("auto_increment".into());
                        column.not_null |= self.engine.is_mysql_like();
                    } else {
                        column.other.push(words);
                    }
                }
                ColumnOption::OnConflict(_)
                | ColumnOption::Materialized(_)
                | ColumnOption::Ephemeral(_)
                | ColumnOption::Alias(_)
                | ColumnOption::Options(_)
                | ColumnOption::Policy(_)
                | ColumnOption::Tags(_)
                | ColumnOption::Srid(_)
                | ColumnOption::Invisible => column.other.push(even::text(&option.to_string())),
            }
        }
        (column, constraints)
    }

    /// A default's even text; `NULL` is none at all.
    pub(crate) fn default(self, expr: &ast::Expr) -> Option<String> {
        let mut text = even::text(&bare(expr).to_string());
        if self.engine == Engine::Postgres {
            // The server keeps the literal and the call, whatever way they were written.
            if let Some((literal, _)) = text.rsplit_once("::").filter(|(l, ty)| l.starts_with('\'') && l.ends_with('\'') && !ty.contains('\'')) {
                text = literal.to_owned();
            }
            if matches!(text.as_str(), "current_timestamp" | "transaction_timestamp()") {
                text = "now()".into();
            }
        }
        (text != "null").then_some(text)
    }

    fn foreign_key(self, key: &ast::ForeignKeyConstraint, columns: Vec<Name>) -> Rule {
        let mut actions = Vec::new();
        for (word, action) in [("on delete", &key.on_delete), ("on update", &key.on_update)] {
            // NO ACTION is what stands where nothing is written.
            if let Some(action) = action.as_ref().filter(|a| !matches!(a, ast::ReferentialAction::NoAction)) {
                actions.push(even::text(&format!("{word} {action}")));
            }
        }
        if let Some(kind) = &key.match_kind {
            actions.push(even::text(&kind.to_string()));
        }
        let target_columns = self.idents(&key.referred_columns);
        Rule::ForeignKey { columns, target: self.name(&key.foreign_table), target_columns, actions: actions.join(" ") }
    }

    /// How a key is held, in the words and the order of the recogniser.
    fn key_mode(self, nulls: &NullsDistinctOption, include: &[ast::Ident], characteristics: Option<ast::ConstraintCharacteristics>) -> String {
        let nulls = if matches!(nulls, NullsDistinctOption::NotDistinct) { "nulls not distinct" } else { "" };
        let include = if include.is_empty() { String::new() } else { format!("include({})", self.idents(include).join(",")) };
        even::joined([nulls, &include, &held(characteristics)])
    }

    /// A constraint of a table; those of MySQL and MariaDB that are indexes by another name go to `indexes`.
    pub(crate) fn table_constraint(
        self,
        table: &Name,
        constraint: &TableConstraint,
        not_valid: bool,
        constraints: &mut Vec<Constraint>,
        indexes: &mut Vec<Index>,
    ) {
        let columns = |columns: &[ast::IndexColumn]| columns.iter().map(|c| self.index_column(c)).collect::<Vec<_>>();
        let mut push = |name: Option<&ast::Ident>, rule: Rule, not_valid: bool, using: Option<&ast::Ident>, mode: String| {
            constraints.push(Constraint { name: name.map(|n| self.ident(n)), rule, not_valid, using_index: using.map(|i| self.ident(i)), mode });
        };
        match constraint {
            TableConstraint::Unique(key) => {
                let mode = self.key_mode(&key.nulls_distinct, &key.include, key.characteristics);
                push(key.name.as_ref().or(key.index_name.as_ref()), Rule::Unique(columns(&key.columns)), false, None, mode);
            }
            TableConstraint::PrimaryKey(key) => {
                let mode = self.key_mode(&NullsDistinctOption::None, &key.include, key.characteristics);
                push(key.name.as_ref(), Rule::PrimaryKey(columns(&key.columns)), false, None, mode);
            }
            TableConstraint::ForeignKey(key) => {
                let rule = self.foreign_key(key, self.idents(&key.columns));
                push(key.name.as_ref().or(key.index_name.as_ref()), rule, not_valid, None, held(key.characteristics));
            }
            TableConstraint::Check(check) => {
                let rule = Rule::Check(even::text(&bare(&check.expr).to_string()));
                push(check.name.as_ref(), rule, not_valid, None, held_check(check));
            }
            TableConstraint::PrimaryKeyUsingIndex(using) => {
                push(using.name.as_ref(), Rule::PrimaryKey(Vec::new()), false, Some(&using.index_name), held(using.characteristics));
            }
            TableConstraint::UniqueUsingIndex(using) => {
                push(using.name.as_ref(), Rule::Unique(Vec::new()), false, Some(&using.index_name), held(using.characteristics));
            }
            TableConstraint::Exclude(exclude) => push(exclude.name.as_ref(), Rule::Exclude(even::text(&exclude.to_string())), false, None, String::new()),
            TableConstraint::Index(index) => {
                let rest = even::text(&list(&index.index_options));
                indexes.push(Index {
                    name: index.name.as_ref().map(|n| self.ident(n)),
                    table: table.clone(),
                    unique: false,
                    columns: columns(&index.columns),
                    rest,
                });
            }
            TableConstraint::FulltextOrSpatial(index) => indexes.push(Index {
                name: index.opt_index_name.as_ref().map(|n| self.ident(n)),
                table: table.clone(),
                unique: false,
                columns: columns(&index.columns),
                rest: if index.fulltext { "fulltext".into() } else { "spatial".into() },
            }),
        }
    }
}

/// How a constraint is held, where that is not the default; `INITIALLY DEFERRED` makes it deferrable.
fn held(characteristics: Option<ast::ConstraintCharacteristics>) -> String {
    let Some(characteristics) = characteristics else { return String::new() };
    let deferral = match characteristics {
        c if c.initially == Some(ast::DeferrableInitial::Deferred) => "deferrable initially deferred",
        c if c.deferrable == Some(true) => "deferrable",
        _ => "",
    };
    let enforcement = if characteristics.enforced == Some(false) { NOT_ENFORCED } else { "" };
    even::joined([deferral, enforcement])
}

fn held_check(check: &ast::CheckConstraint) -> String {
    let words = [("no inherit", check.no_inherit), (NOT_ENFORCED, check.enforced == Some(false))];
    even::joined(words.into_iter().filter_map(|(words, said)| said.then_some(words)))
}

pub(crate) fn identity(generated_as: &GeneratedAs) -> &'static str {
    match generated_as {
        GeneratedAs::Always | GeneratedAs::ExpStored => "identity always",
        GeneratedAs::ByDefault => "identity by default",
    }
}

/// Whether a default is computed from other values; `CURRENT_TIMESTAMP` and a sign are part of a literal.
fn is_computed(expr: &ast::Expr) -> bool {
    match expr {
        ast::Expr::BinaryOp { .. } | ast::Expr::Cast { .. } | ast::Expr::Case { .. } => true,
        ast::Expr::Function(function) => !matches!(function.args, ast::FunctionArguments::None),
        _ => false,
    }
}
