//! `kubectl::apply`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Repeat, Value};
use serde_json::json;

use super::applying::{Applied, Applying, OnConflict};
use super::manifest::{self, SOURCE};
use super::option::{CONTEXT, FIELD_MANAGER, MANAGER, NAMESPACE, SELECTOR, Target};
use super::prune;
use runbook_core::command::Command;

const ON_CONFLICT: Param<Option<String>> = Param::option(
    "on_conflict",
    "What to do about fields that others own: `fail`, `force` takes them over, `keep` leaves them as they are; `fail` if absent.",
);
const PRUNE: Param<Option<bool>> = Param::option(
    "prune",
    "Delete what was applied under this field manager before, carries the labels of `selector`, and is not in the source; false if absent.",
);

/// `kubectl::apply`
pub(super) const APPLY: Primitive = Primitive {
    name: "kubectl::apply",
    summary: "Make objects be as their manifests say, by server-side apply; sends nothing where they are.",
    params: &[&SOURCE, &NAMESPACE, &FIELD_MANAGER, &ON_CONFLICT, &PRUNE, &SELECTOR, &CONTEXT],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"
            let settings = #{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "colours" }, data: #{ sky: "blue" } };
            let first = kubectl::apply(settings, #{ namespace: "shop" });
            let second = kubectl::apply(settings, #{ namespace: "shop" });
            [first.objects[0].outcome, second.objects[0].outcome, second.changed]
        "#,
        expect: r#"["created","unchanged",false]"#,
    }],
};

fn announce(args: &Args) -> String {
    format!("apply {}{}", args.get(&SOURCE).words(), Target::of(args).place())
}

fn command(args: &Args) -> Command {
    let line = args.get(&SOURCE).typed(Command::new("kubectl apply --server-side"));
    let line = line
        .flag("--field-manager", Some(manager(args)))
        .switch("--force-conflicts", args.get(&ON_CONFLICT).map(|word| word == "force"))
        .switch("--prune", args.get(&PRUNE))
        .flag("--selector", args.get(&SELECTOR));
    Target::of(args).flags(line)
}

fn manager(args: &Args) -> String {
    args.get(&FIELD_MANAGER).unwrap_or_else(|| MANAGER.to_owned())
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let target = Target::of(args);
    let on_conflict = OnConflict::parse(args.get(&ON_CONFLICT).as_deref())?;
    let prune = args.get(&PRUNE) == Some(true);
    let selector = args.get(&SELECTOR).filter(|selector| !selector.trim().is_empty());
    if prune && selector.is_none() {
        return Err(Fault::new(
            Code::WrongArgument,
            "`prune` needs a `selector`: without one it might delete anything",
        ));
    }
    let manifests = args.get(&SOURCE).read(&call.world.files)?;
    for manifest in &manifests {
        manifest::name_of(manifest)?;
        manifest::namespace_of(manifest, target.namespace.as_ref())?;
    }
    let applying = Applying {
        cluster: target.cluster(call)?,
        clock: call.world.clock.clone(),
        namespace: target.namespace,
        manager: manager(args),
        on_conflict,
    };
    call.write(async {
        let applied = applying.all(manifests).await?;
        let pruned = match &selector {
            Some(selector) if prune => prune::prune(&applying, &applied, selector).await?,
            _ => Vec::new(),
        };
        Ok(answer(&applied, &pruned))
    })
}

fn answer(applied: &[Applied], pruned: &[String]) -> Value {
    let changed = applied.iter().filter(|one| one.outcome.changes()).count() + pruned.len();
    let mut words: Vec<String> = applied.iter().map(|one| format!("{} {}", one.title, one.outcome.word())).collect();
    words.extend(pruned.iter().map(|title| format!("{title} pruned")));
    json!({
        "changed": changed > 0,
        "objects": applied.iter().map(Applied::to_value).collect::<Vec<_>>(),
        "pruned": pruned,
        "summary": words.join(", "),
    })
}
