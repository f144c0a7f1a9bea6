//! Any patch of any object: it is carried out or refused, and what may be sent twice changes nothing the second time.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use runbook_sim::fuzzing::{Kind, json, merge};
use serde_json::{Map, Value};

/// Kinds with lists by one key and by several, with sets, and with maps of anything.
static KINDS: LazyLock<Vec<(&str, Kind)>> = LazyLock::new(|| {
    let named = [("", "v1", "Pod"), ("apps", "v1", "Deployment"), ("", "v1", "Service"), ("", "v1", "ConfigMap")];
    let read = |(group, version, kind): (&str, &str, &'static str)| Some((kind, Kind::of(group, version, kind)?));
    named.into_iter().map(|named| read(named).expect("it is recorded")).collect()
});

/// Names that mean something, so that what is generated says something of the object.
#[rustfmt::skip]
const NAMES: [&str; 40] = [
    "metadata", "labels", "annotations", "finalizers", "ownerReferences", "uid", "managedFields", "manager", "operation",
    "fieldsType", "fieldsV1", "f:spec", "f:ports", "k:{\"name\":\"a\"}", ".", "spec", "template", "containers", "name",
    "image", "env", "value", "ports", "containerPort", "port", "protocol", "volumes", "emptyDir", "selector", "replicas",
    "data", "$patch", "$retainKeys", "$setElementOrder/containers", "$setElementOrder/ports",
    "$deleteFromPrimitiveList/finalizers", "op", "path", "from", "status",
];

#[rustfmt::skip]
const TEXTS: [&str; 24] = [
    "", "a", "b", "TCP", "UDP", "delete", "replace", "merge", "add", "remove", "test", "move", "copy", "/spec",
    "/metadata/labels/a", "/spec/containers/0", "/spec/ports/-", "/spec/containers/-1/name", "/a~1b/m~0n", "Apply", "Update",
    "FieldsV1", "v1", "apps/v1",
];

#[derive(Debug)]
struct Given {
    kind: usize,
    object: Value,
    patch: Value,
    other: Value,
}

impl<'a> Arbitrary<'a> for Given {
    fn arbitrary(source: &mut Unstructured<'a>) -> Result<Self> {
        let kind = source.choose_index(KINDS.len())?;
        Ok(Self { kind, object: map(source, 7)?, patch: any(source, 7)?, other: map(source, 7)? })
    }
}

fn any(source: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    Ok(match source.int_in_range(0..=if depth == 0 { 4 } else { 10 })? {
        0 => Value::Null,
        1 => Value::from(source.arbitrary::<bool>()?),
        2 => Value::from(source.int_in_range(-1..=90)?),
        3 => Value::from(source.arbitrary::<f64>()?),
        4 => Value::from(*source.choose(&TEXTS)?),
        5..=7 => Value::Array(few(source, |source| any(source, depth - 1))?),
        _ => map(source, depth - 1)?,
    })
}

fn map(source: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    let pairs =
        few(source, |source| Ok(((*source.choose(&NAMES)?).to_owned(), any(source, depth.saturating_sub(1))?)))?;
    Ok(Value::Object(pairs.into_iter().collect::<Map<_, _>>()))
}

fn few<'a, T>(
    source: &mut Unstructured<'a>,
    mut one: impl FnMut(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..source.int_in_range(0..=4)?).map(|_| one(source)).collect()
}

/// An object of the kind, as far as its head goes.
fn named(kind: &str, of: &Kind, object: &Value) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = Value::from(of.api_version());
    object["kind"] = Value::from(kind);
    object
}

/// What an object is once a manager has applied its configuration. Where that names nothing that can be owned, such as an
/// empty list alone, the object is left without owners, and who applies to it next finds `before-first-apply` for what is
/// there, as from a server: it is settled after that.
fn settled(kind: &Kind, live: Option<&Value>, configuration: &Value, manager: &str) -> Option<Value> {
    let applied = kind.apply(live, configuration, manager, true).ok()?;
    let owned = applied["metadata"].get("managedFields").is_some();
    if owned { Some(applied) } else { kind.apply(Some(&applied), configuration, manager, true).ok() }
}

fuzz_target!(|given: Given| {
    let (name, kind) = &KINDS[given.kind];
    let once = merge(&given.object, &given.patch);
    assert_eq!(merge(&once, &given.patch), once, "a merge patch twice");
    if let Ok(patched) = json(&given.object, &given.patch) {
        assert!(patched.is_object() || patched.is_array(), "the root stays what can hold something");
    }
    if kind.strategic(&given.object, &given.patch).is_ok() {
        let unchanged = kind.strategic(&given.object, &Value::Object(Map::new()));
        assert_eq!(unchanged.as_ref(), Ok(&given.object), "an empty patch");
    }
    let (first, second) = (named(name, kind, &given.object), named(name, kind, &given.other));
    let live = kind.track(None, first.clone(), "editor");
    for live in [None, Some(&live)] {
        let Some(applied) = settled(kind, live, &second, "one") else { continue };
        let again = kind.apply(Some(&applied), &second, "one", false);
        assert_eq!(again.as_ref(), Ok(&applied), "the same configuration again");
        if let Some(both) = settled(kind, Some(&applied), &first, "two") {
            assert_eq!(kind.apply(Some(&both), &first, "two", false), Ok(both), "that of a second manager again");
        }
    }
});
