//! What std/istio concludes from what it has read, where a real cluster cannot be brought to say it: istiod's own word on its proxies,
//! nodes that are full, values that newer charts read elsewhere.

use serde_json::{Value, json};

use super::bench::{Answers, run};

fn said(script: &str) -> Value {
    run(script, Answers::default()).value()
}

#[test]
fn istiods_own_word_on_its_proxies_is_heeded() {
    let unsynced = |proxies: &str| {
        said(&format!(
            r#"import "std/istio/connection" as connection;
            let a = #{{ pod: "a", namespace: "shop", kind: "sidecar" }};
            let node = #{{ pod: "z", namespace: "istio-system", kind: "ztunnel" }};
            connection::unsynced(#{{ proxies: #{{ {proxies} }} }}, [a, node])"#
        ))
    };
    let taken = r#""a.shop": #{ cluster_sent: "n1", cluster_acked: "n1", listener_sent: "n2", listener_acked: "n2" }"#;
    assert_eq!(unsynced(taken), json!([]));
    let behind = r#""a.shop": #{ cluster_sent: "n3", cluster_acked: "n1", route_sent: "n2" }"#;
    let words =
        ["shop/a has not taken its last cluster configuration", "shop/a has not taken its last route configuration"];
    assert_eq!(unsynced(behind), json!(words));
    assert_eq!(unsynced(r#""b.shop": #{}"#), json!(["shop/a is connected to no istiod"]));
}

#[test]
fn pods_without_a_node_are_counted_as_the_scheduler_counts() {
    let homeless = |takes: &str, count: u8| {
        said(&format!(
            r#"import "std/istio/capacity" as capacity;
            let free = #{{ "node-0": #{{ cpu: 1000, memory: capacity::thousandths("2Gi"), pods: 2 }}, "node-1": #{{ cpu: 400, memory: capacity::thousandths("2Gi"), pods: 9 }} }};
            capacity::homeless(free, capacity::requests(#{{ containers: [#{{ resources: #{{ requests: {takes} }} }}] }}), {count})"#
        ))
    };
    assert_eq!(
        homeless(r#"#{ cpu: "500m", memory: "1Gi" }"#, 3),
        json!(1),
        "two on the first node, the second is too small"
    );
    assert_eq!(homeless(r#"#{ cpu: "0.1", memory: "1Gi" }"#, 4), json!(0), "memory for two on each");
    assert_eq!(homeless(r#"#{ memory: "1536Mi" }"#, 3), json!(1), "one on each");
    assert_eq!(homeless("#{}", 12), json!(1), "room for eleven pods that ask for nothing");
}

#[test]
fn values_move_to_the_keys_that_the_target_reads_and_nothing_is_lost() {
    let moved = |values: &str, from: &str, to: &str| {
        said(&format!(r#"import "std/istio/release" as release; release::moved({values}, "{from}", "{to}")"#))
    };
    let cni = moved("#{ istio_cni: #{ enabled: true }, pilot: #{ autoscaleMin: 2 } }", "1.23.6", "1.24.6");
    assert_eq!(cni["values"], json!({ "pilot": { "autoscaleMin": 2, "cni": { "enabled": true } } }));
    assert!(cni["moved"][0].as_str().unwrap().starts_with("istio_cni.enabled=true → pilot.cni.enabled=true"), "{cni}");
    let later = moved("#{ istio_cni: #{ enabled: true } }", "1.29.6", "1.30.3");
    assert_eq!(later["values"], json!({ "istio_cni": { "enabled": true } }), "no line between the two is crossed");
    let platform = moved(r#"#{ profile: "openshift-ambient" }"#, "1.23.6", "1.24.6");
    assert_eq!(platform["values"], json!({ "profile": "ambient", "global": { "platform": "openshift" } }));
    let rolling = moved("#{ cni: #{ rollingMaxUnavailable: 3 } }", "1.25.5", "1.26.8");
    let expected = json!({ "cni": {}, "updateStrategy": { "rollingUpdate": { "maxUnavailable": 3 } } });
    assert_eq!(rolling["values"], expected);
}

#[test]
fn an_umbrellas_values_are_those_of_its_parts() {
    let wanted = said(
        r#"import "std/istio/release" as release;
        let mesh = #{ files: #{ istiod: #{ pilot: #{ env: #{ A: "file" } } } }, overlay: release::overlay(#{ "whole/istiod.pilot.autoscaleMin": "2" }) };
        release::laid_over(mesh, #{ name: "whole", role: "ambient" })"#,
    );
    assert_eq!(wanted, json!({ "istiod": { "pilot": { "env": { "A": "file" }, "autoscaleMin": 2 } } }));
}

/// What a function of std/istio/behaviour finds, as `severity: message`.
fn found(call: &str) -> Vec<String> {
    let found = said(&format!(r#"import "std/istio/behaviour" as behaviour; {call}"#));
    let line = |one: &Value| format!("{}: {}", one["severity"].as_str().unwrap(), one["message"].as_str().unwrap());
    found.as_array().unwrap().iter().map(line).collect()
}

#[test]
fn what_1_24_to_1_28_change_for_objects_that_stay_is_found_and_nothing_else() {
    let telemetry = |expression: &str| {
        format!(
            r#"#{{ kind: "Telemetry", metadata: #{{ namespace: "shop", name: "tags" }}, spec: #{{ value: "{expression}" }} }}"#
        )
    };
    let peers = |expression: &str| found(&format!("behaviour::peers_in_expressions([{}])", telemetry(expression)));
    assert!(peers("filter_state.upstream_peer.app").is_empty());
    let hit = peers("filter_state['wasm.upstream_peer']");
    assert!(hit[0].starts_with("warn: Telemetry shop/tags: reads wasm.upstream_peer"), "{hit:?}");

    let policy = r#"[#{ kind: "AuthorizationPolicy", metadata: #{ namespace: "shop", name: "inner" }, spec: #{ key: "request.headers[x-envoy-internal]" } }]"#;
    assert!(found(&format!("behaviour::internal_headers({policy}, true)")).is_empty(), "with networks they stay");
    let hit = found(&format!("behaviour::internal_headers({policy}, false)"));
    assert!(hit[0].starts_with("warn: AuthorizationPolicy shop/inner: reads an x-envoy header"), "{hit:?}");

    assert!(found("behaviour::opencensus_agents([#{ defaultConfig: #{} }])").is_empty());
    let hit = found(
        "behaviour::opencensus_agents([#{ defaultConfig: #{ tracing: #{ openCensusAgent: #{ address: `a` } } } }])",
    );
    assert!(hit[0].starts_with("fail: "), "{hit:?}");

    let pod = |ports: &str| {
        format!(
            r#"[#{{ metadata: #{{ namespace: "shop", name: "a", annotations: #{{ "traffic.sidecar.istio.io/excludeOutboundPorts": "{ports}" }} }}, spec: #{{ env: "ISTIO_META_DNS_CAPTURE" }} }}]"#
        )
    };
    assert!(found(&format!("behaviour::undivided_dns({})", pod("5353, 9153"))).is_empty());
    assert_eq!(found(&format!("behaviour::undivided_dns({})", pod("443, 53"))).len(), 1);

    let ambient = r#"[#{ metadata: #{ name: "shop" } }]"#;
    assert!(found("behaviour::captured_dns([], [])").is_empty());
    assert!(
        found(&format!("behaviour::captured_dns({ambient}, [#{{}}, #{{ ambient: #{{ dnsCapture: false }} }}])"))
            .is_empty()
    );
    assert_eq!(found(&format!("behaviour::captured_dns({ambient}, [#{{}}])")).len(), 1);

    let hit = found(
        "behaviour::ending_tracers([#{ extensionProviders: [#{ name: `old`, lightstep: #{} }, #{ name: `new`, opentelemetry: #{} }] }])",
    );
    assert!(hit.len() == 1 && hit[0].starts_with("warn: meshConfig.extensionProviders: old"), "{hit:?}");

    let definition = |served: &str| {
        format!(
            "#{{ metadata: #{{ name: `inferencepools` }}, spec: #{{ versions: [#{{ name: `v1alpha2`, served: true }}, #{{ name: `v1`, served: {served} }}] }} }}"
        )
    };
    assert!(found(&format!("behaviour::unread({})", definition("true"))).is_empty());
    assert_eq!(found(&format!("behaviour::unread({})", definition("false"))).len(), 1);
}
