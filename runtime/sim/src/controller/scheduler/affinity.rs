//! Pods that are to stand beside others, or away from them: what their required affinities ask.
//!
//! Not known here: preferences, and the anti-affinities of pods that are placed already.

use std::{collections::HashSet, sync::Arc};

use serde_json::{Value, json};

use super::{find, fit::Node};
use crate::{
    actor::json::{items, namespace, selects, text},
    controller::{Hand, member::PODS},
    store::Stored,
};

/// Where the pods are that a pod asks for, or wants none of.
pub(super) struct Neighbours {
    terms: Vec<Term>,
}

struct Term {
    is_wanted: bool,
    topology: String,
    /// The values of the topology key where such pods are.
    places: HashSet<String>,
    /// Nobody is there yet, and the pod would be the first of its own kind.
    is_first: bool,
}

impl Neighbours {
    pub(super) fn of(hand: &Hand, pod: &Value, nodes: &[Arc<Stored>]) -> Self {
        const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
        let mut terms = Vec::new();
        for (kind, is_wanted) in [("podAffinity", true), ("podAntiAffinity", false)] {
            for term in items(pod, &format!("/spec/affinity/{kind}/{REQUIRED}")) {
                let topology = text(term, "/topologyKey").to_owned();
                let found = places(hand, pod, term, &topology, nodes);
                let labels = pod["metadata"].get("labels").cloned().unwrap_or_else(|| json!({}));
                let is_first = found.is_empty() && selects(&term["labelSelector"], &labels);
                terms.push(Term { is_wanted, topology, places: found, is_first });
            }
        }
        Self { terms }
    }

    /// Why the pod may not stand on this node.
    pub(super) fn refusal(&self, node: &Node) -> Option<Vec<String>> {
        let refused = self.terms.iter().find(|term| {
            let place = node.labels.get(&term.topology).and_then(Value::as_str);
            let is_there = place.is_some_and(|place| term.places.contains(place));
            let may_begin = term.is_first && place.is_some();
            if term.is_wanted { !is_there && !may_begin } else { is_there }
        })?;
        let words = if refused.is_wanted {
            "node(s) didn't match pod affinity rules"
        } else {
            "node(s) didn't match pod anti-affinity rules"
        };
        Some(vec![words.to_owned()])
    }
}

fn places(hand: &Hand, pod: &Value, term: &Value, topology: &str, nodes: &[Arc<Stored>]) -> HashSet<String> {
    let named: Vec<&str> = items(term, "/namespaces").iter().filter_map(Value::as_str).collect();
    let spaces = if named.is_empty() { vec![namespace(pod)] } else { named };
    let mut found = HashSet::new();
    for stored in spaces.into_iter().flat_map(|space| hand.stored(PODS, Some(space))) {
        let Some(node) = stored.first_field().and_then(|node| find(nodes, node)) else { continue };
        if stored.is_selected(&term["labelSelector"])
            && let Some(place) = Node::of(&nodes[node]).labels.get(topology).and_then(Value::as_str)
        {
            found.insert(place.to_owned());
        }
    }
    found
}
