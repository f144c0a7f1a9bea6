//! `kubectl::list`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Value};

use super::api::{Api, Scope};
use super::fields::Fields;
use super::option::{ALL_NAMESPACES, CONTEXT, FIELD_SELECTOR, KIND, MANAGED_FIELDS, NAMESPACE, SELECTOR, Target};
use super::query::{Detail, Listing, ManagedFields};
use runbook_core::command::Command;

const METADATA_ONLY: Param<Option<bool>> =
    Param::option("metadata_only", "Only the metadata of each object, which is much less; false if absent.");

const FIELDS: Param<Option<Vec<String>>> = Param::option(
    "fields",
    "Read only these fields of each object, and its kind, name and namespace: `[\"metadata.labels\", \"spec.containers.image\"]`, through \
     lists into each element. With thousands of objects that is far less; everything if absent.",
);

/// `kubectl::list`
pub(super) const LIST: Primitive = Primitive {
    name: "kubectl::list",
    summary: "Read all objects of a kind: all of them, or a fault.",
    params: &[
        &KIND,
        &NAMESPACE,
        &ALL_NAMESPACES,
        &SELECTOR,
        &FIELD_SELECTOR,
        &METADATA_ONLY,
        &FIELDS,
        &MANAGED_FIELDS,
        &CONTEXT,
    ],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[
        Example {
            cluster: "shop",
            script: r#"kubectl::list("deploy", #{ namespace: "shop", selector: "app in (web, api)" }).map(|d| d.metadata.name)"#,
            expect: r#"["api","web"]"#,
        },
        Example {
            cluster: "shop",
            script: r#"kubectl::list("deploy", #{ namespace: "shop", fields: ["spec.template.spec.containers.name"] })[0].keys()"#,
            expect: r#"["apiVersion","kind","metadata","spec"]"#,
        },
    ],
};

fn announce(args: &Args) -> String {
    let selector = args.get(&SELECTOR).map(|selector| format!(" with {selector}")).unwrap_or_default();
    let place = if everywhere(args) { " in all namespaces".to_owned() } else { Target::of(args).place() };
    format!("list {}{selector}{place}", args.get(&KIND))
}

fn command(args: &Args) -> Command {
    let line = Target::of(args).flags(Command::new("kubectl get").word(args.get(&KIND)));
    let line = line
        .switch("--all-namespaces", args.get(&ALL_NAMESPACES))
        .flag("--selector", args.get(&SELECTOR))
        .flag("--field-selector", args.get(&FIELD_SELECTOR));
    line.word("-o").word("json")
}

fn everywhere(args: &Args) -> bool {
    args.get(&ALL_NAMESPACES) == Some(true)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let target = Target::of(args);
    let cluster = target.cluster(call)?;
    let scope = if everywhere(args) { Scope::All } else { target.scope() };
    let fields = args.get(&FIELDS).map(|paths| Fields::of(&paths)).transpose();
    let listing = Listing {
        fields: fields.map_err(|words| Fault::new(Code::WrongArgument, words))?,
        selector: args.get(&SELECTOR),
        field_selector: args.get(&FIELD_SELECTOR),
        objects: if args.get(&METADATA_ONLY) == Some(true) { Detail::Metadata } else { Detail::Whole },
        managed_fields: match args.get(&MANAGED_FIELDS) {
            Some(true) => ManagedFields::Kept,
            _ => ManagedFields::Dropped,
        },
    };
    call.read(async {
        let list = Api::open(&cluster, &args.get(&KIND), &scope).await?.list(&listing).await?;
        Ok(Value::Array(list.items))
    })
}
