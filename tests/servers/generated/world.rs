//! The model of a schema that the grammar changes. In: a source of chance. Out: names, types, values and rows that fit it.

use fastrand::Rng;
use unmigrate::engine::Engine;

/// A column.
#[derive(Clone, Default)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    /// What else stands in its definition: a collation, a rule, an expression.
    pub(super) rest: String,
    /// The database computes its values, so that nobody writes them.
    pub(super) computed: bool,
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
#[derive(Clone, Default)]
pub(super) struct Table {
    pub(super) name: String,
    /// How `id` is defined, `integer PRIMARY KEY` where nothing is said.
    pub(super) id: Option<String>,
    /// What stands behind the closing bracket: `STRICT`, `WITH (fillfactor = 70)`.
    pub(super) options: String,
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

/// Anything else that has a name and a definition: a sequence, a policy, a role.
#[derive(Clone)]
pub(super) struct Thing {
    /// `SEQUENCE`, `POLICY`: the words behind CREATE.
    pub(super) class: &'static str,
    pub(super) name: String,
    /// The table that it goes with.
    pub(super) table: Option<String>,
    pub(super) create: String,
    pub(super) drop: String,
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
    pub(super) things: Vec<Thing>,
    /// The enum `mood`, on PostgreSQL.
    pub(super) labels: Vec<String>,
    /// Comments, options and rights that were set, by what they are of.
    pub(super) settings: Vec<(String, String)>,
    /// Names need quotes here and there.
    pub(super) quoted: bool,
    count: usize,
}

/// One of `of`.
pub(super) fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> Option<&'a T> {
    if of.is_empty() { None } else { of.get(rng.usize(..of.len())) }
}

/// Whether a name is more than one bare word.
fn is_odd(name: &str) -> bool {
    name.contains(['"', '`', '.'])
}

/// `text` with the word `from` replaced.
pub(super) fn reword(text: &str, from: &str, to: &str) -> String {
    if is_odd(from) {
        return text.replace(from, to);
    }
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
    if is_odd(word) {
        return text.contains(word);
    }
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|w| w == word)
}

impl Column {
    /// As it stands in CREATE TABLE and ADD COLUMN.
    pub(super) fn sql(&self) -> String {
        let default = self.default.as_ref().map_or(String::new(), |d| format!(" DEFAULT {d}"));
        format!("{} {}{default}{}{}", self.name, self.ty, if self.not_null { " NOT NULL" } else { "" }, self.rest)
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
        let mut items = vec![format!("id {}", self.id.as_deref().unwrap_or("integer PRIMARY KEY"))];
        items.extend(self.columns.iter().map(Column::sql));
        items.extend(self.constraints.iter().map(|c| if c.generated { c.text.clone() } else { format!("CONSTRAINT {} {}", c.name, c.text) }));
        format!("CREATE TABLE {} ({}){}", self.name, items.join(", "), self.options)
    }

    /// The full name of what stands in the table's schema.
    pub(super) fn beside(&self, name: &str) -> String {
        self.name.split_once('.').map_or_else(|| name.to_owned(), |(schema, _)| format!("{schema}.{name}"))
    }

    /// DROP INDEX as the engine wants it.
    pub(super) fn drop_index(&self, index: &str, engine: Engine) -> String {
        if engine == Engine::Mariadb { format!("DROP INDEX {index} ON {}", self.name) } else { format!("DROP INDEX {}", self.beside(index)) }
    }

    pub(super) fn create_all(&self) -> Vec<String> {
        let mut all = vec![self.create()];
        all.extend(self.indexes.iter().map(|i| self.create_index(i)));
        all
    }

    pub(super) fn create_index(&self, index: &Part) -> String {
        format!("CREATE {}INDEX {} ON {} {}", if index.unique { "UNIQUE " } else { "" }, index.name, self.name, index.text)
    }

    /// Columns that no constraint, no index and no other column uses, and that somebody writes.
    pub(super) fn free(&self) -> Vec<usize> {
        let used = |c: &Column| {
            c.computed || self.constraints.iter().chain(&self.indexes).any(|p| uses(&p.text, &c.name)) || self.columns.iter().any(|o| uses(&o.rest, &c.name))
        };
        (0..self.columns.len()).filter(|&at| !used(&self.columns[at])).collect()
    }

