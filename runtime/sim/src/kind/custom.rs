//! Kinds out of CRDs: what a definition serves, and whose names it may not take.
//!
//! Not known here: whether a definition is valid, or when it is established.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::definition::{Custom, Kind, Source, Subresource};

const VERBS: [&str; 8] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/// What is left of a definition that is being deleted.
const LAST_VERBS: [&str; 5] = ["delete", "deletecollection", "get", "list", "watch"];
const SUBRESOURCE_VERBS: [&str; 3] = ["get", "patch", "update"];

/// Why a definition may not have the names it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// Such as `PluralConflict`.
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// The kinds of a definition, one for each version that is served, the preferred one first.
pub(super) fn kinds(crd: &Value) -> Vec<Arc<Kind>> {
    let definition = Arc::new(crd.clone());
    let versions = crd["spec"]["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let served = versions.iter().enumerate().filter(|(_, version)| version["served"] == true);
    let mut kinds: Vec<_> = served.map(|(index, version)| Arc::new(kind(&definition, index, version))).collect();
    kinds.sort_by_key(|kind| Preference::of(&kind.version));
    kinds
}

fn kind(definition: &Arc<Value>, index: usize, version: &Value) -> Kind {
    let (spec, names) = (&definition["spec"], names(definition));
    let (group, version_name) = (text(&spec["group"]), text(&version["name"]));
    let kind = text(&names["kind"]);
    let list_kind = names["listKind"].as_str().map_or_else(|| format!("{kind}List"), str::to_owned);
    let custom = Custom::new(Arc::clone(definition), index);
    let storage = spec["versions"].as_array().into_iter().flatten();
    let stored = storage.into_iter().find(|version| version["storage"] == true && version["served"] == true);
    let storage_hash = stored.map(|stored| storage_hash(&group, &text(&stored["name"]), &text(&spec["names"]["kind"])));
    Kind {
        list_kind,
        plural: text(&names["plural"]),
        singular: names["singular"].as_str().map_or_else(|| kind.to_lowercase(), str::to_owned),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        namespaced: spec["scope"] == "Namespaced",
        verbs: verbs(definition),
        subresources: subresources(&group, &version_name, &kind, &version["subresources"]),
        storage_hash: storage_hash.unwrap_or_default(),
        source: Source::Custom(custom),
        group,
        version: version_name,
        kind,
    }
}

/// The names that were accepted, or before that the ones asked for.
fn names(crd: &Value) -> &Value {
    let accepted = &crd["status"]["acceptedNames"];
    if accepted["plural"].as_str().is_some_and(|plural| !plural.is_empty()) { accepted } else { &crd["spec"]["names"] }
}

fn verbs(crd: &Value) -> Vec<String> {
    let mut conditions = crd["status"]["conditions"].as_array().into_iter().flatten();
    let ends = conditions.any(|condition| condition["type"] == "Terminating" && condition["status"] == "True");
    owned(if ends { &LAST_VERBS } else { &VERBS })
}

fn subresources(group: &str, version: &str, kind: &str, asked: &Value) -> Vec<Subresource> {
    let below = |name: &str, group: &str, version: &str, kind: &str| Subresource {
        name: name.to_owned(),
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        verbs: owned(&SUBRESOURCE_VERBS),
    };
    let status = asked["status"].is_object().then(|| below("status", group, version, kind));
    let scale = asked["scale"].is_object().then(|| below("scale", "autoscaling", "v1", "Scale"));
    status.into_iter().chain(scale).collect()
}

fn storage_hash(group: &str, version: &str, kind: &str) -> String {
    let digest = Sha256::digest(format!("{group}/{version}/{kind}"));
    BASE64_STANDARD.encode(&digest[..8])
}

/// Whether a definition's names are free beside those of others in its group; the last conflict where there are several, as the
/// API server says it.
pub(super) fn conflict<'a>(crd: &Value, others: impl Iterator<Item = &'a Arc<Kind>>) -> Option<Conflict> {
    let (group, own) = (&crd["spec"]["group"], &crd["metadata"]["name"]);
    let (mut resources, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for other in others {
        if *group == other.group.as_str() && *own != other.qualified().as_str() {
            resources.extend([other.plural.clone(), other.singular.clone()]);
            resources.extend(other.short_names.iter().cloned());
            kinds.extend([other.kind.clone(), other.list_kind.clone()]);
        }
    }
    let (asked, accepted) = (&crd["spec"]["names"], &crd["status"]["acceptedNames"]);
    let taken = |key: &str, used: &BTreeSet<String>| {
        let name = asked[key].as_str().filter(|name| accepted[key] != *name && used.contains(*name))?;
        Some(in_use(name))
    };
    let short: Vec<_> =
        texts(&asked["shortNames"]).iter().filter(|name| resources.contains(*name)).map(|name| in_use(name)).collect();
    let short = match short.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    };
    let found = [
        ("PluralConflict", taken("plural", &resources)),
        ("SingularConflict", taken("singular", &resources)),
        ("ShortNamesConflict", short),
        ("KindConflict", taken("kind", &kinds)),
        ("ListKindConflict", taken("listKind", &kinds)),
    ];
    found.into_iter().rev().find_map(|(reason, message)| Some(Conflict { reason, message: message? }))
}

fn in_use(name: &str) -> String {
    format!("\"{name}\" is already in use")
}

/// The order in which versions are preferred: `v2`, `v1`, `v1beta2`, `v1alpha1`, then all others by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Preference {
    name: String,
    /// Stage (stable before beta before alpha), major and minor number; nothing for other words.
    rank: Option<(u8, u64, u64)>,
}

impl Preference {
    pub(super) fn of(version: &str) -> Self {
        Self { name: version.to_owned(), rank: rank(version) }
    }
}

fn rank(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let major = rest[..digits].parse().ok().filter(|major| *major > 0)?;
    match &rest[digits..] {
        "" => Some((2, major, 0)),
        tail => {
            let (stage, minor) = match (tail.strip_prefix("beta"), tail.strip_prefix("alpha")) {
                (Some(minor), _) => (1, minor),
                (_, Some(minor)) => (0, minor),
                _ => return None,
            };
            Some((stage, major, minor.parse().ok()?))
        }
    }
}

impl Ord for Preference {
    fn cmp(&self, other: &Self) -> Ordering {
        // What ranks higher comes first.
        other.rank.cmp(&self.rank).then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for Preference {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(text).collect()
}
