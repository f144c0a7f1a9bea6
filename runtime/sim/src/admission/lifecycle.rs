//! The life of namespaces: nothing new in one that is missing or going, and three that never go.
//!
//! Not known here: how a namespace is emptied.

use super::{Act, Operation};
use crate::{
    actor::json::text,
    resource::{GroupResource, Resource},
    server::Server,
    status::{Cause, Status},
};

const NAMESPACES: Resource = Resource::core("namespaces");
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Refuses what the namespace does not allow.
pub(super) fn check(server: &Server, act: &Act) -> Result<(), Status> {
    let place = &act.order.place;
    let namespaces = GroupResource::from(NAMESPACES);
    if act.operation == Operation::Delete {
        if place.kind.group.is_empty() && place.kind.kind == "Namespace" && IMMORTAL.contains(&place.name.as_str()) {
            return Err(Status::forbidden(&namespaces, &place.name, "this namespace may not be deleted"));
        }
        return Ok(());
    }
    if act.operation != Operation::Create || !place.kind.namespaced {
        return Ok(());
    }
    let namespace = server
        .store
        .get(&namespaces, "", &place.namespace)
        .ok_or_else(|| Status::not_found(&namespaces, &place.namespace))?;
    let is_going = namespace.field(&namespaces, "status.phase") == Some("Terminating")
        || !text(namespace.tree(), "/metadata/deletionTimestamp").is_empty();
    if is_going {
        let because =
            format!("unable to create new content in namespace {} because it is being terminated", place.namespace);
        let mut status = Status::forbidden(&place.resource(), &act.name, &because);
        let cause = Cause {
            reason: "NamespaceTerminating".to_owned(),
            message: format!("namespace {} is being terminated", place.namespace),
            field: "metadata.namespace".to_owned(),
        };
        status.add_cause(&cause);
        return Err(status);
    }
    Ok(())
}

/// Policies in CEL are kept and not evaluated: binding one would promise what does not happen.
pub(super) fn policies(act: &Act) -> Result<(), Status> {
    let kind = &act.order.place.kind;
    let is_binding = kind.group == "admissionregistration.k8s.io"
        && matches!(kind.kind.as_str(), "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding");
    if is_binding && act.operation == Operation::Create {
        return Err(Status::beyond_simulation(format!("a {} would have to be evaluated", kind.kind)));
    }
    Ok(())
}
