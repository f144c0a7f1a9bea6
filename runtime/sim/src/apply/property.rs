//! What holds of apply for every configuration, and of every set of fields.
//!
//! Not known here: single cases, and what a real API server wrote for them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::element::Element;
use super::{Conflict, Order, Refusal, Set, apply, track};
use crate::schema::Schema;

/// One field of each sort: scalars, a map, a list by key, a list that is a set, and a list that is owned as a whole.
fn schema() -> Schema {
    let (text, port) = (json!({ "type": "string" }), json!({ "type": "integer" }));
    Schema::of_crd(&json!({ "type": "object", "properties": { "spec": { "type": "object", "properties": {
        "replicas": { "type": "integer" },
        "paused": { "type": "boolean" },
        "labels": { "type": "object", "additionalProperties": text },
        "ports": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"],
            "items": { "type": "object", "properties": { "port": port, "name": text, "protocol": text } },
        },
        "groups": { "type": "array", "x-kubernetes-list-type": "set", "items": text },
        "arguments": { "type": "array", "items": text },
    } } } }))
    .unwrap()
}

/// What somebody wants of the object: each field of it that may be owned alone, and its value.
#[derive(Clone, Debug, PartialEq)]
struct Wanted(BTreeMap<String, Value>);

fn configuration() -> impl Strategy<Value = Value> {
    let word = || "[xy]{1}";
    let port = (option::of(word()), option::of(word()));
    let scalars = (option::of(1..3), option::of(any::<bool>()));
    let maps = (btree_map("[ab]", word(), 0..3), btree_map(80..83, port, 0..3));
    let lists = (btree_set("[ab]", 0..3), option::of(vec(word(), 1..3)));
    (scalars, maps, lists).prop_map(|((replicas, paused), (labels, ports), (groups, arguments))| {
        let mut spec = Map::new();
        spec.extend(replicas.map(|replicas| ("replicas".to_owned(), json!(replicas))));
        spec.extend(paused.map(|paused| ("paused".to_owned(), json!(paused))));
        spec.extend(arguments.map(|arguments| ("arguments".to_owned(), json!(arguments))));
        if !labels.is_empty() {
            spec.insert("labels".to_owned(), json!(labels));
        }
        if !groups.is_empty() {
            spec.insert("groups".to_owned(), json!(groups));
        }
        let ports: Vec<_> = ports
            .into_iter()
            .map(|(port, (name, protocol))| {
                let mut element = json!({ "port": port });
                for (key, value) in [("name", name), ("protocol", protocol)] {
                    if let Some(value) = value {
                        element[key] = json!(value);
                    }
                }
                element
            })
            .collect();
        if !ports.is_empty() {
            spec.insert("ports".to_owned(), json!(ports));
        }
        Value::Object(spec)
    })
}

/// What a configuration says, field by field as conflicts name them.
fn wanted(spec: &Value) -> Wanted {
    let mut all = BTreeMap::new();
    for (key, value) in spec.as_object().into_iter().flatten() {
        match (key.as_str(), value) {
            ("ports", Value::Array(ports)) => {
                for element in ports {
                    let of = |field: &str| format!(".spec.ports[port={}].{field}", element["port"]);
                    let fields = element.as_object().unwrap();
                    all.extend(fields.iter().map(|(field, value)| (of(field), value.clone())));
                }
            }
            ("groups", Value::Array(groups)) => {
                all.extend(groups.iter().map(|one| (format!(".spec.groups[={one}]"), one.clone())));
            }
            ("labels", Value::Object(labels)) => {
                all.extend(labels.iter().map(|(label, value)| (format!(".spec.labels.{label}"), value.clone())));
            }
            (_, Value::Null) => {}
            _ => drop(all.insert(format!(".spec.{key}"), value.clone())),
        }
    }
    Wanted(all)
}

impl Wanted {
    /// The fields that both name and want otherwise.
    fn contested(&self, other: &Self) -> BTreeSet<String> {
        let differs = |(field, value): &(&String, &Value)| other.0.get(*field).is_some_and(|theirs| theirs != *value);
        self.0.iter().filter(differs).map(|(field, _)| field.clone()).collect()
    }

    /// Both, where the other one wins.
    fn under(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&other.0).map(|(field, value)| (field.clone(), value.clone())).collect())
    }
}