    pub(super) fn is_unique(&self, column: &str) -> bool {
        self.constraints.iter().chain(&self.indexes).any(|p| p.unique && uses(&p.text, column))
            || self.columns.iter().any(|c| c.name == column && c.rest.contains(" UNIQUE"))
    }

    /// The columns that somebody writes.
    pub(super) fn written(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|c| !c.computed)
    }

    /// The names of the columns that somebody writes.
    pub(super) fn names(&self) -> String {
        std::iter::once("id").chain(self.written().map(|c| c.name.as_str())).collect::<Vec<_>>().join(", ")
    }
}

impl World {
    /// An empty one.
    pub(super) fn new(engine: Engine) -> World {
        World {
            engine,
            tables: Vec::new(),
            views: Vec::new(),
            triggers: Vec::new(),
            functions: Vec::new(),
            things: Vec::new(),
            labels: Vec::new(),
            settings: Vec::new(),
            quoted: false,
            count: 0,
        }
    }

    /// A name that nothing has.
    pub(super) fn fresh(&mut self, prefix: &str) -> String {
        self.count += 1;
        format!("{prefix}{}", self.count)
    }

    /// `name` in the engine's quotes.
    pub(super) fn quote(&self, name: &str) -> String {
        if self.engine == Engine::Mariadb { format!("`{name}`") } else { format!("\"{name}\"") }
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
        let shared = ["integer", "bigint", "text", "text", "varchar(10)", "varchar(40)", "numeric(10,4)", "numeric(6,2)", "date"];
        let own: &[&str] = match self.engine {
            Engine::Postgres => {
                &["timestamp", "smallint", "boolean", "mood", "jsonb", "real", "double precision", "char(8)", "timestamptz", "bytea", "uuid", "integer[]"]
            }
            Engine::Sqlite => &["timestamp", "real", "blob"],
            Engine::Mysql | Engine::Mariadb => &["datetime(6)", "smallint", "varchar(40)", "double", "char(8)", "enum('sad','ok','happy')", "blob"],
        };
        let at = rng.usize(..shared.len() + own.len());
        (*shared.get(at).unwrap_or_else(|| &own[at - shared.len()])).to_owned()
    }

