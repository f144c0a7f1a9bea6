//! `kubectl::owners`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Value};
use serde_json::json;

use super::api::{Api, Scope};
use super::kind;
use super::option::{CONTEXT, NAMESPACE, Target};
use super::refusal;
use crate::readiness::object::{flag, items, name, text, uid};

const POD: Param<String> = Param::required("pod", "Name of the pod.");
const KIND: Param<Option<String>> = Param::option("kind", "Kind to begin with; `pod` if absent.");

/// References that lead in circles end somewhere.
const HIGHEST: usize = 10;

/// `kubectl::owners`
pub(super) const OWNERS: Primitive = Primitive {
    name: "kubectl::owners",
    summary: "Follow the owner references of a pod up to the controller at the top: nearest first, empty where it has none.",
    params: &[&POD, &NAMESPACE, &KIND, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |args| {
        let kind = args.get(&KIND).unwrap_or_else(|| "pod".to_owned());
        format!("find the owners of {}", Target::of(args).words(&kind, &args.get(&POD)))
    },
    command: runbook_core::primitive::no_command,
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"
            let pod = kubectl::list("pods", #{ namespace: "shop", selector: "app=web" })[0].metadata.name;
            kubectl::owners(pod, #{ namespace: "shop" }).map(|o| o.kind)
        "#,
        expect: r#"["ReplicaSet","Deployment"]"#,
    }],
};

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let target = Target::of(args);
    let cluster = target.cluster(call)?;
    call.read(async {
        let api = target.open(&cluster, args.get(&KIND).as_deref().unwrap_or("pods")).await?.metadata_only();
        let mut object = api.get(&args.get(&POD)).await?;
        let mut owners: Vec<Value> = Vec::new();
        while let Some(reference) = controller(&object).filter(|_| owners.len() < HIGHEST) {
            let resource = kind::of_manifest(&cluster, &reference).await?;
            let above =
                Api::of(&cluster, resource, &Scope::Namespace(api.namespace().map(str::to_owned)))?.metadata_only();
            let owner = text(&reference, "/name");
            object = match above.get(owner).await {
                Ok(found) if uid(&found) == uid_of(&reference) => found,
                Ok(_) => return Err(gone(&above.title(owner), "another object of that name took its place")),
                Err(fault) if refusal::object_absent(&fault) => {
                    return Err(gone(&above.title(owner), "it does not exist"));
                }
                Err(fault) => return Err(fault),
            };
            owners.push(json!({
                "kind": above.resource().kind,
                "api_version": above.resource().api_version(),
                "name": name(&object),
                "namespace": above.namespace(),
                "uid": uid(&object),
                "title": above.title(owner),
            }));
        }
        Ok(Value::Array(owners))
    })
}

fn controller(object: &Value) -> Option<Value> {
    items(object, "/metadata/ownerReferences").iter().find(|owner| flag(owner, "/controller")).cloned()
}

fn uid_of(reference: &Value) -> &str {
    text(reference, "/uid")
}

fn gone(title: &str, why: &str) -> Fault {
    Fault::new(Code::Incomplete, format!("the owner {title} cannot be followed: {why}")).about(title).retryable()
}
