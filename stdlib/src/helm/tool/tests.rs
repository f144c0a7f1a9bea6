//! Words that helm 3.22.0 and helm 4.3.1 really said, and what becomes of them.

use runbook_core::{Code, Fault};
use serde_json::json;

use super::failure;
use crate::process::Ended;

fn fault(errors: &str) -> Fault {
    failure::fault(Ended::Exited(1), errors)
}

#[test]
fn a_missing_release_is_told_from_other_trouble() {
    for words in [
        "Error: release: not found\n",
        "Error: UPGRADE FAILED: \"nothere\" has no deployed releases\n",
        "Error: uninstall: Release not loaded: nothere: release: not found\n",
    ] {
        assert_eq!(fault(words).code, Code::ReleaseNotFound, "{words}");
    }
    assert_eq!(fault("Error: release has no 99 version\n").message, "the release has no revision 99");
}

#[test]
fn a_held_release_and_a_taken_name_are_named() {
    let pending = fault("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n");
    assert_eq!(pending.code, Code::PendingRelease);
    assert!(pending.hint.unwrap().contains("helm::recover"));
    for words in [
        "Error: INSTALLATION FAILED: cannot re-use a name that is still in use\n",
        "level=ERROR msg=\"release name check failed\" error=\"cannot reuse a name that is still in use\"\nError: INSTALLATION FAILED: release name check failed: cannot reuse a name that is still in use\n",
    ] {
        assert_eq!(fault(words).code, Code::ReleaseExists, "{words}");
    }
}

#[test]
fn a_foreign_object_and_its_owner_are_named() {
    for unable in ["Unable", "unable"] {
        let fault = fault(&format!(
            "Error: INSTALLATION FAILED: {unable} to continue with install: ServiceAccount \"istio-reader-service-account\" in namespace \"istio-system\" exists and cannot be imported into the current release: invalid ownership metadata; annotation validation error: key \"meta.helm.sh/release-name\" must equal \"e2\": current value is \"e\"\n"
        ));
        assert_eq!(fault.code, Code::Conflict);
        assert_eq!(fault.message, "ServiceAccount `istio-system/istio-reader-service-account` belongs to release `e`");
        assert_eq!(fault.detail["owner"], "e");
        assert!(fault.evidence[0].contains("invalid ownership metadata"));
    }
    let nobody = fault(
        "Error: UPGRADE FAILED: Unable to continue with update: CustomResourceDefinition \"sidecars.networking.istio.io\" in namespace \"\" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key \"app.kubernetes.io/managed-by\": must be set to \"Helm\"; annotation validation error: missing key \"meta.helm.sh/release-name\": must be set to \"istio-base\"; annotation validation error: missing key \"meta.helm.sh/release-namespace\": must be set to \"istio-system\"\n",
    );
    assert_eq!(nobody.message, "CustomResourceDefinition `sidecars.networking.istio.io` was not made by any release");
    assert_eq!((&nobody.detail["owner"], &nobody.detail["namespace"]), (&json!(null), &json!("")));
}

#[test]
fn a_server_side_conflict_names_manager_and_fields() {
    let one = fault(
        "level=WARN msg=\"upgrade failed\" name=istio-base error=\"conflict occurred while applying object /istiod-default-validator admissionregistration.k8s.io/v1, Kind=ValidatingWebhookConfiguration: Apply failed with 1 conflict: conflict with \\\"pilot-discovery\\\" using admissionregistration.k8s.io/v1: .webhooks[name=\\\"validation.istio.io\\\"].failurePolicy\"\nError: UPGRADE FAILED: conflict occurred while applying object /istiod-default-validator admissionregistration.k8s.io/v1, Kind=ValidatingWebhookConfiguration: Apply failed with 1 conflict: conflict with \"pilot-discovery\" using admissionregistration.k8s.io/v1: .webhooks[name=\"validation.istio.io\"].failurePolicy\n",
    );
    assert_eq!(one.code, Code::Conflict);
    assert_eq!(one.object.as_deref(), Some("ValidatingWebhookConfiguration/istiod-default-validator"));
    let field = r#".webhooks[name="validation.istio.io"].failurePolicy"#;
    assert_eq!(one.detail["conflicts"], json!([{ "manager": "pilot-discovery", "fields": [field] }]));
    let many = fault(
        "Error: UPGRADE FAILED: conflict occurred while applying object shop/web apps/v1, Kind=Deployment: Apply failed with 3 conflicts: conflicts with \"kubectl-client-side-apply\" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name=\"web\"].image\nconflicts with \"hpa\" using autoscaling/v1: .spec.replicas\n",
    );
    assert_eq!(
        many.detail["conflicts"],
        json!([
            { "manager": "kubectl-client-side-apply", "fields": [".spec.replicas", ".spec.template.spec.containers[name=\"web\"].image"] },
            { "manager": "hpa", "fields": [".spec.replicas"] },
        ])
    );
}

