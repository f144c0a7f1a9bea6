//! `kubectl::events`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Value};
use serde_json::json;

use super::api::{Api, Scope};
use super::kind;
use super::option::{CONTEXT, NAMESPACE, Target};
use super::query::Listing;
use crate::readiness::object::{number, text};
use runbook_core::command::Command;

const TARGET: Param<String> =
    Param::required("target", "What they are about: `deployment/web`, or a kind alone for all of its objects.");
const TYPES: Param<Option<Vec<String>>> = Param::option("types", "Only of these types: `Normal`, `Warning`.");

/// `kubectl::events`
pub(super) const EVENTS: Primitive = Primitive {
    name: "kubectl::events",
    summary: "Read the events about an object, oldest first: `time`, `type`, `reason`, `message`, `count`, `object`.",
    params: &[&TARGET, &NAMESPACE, &TYPES, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |args| format!("read the events of {}{}", args.get(&TARGET), Target::of(args).place()),
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::events("deployment/web", #{ namespace: "shop", types: ["Normal"] }).map(|e| e.reason)"#,
        expect: "ScalingReplicaSet",
    }],
};

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl events").flag("--for", Some(args.get(&TARGET)));
    let line = line.flag("--types", args.get(&TYPES).map(|types| types.join(",")));
    Target::of(args).flags(line)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (target, about) = (Target::of(args), args.get(&TARGET));
    let cluster = target.cluster(call)?;
    let (word, object) = match about.split_once('/') {
        Some((word, object)) => {
            super::name::check("object", object)?;
            (word, Some(object))
        }
        None => (about.as_str(), None),
    };
    if let Some(wrong) =
        args.get(&TYPES).unwrap_or_default().iter().find(|one| !matches!(one.as_str(), "Normal" | "Warning"))
    {
        return Err(Fault::new(
            Code::WrongArgument,
            format!("events are `Normal` or `Warning`, not `{}`", wrong.escape_debug()),
        ));
    }
    call.read(async {
        let resource = kind::resolve(&cluster, word).await?;
        // Events about objects without a namespace stand in `default`.
        let place = if resource.namespaced { target.namespace.clone() } else { Some("default".to_owned()) };
        let events = Api::of(&cluster, kind::builtin("events"), &Scope::Namespace(place))?;
        let mut selector = format!("involvedObject.kind={}", resource.kind);
        if let Some(object) = object {
            selector = format!("{selector},involvedObject.name={object}");
        }
        let listing = Listing { field_selector: Some(selector), ..Listing::default() };
        let mut found = events.list(&listing).await?.items;
        found.retain(|event| args.get(&TYPES).is_none_or(|types| types.iter().any(|one| one == text(event, "/type"))));
        found.sort_by_key(|event| time(event).to_owned());
        Ok(found.iter().map(as_value).collect::<Vec<_>>().into())
    })
}

fn time(event: &Value) -> &str {
    let said =
        ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp", "/metadata/creationTimestamp"];
    said.iter().map(|pointer| text(event, pointer)).find(|time| !time.is_empty()).unwrap_or_default()
}

fn as_value(event: &Value) -> Value {
    let (kind, name) = (text(event, "/involvedObject/kind").to_lowercase(), text(event, "/involvedObject/name"));
    json!({
        "time": time(event),
        "type": text(event, "/type"),
        "reason": text(event, "/reason"),
        "message": text(event, "/message"),
        "count": number(event, "/series/count").or_else(|| number(event, "/count")).unwrap_or(1),
        "object": format!("{kind}/{name}"),
    })
}
