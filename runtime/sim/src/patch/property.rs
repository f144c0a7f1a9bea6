//! What holds for every document and every patch, whatever is in them.
//!
//! Not known here: single cases; those of peers run elsewhere.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::merge::difference;
use super::{json, merge, strategic};
use crate::schema::Schema;
use crate::schema::tests::RECORD;

/// Few names, so that documents have much in common; two of them have to be escaped in a pointer.
const NAMES: [&str; 6] = ["a", "b", "c", "0", "x/y", "m~n"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from), "[xy]{0,2}".prop_map(Value::from)]
}

/// A value; `leaf` says what its scalars are.
fn value(leaf: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    leaf.prop_recursive(4, 24, 4, |inner| prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::from), map(inner)])
}

fn map(of: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    btree_map(select(&NAMES[..]).prop_map(str::to_owned), of, 0..4).prop_map(|map| map.into_iter().collect())
}

/// An object without any null.
fn document() -> impl Strategy<Value = Value> {
    map(value(scalar()))
}

/// A value that may be or hold nulls.
fn with_nulls() -> impl Strategy<Value = Value> {
    value(prop_oneof![1 => Just(Value::Null), 3 => scalar()])
}

fn pointer() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => select(&["a", "b", "c", "0", "1", "x~1y", "m~0n"][..]),
        1 => select(&["-", "-1", "", "7", "~", "01"][..])
    ];
    vec(part, 0..4).prop_map(|parts| if parts.is_empty() { String::new() } else { format!("/{}", parts.join("/")) })
}

fn operation() -> impl Strategy<Value = Value> {
    let word = select(&["add", "remove", "replace", "test", "move", "copy"][..]);
    (word, pointer(), pointer(), with_nulls())
        .prop_map(|(op, path, from, value)| json!({ "op": op, "path": path, "from": from, "value": value }))
}

/// RFC 7386, word by word.
fn as_the_rfc_has_it(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut target = target.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let merged = as_the_rfc_has_it(target.get(name).unwrap_or(&Value::Null), value);
            target.insert(name.clone(), merged);
        }
    }
    Value::Object(target)
}

proptest! {
    #[test]
    fn the_difference_of_two_documents_leads_from_one_to_the_other(from in document(), to in document()) {
        prop_assert_eq!(merge(&from, &difference(&from, &to)), to);
    }

    #[test]
    fn a_merge_patch_does_what_the_rfc_says_and_nothing_more_a_second_time(
        object in with_nulls(), patch in with_nulls()
    ) {
        let once = merge(&object, &patch);
        prop_assert_eq!(&once, &as_the_rfc_has_it(&object, &patch));
        prop_assert_eq!(merge(&once, &patch), once);
    }

    #[test]
    fn what_another_library_finds_different_leads_from_one_document_to_the_other(
        from in map(with_nulls()), to in map(with_nulls())
    ) {
        let patch = serde_json::to_value(json_patch::diff(&from, &to)).unwrap();
        prop_assert_eq!(json(&from, &patch).unwrap(), to, "{}", patch);
    }

    /// Ours takes more than the RFC allows, as the server does; what the RFC allows comes out as it says.
    #[test]
    fn what_another_library_carries_out_comes_out_the_same(
        object in map(with_nulls()), operations in vec(operation(), 1..4)
    ) {
        let patch = Value::from(operations.clone());
        let mut theirs = object.clone();
        let Ok(read) = serde_json::from_value::<json_patch::Patch>(patch.clone()) else { return Ok(()) };
        // The root can be neither taken nor given: what an object is called and is stays.
        let of_root = |one: &Value| one["path"] == "" || (one["from"] == "" && (one["op"] == "move" || one["op"] == "copy"));
        if !operations.iter().any(of_root) && json_patch::patch(&mut theirs, &read).is_ok() {
            prop_assert_eq!(json(&object, &patch).unwrap(), theirs);
        }
    }

    #[test]
    fn what_is_added_can_be_tested_for_and_taken_out_again(object in document(), value in with_nulls()) {
        let add = json!([{ "op": "add", "path": "/new", "value": value }, { "op": "test", "path": "/new", "value": value }]);
        let added = json(&object, &add).unwrap();
        prop_assert_eq!(&added["new"], &value);
        prop_assert_eq!(json(&added, &json!([{ "op": "remove", "path": "/new" }])).unwrap(), object);
    }

    #[test]
    fn no_patch_makes_it_panic(object in with_nulls(), patch in with_nulls(), operations in vec(operation(), 0..4)) {
        let _ = json(&object, &patch);
        let _ = json(&object, &Value::from(operations));
        let _ = merge(&object, &patch);
    }
}

fn pods() -> Schema {
    Schema::of_record(&RECORD, "", "v1", "Pod").unwrap()
}

/// A container's variables, by their names; the order is theirs.
fn variables() -> impl Strategy<Value = Vec<Value>> {
    named(&["A", "B", "C", "D"], "[xy]{1,2}".prop_map(|value| json!({ "value": value })).boxed())
}

fn named(names: &'static [&'static str], fields: BoxedStrategy<Value>) -> impl Strategy<Value = Vec<Value>> {
    let some = subsequence(names, 0..=names.len()).prop_shuffle();
    let count = names.len();
    (some, vec(fields, count)).prop_map(|(names, fields)| {
        let element = |(name, fields): (&str, Value)| {
            let mut element = json!({ "name": name });
            element.as_object_mut().unwrap().extend(fields.as_object().cloned().unwrap_or_default());
            element
        };
        names.into_iter().zip(fields).map(element).collect()
    })
}

