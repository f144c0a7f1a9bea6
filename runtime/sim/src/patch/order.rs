//! In which order the elements of a merged list stand: as the patch has them, with those only the server knows in between.
//!
//! Not known here: how elements are merged.

use std::collections::HashMap;

use serde_json::Value;

use super::PatchError;
use super::words::{no_merge_key, wrong_type};

/// Where elements stand in a list, by what tells them apart.
pub(super) struct Places(HashMap<String, usize>);

impl Places {
    pub(super) fn of(list: &[Value], merge_key: &str) -> Self {
        let mut places = HashMap::with_capacity(list.len());
        for (at, element) in list.iter().enumerate() {
            places.entry(identity(element, merge_key)).or_insert(at);
        }
        Self(places)
    }

    pub(super) fn of_element(&self, element: &Value, merge_key: &str) -> Option<usize> {
        self.0.get(&identity(element, merge_key)).copied()
    }
}

/// What tells an element apart: itself, or what it has under the merge key.
fn identity(element: &Value, merge_key: &str) -> String {
    let value = if merge_key.is_empty() || !element.is_object() { element } else { &element[merge_key] };
    value.to_string()
}

/// Elements that a patch names, and those that it does not.
pub(super) fn partition(
    merged: Vec<Value>,
    named: &[Value],
    merge_key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    if !merge_key.is_empty() {
        keyed(&merged, merge_key)?;
    }
    let places = Places::of(named, merge_key);
    Ok(merged.into_iter().partition(|element| places.of_element(element, merge_key).is_some()))
}

/// Each element is a map with the merge key.
pub(super) fn keyed(list: &[Value], merge_key: &str) -> Result<(), PatchError> {
    for element in list {
        let map = element.as_object().ok_or_else(|| wrong_type("map[string]interface {}", element))?;
        if !map.contains_key(merge_key) {
            return Err(no_merge_key(element, merge_key));
        }
    }
    Ok(())
}

/// Brings the elements that the patch names and the server's own into one order.
pub(super) fn normalise(
    mut named: Vec<Value>,
    mut others: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    merge_key: &str,
) -> Vec<Value> {
    sort(&mut named, &Places::of(patch_order, merge_key), merge_key);
    let server = Places::of(server_order, merge_key);
    sort(&mut others, &server, merge_key);
    let mut all = Vec::with_capacity(named.len() + others.len());
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    loop {
        let next = match (others.peek(), named.peek()) {
            (None, None) => return all,
            (Some(_), None) => others.next(),
            (None, Some(_)) => named.next(),
            (Some(other), Some(one)) => {
                let places = server.of_element(other, merge_key).zip(server.of_element(one, merge_key));
                if places.is_some_and(|(other, one)| other < one) { others.next() } else { named.next() }
            }
        };
        all.extend(next);
    }
}

/// Elements that the order does not name keep to the end; those to be deleted stand last anyway.
fn sort(list: &mut [Value], order: &Places, merge_key: &str) {
    list.sort_by_cached_key(|element| order.of_element(element, merge_key).unwrap_or(usize::MAX));
}
