//! What part of a collection is known: of one kind, in one namespace or all, of those objects that selectors name.
//!
//! Not known here: how it is read.

use std::collections::{HashMap, HashSet};

use super::beneath::Miss;
use crate::{kind::Kind, resource::GroupResource, store::key};

/// A part of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    pub(crate) resource: GroupResource,
    /// Empty for all namespaces, and for kinds that lie in none.
    pub(crate) namespace: Box<str>,
    /// Empty for all.
    pub(crate) labels: Box<str>,
    /// Empty for all.
    pub(crate) fields: Box<str>,
}

const NAME: &str = "metadata.name=";

impl Scope {
    /// All objects of a kind, in a namespace or, where it is empty, everywhere.
    pub(crate) fn all(kind: &Kind, namespace: &str) -> Self {
        Self::of(kind, namespace, "", "")
    }

    /// The objects that selectors name.
    pub(crate) fn of(kind: &Kind, namespace: &str, labels: &str, fields: &str) -> Self {
        let namespace = if kind.namespaced { namespace } else { "" };
        Self {
            resource: GroupResource::new(&kind.group, &kind.plural),
            namespace: namespace.into(),
            labels: labels.into(),
            fields: fields.into(),
        }
    }

    /// One object.
    pub(crate) fn one(kind: &Kind, namespace: &str, name: &str) -> Self {
        Self::of(kind, namespace, "", &format!("{NAME}{name}"))
    }

    /// The name of the one object that it can hold.
    pub(crate) fn name(&self) -> Option<&str> {
        let name = self.fields.strip_prefix(NAME).filter(|name| !name.contains([',', '=', '!']))?;
        self.labels.is_empty().then_some(name)
    }

    /// The same and everything wider that there may be.
    fn wider(&self) -> [Self; 4] {
        let whole = |scope: &Self| Self { labels: "".into(), fields: "".into(), ..scope.clone() };
        let everywhere = Self { namespace: "".into(), ..self.clone() };
        [self.clone(), whole(self), whole(&everywhere), everywhere]
    }
}

/// An object of the live cluster, by resource and key.
pub(crate) type Place = (GroupResource, Box<str>);

/// What is known of the live cluster.
#[derive(Default)]
pub(crate) struct Known {
    covered: HashSet<Scope>,
    refused: HashMap<Scope, Miss>,
    pub(crate) bases: HashMap<Place, Base>,
}

/// What the live cluster has at a place.
#[derive(Clone, Debug)]
pub(crate) enum Base {
    /// This object, as it was when it was read.
    Live(std::sync::Arc<crate::store::Stored>),
    /// None.
    Absent,
}

impl Known {
    /// What is known of a part: that it has been read, or why it cannot be; none where it has to be asked for.
    pub(crate) fn of(&self, scope: &Scope, kind: &Kind) -> Option<Result<(), Miss>> {
        if scope.wider().iter().any(|wider| self.covered.contains(wider)) {
            return Some(Ok(()));
        }
        if let Some(name) = scope.name()
            && (!kind.namespaced || !scope.namespace.is_empty())
            && self.bases.contains_key(&(scope.resource.clone(), key(&scope.namespace, name).into()))
        {
            return Some(Ok(()));
        }
        if self.is_absent(&GroupResource::new("", "namespaces"), &scope.namespace) {
            return Some(Ok(()));
        }
        let definition = format!("{}.{}", kind.plural, kind.group);
        let definitions = GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions");
        if kind.is_custom() && self.is_absent(&definitions, &definition) {
            return Some(Ok(()));
        }
        self.refused.get(scope).map(|miss| Err(miss.clone()))
    }

    fn is_absent(&self, resource: &GroupResource, name: &str) -> bool {
        !name.is_empty() && matches!(self.bases.get(&(resource.clone(), name.into())), Some(Base::Absent))
    }

    /// Takes in what came of reading a part. That the answer was lost says nothing: it is asked for again.
    pub(crate) fn settle(&mut self, scope: Scope, outcome: &Result<(), Miss>) {
        match outcome {
            Ok(()) => {
                self.covered.insert(scope);
            }
            Err(miss @ Miss::Refused { .. }) => {
                self.refused.insert(scope, miss.clone());
            }
            Err(Miss::Lost(_)) => {}
        }
    }
}
