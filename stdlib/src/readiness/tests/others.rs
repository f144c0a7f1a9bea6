//! Everything that is no workload.

use serde_json::{Value, json};

use super::super::webhook::{self, Asked};
use super::super::{Rule, Source, Verdict, crd, endpoints};
use super::{doomed, not_ready, patience, related};

fn look(rule: Rule, object: &Value) -> Verdict {
    rule.verdict(object, None, &patience())
}

#[test]
fn a_gateway_is_programmed_for_its_present_generation() {
    let gateway = |observed: i64, programmed: &str| {
        json!({
            "metadata": { "generation": 2 },
            "status": { "conditions": [
                { "type": "Accepted", "status": "True", "observedGeneration": observed },
                { "type": "Programmed", "status": programmed, "observedGeneration": observed, "reason": "AddressNotAssigned",
                  "message": "Failed to assign to any requested addresses" },
            ] },
        })
    };
    assert_eq!(look(Rule::Gateway, &gateway(2, "True")), Verdict::Ready);
    not_ready(
        &look(Rule::Gateway, &gateway(1, "True")),
        "",
        &[
            "condition Accepted is of generation 1, not yet of 2",
            "condition Programmed is of generation 1, not yet of 2",
        ],
    );
    not_ready(
        &look(Rule::Gateway, &gateway(2, "False")),
        "",
        &["Programmed is False: AddressNotAssigned: Failed to assign to any requested addresses"],
    );
}

#[test]
fn any_other_kind_is_judged_by_the_conditions_that_controllers_share() {
    let with = |conditions: Value| json!({ "metadata": { "generation": 3 }, "status": { "observedGeneration": 3, "conditions": conditions } });
    let one =
        |kind: &str, status: &str| json!([{ "type": kind, "status": status, "reason": "Why", "message": "because" }]);
    assert_eq!(look(Rule::Generic, &with(one("Ready", "True"))), Verdict::Ready);
    not_ready(&look(Rule::Generic, &with(one("Ready", "False"))), "", &["Ready is False: Why: because"]);
    not_ready(&look(Rule::Generic, &with(one("Reconciling", "True"))), "", &["Why: because"]);
    doomed(&look(Rule::Generic, &with(one("Stalled", "True"))), "its controller has given up: Why: because");
    assert_eq!(look(Rule::Generic, &with(one("Available", "True"))), Verdict::Ready);
    assert_eq!(look(Rule::Generic, &with(one("Reconciling", "False"))), Verdict::Ready);
    let mut stale = with(one("Ready", "True"));
    stale["status"]["observedGeneration"] = json!(2);
    not_ready(&look(Rule::Generic, &stale), "", &["generation 3 is not acted on yet, its status is of 2"]);
    for nothing in [json!({ "metadata": {} }), with(one("Peculiar", "True"))] {
        assert_eq!(look(Rule::Generic, &nothing), Verdict::Unknown);
    }
    assert_eq!(Rule::of("", "ConfigMap"), Rule::None);
}

#[test]
fn a_definition_is_established_serves_what_is_asked_and_still_defines_what_is_stored() {
    let mut object = json!({
        "spec": { "versions": [{ "name": "v1", "served": true }, { "name": "v1beta1", "served": false }] },
        "status": {
            "storedVersions": ["v1"],
            "conditions": [{ "type": "NamesAccepted", "status": "True" }, { "type": "Established", "status": "True" }],
        },
    });
    assert_eq!(crd::verdict(&object, &["v1".to_owned()]), Verdict::Ready);
    not_ready(&crd::verdict(&object, &["v1beta1".to_owned()]), "", &["version v1beta1 is not served"]);
    object["status"]["storedVersions"] = json!(["v1alpha3", "v1"]);
    not_ready(&crd::verdict(&object, &[]), "", &["objects may be stored as v1alpha3, which is no longer defined"]);
    object["status"] = json!({ "conditions": [
        { "type": "NamesAccepted", "status": "False", "reason": "ListKindConflict", "message": "already in use" },
    ] });
    not_ready(
        &crd::verdict(&object, &[]),
        "",
        &["NamesAccepted: ListKindConflict: already in use", "Established is not told yet"],
    );
}

fn service() -> Value {
    json!({ "metadata": { "name": "istiod", "namespace": "shop", "uid": "svc" }, "spec": { "selector": { "app": "istiod" } } })
}

fn slice(uid: &str, family: &str, ready: &[bool]) -> (Source, Value) {
    let endpoint = |(index, ready): (usize, &bool)| json!({ "addresses": [format!("192.0.2.{index}")], "conditions": { "ready": ready }, "targetRef": { "name": format!("istiod-{index}") } });
    let slice = json!({
        "metadata": { "namespace": "shop", "uid": uid, "labels": { "kubernetes.io/service-name": "istiod" } },
        "addressType": family,
        "endpoints": ready.iter().enumerate().map(endpoint).collect::<Vec<_>>(),
    });
    (Source::EndpointSlices, slice)
}

