//! `kubectl::label`

use runbook_core::primitive::{Answer, Example};
use runbook_core::{Args, Call, Effect, Outcome, Param, Primitive, Repeat, Value};
use serde_json::Map;

use super::mark::{EXPECT, Mark, Marking, OVERWRITE};
use super::option::{CONTEXT, FIELD_MANAGER, KIND, MANAGER, NAME, NAMESPACE, Target};
use runbook_core::command::Command;

const VALUES: Param<Map<String, Value>> =
    Param::required("values", "The labels to set, `()` to remove: `#{ \"example.com/owner\": \"team-a\", old: () }`.");

/// `kubectl::label`
pub(super) const LABEL: Primitive = Primitive {
    name: "kubectl::label",
    summary: "Set and remove labels; answers the values they had before.",
    params: &[&KIND, &NAME, &VALUES, &NAMESPACE, &OVERWRITE, &EXPECT, &FIELD_MANAGER, &CONTEXT],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::label("namespace", "shop", #{ tier: "gold" }, #{ expect: #{ tier: "silver" } }).previous"#,
        expect: r#"{"tier":"silver"}"#,
    }],
};

fn words(args: &Args) -> Vec<String> {
    let word = |(key, value): (&String, &Value)| match value {
        Value::Null => format!("{key}-"),
        Value::String(text) => format!("{key}={text}"),
        other => format!("{key}={other}"),
    };
    args.get(&VALUES).iter().map(word).collect()
}

fn announce(args: &Args) -> String {
    format!("label {} {}", Target::of(args).words(&args.get(&KIND), &args.get(&NAME)), words(args).join(" "))
}

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl label").word(args.get(&KIND)).word(args.get(&NAME));
    let line = words(args).iter().fold(line, Command::word).switch("--overwrite", args.get(&OVERWRITE));
    Target::of(args).flags(line)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let marking = Marking {
        mark: Mark::Label,
        wanted: args.get(&VALUES),
        overwrite: args.get(&OVERWRITE) == Some(true),
        expect: args.get(&EXPECT).unwrap_or_default(),
        manager: args.get(&FIELD_MANAGER).unwrap_or_else(|| MANAGER.to_owned()),
    };
    marking.check()?;
    let target = Target::of(args);
    let cluster = target.cluster(call)?;
    call.write(async {
        let api = target.open(&cluster, &args.get(&KIND)).await?.metadata_only();
        marking.apply(&api, &args.get(&NAME)).await
    })
}
