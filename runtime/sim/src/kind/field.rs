//! How Go's types write the fields of a recorded schema: numbers in protobuf, and what is there though empty.
//!
//! Not known here: the bytes of protobuf, and what any field means.

use super::record;

/// When a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Unless it is empty: zero, `""`, `false`, no elements.
    Filled,
    /// Whenever it was given, though empty.
    Given,
    /// Always; `null` where it was not given.
    GivenOrNull,
    /// Always, empty where it was not given.
    Always,
}

/// One field of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its name in JSON.
    pub(crate) name: String,
    /// Where it is in protobuf: its number, after the numbers of the messages it is wrapped in; empty where it is not there.
    pub(crate) path: Vec<u32>,
    pub(crate) presence: Presence,
}

/// The fields of a schema by its name, `None` where it is no struct with fields.
pub(crate) fn fields(schema: &str) -> Option<Vec<Field>> {
    let (line, of) = (record::field_line(schema)?, record::schema(schema)?);
    let names = of.get("properties")?.as_object()?.keys();
    Some(names.zip(line.split(' ')).map(|(name, word)| field(name, word)).collect())
}

fn field(name: &str, word: &str) -> Field {
    let (numbers, presence) = match word.split_at(word.len().saturating_sub(1)) {
        (numbers, "*") => (numbers, Presence::Given),
        (numbers, "^") => (numbers, Presence::GivenOrNull),
        (numbers, "!") => (numbers, Presence::Always),
        _ => (word, Presence::Filled),
    };
    let path = numbers.split('.').filter_map(|number| number.parse().ok()).collect();
    Field { name: name.to_owned(), path, presence }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(schema: &str, name: &str) -> Field {
        fields(schema).unwrap().into_iter().find(|field| field.name == name).unwrap()
    }

    #[test]
    fn fields_of_embedded_structs_are_found_through_their_wrapper() {
        assert_eq!(of("io.k8s.api.core.v1.Volume", "configMap").path, [2, 19]);
        assert_eq!(of("io.k8s.api.core.v1.Probe", "exec").path, [1, 1]);
    }

    #[test]
    fn presence_follows_the_go_types() {
        assert_eq!(of("io.k8s.api.apps.v1.DeploymentSpec", "replicas").presence, Presence::Given);
        assert_eq!(of("io.k8s.api.apps.v1.DeploymentSpec", "selector").presence, Presence::GivenOrNull);
        assert_eq!(of("io.k8s.api.apps.v1.DeploymentSpec", "template").presence, Presence::Always);
        assert_eq!(of("io.k8s.api.core.v1.PodSpec", "hostNetwork").presence, Presence::Filled);
    }
}
