//! Kinds that are asked and never kept: may I, who am I.
//!
//! Everybody who reaches a simulation may do everything. Not known here: objects.

use serde_json::json;

use super::{Server, USER, answer::Answer, door::Asked, onlooker::author, path::Place};
use crate::{
    actor::json::as_map,
    status::{Cause, Status},
};

impl Server {
    /// Answers the creation of a kind that is never kept; none where the kind is an ordinary one.
    pub(crate) fn virtual_kind(&self, asked: &Asked, place: &Place) -> Option<Result<Answer, Status>> {
        let kind = &place.kind;
        let answer = match (kind.group.as_str(), kind.kind.as_str()) {
            ("authorization.k8s.io", "SelfSubjectAccessReview") => {
                json!({ "allowed": true, "reason": "every client of a simulation is its administrator" })
            }
            ("authorization.k8s.io", "SelfSubjectRulesReview") => json!({
                "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
                "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
                "incomplete": false,
            }),
            ("authentication.k8s.io", "SelfSubjectReview") => {
                json!({ "userInfo": { "username": USER, "groups": ["system:masters", "system:authenticated"] } })
            }
            ("authorization.k8s.io" | "authentication.k8s.io", other) => {
                let what = format!("a {other} asks about others than the client, and nobody else is known");
                return Some(Err(Status::beyond_simulation(what)));
            }
            ("", "Binding") => {
                return Some(Err(Status::beyond_simulation("pods are bound at their own path, `pods/NAME/binding`")));
            }
            _ => return None,
        };
        Some(self.sent(asked, place).and_then(|mut object| {
            let spec = &object["spec"];
            let (resource, other) = (spec["resourceAttributes"].is_object(), spec["nonResourceAttributes"].is_object());
            if kind.kind == "SelfSubjectAccessReview" && resource == other {
                let cause = Cause {
                    reason: "FieldValueInvalid".to_owned(),
                    message: "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified".to_owned(),
                    field: "spec.resourceAttributes".to_owned(),
                };
                return Err(Status::invalid(&kind.group, "", "", &[cause]));
            }
            if kind.kind == "SelfSubjectAccessReview" {
                self.tell_reviewed(author(), &object);
            }
            let mut metadata = object["metadata"].take();
            if metadata.is_null() {
                metadata = json!({});
            }
            let fields = as_map(&mut object);
            fields.insert("metadata".to_owned(), metadata);
            fields.insert("status".to_owned(), answer);
            Ok(Answer::of(201, &object))
        }))
    }
}
