//! The validator between helm, which writes it, and istiod, which closes it.

use runbook_control_plane::{Fault, Helm, Release, State};

use crate::mesh::{Mesh, gateway};

/// base and istiod of a version whose charts write the policy of the validators at every upgrade.
fn validators(helm: Helm) -> State {
    let release = |chart| Release::of(chart, "1.28.5", helm);
    let name = if helm == Helm::V3 { "validators-helm3" } else { "validators-helm4" };
    State::named(name).gateway_api().install(release("base")).install(release("istiod"))
}

fn policies(mesh: &Mesh) -> Vec<String> {
    let found = mesh.list("validatingwebhookconfigurations -l istio.io/rev");
    found.iter().map(|one| one["webhooks"][0]["failurePolicy"].as_str().unwrap().to_owned()).collect()
}

/// istio F-06.
#[test]
fn helm_4_meets_the_field_that_istiod_took_and_passes_with_charts_that_leave_it_alone() {
    let test = "helm_4_meets_the_field_that_istiod_took_and_passes_with_charts_that_leave_it_alone";
    let Some(mesh) = Mesh::start(test, Helm::V4, &validators(Helm::V4)) else { return };
    mesh.until("istiod has closed both", |mesh| policies(mesh) == ["Fail", "Fail"]);
    for (name, chart, entry) in
        [("istio-base", "base", "validation.istio.io"), ("istiod", "istiod", "rev.validation.istio.io")]
    {
        let Err(Fault::Command { output, .. }) = mesh.try_release(name, chart, "1.28.5", "revision=") else {
            panic!("the upgrade of {name} passes");
        };
        assert!(output.contains("conflict with \"pilot-discovery\""), "{output}");
        assert!(output.contains(&format!(".webhooks[name=\"{entry}\"].failurePolicy")), "{output}");
    }
    for (name, chart) in [("istio-base", "base"), ("istiod", "istiod")] {
        mesh.release(name, chart, "1.28.10", "revision=");
    }
    assert_eq!(policies(&mesh), ["Fail", "Fail"]);
}

#[test]
fn helm_3_reopens_a_validator_and_istiod_closes_it_again() {
    let Some(mesh) =
        Mesh::start("helm_3_reopens_a_validator_and_istiod_closes_it_again", Helm::V3, &validators(Helm::V3))
    else {
        return;
    };
    mesh.until("istiod has closed both", |mesh| policies(mesh) == ["Fail", "Fail"]);
    let refused = mesh.plane.apply(
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: empty, namespace: default}\nspec: {}\n",
    );
    let Err(Fault::Command { output, .. }) = refused else { panic!("an empty Gateway is accepted") };
    assert!(output.contains("denied the request: configuration is invalid: gateway must have at least one server"));

    let closed = mesh.one("validatingwebhookconfiguration istiod-default-validator");
    mesh.release("istio-base", "base", "1.28.5", "revision=,base.validationURL=");
    mesh.until("it is closed", |mesh| policies(mesh) == ["Fail", "Fail"]);
    let again = mesh.one("validatingwebhookconfiguration istiod-default-validator");
    assert_ne!(again["metadata"]["resourceVersion"], closed["metadata"]["resourceVersion"], "it was open in between");
}

#[test]
fn without_istiod_nothing_is_injected_and_closed_webhooks_refuse() {
    let test = "without_istiod_nothing_is_injected_and_closed_webhooks_refuse";
    let Some(mut mesh) = Mesh::start(test, Helm::V3, &validators(Helm::V3)) else { return };
    mesh.until("istiod has closed both", |mesh| policies(mesh) == ["Fail", "Fail"]);
    mesh.kubectl(&["label", "namespace", "default", "istio-injection=enabled"]);
    mesh.kill_istiods();
    mesh.plane.apply(&gateway("default", "late", "", "istio")).unwrap();
    let refused = mesh.plane.run_kubectl(&["run", "late", "--image", "nginx"]);
    let Err(Fault::Command { output, .. }) = refused else { panic!("a pod passes a webhook that nobody answers") };
    assert!(output.contains("failed calling webhook"), "{output}");
    assert!(mesh.gateways().is_empty());
}
