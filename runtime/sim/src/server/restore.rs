//! Putting objects in their places exactly as they were: with their uids, owners, field owners and statuses.
//!
//! Nobody is asked, nothing is completed and nothing is checked: whoever kept them had all of that done before. Not known here:
//! where they were kept.

use serde_json::Value;

use super::{CRDS, Server, metadata};
use crate::{
    actor::json::{name, namespace, text},
    kind::Kind,
    store::Expect,
};

impl Server {
    /// Puts objects in their places; what stands there already gives way. An error names the object that has none.
    pub(crate) fn restore(&self, objects: Vec<Value>) -> Result<(), String> {
        let is_definition = |object: &Value| text(object, "/kind") == "CustomResourceDefinition";
        // Definitions first: they make the places of others.
        let (definitions, others): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_definition);
        let (namespaces, others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|object| text(object, "/kind") == "Namespace");
        for object in definitions.into_iter().chain(namespaces).chain(others) {
            self.restore_one(object)?;
        }
        Ok(())
    }

    fn restore_one(&self, mut object: Value) -> Result<(), String> {
        let (version, kind) = (text(&object, "/apiVersion").to_owned(), text(&object, "/kind").to_owned());
        let what = format!("{kind} {}", crate::store::key(namespace(&object), name(&object)));
        if name(&object).is_empty() || text(&object, "/metadata/uid").is_empty() {
            return Err(format!("{what} of a state has no name or no uid"));
        }
        let kind: std::sync::Arc<Kind> = self
            .catalogue()
            .by_kind(&version, &kind)
            .ok_or_else(|| format!("{what} of a state is of a kind that nothing defines: {version}"))?;
        metadata::tidy(&mut object);
        let resource = crate::resource::GroupResource::new(&kind.group, &kind.plural);
        let before = self.store.get(&resource, namespace(&object), name(&object));
        let expect = before.map_or(Expect::Absent, |before| Expect::Version(before.version));
        self.keep(&kind, &mut object, expect).map(drop).map_err(|_| format!("{what} of a state changed meanwhile"))
    }

    /// Every object, definitions first.
    pub(crate) fn everything(&self) -> Vec<Value> {
        let mut all = self.store.everything();
        all.sort_by_key(|(resource, _)| (&*resource.group, &*resource.plural) != CRDS);
        all.into_iter().map(|(_, stored)| stored.value()).collect()
    }
}
