//! Fields that stand twice in a text of JSON: of them the last one counts, and the API server says so.
//!
//! Not known here: which fields a kind has.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The paths of all of them, such as `spec.containers[0].image`, in the order in which they stand; none where the text is no JSON.
pub(crate) fn of(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut input = serde_json::Deserializer::from_slice(text);
    // What is no JSON is refused by whoever reads it.
    let read = Below { path: String::new(), found: &mut found }.deserialize(&mut input);
    if read.is_ok() { found } else { Vec::new() }
}

/// A value at a path.
struct Below<'a> {
    path: String,
    found: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Below<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Below<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut place = 0;
        while items.next_element_seed(Below { path: format!("{}[{place}]", self.path), found: self.found })?.is_some() {
            place += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            if !seen.insert(name) {
                self.found.push(path.clone());
            }
            fields.next_value_seed(Below { path, found: self.found })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn each_is_named_where_it_stands() {
        let text = br#"{"a":1,"b":{"c":true,"c":null,"a":"x"},"l":[{"n":1},{"n":1.5,"n":-2,"n":3}],"a":[]}"#;
        assert_eq!(of(text), ["b.c", "l[1].n", "l[1].n", "a"]);
        assert!(of(b"{\"a\":1,\"a\":").is_empty());
        assert!(of(b"kind: Pod").is_empty());
    }
}