#[test]
fn endpoints_count_what_takes_traffic_once_per_pod() {
    let of = |found: &[(Source, Value)], at_least| endpoints::verdict(&service(), Some(&related(found)), at_least);
    not_ready(&of(&[], 1), "0 of 1 endpoints ready", &["no pod matches its selector app=istiod"]);
    not_ready(&of(&[slice("a", "IPv4", &[false])], 1), "0 of 1 endpoints ready", &["istiod-0   not ready"]);
    let both = [slice("a", "IPv4", &[true, false]), slice("b", "IPv6", &[true, false])];
    assert_eq!(of(&both, 1), Verdict::Ready);
    not_ready(&of(&both, 2), "1 of 2 endpoints ready", &["istiod-1   not ready"]);
}

#[test]
fn a_load_balancer_needs_its_address_too() {
    let mut balanced = service();
    balanced["spec"]["type"] = json!("LoadBalancer");
    let found = related(&[slice("a", "IPv4", &[true])]);
    not_ready(
        &Rule::Service.verdict(&balanced, Some(&found), &patience()),
        "",
        &["its load balancer has no address yet"],
    );
    balanced["status"] = json!({ "loadBalancer": { "ingress": [{ "ip": "192.0.2.9" }] } });
    assert_eq!(Rule::Service.verdict(&balanced, Some(&found), &patience()), Verdict::Ready);
}

#[test]
fn a_webhook_can_be_called_trusted_and_fails_as_asked() {
    let entry = |name: &str, bundle: &str, policy: &str| {
        let service = json!({ "namespace": "shop", "name": "istiod" });
        json!({ "name": name, "failurePolicy": policy, "clientConfig": { "caBundle": bundle, "service": service } })
    };
    let configuration = |entries: Vec<Value>| json!({ "metadata": { "name": "v" }, "webhooks": entries });
    let there = || vec![(Source::Services, service()), slice("a", "IPv4", &[true])];
    let asked = Asked { failure_policy: Some("Fail".to_owned()), service: None };
    let of =
        |entries, found: &[(Source, Value)]| webhook::verdict(&configuration(entries), Some(&related(found)), &asked);
    assert_eq!(of(vec![entry("a", "Q0E=", "Fail")], &there()), Verdict::Ready);
    not_ready(
        &of(vec![entry("a", "Q0E=", "Fail"), entry("b", "", "Ignore")], &there()),
        "1 of 2 entries as they should be",
        &["b   has no caBundle", "b   failurePolicy is Ignore, not Fail"],
    );
    not_ready(
        &of(vec![entry("a", "Q0E=", "Fail")], &[]),
        "1 of 1 entries as they should be",
        &["service shop/istiod   does not exist"],
    );
    not_ready(
        &of(vec![entry("a", "Q0E=", "Fail")], &there()[..1]),
        "1 of 1 entries as they should be",
        &["service shop/istiod   has no ready endpoint"],
    );
    let other = Asked { failure_policy: None, service: Some("istiod-1-30-3".to_owned()) };
    let moved = webhook::verdict(&configuration(vec![entry("a", "Q0E=", "Fail")]), Some(&related(&there())), &other);
    not_ready(&moved, "0 of 1 entries as they should be", &["a   leads to service istiod, not istiod-1-30-3"]);
    // Without having looked, nothing is claimed.
    let unlooked = webhook::verdict(&configuration(vec![entry("a", "Q0E=", "Fail")]), None, &asked);
    assert_eq!(unlooked, Verdict::Unknown);
}

#[test]
fn claims_namespaces_and_nodes_say_what_holds_them() {
    assert_eq!(look(Rule::Claim, &json!({ "status": { "phase": "Bound" } })), Verdict::Ready);
    not_ready(&look(Rule::Claim, &json!({ "status": { "phase": "Pending" } })), "Pending", &[]);
    doomed(
        &look(Rule::Claim, &json!({ "metadata": { "name": "data-0" }, "status": { "phase": "Lost" } })),
        "the volume of data-0 is lost",
    );
    let ending = json!({ "status": { "phase": "Terminating", "conditions": [
        { "type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining: pods. has 1 resource instances" },
        { "type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "All resources successfully discovered" },
    ] } });
    not_ready(
        &look(Rule::Namespace, &ending),
        "Terminating",
        &["Some resources are remaining: pods. has 1 resource instances"],
    );
    let node = json!({ "status": { "conditions": [
        { "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status." },
    ] } });
    not_ready(&look(Rule::Node, &node), "", &["NodeStatusUnknown: Kubelet stopped posting node status."]);
}
