//! `revision-tag.rhai`: tags made, moved, rolled back and removed, and what it refuses.

use std::fmt::Write as _;

use runbook_control_plane::{ControlPlane, Helm, Release, StandIn, State, charts_or_skip};
use serde_json::json;

use crate::foretold::Rehearsed;
use crate::mesh::Mesh;
use crate::runbook::{Ran, Runbook, charts};

/// Two revisions of one version beside one another, the tag `prod` on the first; `shop` and a waypoint in it ask for the tag. The tag
/// `preview` is part of the second's release.
fn two_revisions() -> State {
    let istiod = |revision: &str, tags: &[&str]| {
        let values = json!({ "revision": revision, "revisionTags": tags, "pilot": { "env": { "PILOT_ENABLE_AMBIENT": "true" } } });
        Release::of("istiod", "1.30.3", Helm::V3).named(&format!("istiod-{revision}")).values(&values)
    };
    State::named("two-revisions")
        .gateway_api()
        .install(Release::of("base", "1.30.3", Helm::V3).values(&json!({ "defaultRevision": "blue" })))
        .install(istiod("blue", &[]))
        .install(istiod("green", &["preview"]))
        .tag("prod", "blue", "1.30.3")
        .apply(
            "apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio.io/rev: prod } }\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, namespace: shop }\nspec:\n  selector: { matchLabels: { app: web } }\n  \
             template:\n    metadata: { labels: { app: web } }\n    spec: { containers: [{ name: web, image: 'registry.example/web:1' }] }\n---\n\
             apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: waypoint, namespace: shop, labels: { istio.io/rev: prod } }\n\
             spec: { gatewayClassName: istio-waypoint, listeners: [{ name: mesh, port: 15008, protocol: HBONE }] }\n",
        )
}

fn tag(runbook: &Runbook<'_>, action: &str, more: &[&str]) -> Ran {
    runbook.bundled("revision-tag.rhai", &[&["--action", action], more].concat())
}

/// T-34 and its like (A3 without its flag): what cannot be, is refused before the first write, each with what resolves it.
fn refusals(runbook: &Runbook<'_>) {
    let refused = |action: &str, more: &[&str]| tag(runbook, action, more).exits(7).wrote_nothing();
    refused("create", &["--tag", "green", "--revision", "blue"])
        .says("green is a revision, so no tag can be called that")
        .says("choose another name for the tag: --tag");
    refused("create", &["--tag", "prod", "--revision", "green"])
        .says("tag prod exists and points to blue")
        .says("--action move");
    refused("create", &["--tag", "Stable!", "--revision", "red"])
        .says("Stable! cannot be the name of a tag")
        .says("revision red is not installed (installed: blue, green)");
    refused("move", &["--tag", "stable", "--revision", "green"])
        .says("there is no tag stable; there are: preview, prod");
    refused("move", &["--tag", "prod", "--revision", "green", "--expect", "red"])
        .says("tag prod points to blue, not to red as --expect says");
    refused("roll-back", &["--tag", "prod"])
        .says("where tag prod pointed to before is not recorded")
        .says("--revision");
    refused("remove", &["--tag", "prod"])
        .says("namespace shop uses tag prod")
        .says("Gateway shop/waypoint uses tag prod")
        .says("kubectl label namespace shop istio.io/rev=REVISION --overwrite");
}

