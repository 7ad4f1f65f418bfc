//! Whether each key of a JSON text stands there once. In: bytes. Out: nothing, or the key that stands there twice: two readers of such a text may
//! each see another value, and only one of them was meant by who signed it.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// A text that is no JSON, or has a key twice.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DuplicateKey(#[from] serde_json::Error);

/// Reads all of `bytes`.
///
/// # Errors
/// [`DuplicateKey`], with the place, also where this is no JSON at all.
pub fn one_key_once(bytes: &[u8]) -> Result<(), DuplicateKey> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Any.deserialize(&mut reader)?;
    Ok(reader.end()?)
}

struct Any;

impl<'de> DeserializeSeed<'de> for Any {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(Any)
    }
}

impl<'de> Visitor<'de> for Any {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Any)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom(format!("the key {key:?} stands there twice")));
            }
            seen.insert(key);
            map.next_value_seed(Any)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_stand_once_at_each_place() {
        for text in [r#"{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}"#, "[]", "1.5", "null", "-3", "true"] {
            one_key_once(text.as_bytes()).unwrap();
        }
        let twice = [r#"{"a": 1, "a": 1}"#, r#"[{"b": {"a": 1, "c": 2, "a": 3}}]"#, r#"{"a": 1, "\u0061": 2}"#];
        for text in twice.into_iter().chain(["", "{", "{} {}", "[1,]"]) {
            assert!(one_key_once(text.as_bytes()).is_err(), "{text}");
        }
    }
}