/// A pod, or a part of one that says something of it: without directives and without nulls.
fn pod() -> impl Strategy<Value = Value> {
    let image = proptest::option::of("[xy]{1,2}");
    let container = (image, variables()).prop_map(|(image, env)| {
        let mut container = Map::new();
        container.extend(image.map(|image| ("image".to_owned(), json!(image))));
        if !env.is_empty() {
            container.insert("env".to_owned(), json!(env));
        }
        Value::Object(container)
    });
    let containers = named(&["web", "proxy", "init"], container.boxed());
    let finalizers = subsequence(vec!["f/1", "f/2", "f/3"], 0..=3).prop_shuffle();
    let labels = map(scalar());
    (containers, finalizers, labels).prop_map(|(containers, finalizers, labels)| {
        json!({ "metadata": { "labels": labels, "finalizers": finalizers }, "spec": { "containers": containers } })
    })
}

/// Lists by names as maps by names, so that order plays no part.
fn unordered(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), unordered(value))).collect(),
        Value::Array(list) => {
            let name = |one: &Value| one["name"].as_str().map_or_else(|| one.to_string(), str::to_owned);
            list.iter().map(|one| (name(one), unordered(one))).collect()
        }
        scalar => scalar.clone(),
    }
}

fn containers(pod: &Value) -> Vec<&str> {
    let all = pod["spec"]["containers"].as_array();
    all.into_iter().flatten().map(|container| container["name"].as_str().unwrap()).collect()
}

proptest! {
    #[test]
    fn a_strategic_patch_merges_lists_by_name_as_a_merge_patch_does_maps(object in pod(), patch in pod()) {
        let once = strategic(&pods(), &object, &patch).unwrap();
        prop_assert_eq!(unordered(&once), as_the_rfc_has_it(&unordered(&object), &unordered(&patch)));
        prop_assert_eq!(strategic(&pods(), &once, &patch).unwrap(), once);
    }

    #[test]
    fn a_strategic_patch_that_says_what_is_there_or_nothing_changes_nothing(object in pod()) {
        prop_assert_eq!(&strategic(&pods(), &object, &object).unwrap(), &object);
        prop_assert_eq!(&strategic(&pods(), &object, &json!({})).unwrap(), &object);
    }

    #[test]
    fn a_strategic_patch_deletes_the_elements_it_names_and_no_others(
        object in pod(), gone in subsequence(vec!["web", "proxy", "init"], 0..=3)
    ) {
        let directives: Vec<_> = gone.iter().map(|name| json!({ "$patch": "delete", "name": name })).collect();
        let patched = strategic(&pods(), &object, &json!({ "spec": { "containers": directives } })).unwrap();
        let mut expected = object.clone();
        expected["spec"]["containers"].as_array_mut().unwrap().retain(|one| gone.iter().all(|name| one["name"] != **name));
        prop_assert_eq!(patched, expected);
    }

    #[test]
    fn elements_stand_in_the_order_that_a_strategic_patch_sets(
        object in pod(), order in subsequence(vec!["web", "proxy", "init"], 1..=3).prop_shuffle()
    ) {
        prop_assume!(!containers(&object).is_empty());
        let named: Vec<_> = order.iter().map(|name| json!({ "name": name })).collect();
        let patch = json!({ "spec": { "$setElementOrder/containers": named } });
        let patched = strategic(&pods(), &object, &patch).unwrap();
        prop_assert_eq!(unordered(&patched), unordered(&object));
        let there = containers(&object);
        let wanted: Vec<_> = order.iter().copied().filter(|name| there.contains(name)).collect();
        let found: Vec<_> = containers(&patched).into_iter().filter(|name| order.contains(name)).collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn a_map_that_is_replaced_is_what_the_patch_says(object in pod(), labels in map(scalar())) {
        let mut patch = json!({ "metadata": { "labels": labels } });
        patch["metadata"]["labels"]["$patch"] = json!("replace");
        let patched = strategic(&pods(), &object, &patch).unwrap();
        prop_assert_eq!(&patched["metadata"]["labels"], &labels);
        prop_assert_eq!(&patched["spec"], &object["spec"]);
    }

    #[test]
    fn no_strategic_patch_makes_it_panic(object in strange(), patch in strange()) {
        let _ = strategic(&pods(), &object, &patch);
    }
}

/// What looks like a part of a pod, with directives at any place and values of any type.
fn strange() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        select(
            &["metadata", "labels", "finalizers", "spec", "containers", "env", "name", "ports", "containerPort"][..]
        ),
        select(
            &["$patch", "$retainKeys", "$setElementOrder/containers", "$setElementOrder/env", "$setElementOrder"][..]
        ),
        select(&["$deleteFromPrimitiveList/finalizers", "$deleteFromPrimitiveList", "volumes", "emptyDir"][..]),
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        3 => scalar(),
        3 => select(&["delete", "replace", "merge", "web", "name", "env"][..]).prop_map(Value::from)
    ];
    let value = leaf.prop_recursive(6, 48, 5, move |inner| {
        let map = btree_map(word.clone().prop_map(str::to_owned), inner.clone(), 0..5);
        prop_oneof![vec(inner, 0..4).prop_map(Value::from), map.prop_map(|map| map.into_iter().collect())]
    });
    (value.clone(), value.clone(), value).prop_map(|(containers, metadata, rest)| {
        let containers = if containers.is_object() { json!([containers, rest]) } else { containers };
        json!({ "metadata": metadata, "spec": { "containers": containers, "volumes": rest } })
    })
}
