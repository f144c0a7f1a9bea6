//! A kind of object, as its address says it.
//!
//! Not known here: which kinds there are, or what is served under an address.

/// A resource with names that are known when the program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Resource {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
}

impl Resource {
    /// A resource of the core group.
    pub(crate) const fn core(plural: &'static str) -> Self {
        Self { group: "", version: "v1", plural }
    }

    /// A resource of a named group.
    pub(crate) const fn of(group: &'static str, version: &'static str, plural: &'static str) -> Self {
        Self { group, version, plural }
    }

    /// The path of the collection, or of one object of it. An empty namespace stands for none.
    pub(crate) fn path(&self, namespace: &str, name: &str) -> String {
        let root = if self.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", self.group) };
        let mut path = format!("{root}/{}", self.version);
        if !namespace.is_empty() {
            path = format!("{path}/namespaces/{namespace}");
        }
        path = format!("{path}/{}", self.plural);
        if name.is_empty() { path } else { format!("{path}/{name}") }
    }
}

/// The address of one object, of whatever kind. Cluster-scoped objects have an empty namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Address {
    /// The address of an object of a kind that is known when the program is built.
    pub(crate) fn of(resource: Resource, namespace: &str, name: &str) -> Self {
        Self {
            group: resource.group.to_owned(),
            version: resource.version.to_owned(),
            plural: resource.plural.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// Under which an object is stored whichever version it is asked for in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct GroupResource {
    pub(crate) group: Box<str>,
    pub(crate) plural: Box<str>,
}

impl GroupResource {
    pub(crate) fn new(group: &str, plural: &str) -> Self {
        Self { group: group.into(), plural: plural.into() }
    }

    /// As messages name it: `pods`, `deployments.apps`.
    pub(crate) fn words(&self) -> String {
        if self.group.is_empty() { self.plural.to_string() } else { format!("{}.{}", self.plural, self.group) }
    }
}

impl From<Resource> for GroupResource {
    fn from(resource: Resource) -> Self {
        Self::new(resource.group, resource.plural)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_group_and_scope() {
        assert_eq!(Resource::core("services").path("shop", "web"), "/api/v1/namespaces/shop/services/web");
        assert_eq!(Resource::of("apps", "v1", "deployments").path("", ""), "/apis/apps/v1/deployments");
        assert_eq!(GroupResource::from(Resource::of("apps", "v1", "deployments")).words(), "deployments.apps");
    }
}
