//! Which Gateways an istiod takes for its own: those of its revision, of the tags that point to it, and, where it is the
//! default, those that name none.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::release::Release;
use crate::actor::json::{label, name, namespace};

const REVISION: &str = "istio.io/rev";
const TAG: &str = "istio.io/tag";

/// What one istiod may claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The revision itself and the tags that point to it, each with the objects that say so.
    names: BTreeMap<String, Vec<String>>,
    /// Is a Gateway claimed that neither names a revision nor lives in a namespace that does? Because of these objects, if so.
    unlabelled: Option<Vec<String>>,
}

/// The validator of the default revision.
const VALIDATOR: &str = "admissionregistration.k8s.io/validatingwebhookconfigurations//istiod-default-validator";

/// A webhook configuration or Service, as a deed names what it rests on.
fn cause(tag: &Value) -> String {
    match namespace(tag) {
        "" => format!("admissionregistration.k8s.io/mutatingwebhookconfigurations//{}", name(tag)),
        namespace => format!("/services/{namespace}/{}", name(tag)),
    }
}

impl Claim {
    /// Reads the claim of `revision` from the webhook configurations and Services with an `istio.io/rev` label.
    pub(crate) fn of(
        revision: &str,
        release: Release,
        mutating: &[Arc<Value>],
        services: &[Arc<Value>],
        default_validator: Option<&Value>,
    ) -> Self {
        let tag_services: &[_] = if release.reads_tag_services() { services } else { &[] };
        let mut names = BTreeMap::from([(revision.to_owned(), Vec::new())]);
        for one in mutating.iter().chain(tag_services).filter(|one| label(one, REVISION) == Some(revision)) {
            if let Some(tag) = label(one, TAG) {
                names.entry(tag.to_owned()).or_default().push(cause(one));
            }
        }
        let has_validator = release.claims_through_validator()
            && default_validator.and_then(|one| label(one, REVISION)) == Some(revision);
        let default_tag_exists = mutating.iter().any(|one| name(one) == "istio-revision-tag-default");
        let by_validator = || (has_validator && !default_tag_exists).then(|| vec![VALIDATOR.to_owned()]);
        let unlabelled = names.get("default").cloned().or_else(by_validator);
        Self { names, unlabelled }
    }

    /// Is this Gateway mine, and which objects make it so beside itself and its namespace? Its own label decides, else its namespace's; a
    /// namespace that is not known yet decides nothing.
    pub(crate) fn of_mine(&self, gateway: &Value, namespace: Option<&Value>) -> Option<&[String]> {
        let selected = match (label(gateway, REVISION), namespace) {
            (Some(own), _) => own,
            (None, Some(namespace)) => label(namespace, REVISION).unwrap_or_default(),
            (None, None) => return Some(&[]),
        };
        let unlabelled = || self.unlabelled.as_ref().filter(|_| selected.is_empty());
        self.names.get(selected).or_else(unlabelled).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labelled(name: &str, labels: &Value) -> Arc<Value> {
        Arc::new(json!({ "metadata": { "name": name, "labels": labels } }))
    }

    fn tag(tag: &str, revision: &str) -> Arc<Value> {
        labelled(&format!("istio-revision-tag-{tag}"), &json!({ TAG: tag, REVISION: revision }))
    }

    const NEWEST: Release = Release::new(30, 3);

    #[test]
    fn a_tag_decides_by_where_it_points() {
        let gateway = labelled("edge", &json!({ REVISION: "prod" }));
        let old = Claim::of("1-29-6", NEWEST, &[tag("prod", "1-29-6")], &[], None);
        let new = Claim::of("1-30-3", NEWEST, &[tag("prod", "1-29-6")], &[], None);
        let cause = "admissionregistration.k8s.io/mutatingwebhookconfigurations//istio-revision-tag-prod".to_owned();
        assert_eq!((old.of_mine(&gateway, None), new.of_mine(&gateway, None)), (Some(&[cause][..]), None));
    }

    #[test]
    fn between_two_applies_of_a_move_both_revisions_claim_the_tag() {
        let gateway = labelled("edge", &json!({ REVISION: "prod" }));
        let (webhooks, services) = ([tag("prod", "1-30-3")], [tag("prod", "1-29-6")]);
        for revision in ["1-29-6", "1-30-3"] {
            assert!(Claim::of(revision, NEWEST, &webhooks, &services, None).of_mine(&gateway, None).is_some());
        }
        let before_services = Release::new(27, 9);
        assert!(Claim::of("1-29-6", before_services, &webhooks, &services, None).of_mine(&gateway, None).is_none());
    }

    #[test]
    fn a_namespace_speaks_for_gateways_that_say_nothing() {
        let (gateway, labelled_namespace) =
            (labelled("edge", &json!({})), labelled("a", &json!({ REVISION: "1-30-3" })));
        let claim = Claim::of("1-30-3", NEWEST, &[], &[], None);
        assert!(claim.of_mine(&gateway, Some(&labelled_namespace)).is_some());
        assert!(claim.of_mine(&gateway, Some(&labelled("b", &json!({})))).is_none());
    }

    #[test]
    fn the_unlabelled_are_claimed_through_the_validator_only_without_a_default_tag() {
        let (gateway, namespace) = (labelled("edge", &json!({})), labelled("b", &json!({})));
        let validator = labelled("istiod-default-validator", &json!({ REVISION: "1-30-3" }));
        let through = |release, tags: &[Arc<Value>]| {
            Claim::of("1-30-3", release, tags, &[], Some(&validator)).of_mine(&gateway, Some(&namespace)).is_some()
        };
        assert!(through(NEWEST, &[]));
        assert!(!through(NEWEST, &[tag("default", "1-29-6")]));
        assert!(through(NEWEST, &[tag("default", "1-30-3")]));
        assert!(!through(Release::new(25, 4), &[]));
    }

    #[test]
    fn an_istiod_without_a_revision_claims_the_unlabelled_whatever_the_tag_default_says() {
        let (gateway, namespace) = (labelled("edge", &json!({})), labelled("b", &json!({})));
        let tags = [tag("default", "1-30-3")];
        for revision in ["default", "1-30-3"] {
            assert!(Claim::of(revision, NEWEST, &tags, &[], None).of_mine(&gateway, Some(&namespace)).is_some());
        }
    }
}
