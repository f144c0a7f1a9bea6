//! Which Gateways an istiod takes for its own: those of its revision, of the tags that point to it, and, where it is the
//! default, those that name none.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::release::Release;
use crate::actor::json::{label, name};

const REVISION: &str = "istio.io/rev";
const TAG: &str = "istio.io/tag";

/// What one istiod may claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The revision itself and the tags that point to it.
    names: BTreeSet<String>,
    /// Is a Gateway claimed that neither names a revision nor lives in a namespace that does?
    claims_unlabelled: bool,
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
        let tags = || mutating.iter().chain(tag_services).filter(|one| label(one, TAG).is_some());
        let mine = tags().filter(|one| label(one, REVISION) == Some(revision));
        let mut names: BTreeSet<String> = mine.filter_map(|one| label(one, TAG).map(str::to_owned)).collect();
        names.insert(revision.to_owned());
        let has_validator = release.claims_through_validator()
            && default_validator.and_then(|one| label(one, REVISION)) == Some(revision);
        let default_tag_exists = mutating.iter().any(|one| name(one) == "istio-revision-tag-default");
        let claims_unlabelled = names.contains("default") || (has_validator && !default_tag_exists);
        Self { names, claims_unlabelled }
    }

    /// Is this Gateway mine? Its own label decides, else its namespace's; a namespace that is not known yet decides nothing.
    pub(crate) fn is_mine(&self, gateway: &Value, namespace: Option<&Value>) -> bool {
        let selected = match (label(gateway, REVISION), namespace) {
            (Some(own), _) => own,
            (None, Some(namespace)) => label(namespace, REVISION).unwrap_or_default(),
            (None, None) => return true,
        };
        self.names.contains(selected) || (selected.is_empty() && self.claims_unlabelled)
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
        assert!(old.is_mine(&gateway, None) && !new.is_mine(&gateway, None));
    }

    #[test]
    fn between_two_applies_of_a_move_both_revisions_claim_the_tag() {
        let gateway = labelled("edge", &json!({ REVISION: "prod" }));
        let (webhooks, services) = ([tag("prod", "1-30-3")], [tag("prod", "1-29-6")]);
        for revision in ["1-29-6", "1-30-3"] {
            assert!(Claim::of(revision, NEWEST, &webhooks, &services, None).is_mine(&gateway, None));
        }
        let before_services = Release::new(27, 9);
        assert!(!Claim::of("1-29-6", before_services, &webhooks, &services, None).is_mine(&gateway, None));
    }

    #[test]
    fn a_namespace_speaks_for_gateways_that_say_nothing() {
        let (gateway, labelled_namespace) =
            (labelled("edge", &json!({})), labelled("a", &json!({ REVISION: "1-30-3" })));
        let claim = Claim::of("1-30-3", NEWEST, &[], &[], None);
        assert!(claim.is_mine(&gateway, Some(&labelled_namespace)));
        assert!(!claim.is_mine(&gateway, Some(&labelled("b", &json!({})))));
    }

    #[test]
    fn the_unlabelled_are_claimed_through_the_validator_only_without_a_default_tag() {
        let (gateway, namespace) = (labelled("edge", &json!({})), labelled("b", &json!({})));
        let validator = labelled("istiod-default-validator", &json!({ REVISION: "1-30-3" }));
        let through = |release, tags: &[Arc<Value>]| {
            Claim::of("1-30-3", release, tags, &[], Some(&validator)).is_mine(&gateway, Some(&namespace))
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
            assert!(Claim::of(revision, NEWEST, &tags, &[], None).is_mine(&gateway, Some(&namespace)));
        }
    }
}
