//! Which fields of an object are read at all: the others are passed over in the text and never become values.
//!
//! Does not know what any field means, beyond those that say which object it is.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::path::{Part, Path};

/// What is read of a value, and of each element where it is a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// Fields with a word of their own.
    named: BTreeMap<String, Fields>,
    /// Whether all other fields are read.
    others: bool,
}

impl Fields {
    /// Everything.
    pub fn all() -> Self {
        Self { named: BTreeMap::new(), others: true }
    }

    /// These paths of an object, such as `spec.containers.image`, and what says which object it is. The error says in words what is
    /// wrong with a path.
    pub(super) fn of(paths: &[String]) -> Result<Self, String> {
        let mut fields = Self::default();
        for path in ["apiVersion", "kind", "metadata.name", "metadata.namespace"] {
            fields.add(&Path::parse(path)?)?;
        }
        for path in paths {
            fields.add(&Path::parse(path)?)?;
        }
        Ok(fields)
    }

    fn add(&mut self, path: &Path) -> Result<(), String> {
        let mut here = self;
        for part in &path.0 {
            let Part::Key(key) = part else {
                return Err(format!(
                    "the field `{path}` names one element of a list: leave the index out, all of them are read"
                ));
            };
            if here.others {
                return Ok(());
            }
            here = here.named.entry(key.clone()).or_default();
        }
        *here = Self::all();
        Ok(())
    }

    /// The same without a field.
    #[must_use]
    pub(super) fn without(mut self, outer: &str, inner: &str) -> Self {
        let others = self.others;
        if let Some(around) = self.named.get_mut(outer) {
            around.named.insert(inner.to_owned(), Self::default());
        } else if others {
            let mut around = Self::all();
            around.named.insert(inner.to_owned(), Self::default());
            self.named.insert(outer.to_owned(), around);
        }
        self
    }

    /// What is read of a field; nothing where it is passed over.
    fn below(&self, key: &str) -> Option<&Self> {
        static ALL: Fields = Fields { named: BTreeMap::new(), others: true };
        match self.named.get(key) {
            Some(below) if below.named.is_empty() && !below.others => None,
            Some(below) => Some(below),
            None => self.others.then_some(&ALL),
        }
    }
}

impl<'de> DeserializeSeed<'de> for &Fields {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Fields {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            match self.below(&key) {
                Some(below) => {
                    let value = fields.next_value_seed(below)?;
                    map.insert(key, value);
                }
                None => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const POD: &str = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"shop","labels":{"app":"web","istio.io/rev":"x"},
        "managedFields":[{"manager":"m"}]},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i","ports":[{"port":80}]},{"name":"d"}]},"n":[1,-2,1.5,null,true]}"#;

    fn read(fields: &Fields) -> Value {
        fields.deserialize(&mut serde_json::Deserializer::from_str(POD)).unwrap()
    }

    fn of(paths: &[&str]) -> Fields {
        Fields::of(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_is_named_is_read_through_lists_and_nothing_else() {
        let identity = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "shop"}});
        assert_eq!(read(&of(&[])), identity);
        let mut some = identity;
        some["metadata"]["labels"] = json!({"istio.io/rev": "x"});
        some["spec"] = json!({"containers": [{"image": "i"}, {}]});
        assert_eq!(read(&of(&[r#"metadata.labels["istio.io/rev"]"#, "spec.containers.image", "status.phase"])), some);
        assert_eq!(read(&of(&["spec", "spec.nodeName"]))["spec"], read(&Fields::all())["spec"]);
    }

    #[test]
    fn all_of_it_is_what_serde_json_reads() {
        let whole: Value = serde_json::from_str(POD).unwrap();
        assert_eq!(read(&Fields::all()), whole);
        let mut rest = whole;
        rest["metadata"].as_object_mut().unwrap().remove("managedFields");
        assert_eq!(read(&Fields::all().without("metadata", "managedFields")), rest);
        assert_eq!(read(&of(&["metadata"]).without("metadata", "managedFields"))["metadata"], rest["metadata"]);
    }

    #[test]
    fn a_path_that_cannot_be_meant_is_refused_in_words() {
        for (path, words) in
            [("spec.containers[0].image", "leave the index out"), ("", "it is empty"), ("a..b", "a name is empty")]
        {
            let said = Fields::of(&[path.to_owned()]).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
