//! The order in which triggers fire. In: a trigger that comes or goes. Out: the order among those of one table that fire at one moment.
//!
//! MySQL and MariaDB fire them in the order in which they were made, unless FOLLOWS or PRECEDES says otherwise: a trigger that is
//! dropped and made anew fires last. PostgreSQL goes by name, and SQLite promises nothing.

use crate::parse::action::{Class, Name};
use crate::schema::catalog::{Catalog, Entry, Key, Leaning};

/// The moment at which a trigger fires (`before insert`), and the trigger beside which it is put, with true for before it.
fn moment(definition: &str) -> Option<(String, Option<(bool, Name)>)> {
    let mut words = definition.split(' ').map(|word| word.trim_matches(['`', '"'])).skip_while(|word| !matches!(*word, "before" | "after"));
    let moment = format!("{} {}", words.next()?, words.next()?);
    let mut rest = words.skip_while(|word| !matches!(*word, "row"));
    rest.next();
    let place = match rest.next() {
        Some("precedes") => rest.next().map(|other| (true, other.to_owned())),
        Some("follows") => rest.next().map(|other| (false, other.to_owned())),
        _ => None,
    };
    Some((moment, place))
}

/// The definition without FOLLOWS or PRECEDES: the order is held beside it.
pub(super) fn without_place(definition: &str) -> String {
    let Some((head, body)) = definition.split_once(" for each row ") else { return definition.to_owned() };
    let mut words = body.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some("follows" | "precedes"), Some(_), Some(rest)) => format!("{head} for each row {rest}"),
        _ => definition.to_owned(),
    }
}

impl Catalog {
    /// The triggers of `table` that fire at `moment`, in order.
    fn firing(&self, table: &str, moment: &str) -> Vec<Name> {
        if let Some(Entry::Text(order)) = self.get(&Key::Attribute(table.to_owned(), format!("order of triggers {moment}"))) {
            return order.split(", ").map(str::to_owned).collect();
        }
        let fires = |name: &&Name| {
            let held = self.get(&Key::Object(Class::Trigger, (*name).clone(), None));
            matches!(held, Some(Entry::Object(object)) if object.definition.as_deref().and_then(self::moment).is_some_and(|(at, _)| at == moment))
        };
        let leaning = self.leaning(table);
        let names = leaning.iter().filter_map(|who| if let Leaning::Part(Class::Trigger, name) = who { Some(name) } else { None });
        names.filter(fires).cloned().collect()
    }

    /// The trigger `name` of `table` comes, or goes.
    pub(super) fn order_trigger(&mut self, table: &str, name: &str, definition: &str, comes: bool) {
        if !self.engine.is_mysql_like() {
            return;
        }
        let Some((moment, place)) = moment(definition) else { return };
        let mut order = self.firing(table, &moment);
        order.retain(|other| other != name);
        if comes {
            let at = place.and_then(|(before, other)| Some(order.iter().position(|o| *o == other)? + usize::from(!before)));
            order.insert(at.unwrap_or(order.len()), name.to_owned());
        }
        // One alone has no order.
        let text = (order.len() > 1).then(|| order.join(", "));
        self.put_attribute(table, &format!("order of triggers {moment}"), text);
    }
}