    /// A type that an index or a key can stand on everywhere.
    pub(super) fn can_be_key(&self, ty: &str) -> bool {
        !(matches!(ty, "jsonb" | "blob") || self.engine == Engine::Mariadb && ty == "text")
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
            "real" | "double precision" | "double" => format!("{number}.1234567"),
            "date" => format!("'2024-01-{:02}'", number % 28 + 1),
            "timestamp" | "timestamptz" | "datetime(6)" => format!("'2024-01-{:02} 03:04:05.678901'", number % 28 + 1),
            "boolean" => String::from(if number.is_multiple_of(2) { "true" } else { "false" }),
            "mood" => quoted(pick(rng, &self.labels).cloned().unwrap_or_default()),
            "jsonb" => format!("'{{\"b\": 1.50, \"a\": [{number}, null]}}'"),
            "blob" => format!("x'00ff{:02}'", number % 100),
            "bytea" => format!("'\\x00ff{:02}'", number % 100),
            "uuid" => format!("'00000000-0000-4000-8000-{number:012}'"),
            "integer[]" => format!("'{{{number},NULL,-1}}'"),
            _ if ty.starts_with("enum(") => String::from(["'sad'", "'ok'", "'happy'"][rng.usize(..3)]),
            "char(8)" | "varchar(10)" => quoted(format!("Val{}", number % 10_000)),
            _ => quoted(match rng.u8(..4) {
                0 => format!("A long value, Number {number} of some"),
                1 => number.to_string(),
                2 => format!(" it''s {number} "),
                _ => format!("v{number}"),
            }),
        }
    }

    /// A value at the edge of what the type holds.
    fn edge(&self, ty: &str, rng: &mut Rng) -> Option<String> {
        let of: &[&str] = match ty {
            "integer" => &["-1", "0", "2147483647", "-2147483648"],
            "bigint" => &["-1", "0", "9223372036854775807", "-9223372036854775807"],
            "smallint" => &["-1", "0", "32767", "-32768"],
            "numeric(10,4)" => &["-1.0001", "0", "999999.9999"],
            "numeric(6,2)" => &["-0.01", "0", "9999.99"],
            "real" => &["-0.1", "3.4e38", "1e-30"],
            "double precision" | "double" => &["-0.1", "1e300", "0.30000000000000004", "123456789.123456789"],
            "date" => &["'0001-01-01'", "'9999-12-31'"],
            "timestamp" | "datetime(6)" => &["'1970-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'"],
            "char(8)" => &["''", "'a'", "'A'", "'a  '"],
            "varchar(10)" => &["''", "'äöü€😀'", "'0123456789'", "'007'", "'null'"],
            "varchar(40)" => &["''", "'Äpfel €😀 O''Neill'", "'1.50'", "'1e3'", "'  '", "'0123456789012345678901234567890123456789'"],
            "text" if rng.u8(..4) == 0 => return Some(format!("'{}'", "long ".repeat(rng.usize(30..400)))),
            "text" => &["''", "'äöü€😀'", "'1.50'", "'-7'", "' 7'", "'true'", "'2024-02-30'", "'a,b;c--d'", "'/* x'", "'it''s \"x\"'"],
            _ => return None,
        };
        pick(rng, of).map(|value| (*value).to_owned())
    }

    pub(super) fn new_column(&mut self, rng: &mut Rng) -> Column {
        let ty = self.a_type(rng);
        let name = self.fresh("c");
        let name = if self.quoted && rng.u8(..4) == 0 { self.quote(&format!("New {name}")) } else { name };
        Column { name, ty, ..Column::default() }
    }

    pub(super) fn a_check(&self, column: &Column, rng: &mut Rng) -> Option<String> {
        let name = &column.name;
        match () {
            () if column.is_number() => Some(match rng.u8(..3) {
                0 => format!("CHECK ({name} > -5)"),
                1 => format!("CHECK ({name} BETWEEN 0 AND 99999999999 OR {name} IS NULL)"),
                _ => format!("CHECK ({name} >= 0)"),
            }),
            () if column.is_text() => Some(format!("CHECK (length({name}) < 100)")),
            () => None,
        }
    }

    /// A row of literals, `id` first; NULL and edge values with some chance where allowed.
    pub(super) fn row(&self, table: &Table, id: usize, rng: &mut Rng) -> String {
        let mut values = vec![id.to_string()];
        for column in table.written() {
            let unique = table.is_unique(&column.name);
            let bound = |word: &str| table.constraints.iter().any(|c| c.text.starts_with(word) && uses(&c.text, &column.name));
            let key = bound("FOREIGN") || column.rest.contains(" REFERENCES ");
            let free = !key && !unique && !bound("CHECK") && !bound("PRIMARY") && !bound("EXCLUDE") && column.rest.is_empty();
            let number = if unique || bound("PRIMARY") || bound("EXCLUDE") { id } else { rng.usize(1..3) };
            values.push(match () {
                () if !column.not_null && !bound("PRIMARY") && rng.u8(..4) == 0 => String::from("NULL"),
                () if key => number.to_string(),
                () if unique && column.is_text() => format!("'u{id}'"),
                () => match self.edge(&column.ty, rng) {
                    Some(edge) if free && rng.u8(..3) == 0 => edge,
                    _ => self.literal(&column.ty, number, rng),
                },
            });
        }
        format!("({})", values.join(", "))
    }

    /// Sets what the database keeps under `key`, and gives what stood there.
    pub(super) fn set(&mut self, key: &str, value: Option<String>) -> Option<String> {
        let at = self.settings.iter().position(|(of, _)| of == key);
        let old = at.map(|at| self.settings.swap_remove(at).1);
        self.settings.extend(value.map(|value| (key.to_owned(), value)));
        old
    }

    /// `old` is called `new` from now on, wherever it is spoken of.
    pub(super) fn rename_table(&mut self, old: &str, new: &str) {
        for part in self.tables.iter_mut().flat_map(|t| &mut t.constraints) {
            part.text = part.text.replace(&format!("REFERENCES {old} "), &format!("REFERENCES {new} "));
        }
        for over in self.views.iter_mut().chain(&mut self.triggers).filter(|o| o.table == old) {
            new.clone_into(&mut over.table);
            over.text = reword(&over.text, old, new);
        }
        for thing in self.things.iter_mut().filter(|t| t.table.as_deref() == Some(old)) {
            thing.table = Some(new.to_owned());
            (thing.create, thing.drop) = (reword(&thing.create, old, new), reword(&thing.drop, old, new));
        }
        for (key, _) in &mut self.settings {
            *key = reword(key, old, new);
        }
    }
}