fn order(manager: &str) -> Order<'_> {
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    Order { manager, force: false, now, api_version: "example.com/v1", subresource: "", resets: &[] }
}

fn object(spec: &Value) -> Value {
    json!({ "apiVersion": "example.com/v1", "kind": "Thing", "metadata": { "name": "a" }, "spec": spec })
}

fn applied(live: Option<&Value>, spec: &Value, how: &Order<'_>) -> Result<Value, BTreeSet<String>> {
    match apply(&schema(), live, &object(spec), how) {
        Ok(object) => Ok(object),
        Err(Refusal::Conflicts(conflicts)) => Err(conflicts.into_iter().map(|Conflict { field, .. }| field).collect()),
        Err(other) => panic!("{other}"),
    }
}

/// The fields that a manager owns, as they are written.
fn owned(object: &Value, manager: &str) -> Value {
    let entries = object["metadata"]["managedFields"].as_array();
    let entry = entries.into_iter().flatten().find(|entry| entry["manager"] == manager);
    entry.map_or(Value::Null, |entry| entry["fieldsV1"].clone())
}

proptest! {
    #[test]
    fn what_is_applied_again_changes_nothing(first in configuration(), second in configuration()) {
        let mut live = applied(None, &first, &order("one")).unwrap();
        live = applied(Some(&live), &second, &Order { force: true, ..order("two") }).unwrap();
        let later = Order { now: "2031-01-01T00:00:00Z".parse().unwrap(), ..order("two") };
        prop_assert_eq!(applied(Some(&live), &second, &later).unwrap(), live);
    }

    #[test]
    fn fields_that_their_only_owner_gives_up_go(first in configuration(), second in configuration()) {
        let live = applied(None, &first, &order("one")).unwrap();
        let live = applied(Some(&live), &second, &order("one")).unwrap();
        prop_assert_eq!(wanted(&live["spec"]), wanted(&second));
    }

    #[test]
    fn fields_that_another_owns_too_stay(
        first in configuration(), second in configuration(), less in configuration()
    ) {
        let (of_two, of_less) = (wanted(&second), wanted(&less));
        prop_assume!(wanted(&first).contested(&of_two).is_empty() && of_two.contested(&of_less).is_empty());
        let live = applied(None, &first, &order("one")).unwrap();
        let live = applied(Some(&live), &second, &order("two")).unwrap();
        let live = applied(Some(&live), &less, &order("one")).unwrap();
        prop_assert_eq!(wanted(&live["spec"]), of_two.under(&of_less));
    }

    #[test]
    fn a_conflict_names_the_contested_fields_and_no_others(first in configuration(), second in configuration()) {
        let live = applied(None, &first, &order("one")).unwrap();
        let contested = wanted(&first).contested(&wanted(&second));
        match applied(Some(&live), &second, &order("two")) {
            Ok(both) => {
                prop_assert_eq!(contested, BTreeSet::new());
                prop_assert_eq!(wanted(&both["spec"]), wanted(&first).under(&wanted(&second)));
            }
            Err(found) => prop_assert_eq!(found, contested),
        }
    }

    #[test]
    fn what_two_managers_own_apart_does_not_depend_on_who_came_first(
        first in configuration(), second in configuration()
    ) {
        prop_assume!(wanted(&first).contested(&wanted(&second)).is_empty());
        let one_then_two = applied(Some(&applied(None, &first, &order("one")).unwrap()), &second, &order("two")).unwrap();
        let two_then_one = applied(Some(&applied(None, &second, &order("two")).unwrap()), &first, &order("one")).unwrap();
        prop_assert_eq!(wanted(&one_then_two["spec"]), wanted(&two_then_one["spec"]));
        for manager in ["one", "two"] {
            prop_assert_eq!(owned(&one_then_two, manager), owned(&two_then_one, manager));
        }
    }

    #[test]
    fn what_is_taken_by_force_is_contested_the_other_way_around(first in configuration(), second in configuration()) {
        let live = applied(None, &first, &order("one")).unwrap();
        let taken = applied(Some(&live), &second, &Order { force: true, ..order("two") }).unwrap();
        prop_assert_eq!(wanted(&taken["spec"]), wanted(&first).under(&wanted(&second)));
        let contested = wanted(&first).contested(&wanted(&second));
        let again = applied(Some(&taken), &first, &order("one"));
        prop_assert_eq!(again.err().unwrap_or_default(), contested);
    }

    #[test]
    fn an_update_takes_what_it_changes_from_whoever_applied_it(first in configuration(), second in configuration()) {
        let live = applied(None, &first, &order("one")).unwrap();
        let mut updated = object(&second);
        track(&schema(), Some(&live), &mut updated, &order("editor"));
        let contested = wanted(&first).contested(&wanted(&second));
        let again = applied(Some(&updated), &first, &order("one"));
        prop_assert_eq!(again.err().unwrap_or_default(), contested);
    }

    #[test]
    fn nothing_that_is_applied_makes_it_panic(
        first in configuration(), strange in strange(), fields in strange(), force in any::<bool>()
    ) {
        let mut live = applied(None, &first, &order("one")).unwrap();
        let how = Order { force, ..order("two") };
        let _ = apply(&schema(), Some(&live), &object(&strange), &how);
        let _ = apply(&schema(), None, &strange, &how);
        let mut written = object(&strange);
        track(&schema(), Some(&live), &mut written, &how);
        live["metadata"]["managedFields"][0]["fieldsV1"] = fields;
        let _ = apply(&schema(), Some(&live), &object(&strange), &how);
    }
}