/// 5.4: a tag that a release keeps is taken out of it before it moves, so that the release's next upgrade leaves it alone; one that istioctl made
/// is told from one that kubectl applied.
fn classes(plane: &ControlPlane, runbook: &Runbook<'_>) {
    let mesh = Mesh(plane);
    tag(runbook, "list", &[])
        .exits(0)
        .says("preview -> green (webhook, service, kept by release istiod-green)")
        .wrote_nothing();
    tag(&runbook.foretold(Rehearsed::Both), "move", &["--tag", "preview", "--revision", "blue"])
        .exits(0)
        .says("it is taken out of the release first")
        .every_write_was_announced();
    let to_blue = ("blue".to_owned(), "blue".to_owned());
    assert_eq!(mesh.tag("preview"), to_blue);
    assert_eq!(mesh.values("istiod-green", "istio-system")["revisionTags"], json!([]));
    let package = runbook_control_plane::Charts::open().unwrap().package("istiod", "1.30.3").unwrap();
    let package = package.to_string_lossy();
    let upgrade = ["upgrade", "istiod-green", &package, "-n", "istio-system", "--set=pilot.traceSampling=2"];
    plane.run_helm(Helm::V3, &[&upgrade[..], &["--reset-then-reuse-values"]].concat()).unwrap();
    assert_eq!(mesh.tag("preview"), to_blue, "the release took its old tag back");
    tag(runbook, "remove", &["--tag", "preview"]).exits(0).every_write_was_announced();
    assert_eq!(mesh.tag("preview"), (String::new(), String::new()));

    // There is no istioctl here: created whole, as it does, and applied, as the official pages do.
    let webhook = mesh.json(&["get", "mutatingwebhookconfiguration", "istio-revision-tag-prod"]);
    let mut made = json!({ "apiVersion": webhook["apiVersion"], "kind": webhook["kind"], "webhooks": webhook["webhooks"],
        "metadata": { "name": "istio-revision-tag-old", "labels": { "istio.io/tag": "old", "istio.io/rev": "blue" } } });
    for (name, verb) in [("old", "create"), ("older", "apply")] {
        made["metadata"]["name"] = format!("istio-revision-tag-{name}").into();
        made["metadata"]["labels"]["istio.io/tag"] = name.into();
        for hook in made["webhooks"].as_array_mut().unwrap() {
            hook["namespaceSelector"] = json!({ "matchLabels": { "istio.io/rev": name } });
        }
        let file = plane.folder().unwrap().join("tag.json");
        fs_err::write(&file, made.to_string()).unwrap();
        plane.run_kubectl(&[verb, "-f", &file.to_string_lossy()]).unwrap();
    }
    let ran = tag(runbook, "list", &[]).exits(0).says("old -> blue (webhook, kept by istioctl)");
    ran.says("older -> blue (webhook, kept by kubectl)").wrote_nothing();
    tag(runbook, "move", &["--tag", "old", "--revision", "green"])
        .exits(0)
        .says("tag old was made by istioctl")
        .every_write_was_announced();
    assert_eq!(mesh.tag("old"), ("green".to_owned(), "green".to_owned()), "it has both forms now");
    mesh.healthy_webhooks();
}

/// A3: the documentation's own tests tag revisions that do not exist; that is refused unless it is asked for.
fn missing(runbook: &Runbook<'_>) {
    let soon = ["--tag", "soon", "--revision", "red"];
    tag(runbook, "create", &soon).exits(7).says("--allow-missing-revision").wrote_nothing();
    tag(runbook, "create", &[&soon[..], &["--allow-missing-revision"]].concat())
        .exits(0)
        .says("install it before any pod of such a namespace is restarted")
        .every_write_was_announced();
    tag(runbook, "list", &[]).exits(0).says("revision red is not installed").wrote_nothing();
}

#[test]
fn a_tag_is_made_moved_rolled_back_and_removed() {
    if charts_or_skip("a_tag_is_made_moved_rolled_back_and_removed").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&two_revisions()).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let (mesh, runbook) = (Mesh(&plane), Runbook::new(&plane, Helm::V3));
    let points = |name: &str, revision: &str| assert_eq!(mesh.tag(name), (revision.to_owned(), revision.to_owned()));
    refusals(&runbook);

    let create = ["--tag", "stable", "--revision", "blue"];
    let foretold = runbook.foretold(Rehearsed::Builtin);
    tag(&foretold, "create", &create).exits(0).every_write_was_announced();
    points("stable", "blue");
    mesh.healthy_webhooks();
    tag(&runbook, "list", &[])
        .exits(0)
        .says("prod -> blue")
        .says("stable -> blue")
        .says("shop/waypoint")
        .wrote_nothing();

    let forward = ["--tag", "prod", "--revision", "green", "--expect", "blue"];
    tag(&foretold, "move", &forward)
        .exits(0)
        .says("waypoint shop/waypoint rolls at once with tag prod")
        .says("shop/waypoint has one replica")
        .every_write_was_announced();
    points("prod", "green");
    assert_eq!(mesh.gateway("shop", "waypoint", "waypoint"), ("green".to_owned(), true));
    let web = mesh.items(&["pods", "-n", "shop", "-l", "app=web"]);
    assert_eq!(web[0]["metadata"]["annotations"]["istio.io/rev"], "blue", "sidecars wait for their restart");
    tag(&runbook, "move", &["--tag", "prod", "--revision", "green"]).exits(0).says("nothing to do").wrote_nothing();

    tag(&foretold, "roll-back", &["--tag", "prod"]).exits(0).every_write_was_announced();
    points("prod", "blue");
    assert_eq!(mesh.gateway("shop", "waypoint", "waypoint"), ("blue".to_owned(), true));

    tag(&foretold, "remove", &["--tag", "stable"]).exits(0).every_write_was_announced();
    points("stable", "");

    classes(&plane, &runbook);
    missing(&runbook);
    points("soon", "red");
}

