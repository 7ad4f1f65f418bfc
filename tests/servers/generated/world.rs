//! The schema that a case starts with. In: a source of chance. Out: tables, keys, indexes, a view, an enum, and their rows, as
//! a model that the grammar changes and as SQL.

use fastrand::Rng;
use unmigrate::engine::Engine;

/// A column.
#[derive(Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
}

/// A named thing on a table: a constraint's rule, or an index's `(columns) WHERE …`.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) name: String,
    /// The database made the name.
    pub(super) generated: bool,
    pub(super) unique: bool,
    pub(super) text: String,
}

/// A table; every table has a first column `id`.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) constraints: Vec<Part>,
    pub(super) indexes: Vec<Part>,
}

/// What hangs on one table: a view's body, or a trigger's rest.
#[derive(Clone)]
pub(super) struct Over {
    pub(super) name: String,
    pub(super) table: String,
    pub(super) text: String,
}

/// All that stands.
#[derive(Clone)]
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) tables: Vec<Table>,
    pub(super) views: Vec<Over>,
    pub(super) triggers: Vec<Over>,
    /// The functions and their bodies.
    pub(super) functions: Vec<(String, String)>,
    /// The enum `mood`, on PostgreSQL.
    pub(super) labels: Vec<String>,
    /// Comments by what they are on.
    pub(super) comments: Vec<(String, String)>,
    count: usize,
}

/// One of `of`.
pub(super) fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> Option<&'a T> {
    if of.is_empty() { None } else { of.get(rng.usize(..of.len())) }
}

/// `text` with the word `from` replaced.
pub(super) fn reword(text: &str, from: &str, to: &str) -> String {
    let mut new = String::new();
    for piece in text.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_')) {
        let word = piece.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '_'));
        new.push_str(if word == from { to } else { word });
        new.push_str(&piece[word.len()..]);
    }
    new
}

/// Whether `text` uses the word.
pub(super) fn uses(text: &str, word: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|w| w == word)
}

impl Column {
    /// As it stands in CREATE TABLE and ADD COLUMN.
    pub(super) fn sql(&self) -> String {
        let default = self.default.as_ref().map_or(String::new(), |d| format!(" DEFAULT {d}"));
        format!("{} {}{default}{}", self.name, self.ty, if self.not_null { " NOT NULL" } else { "" })
    }

    pub(super) fn is_text(&self) -> bool {
        self.ty == "text" || self.ty.starts_with("varchar")
    }

    pub(super) fn is_number(&self) -> bool {
        ["integer", "bigint", "smallint", "numeric", "real"].iter().any(|ty| self.ty.starts_with(ty))
    }
}

impl Table {
    pub(super) fn create(&self) -> String {
        let mut items = vec![String::from("id integer PRIMARY KEY")];
        items.extend(self.columns.iter().map(Column::sql));
        items.extend(self.constraints.iter().map(|c| if c.generated { c.text.clone() } else { format!("CONSTRAINT {} {}", c.name, c.text) }));
        format!("CREATE TABLE {} ({})", self.name, items.join(", "))
    }

    pub(super) fn create_all(&self) -> Vec<String> {
        let mut all = vec![self.create()];
        all.extend(self.indexes.iter().map(|i| self.create_index(i)));
        all
    }

    pub(super) fn create_index(&self, index: &Part) -> String {
        format!("CREATE {}INDEX {} ON {} {}", if index.unique { "UNIQUE " } else { "" }, index.name, self.name, index.text)
    }

    /// Columns that no constraint and no index uses.
    pub(super) fn free(&self) -> Vec<usize> {
        let used = |c: &Column| self.constraints.iter().chain(&self.indexes).any(|p| uses(&p.text, &c.name));
        (0..self.columns.len()).filter(|&at| !used(&self.columns[at])).collect()
    }

    pub(super) fn is_unique(&self, column: &str) -> bool {
        self.constraints.iter().chain(&self.indexes).any(|p| p.unique && uses(&p.text, column))
    }

    /// The names of all columns.
    pub(super) fn names(&self) -> String {
        std::iter::once("id").chain(self.columns.iter().map(|c| c.name.as_str())).collect::<Vec<_>>().join(", ")
    }
}

