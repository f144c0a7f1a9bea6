//! `kubectl::can_i`

use http::Request;
use runbook_core::primitive::{Answer, Example};
use runbook_core::world::Cluster;
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive};
use serde_json::{Value, json};

use super::kind;
use super::option::{ALL_NAMESPACES, CONTEXT, NAMESPACE, Target};
use super::request::{self, Asked};
use crate::readiness::object::{flag, text};
use runbook_core::command::Command;

const VERB: Param<String> = Param::required("verb", "What is to be done: `get`, `create`, `patch`, `delete`, ...");
const RESOURCE: Param<String> = Param::required(
    "resource",
    "To what: a kind by any name, one object of it as `deployment/web`, or a path such as `/metrics`.",
);
const SUBRESOURCE: Param<Option<String>> = Param::option("subresource", "A part: `eviction`, `scale`, `log`.");

/// `kubectl::can_i`
pub(super) const CAN_I: Primitive = Primitive {
    name: "kubectl::can_i",
    summary: "Ask the cluster whether the run may do something: `allowed`, and the `reason` where it says one.",
    params: &[&VERB, &RESOURCE, &NAMESPACE, &ALL_NAMESPACES, &SUBRESOURCE, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |args| {
        format!("ask whether to {} {} is allowed{}", args.get(&VERB), args.get(&RESOURCE), Target::of(args).place())
    },
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::can_i("patch", "deploy", #{ namespace: "shop" }).allowed"#,
        expect: "true",
    }],
};

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl auth can-i").word(args.get(&VERB)).word(args.get(&RESOURCE));
    let line = line.flag("--subresource", args.get(&SUBRESOURCE)).switch("--all-namespaces", args.get(&ALL_NAMESPACES));
    Target::of(args).flags(line)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let target = Target::of(args);
    let cluster = target.cluster(call)?;
    let (verb, wanted) = (args.get(&VERB), args.get(&RESOURCE));
    call.read(async {
        let spec = if wanted.starts_with('/') {
            json!({ "nonResourceAttributes": { "verb": verb, "path": wanted } })
        } else {
            let (word, name) = wanted.split_once('/').unwrap_or((wanted.as_str(), ""));
            let resource = kind::resolve(&cluster, word).await?;
            let everywhere = args.get(&ALL_NAMESPACES) == Some(true) || !resource.namespaced;
            let namespace = target.namespace.clone().unwrap_or_else(|| cluster.namespace.clone());
            json!({ "resourceAttributes": {
                "verb": verb,
                "group": resource.group,
                "version": resource.version,
                "resource": resource.plural,
                "subresource": args.get(&SUBRESOURCE).unwrap_or_default(),
                "name": name,
                "namespace": if everywhere { "" } else { &namespace },
            } })
        };
        verdict(&review(&cluster, &spec).await?, &format!("{verb} {wanted}"))
    })
}

/// Whether whoever makes the requests may do what `resourceAttributes` say.
///
/// Faults: `RB027` where the cluster could not find out.
pub async fn allows(cluster: &Cluster, attributes: &Value) -> Result<bool, Fault> {
    let answer = review(cluster, &json!({ "resourceAttributes": attributes })).await?;
    let words = format!("{} {}", text(attributes, "/verb"), text(attributes, "/resource"));
    Ok(verdict(&answer, &words)?["allowed"] == true)
}

async fn review(cluster: &Cluster, spec: &Value) -> Result<Value, Fault> {
    let review = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let asked = Asked::about("ask", "the run's own permissions");
    let body = serde_json::to_vec(&review).expect("a review is plain data");
    request::answer(&cluster.client, Request::post(path), body, &asked).await
}

fn verdict(answer: &Value, what: &str) -> Outcome {
    let (allowed, error) = (flag(answer, "/status/allowed"), text(answer, "/status/evaluationError"));
    // A review that failed says no; that is not known to be one.
    if !allowed && !error.is_empty() {
        return Err(Fault::new(
            Code::Incomplete,
            format!("whether to {what} is allowed could not be found out: {error}"),
        ));
    }
    Ok(json!({ "allowed": allowed, "reason": text(answer, "/status/reason") }))
}
