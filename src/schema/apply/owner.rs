//! Who owns what. In: an object and who becomes its owner. Out: whether that is the role that made it, and which rights go with it.

use super::attribute::right;
use super::part::{CLASSES, DEFAULT_RIGHTS};
use crate::engine::Engine;
use crate::parse::Statement;
use crate::parse::action::Op;
use crate::schema::catalog::{Catalog, Entry, Key, Leaning};
use crate::schema::naming::words;
use crate::table::Kind;

impl Catalog {
    /// Whether a script made `object`, and as the role that scripts run as.
    pub(super) fn is_of_oneself(&self, object: &str) -> bool {
        let says = |definition: &String| words(definition, self.engine).any(|word| matches!(&*word, "authorization" | "owner"));
        let made = |key: &Key| match self.get(key) {
            Some(Entry::Object(object)) => object.definition.as_ref().is_some_and(|definition| !says(definition)),
            Some(Entry::Table(table)) => table.known,
            _ => false,
        };
        // A column's sequence belongs to whom the table belongs to.
        let follows = self.get(&Key::Attribute(object.to_owned(), "owned by".to_owned())).is_some();
        let keys = CLASSES.map(|class| Key::Object(class, object.to_owned(), None));
        self.engine == Engine::Postgres && !self.takes_roles && !follows && object != "public" && keys.iter().chain([&Key::Table(object.to_owned())]).any(made)
    }

    /// The rights of whom becomes the owner are the owner's from then on, and go on with the object (`aclnewowner` of PostgreSQL).
    pub(super) fn merge_rights(&mut self, object: &str, owner: &str) {
        let held = |attribute: &str| right(attribute).is_some_and(|(_, _, roles)| roles == owner);
        for who in self.leaning(object).iter() {
            if let Leaning::Attribute(attribute) = who
                && held(attribute)
            {
                self.put_attribute(object, attribute, None);
                // On a column, an owner's right is none unless it is written down: it goes on with the next owner.
                if right(attribute).is_some_and(|(right, ..)| right.contains('(')) {
                    self.put_attribute(object, "right on a column that its owner had", Some(owner.to_owned()));
                }
            }
        }
        // Which objects got such a right is not held with each.
        let among_others = |key: &Key| matches!(key, Key::Attribute(of, right) if (of.starts_with("all ") || of.starts_with(DEFAULT_RIGHTS)) && held(right));
        if self.keys().any(among_others) {
            self.put_attribute(object, "rights that the owner had", Some(owner.to_owned()));
        }
    }
}

/// Whether `statement` takes another role, lets a session begin with one, or may give things to one in a way that cannot be followed.
pub(crate) fn takes_role(statement: &Statement) -> bool {
    let is = |word: &[u8], of: &[&str]| of.iter().any(|one| word.eq_ignore_ascii_case(one.as_bytes()));
    let unseen = statement.actions.iter().any(|a| a.op == Op::Unseen);
    let telling = statement.words().next().is_some_and(|first| is(first, &["set"]))
        || statement.actions.iter().any(|a| matches!(a.kind, Kind::Query | Kind::AlterRole | Kind::DatabaseSetting | Kind::AlterSchema));
    let mut since = usize::MAX;
    let takes = |word: &[u8]| {
        since = if is(word, &["set", "set_config"]) { 0 } else { since.saturating_add(1) };
        since <= 3 && is(word, &["role", "authorization"])
    };
    unseen && ["authorization", "owned", "owner"].iter().any(|word| statement.says(word)) || (unseen || telling) && statement.words().any(takes)
}