impl World {
    /// A name that nothing has.
    pub(super) fn fresh(&mut self, prefix: &str) -> String {
        self.count += 1;
        format!("{prefix}{}", self.count)
    }

    /// A table's place.
    pub(super) fn table(&self, rng: &mut Rng) -> Option<usize> {
        if self.tables.is_empty() { None } else { Some(rng.usize(..self.tables.len())) }
    }

    /// A column's place.
    pub(super) fn column(&self, rng: &mut Rng) -> Option<(usize, usize)> {
        let table = self.table(rng)?;
        let count = self.tables[table].columns.len();
        if count == 0 { None } else { Some((table, rng.usize(..count))) }
    }

    /// Types that columns are made with.
    pub(super) fn a_type(&self, rng: &mut Rng) -> String {
        let shared = ["integer", "bigint", "text", "text", "varchar(10)", "varchar(40)", "numeric(10,4)", "numeric(6,2)", "date", "timestamp"];
        let postgres = ["smallint", "boolean", "mood", "jsonb", "real", "double precision", "char(8)", "timestamptz"];
        let own: &[&str] = if self.engine == Engine::Postgres { &postgres } else { &["real", "blob"] };
        let at = rng.usize(..shared.len() + own.len());
        (*shared.get(at).unwrap_or_else(|| &own[at - shared.len()])).to_owned()
    }

    pub(super) fn literal(&self, ty: &str, number: usize, rng: &mut Rng) -> String {
        let quoted = |text: String| format!("'{text}'");
        match ty {
            "integer" | "smallint" => number.to_string(),
            "bigint" => {
                if rng.bool() {
                    format!("50000000{number:02}")
                } else {
                    number.to_string()
                }
            }
            "numeric(10,4)" => format!("{number}.2345"),
            "numeric(6,2)" => format!("{number}.50"),
            "real" | "double precision" => format!("{number}.1234567"),
            "date" => format!("'2024-01-{:02}'", number % 28 + 1),
            "timestamp" | "timestamptz" => format!("'2024-01-{:02} 03:04:05.678901'", number % 28 + 1),
            "boolean" => String::from(if number.is_multiple_of(2) { "true" } else { "false" }),
            "mood" => quoted(pick(rng, &self.labels).cloned().unwrap_or_default()),
            "jsonb" => format!("'{{\"b\": 1.50, \"a\": [{number}, null]}}'"),
            "blob" => format!("x'00ff{number:02}'"),
            "char(8)" | "varchar(10)" => quoted(format!("Val{number}")),
            _ => quoted(match rng.u8(..4) {
                0 => format!("A long value, Number {number} of some"),
                1 => number.to_string(),
                2 => format!(" it''s {number} "),
                _ => format!("v{number}"),
            }),
        }
    }

    pub(super) fn new_column(&mut self, rng: &mut Rng) -> Column {
        let ty = self.a_type(rng);
        Column { name: self.fresh("c"), ty, not_null: false, default: None }
    }

    pub(super) fn a_check(&self, column: &Column) -> Option<String> {
        match () {
            () if column.is_number() => Some(format!("CHECK ({} >= 0)", column.name)),
            () if column.is_text() => Some(format!("CHECK (length({}) < 100)", column.name)),
            () => None,
        }
    }

    /// A row of literals, `id` first; `null` with some chance where allowed.
    pub(super) fn row(&self, table: &Table, id: usize, rng: &mut Rng) -> String {
        let mut values = vec![id.to_string()];
        for column in &table.columns {
            let unique = table.is_unique(&column.name);
            let key = table.constraints.iter().any(|c| c.text.starts_with("FOREIGN") && uses(&c.text, &column.name));
            let number = if unique { id } else { rng.usize(1..3) };
            values.push(match () {
                () if !column.not_null && rng.u8(..4) == 0 => String::from("NULL"),
                () if key => number.to_string(),
                () if unique && column.is_text() => format!("'u{id}'"),
                () => self.literal(&column.ty, number, rng),
            });
        }
        format!("({})", values.join(", "))
    }
}