/// T-29: a tag that many Gateways follow is shown whole, with the way to move them in groups; and a half-moved tag is refused.
#[test]
fn all_that_follows_a_tag_is_listed_before_it_moves() {
    if charts_or_skip("all_that_follows_a_tag_is_listed_before_it_moves").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&two_revisions()).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let mut many = String::new();
    for number in 0..40 {
        writeln!(
            many,
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {{ name: team-{number}, labels: {{ istio.io/rev: prod }} }}"
        )
        .unwrap();
        if number < 12 {
            writeln!(
                many,
                "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{ name: waypoint, namespace: team-{number} }}\n\
                 spec: {{ gatewayClassName: istio-waypoint, listeners: [{{ name: mesh, port: 15008, protocol: HBONE }}] }}"
            )
            .unwrap();
        }
    }
    plane.apply(&many).unwrap();
    let runbook = Runbook::new(&plane, Helm::V3);
    // Without --yes: the plan is shown and nothing happens.
    let charts = charts();
    let plan = ["revision-tag.rhai", "--charts", &charts, "--action", "move", "--tag", "prod", "--revision", "green"];
    let mut ran = runbook.run(&plan).exits(6).says("13 Gateways follow tag prod").says("--tag prod-2").wrote_nothing();
    for number in 0..12 {
        ran = ran.says(&format!("waypoint team-{number}/waypoint rolls at once"));
    }
    ran.says("team-39");

    let service =
        ["label", "service", "-n", "istio-system", "istiod-revision-tag-prod", "istio.io/rev=red", "--overwrite"];
    plane.run_kubectl(&service).unwrap();
    runbook
        .run(&[&plan[..], &["--yes"]].concat())
        .exits(7)
        .says("tag prod points to blue as a webhook and to red as a Service")
        .says("kubectl label service -n istio-system istiod-revision-tag-prod istio.io/rev=blue --overwrite")
        .wrote_nothing();
}

/// T-21: the default moves with everything that relies on it; a Gateway with pods of its own is marked, and its pods move with it.
#[test]
fn the_default_moves_with_what_asks_for_nothing() {
    if charts_or_skip("the_default_moves_with_what_asks_for_nothing").is_none() {
        return;
    }
    let plane = ControlPlane::from_state(&two_revisions()).unwrap();
    let _istiod = StandIn::start(&plane).unwrap();
    let (mesh, runbook) = (Mesh(&plane), Runbook::new(&plane, Helm::V3));
    let approved = ["--tag", "default", "--approve", "default", "--revision"];
    tag(&runbook, "create", &[&approved[..], &["blue"]].concat()).exits(0).every_write_was_announced();
    assert_eq!(mesh.tag("default"), ("blue".to_owned(), "blue".to_owned()));
    plane
        .apply(
            "apiVersion: v1\nkind: Namespace\nmetadata: { name: edge }\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: { name: pods, namespace: edge }\nspec: { selector: { app: pods }, ports: [{ port: 80 }] }\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: pods, namespace: edge }\nspec:\n  selector: { matchLabels: { app: pods } }\n  \
             template:\n    metadata:\n      labels: { app: pods, sidecar.istio.io/inject: 'true' }\n      annotations: { inject.istio.io/templates: gateway }\n    \
             spec: { containers: [{ name: istio-proxy, image: auto }] }\n---\n\
             apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: edge, namespace: edge }\n\
             spec: { gatewayClassName: istio, addresses: [{ type: Hostname, value: pods.edge.svc.cluster.local }], listeners: [{ name: http, port: 80, protocol: HTTP }] }\n",
        )
        .unwrap();
    plane.run_kubectl(&["rollout", "status", "deployment/pods", "-n", "edge", "--timeout=60s"]).unwrap();

    tag(&runbook, "move", &["--tag", "default", "--revision", "green"])
        .exits(6)
        .says("disruptive: gateway edge/edge, which asks for nothing, has pods of its own")
        .says("deployment edge/pods, the pods of gateway edge, is restarted right after")
        .says("--approve default")
        .wrote_nothing();
    tag(&runbook, "move", &[&approved[..], &["green"]].concat()).exits(0).every_write_was_announced();
    assert_eq!(mesh.tag("default"), ("green".to_owned(), "green".to_owned()));
    let validator = mesh.json(&["get", "validatingwebhookconfiguration", "istiod-default-validator"]);
    assert_eq!(validator["webhooks"][0]["clientConfig"]["service"]["name"], "istiod-green");
    mesh.healthy_webhooks();
    let pods = mesh.items(&["pods", "-n", "edge", "-l", "app=pods"]);
    let live: Vec<_> = pods.iter().filter(|pod| pod["metadata"].get("deletionTimestamp").is_none()).collect();
    assert_eq!(live.len(), 1);
    assert_eq!(live[0]["metadata"]["annotations"]["istio.io/rev"], "green");
    tag(&runbook, "move", &["--tag", "default", "--revision", "green"]).exits(0).says("nothing to do").wrote_nothing();
}