#[test]
fn a_failed_hook_is_no_mere_timeout() {
    for (words, hook) in [
        (
            "Error: UPGRADE FAILED: pre-upgrade hooks failed: 1 error occurred:\n\t* timed out waiting for the condition\n\n\n",
            "pre-upgrade",
        ),
        (
            "level=WARN msg=\"upgrade failed\" name=t error=\"...\"\nError: UPGRADE FAILED: pre-upgrade hooks failed: resource Job/ns4/t-hook not ready. status: InProgress, message: Job in progress\ncontext deadline exceeded\n",
            "pre-upgrade",
        ),
        (
            "Error: INSTALLATION FAILED: failed pre-install: 1 error occurred:\n\t* job j-hook failed: BackoffLimitExceeded\n",
            "pre-install",
        ),
        (
            "Error: INSTALLATION FAILED: failed pre-install: resource Job/ns4/j-hook not ready. status: Failed, message: Job Failed. failed: 0/1\n",
            "pre-install",
        ),
    ] {
        let fault = fault(words);
        assert_eq!((fault.code, &fault.detail["hook"]), (Code::HookFailed, &json!(hook)), "{words}");
    }
}

#[test]
fn a_timeout_names_what_was_waited_for_where_helm_says_it() {
    let four = fault(
        "Error: UPGRADE FAILED: resource Deployment/istio-system/istiod-d not ready. status: InProgress, message: Replicas: 0/1\ncontext deadline exceeded\n",
    );
    assert_eq!((four.code, four.object.as_deref()), (Code::Timeout, Some("Deployment/istio-system/istiod-d")));
    assert_eq!(fault("Error: UPGRADE FAILED: context deadline exceeded\n").code, Code::Timeout);
}

#[test]
fn a_schema_that_refuses_its_own_defaults_gets_the_remedy() {
    let own = fault(
        "Error: values don't meet the specifications of the schema(s) in the following chart(s):\ngateway:\n- at '': additional properties '_internal_defaults_do_not_set' not allowed\n\n",
    );
    assert_eq!(own.code, Code::RenderFailed);
    assert!(own.hint.unwrap().contains("skip_schema_validation"));
    let foreign = fault(
        "Error: values don't meet the specifications of the schema(s) in the following chart(s):\ngateway:\n- at '': additional properties 'foo' not allowed\n\n",
    );
    assert_eq!(foreign.detail["schema"], json!(["at '': additional properties 'foo' not allowed"]));
}

#[test]
fn a_template_error_names_template_line_value_and_reason() {
    let reason = "can't evaluate field rootNamespace in type interface {}";
    for words in [
        "Error: template: istiod/templates/configmap.yaml:78:21: executing \"istiod/templates/configmap.yaml\" at <include \"mesh\" .>: error calling include: template: istiod/templates/configmap.yaml:10:29: executing \"mesh\" at <.Values.meshConfig.rootNamespace>: can't evaluate field rootNamespace in type interface {}\n\nUse --debug flag to render out invalid YAML\n",
        "Error: istiod/templates/configmap.yaml:78:21\n  executing \"istiod/templates/configmap.yaml\" at <include \"mesh\" .>:\n    error calling include:\nistiod/templates/configmap.yaml:10:29\n  executing \"mesh\" at <.Values.meshConfig.rootNamespace>:\n    can't evaluate field rootNamespace in type interface {}\n\nUse --debug flag to render out invalid YAML\n",
    ] {
        let fault = fault(words);
        assert_eq!(fault.code, Code::RenderFailed, "{words}");
        assert_eq!(fault.detail["template"], "istiod/templates/configmap.yaml");
        assert_eq!((&fault.detail["line"], &fault.detail["value"]), (&json!(10), &json!("meshConfig.rootNamespace")));
        assert_eq!(fault.detail["reason"], reason);
    }
}