/// What looks like a configuration or like a set of fields, and is neither.
fn strange() -> impl Strategy<Value = Value> {
    let names = ["spec", "ports", "port", "groups", "labels", "replicas", "arguments", "metadata", "managedFields"];
    let fields = ["f:spec", "f:ports", ".", "k:{\"port\":80}", "k:", "v:\"a\"", "i:-1", "i:x", "f", "", "q:a"];
    let word = prop_oneof![select(names.to_vec()), select(fields.to_vec())].prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        (80..83).prop_map(Value::from),
        "[ab]".prop_map(Value::from),
        any::<bool>().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 32, 4, move |inner| {
        let map = btree_map(word.clone(), inner.clone(), 0..4).prop_map(|map| map.into_iter().collect());
        prop_oneof![vec(inner, 0..4).prop_map(Value::from), map]
    })
}

type Paths = BTreeSet<Vec<Element>>;

fn paths() -> impl Strategy<Value = Paths> {
    let element = prop_oneof![
        4 => select(&["a", "b", "x/y"][..]).prop_map(Element::field),
        1 => (0..2).prop_map(|port| Element::Key(vec![("port".to_owned(), json!(port))])),
        1 => "[a<]".prop_map(|value| Element::Value(json!(value))),
        1 => (-1..2_i64).prop_map(Element::Index),
    ];
    btree_set(vec(element, 1..4), 0..6)
}

fn set(paths: &Paths) -> Set {
    let mut set = Set::default();
    for path in paths {
        set.insert(path);
    }
    set
}

fn each(set: &Set) -> Paths {
    let mut all = Paths::new();
    set.each(&mut Vec::new(), &mut |path| assert!(all.insert(path.to_vec()), "each path once"));
    all
}

proptest! {
    #[test]
    fn sets_of_fields_are_sets(one in paths(), other in paths()) {
        let (left, right) = (set(&one), set(&other));
        prop_assert_eq!(each(&left), one.clone());
        prop_assert_eq!(each(&left.union(&right)), &one | &other);
        prop_assert_eq!(each(&left.intersection(&right)), &one & &other);
        prop_assert_eq!(each(&left.difference(&right)), &one - &other);
        prop_assert_eq!(left.is_empty(), one.is_empty());
        prop_assert!(one.iter().all(|path| left.has(path)) && other.iter().all(|path| left.has(path) == one.contains(path)));
    }

    #[test]
    fn what_is_taken_with_all_below_it_leaves_nothing_below(one in paths(), other in paths()) {
        let left = set(&one).recursive_difference(&set(&other));
        let kept = one.into_iter().filter(|path| !other.iter().any(|gone| path.starts_with(gone)));
        prop_assert_eq!(each(&left), kept.collect::<Paths>());
    }

    #[test]
    fn a_set_of_fields_is_read_as_it_was_written(one in paths()) {
        let set = set(&one);
        prop_assert_eq!(Set::read(&set.written()).unwrap(), set);
    }
}