/// A schema, and the statements that make and fill it.
pub(super) fn start(engine: Engine, rng: &mut Rng) -> (World, Vec<String>) {
    let labels = if engine == Engine::Postgres { vec!["sad".into(), "ok".into(), "happy".into()] } else { Vec::new() };
    let mut world =
        World { engine, tables: Vec::new(), views: Vec::new(), triggers: Vec::new(), functions: Vec::new(), labels, comments: Vec::new(), count: 0 };
    let mut sql = Vec::new();
    if engine == Engine::Postgres {
        sql.push(String::from("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')"));
    }
    for (at, name) in ["users", "orders", "items", "tags"].into_iter().take(rng.usize(2..5)).enumerate() {
        let table = a_table(&mut world, name, at > 0, rng);
        sql.extend(table.create_all());
        let rows: Vec<String> = (1..=rng.usize(0..5)).map(|id| world.row(&table, id, rng)).collect();
        // A table that others point at always holds the rows that they may point at.
        let rows = if at == 0 { (1..=4).map(|id| world.row(&table, id, rng)).collect() } else { rows };
        if !rows.is_empty() {
            sql.push(format!("INSERT INTO {name} ({}) VALUES {}", table.names(), rows.join(", ")));
        }
        world.tables.push(table);
    }
    if rng.bool() {
        let table = &world.tables[rng.usize(..world.tables.len())];
        let view = Over { name: "v_start".into(), table: table.name.clone(), text: format!("SELECT {} FROM {}", table.names(), table.name) };
        sql.push(format!("CREATE VIEW {} AS {}", view.name, view.text));
        world.views.push(view);
    }
    if rng.bool() {
        let table = world.tables[rng.usize(..world.tables.len())].name.clone();
        let mut text = format!("AFTER DELETE ON {table} BEGIN SELECT 1; END");
        if engine == Engine::Postgres {
            sql.push(String::from("CREATE FUNCTION f_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"));
            text = format!("AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION f_trigger()");
        }
        sql.push(format!("CREATE TRIGGER g_start {text}"));
        world.triggers.push(Over { name: "g_start".into(), table, text });
    }
    if engine == Engine::Postgres && rng.bool() {
        sql.push(String::from("CREATE FUNCTION f_start() RETURNS integer LANGUAGE sql AS 'SELECT 1'"));
        world.functions.push(("f_start".into(), "SELECT 1".into()));
        sql.push(String::from("COMMENT ON TABLE users IS 'people'"));
        world.comments.push(("TABLE users".into(), "people".into()));
    }
    (world, sql)
}

fn a_table(world: &mut World, name: &str, child: bool, rng: &mut Rng) -> Table {
    let mut table = Table { name: name.into(), columns: Vec::new(), constraints: Vec::new(), indexes: Vec::new() };
    for name in ["name", "email", "amount", "note", "score", "day"] {
        if rng.u8(..3) == 0 {
            continue;
        }
        let ty = world.a_type(rng);
        let not_null = rng.u8(..3) == 0;
        let default = if rng.u8(..3) == 0 { Some(world.literal(&ty, 1, rng)) } else { None };
        let column = Column { name: name.into(), ty, not_null, default };
        let hashed = !matches!(&*column.ty, "boolean" | "mood" | "jsonb");
        match rng.u8(..8) {
            0 if hashed => {
                let generated = rng.bool();
                let name = if generated { format!("{}_{name}_key", table.name) } else { world.fresh("uq_") };
                table.constraints.push(Part { name, generated, unique: true, text: format!("UNIQUE ({})", column.name) });
            }
            1 => {
                if let Some(text) = world.a_check(&column) {
                    table.constraints.push(Part { name: world.fresh("ck_"), generated: false, unique: false, text });
                }
            }
            2 => table.indexes.push(Part { name: world.fresh("ix_"), generated: false, unique: false, text: format!("({})", column.name) }),
            3 if hashed => table.indexes.push(Part { name: world.fresh("ix_"), generated: false, unique: true, text: format!("({})", column.name) }),
            _ => {}
        }
        table.columns.push(column);
    }
    if child && rng.u8(..3) > 0 {
        let action = ["", " ON DELETE CASCADE", " ON DELETE SET NULL"][rng.usize(..3)];
        table.columns.push(Column { name: "user_id".into(), ty: "integer".into(), not_null: action != " ON DELETE SET NULL" && rng.bool(), default: None });
        let text = format!("FOREIGN KEY (user_id) REFERENCES users (id){action}");
        table.constraints.push(Part { name: world.fresh("fk_"), generated: false, unique: false, text });
    }
    table
}