#[test]
fn other_ways_to_fail_rendering_are_told_apart() {
    let called = fault(
        "Error: execution error at (istiod/templates/zzz_profile.yaml:31:3): unknown profile nope\n\nUse --debug flag to render out invalid YAML\n",
    );
    assert_eq!(
        called.message,
        "the chart cannot be rendered: unknown profile nope (istiod/templates/zzz_profile.yaml:31)"
    );
    let yaml = fault(
        "Error: YAML parse error on bad/templates/a.yaml: error converting YAML to JSON: yaml: line 5: mapping values are not allowed in this context\n\nUse --debug flag to render out invalid YAML\n",
    );
    assert_eq!((&yaml.detail["template"], &yaml.detail["line"]), (&json!("bad/templates/a.yaml"), &json!(5)));
    let parse = fault(
        "Error: parse error at (bad2/templates/a.yaml:2): function \"b\" not defined\n\nUse --debug flag to render out invalid YAML\n",
    );
    assert_eq!((&parse.detail["line"], &parse.detail["reason"]), (&json!(2), &json!("function \"b\" not defined")));
    for words in [
        "Error: template: bad3/templates/a.yaml:1:13: executing \"bad3/templates/a.yaml\" at <.Values.x.y.z>: nil pointer evaluating interface {}.y\n",
        "Error: bad3/templates/a.yaml:1:13\n  executing \"bad3/templates/a.yaml\" at <.Values.x.y.z>:\n    nil pointer evaluating interface {}.y\n",
    ] {
        assert_eq!(fault(words).detail["value"], "x.y.z", "{words}");
        assert_eq!(fault(words).detail["reason"], "nil pointer evaluating interface {}.y", "{words}");
    }
    let kubernetes = fault("Error: chart requires kubeVersion: >=1.99 which is incompatible with Kubernetes v1.37.0\n");
    assert_eq!(kubernetes.code, Code::Precondition);
    let absent = fault("Error: could not find template templates/revision-tags.yaml in chart\n");
    assert_eq!((absent.code, &absent.detail["template"]), (Code::NotFound, &json!("templates/revision-tags.yaml")));
}

#[test]
fn a_chart_that_is_not_there_is_one_situation() {
    for words in [
        "Error: INSTALLATION FAILED: path \"/charts/nothere-1.tgz\" not found\n",
        "Error: INSTALLATION FAILED: repo istio not found\n",
        "Error: INSTALLATION FAILED: could not find protocol handler for: file\n",
        "Error: chart \"istiod\" version \"9.9.9\" not found in http://127.0.0.1:28080 repository\n",
        "Error: chart \"istiod\" matching 9.9.9 not found in istio index. (try 'helm repo update'): no chart version found for istiod-9.9.9\n",
        "Error: looks like \"http://127.0.0.1:28080/nope\" is not a valid chart repository or cannot be reached: failed to fetch http://127.0.0.1:28080/nope/index.yaml : 404 File not found\n",
        "Error: failed to perform \"FetchReference\" on source: Get \"https://127.0.0.1:28080/v2/charts/istiod/manifests/1.0.0\": tls: first record does not look like a TLS handshake\n",
    ] {
        assert_eq!(fault(words).code, Code::ChartNotFound, "{words}");
    }
}

