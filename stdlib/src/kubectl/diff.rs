//! `kubectl::diff`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Fault, Outcome, Primitive, Value};
use serde_json::json;

use super::api::{Api, Scope};
use super::kind;
use super::manifest::{self, SOURCE};
use super::option::{CONTEXT, FIELD_MANAGER, MANAGER, NAMESPACE, Target};
use super::ownership;
use super::query::{Patch, Writing};
use crate::difference::{self, Difference};
use crate::path::Path;
use runbook_core::command::Command;

/// `kubectl::diff`
pub(super) const DIFF: Primitive = Primitive {
    name: "kubectl::diff",
    summary: "Ask the server what applying manifests by force would change, and who owns it now; changes nothing.",
    params: &[&SOURCE, &NAMESPACE, &FIELD_MANAGER, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |args| format!("compare {}{}", args.get(&SOURCE).words(), Target::of(args).place()),
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"
            let settings = #{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "settings" }, data: #{ colour: "red" } };
            let change = kubectl::diff(settings, #{ namespace: "shop" })[0];
            [change.object, change.path, change.old, change["new"]]
        "#,
        expect: r#"["configmap/settings","data.colour","blue","red"]"#,
    }],
};

fn command(args: &Args) -> Command {
    let line = args.get(&SOURCE).typed(Command::new("kubectl diff --server-side --force-conflicts"));
    Target::of(args).flags(line)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let target = Target::of(args);
    let manifests = args.get(&SOURCE).read(&call.world.files)?;
    let cluster = target.cluster(call)?;
    let manager = args.get(&FIELD_MANAGER).unwrap_or_else(|| MANAGER.to_owned());
    call.read(async {
        let mut changes: Vec<Value> = Vec::new();
        for manifest in manifests {
            let resource = kind::of_manifest(&cluster, &manifest).await?;
            let scope = Scope::Namespace(manifest::namespace_of(&manifest, target.namespace.as_ref())?);
            let api = Api::of(&cluster, resource, &scope)?;
            changes.extend(one(&api, manifest, &manager).await?);
        }
        Ok(Value::Array(changes))
    })
}

async fn one(api: &Api, manifest: Value, manager: &str) -> Result<Vec<Value>, Fault> {
    let name = manifest::name_of(&manifest)?;
    let title = api.title(&name);
    let as_value = |difference: &Difference, owner: Option<String>| {
        let mut value = difference.to_value();
        value["object"] = title.clone().into();
        value["namespace"] = api.namespace().into();
        value["owner"] = owner.into();
        value
    };
    let Some(live) = api.find(&name).await? else {
        let whole = Difference { at: Path::default(), path: String::new(), old: None, new: Some(json!("created")) };
        return Ok(vec![as_value(&whole, None)]);
    };
    let patch = Patch::Apply(manifest::cleaned(manifest, manifest::There::Yes));
    let wanted = api.patch(&name, &patch, &Writing::by(manager).taking().trial()).await?;
    let found = difference::between(&live, &wanted);
    Ok(found.iter().map(|one| as_value(one, ownership::owner_of(&live, &one.at))).collect())
}
