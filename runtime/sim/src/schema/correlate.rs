//! Which part of an old object a part of a new one takes the place of.
//!
//! Not known here: what is asked about the two.

use std::collections::HashMap;

use serde_json::Value;

use super::node::{ListType, MapType, Node};

/// The old value of a field.
pub(super) fn field<'a>(node: &Node, old: &'a Value, key: &str) -> Option<&'a Value> {
    if node.map_type == Some(MapType::Atomic) { None } else { old.get(key) }
}

/// The elements of an old list, by what tells them apart.
pub(super) struct Items<'a> {
    keys: &'a [String],
    by_key: HashMap<String, Option<&'a Value>>,
}

impl<'a> Items<'a> {
    pub(super) fn of(node: &'a Node, old: Option<&'a Value>) -> Self {
        let ListType::Map(keys) = &node.list_type else { return Self { keys: &[], by_key: HashMap::new() } };
        let mut items = Self { keys, by_key: HashMap::new() };
        for item in old.and_then(Value::as_array).into_iter().flatten() {
            let key = items.key(item);
            // Two of a kind are told apart by nothing.
            items.by_key.entry(key).and_modify(|value| *value = None).or_insert(Some(item));
        }
        items
    }

    /// The element that a new one takes the place of.
    pub(super) fn get(&self, item: &Value) -> Option<&'a Value> {
        if self.keys.is_empty() {
            return None;
        }
        self.by_key.get(&self.key(item)).copied().flatten()
    }

    fn key(&self, item: &Value) -> String {
        self.keys.iter().map(|key| format!("{}\u{0}", item[key])).collect::<Vec<_>>().concat()
    }
}