#[test]
fn refusals_of_the_cluster_name_the_object() {
    let forbidden = fault(
        "Error: INSTALLATION FAILED: Unable to continue with install: could not get information about the resource ServiceAccount \"istio-reader-service-account\" in namespace \"istio-system\": serviceaccounts \"istio-reader-service-account\" is forbidden: User \"bob\" cannot get resource \"serviceaccounts\" in API group \"\" in the namespace \"istio-system\"\n",
    );
    assert_eq!(forbidden.code, Code::Forbidden);
    assert!(forbidden.message.contains("User \"bob\" cannot get resource \"serviceaccounts\""));
    for words in [
        "Error: INSTALLATION FAILED: create: failed to create: namespaces \"nonexist\" not found\n",
        "Error: UPGRADE FAILED: failed to create resource: server-side apply failed for object istio-system/istiod-d4 /v1, Kind=ServiceAccount: namespaces \"nonexist\" not found\n",
    ] {
        assert_eq!(fault(words).object.as_deref(), Some("namespace/nonexist"), "{words}");
    }
    for words in [
        "Error: INSTALLATION FAILED: 1 error occurred:\n\t* Service \"x\" is invalid: [spec.ports[0].port: Invalid value: 99999999: must be between 1 and 65535, inclusive]\n",
        "Error: INSTALLATION FAILED: server-side apply failed for object ns4/x /v1, Kind=Service: Service \"x\" is invalid: [spec.ports[0].port: Invalid value: 99999999: must be between 1 and 65535, inclusive]\n",
    ] {
        let fault = fault(words);
        assert_eq!((fault.code, fault.object.as_deref()), (Code::Rejected, Some("Service/x")), "{words}");
        assert!(fault.message.contains("must be between 1 and 65535"), "{}", fault.message);
    }
    let kind = fault(
        "Error: INSTALLATION FAILED: unable to build kubernetes objects from release manifest: resource mapping not found for name: \"x\" namespace: \"\" from \"\": no matches for kind \"Foo\" in version \"foo.io/v1\"\nensure CRDs are installed first\n",
    );
    assert_eq!(kind.code, Code::Rejected);
    assert!(kind.message.contains("\"Foo\" in version \"foo.io/v1\""));
}

#[test]
fn an_object_that_helm_quotes_whole_is_left_out() {
    let fault = fault(
        "Error: UPGRADE FAILED: cannot patch \"sel\" with kind Secret:  \"\" is invalid: patch: Invalid value: \"{\\\"apiVersion\\\":\\\"v1\\\",\\\"data\\\":{\\\"password\\\":\\\"aHVudGVyMg==\\\"}}\": json: cannot unmarshal bool into Go struct field\n",
    );
    let all = serde_json::to_string(&fault).unwrap();
    assert!(!all.contains("aHVudGVyMg"), "{all}");
    assert_eq!((fault.code, fault.object.as_deref()), (Code::Rejected, Some("Secret/sel")));
    assert!(fault.message.contains("cannot unmarshal bool"), "{}", fault.message);
}

#[test]
fn an_unreachable_cluster_may_be_tried_again() {
    for words in [
        "Error: kubernetes cluster unreachable: Get \"https://127.0.0.1:1/version\": dial tcp 127.0.0.1:1: connect: connection refused\n",
        "Error: Kubernetes cluster unreachable: Get \"https://10.0.0.1/version\": context deadline exceeded\n",
    ] {
        let fault = fault(words);
        assert_eq!((fault.code, fault.retryable), (Code::Network, true), "{words}");
    }
    assert_eq!(fault("Error: kubernetes cluster unreachable: context \"nope\" does not exist\n").code, Code::NoCluster);
}

#[test]
fn words_nobody_knows_are_kept() {
    let fault = fault("W1122 warnings.go:107] \"Warning: x\"\nError: something new\nand more of it\n");
    assert_eq!(fault.message, "helm failed with exit code 1: something new");
    assert_eq!(fault.evidence, ["helm: something new", "helm: and more of it"]);
    assert_eq!(failure::fault(Ended::Exited(2), "").message, "helm failed with exit code 2: it said nothing");
    assert_eq!(failure::fault(Ended::TimedOut, "").code, Code::Timeout);
    assert_eq!(failure::fault(Ended::Interrupted, "").code, Code::Interrupted);
}
