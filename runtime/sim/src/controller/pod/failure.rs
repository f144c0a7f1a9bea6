//! Which pods fail, and how: by their own annotations, or by the habits of the cluster.
//!
//! The annotations are those by which the pods of the cluster tests ask for the same. Not known here: what a failure
//! looks like.

use serde_json::Value;

use crate::{
    actor::json::{annotation, items, label, namespace, text},
    controller::{Failing, Failure, Habits},
};

/// Makes a pod fail: `image-pull`, `crash-loop` or `never-ready`.
const FAIL: &str = "control-plane.test/fail";
/// Confines the failure to one node.
const FAIL_ON_NODE: &str = "control-plane.test/fail-on-node";
/// Confines the failure to pods one of whose images contains this text.
const FAIL_ON_IMAGE: &str = "control-plane.test/fail-on-image";
/// How long after its containers run a pod becomes ready.
pub(super) const READY_AFTER: &str = "control-plane.test/ready-after";

/// The failure of a pod, if it has one.
pub(super) fn trouble(pod: &Value, habits: &Habits) -> Option<Failure> {
    asked(pod).or_else(|| habits.failures.iter().find(|failing| applies(failing, pod)).map(|it| it.failure))
}

fn asked(pod: &Value) -> Option<Failure> {
    let failure = match annotation(pod, FAIL)? {
        "image-pull" => Failure::ImagePull,
        "crash-loop" => Failure::CrashLoop,
        "never-ready" => Failure::NeverReady,
        _ => return None,
    };
    let here = annotation(pod, FAIL_ON_NODE).is_none_or(|node| node == text(pod, "/spec/nodeName"));
    let this = annotation(pod, FAIL_ON_IMAGE).is_none_or(|part| uses(pod, part));
    (here && this).then_some(failure)
}

fn applies(failing: &Failing, pod: &Value) -> bool {
    failing.image.as_deref().is_none_or(|part| uses(pod, part))
        && failing.node.as_deref().is_none_or(|node| node == text(pod, "/spec/nodeName"))
        && failing.namespace.as_deref().is_none_or(|space| space == namespace(pod))
        && failing.labels.iter().all(|(key, value)| label(pod, key) == Some(value))
}

fn uses(pod: &Value, part: &str) -> bool {
    items(pod, "/spec/containers").iter().any(|container| text(container, "/image").contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failure_is_confined_to_node_and_image() {
        let pod = |node: &str, image: &str| {
            json!({
                "metadata": { "annotations": { FAIL: "crash-loop", FAIL_ON_NODE: "n1", FAIL_ON_IMAGE: ":2" } },
                "spec": { "nodeName": node, "containers": [{ "image": image }] },
            })
        };
        let habits = Habits::default();
        assert_eq!(trouble(&pod("n1", "a:2"), &habits), Some(Failure::CrashLoop));
        assert_eq!(trouble(&pod("n2", "a:2"), &habits), None);
        assert_eq!(trouble(&pod("n1", "a:1"), &habits), None);
        let failing = Failing { node: Some("n2".to_owned()), ..Failing::default() };
        let habits = Habits { failures: vec![failing], ..habits };
        assert_eq!(trouble(&pod("n2", "a:1"), &habits), Some(Failure::ImagePull));
    }
}
