//! What the path of a request means.
//!
//! Not known here: what is done about it.

use std::sync::Arc;

use super::query::{Plus, decoded};
use crate::{
    kind::{Catalogue, Kind},
    resource::GroupResource,
    status::Status,
};

/// What a path is about.
#[derive(Clone, Debug)]
pub(crate) enum Path {
    /// A collection, an object, or something below an object.
    Resource(Place),
    /// Anything else: discovery, versions, health.
    Other(Vec<String>),
}

/// The place of a collection or an object.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) kind: Arc<Kind>,
    /// Empty for cluster-scoped kinds, and for a collection over all namespaces.
    pub(crate) namespace: String,
    /// Empty for a collection.
    pub(crate) name: String,
    /// Empty for the object itself.
    pub(crate) below: String,
    /// What lies below a subresource, as in `proxy/a/b`.
    pub(crate) rest: String,
}

impl Place {
    /// Under which its objects are stored.
    pub(crate) fn resource(&self) -> GroupResource {
        GroupResource::new(&self.kind.group, &self.kind.plural)
    }
}

/// The same path without the `watch` that old clients put behind the version.
pub(crate) fn without_watch(path: &str) -> Option<String> {
    let core = path.strip_prefix("/api/v1/watch/").map(|rest| format!("/api/v1/{rest}"));
    core.or_else(|| {
        let (group, rest) = path.strip_prefix("/apis/")?.split_once('/')?;
        let (version, rest) = rest.split_once("/watch/")?;
        (!version.contains('/')).then(|| format!("/apis/{group}/{version}/{rest}"))
    })
}

/// Reads a path.
pub(crate) fn read(catalogue: &Catalogue, path: &str) -> Result<Path, Status> {
    let parts: Vec<String> =
        path.split('/').filter(|part| !part.is_empty()).map(|part| decoded(part, Plus::Itself)).collect();
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, version, rest) = match words.as_slice() {
        ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
        _ => return Ok(Path::Other(parts)),
    };
    let (namespace, rest) = match rest {
        // A namespace itself and what lies below it, such as its status.
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
        ["namespaces", namespace, rest @ ..] => (*namespace, rest),
        _ => ("", rest),
    };
    let missing = || missing(catalogue, group);
    let [plural, rest @ ..] = rest else { return Err(missing()) };
    let kind = catalogue.find(group, version, plural).ok_or_else(missing)?;
    if !namespace.is_empty() && !kind.namespaced {
        return Err(missing());
    }
    let place = Place {
        kind,
        namespace: namespace.to_owned(),
        name: rest.first().map_or_else(String::new, |name| (*name).to_owned()),
        below: rest.get(1).map_or_else(String::new, |below| (*below).to_owned()),
        rest: rest.get(2..).unwrap_or_default().join("/"),
    };
    if !place.name.is_empty() && place.namespace.is_empty() && place.kind.namespaced {
        return Err(missing());
    }
    if !place.below.is_empty() && place.kind.subresource(&place.below).is_none() {
        return Err(if place.kind.is_custom() { Status::not_found(&place.resource(), &place.name) } else { missing() });
    }
    Ok(Path::Resource(place))
}

/// Groups of the server's own answer in an object where they have nothing; whatever else, in plain text.
pub(crate) fn missing(catalogue: &Catalogue, group: &str) -> Status {
    if catalogue.knows_group(group) { Status::no_such_resource() } else { Status::no_such_path() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str) -> Option<Place> {
        match read(&Catalogue::builtin(), path) {
            Ok(Path::Resource(place)) => Some(place),
            _ => None,
        }
    }

    #[test]
    fn collections_objects_and_what_lies_below_are_told_apart() {
        let pods = place("/api/v1/namespaces/shop/pods").unwrap();
        assert_eq!((pods.kind.kind.as_str(), pods.namespace.as_str(), pods.name.as_str()), ("Pod", "shop", ""));
        let status = place("/apis/apps/v1/namespaces/shop/deployments/web/status").unwrap();
        assert_eq!((status.name.as_str(), status.below.as_str()), ("web", "status"));
        let namespace = place("/api/v1/namespaces/shop").unwrap();
        assert_eq!((namespace.kind.kind.as_str(), namespace.name.as_str()), ("Namespace", "shop"));
        assert_eq!(place("/api/v1/namespaces").unwrap().kind.kind, "Namespace");
        assert_eq!(place("/api/v1/pods").unwrap().namespace, "");
    }

    #[test]
    fn what_is_not_served_is_not_found() {
        for path in ["/api/v1/pods/web", "/api/v1/namespaces/shop/nodes", "/api/v1/dragons", "/apis/apps/v1/pods"] {
            assert!(read(&Catalogue::builtin(), path).is_err(), "{path}");
        }
        assert!(matches!(read(&Catalogue::builtin(), "/version"), Ok(Path::Other(_))));
    }
}
