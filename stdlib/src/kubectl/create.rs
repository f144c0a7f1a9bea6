//! `kubectl::create`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Fault, Outcome, Primitive, Repeat, Value};
use serde_json::json;

use super::api::{Api, Scope};
use super::kind;
use super::manifest::{self, SOURCE};
use super::option::{CONTEXT, FIELD_MANAGER, MANAGER, NAMESPACE, Target};
use super::outcome::{self, Trace, settle};
use super::query::Writing;
use crate::readiness::object::{name, text};
use runbook_core::command::Command;

/// `kubectl::create`
pub(super) const CREATE: Primitive = Primitive {
    name: "kubectl::create",
    summary: "Create objects that must not exist yet; `metadata.generateName` makes up a name.",
    params: &[&SOURCE, &NAMESPACE, &FIELD_MANAGER, &CONTEXT],
    effect: Effect::Write(Repeat::Ask),
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"
            let made = kubectl::create(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ generateName: "note-" } }, #{ namespace: "shop" });
            made.objects[0].name.starts_with("note-")
        "#,
        expect: "true",
    }],
};

fn announce(args: &Args) -> String {
    format!("create {}{}", args.get(&SOURCE).words(), Target::of(args).place())
}

fn command(args: &Args) -> Command {
    Target::of(args).flags(args.get(&SOURCE).typed(Command::new("kubectl create")))
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let target = Target::of(args);
    let manifests = args.get(&SOURCE).read(&call.world.files)?;
    for manifest in &manifests {
        manifest::namespace_of(manifest, target.namespace.as_ref())?;
        if text(manifest, "/metadata/generateName").is_empty() {
            manifest::name_of(manifest)?;
        }
    }
    let cluster = target.cluster(call)?;
    let writing = Writing::by(&args.get(&FIELD_MANAGER).unwrap_or_else(|| MANAGER.to_owned()));
    call.write(async {
        let mut created: Vec<Value> = Vec::new();
        for manifest in manifests {
            let resource = kind::of_manifest(&cluster, &manifest).await?;
            let scope = Scope::Namespace(manifest::namespace_of(&manifest, target.namespace.as_ref())?);
            let api = Api::of(&cluster, resource, &scope)?;
            let object = one(&api, &manifest, &writing).await.map_err(|fault| after(fault, &created))?;
            created.push(json!({
                "kind": api.resource().kind,
                "name": name(&object),
                "namespace": api.namespace(),
                "title": api.title(name(&object)),
            }));
        }
        let titles: Vec<&str> = created.iter().map(|one| text(one, "/title")).collect();
        let summary = format!("created {}", titles.join(", "));
        Ok(json!({ "changed": !created.is_empty(), "objects": created, "summary": summary }))
    })
}

async fn one(api: &Api, manifest: &Value, writing: &Writing) -> Result<Value, Fault> {
    let wanted = name(manifest);
    if wanted.is_empty() {
        // Without a name there is nothing to read back.
        return api.create(manifest, writing).await;
    }
    settle(
        api,
        wanted,
        async || api.create(manifest, writing).await,
        |live| match live {
            None => Trace::NotDone,
            Some(live) if outcome::holds(&live, manifest) => Trace::Done(live),
            Some(_) => Trace::Unclear,
        },
    )
    .await
}

fn after(fault: Fault, created: &[Value]) -> Fault {
    created.iter().fold(fault, |fault, one| fault.seen(format!("created before it: {}", text(one, "/title"))))
}
