//! Kinds whose deletion takes more with it than the object: refused unless the script says `allow: true`.

use runbook_core::{Code, Fault};

use super::kind::Resource;

/// Group, plural name, and what goes with it.
const PROTECTED: &[(&str, &str, &str)] = &[
    ("", "namespaces", "every object in it"),
    ("", "persistentvolumes", "the data on it"),
    ("", "persistentvolumeclaims", "the data of its volume"),
    ("apiextensions.k8s.io", "customresourcedefinitions", "every object of that kind"),
];

/// What deleting an object of that kind takes with it, where it is protected.
pub(super) fn takes_along(resource: &Resource) -> Option<&'static str> {
    PROTECTED
        .iter()
        .find(|(group, plural, _)| *group == resource.group && *plural == resource.plural)
        .map(|(.., what)| *what)
}

/// Faults: `RB029` for a protected kind that the script does not allow.
pub(super) fn check(resource: &Resource, name: &str, allow: Option<bool>) -> Result<(), Fault> {
    match takes_along(resource) {
        Some(what) if allow != Some(true) => {
            let title = resource.title(name);
            Err(Fault::new(Code::Protected, format!("{title} is not deleted: {what} would go with it"))
                .about(title)
                .hint("`allow: true` says that this is meant"))
        }
        _ => Ok(()),
    }
}
