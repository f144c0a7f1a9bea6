//! `kubectl::delete`

use std::time::Duration;

use futures::StreamExt as _;
use runbook_core::primitive::{Answer, Example};
use runbook_core::record::Waiting;
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Repeat, Value};
use serde_json::json;

use super::api::Api;
use super::option::{CONTEXT, KIND, NAME, NAMESPACE, Target};
use super::protection;
use super::query::{Deletion, Event, Listing, Propagation};
use super::removal::remove;
use crate::readiness::object::{items, text, uid};
use runbook_core::command::Command;

const ALLOW: Param<Option<bool>> =
    Param::option("allow", "Delete a namespace, a definition (CRD) or a volume with all that goes with it.");
const WAIT: Param<Option<bool>> = Param::option("wait", "Wait until it is gone; true if absent.");
const TIMEOUT: Param<Option<Duration>> = Param::option("timeout", "How long to wait; 10m if absent.");
const CASCADE: Param<Option<String>> = Param::option(
    "cascade",
    "What becomes of the objects that belong to it: `background`, `foreground` or `orphan`; `background` if absent.",
);
const GRACE_PERIOD: Param<Option<i64>> =
    Param::option("grace_period", "Seconds for it to end by itself; the kind's own if absent.");
const IGNORE_NOT_FOUND: Param<Option<bool>> =
    Param::option("ignore_not_found", "Take one that does not exist for deleted; true if absent.");
const UID: Param<Option<String>> = Param::option("uid", "Only the object of that uid.");
const RESOURCE_VERSION: Param<Option<String>> =
    Param::option("resource_version", "Only as long as the object has that version.");

const PATIENCE: Duration = Duration::from_mins(10);

/// `kubectl::delete`
pub(super) const DELETE: Primitive = Primitive {
    name: "kubectl::delete",
    summary: "Delete an object, and wait until it is gone.",
    params: &[
        &KIND,
        &NAME,
        &NAMESPACE,
        &ALLOW,
        &WAIT,
        &TIMEOUT,
        &CASCADE,
        &GRACE_PERIOD,
        &IGNORE_NOT_FOUND,
        &UID,
        &RESOURCE_VERSION,
        &CONTEXT,
    ],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce,
    command: |args| Some(command(args)),
    run,
    examples: &[
        Example {
            cluster: "shop",
            script: r#"
                let first = kubectl::delete("configmap", "settings", #{ namespace: "shop" });
                let second = kubectl::delete("configmap", "settings", #{ namespace: "shop" });
                [first.changed, second.changed]
            "#,
            expect: "[true,false]",
        },
        Example {
            cluster: "shop",
            script: r#"let code = ""; try { kubectl::delete("namespace", "shop"); } catch (e) { code = e.code; } code"#,
            expect: "RB029",
        },
    ],
};

fn announce(args: &Args) -> String {
    format!("delete {}", Target::of(args).words(&args.get(&KIND), &args.get(&NAME)))
}

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl delete").word(args.get(&KIND)).word(args.get(&NAME));
    let line = line
        .flag("--cascade", args.get(&CASCADE))
        .flag("--grace-period", args.get(&GRACE_PERIOD).map(|seconds| seconds.to_string()))
        .switch("--wait=false", args.get(&WAIT).map(|wait| !wait))
        .switch("--ignore-not-found", Some(args.get(&IGNORE_NOT_FOUND) != Some(false)));
    Target::of(args).flags(line)
}

fn run(call: &Call<'_>, args: &Args) -> Outcome {
    let (target, name) = (Target::of(args), args.get(&NAME));
    let propagation = match args.get(&CASCADE).as_deref() {
        None | Some("background") => Propagation::Background,
        Some("foreground") => Propagation::Foreground,
        Some("orphan") => Propagation::Orphan,
        Some(other) => {
            let message =
                format!("`cascade` is `background`, `foreground` or `orphan`, not `{}`", other.escape_debug());
            return Err(Fault::new(Code::WrongArgument, message));
        }
    };
    let cluster = target.cluster(call)?;
    let api = call.read(async { Ok(target.open(&cluster, &args.get(&KIND)).await?.metadata_only()) })?;
    protection::check(api.resource(), &name, args.get(&ALLOW))?;
    let Some(live) = call.read(api.find(&name))? else { return absent(&api, &name, args) };
    let deletion = Deletion {
        propagation,
        grace_period: args.get(&GRACE_PERIOD),
        uid: Some(args.get(&UID).unwrap_or_else(|| uid(&live).to_owned())),
        version: args.get(&RESOURCE_VERSION),
        ..Deletion::default()
    };
    let going = !text(&live, "/metadata/deletionTimestamp").is_empty();
    if !going {
        call.write(remove(&api, &name, uid(&live), &deletion))?;
    }
    let gone = if args.get(&WAIT) == Some(false) {
        false
    } else {
        until_gone(call, &api, &name, &live, call.within(args.get(&TIMEOUT).unwrap_or(PATIENCE)))?;
        true
    };
    let word = if gone { "deleted" } else { "being deleted" };
    let summary = format!("{}: {word}", api.title(&name));
    Ok(json!({ "changed": !going, "gone": gone, "uid": uid(&live), "summary": summary }))
}

fn absent(api: &Api, name: &str, args: &Args) -> Outcome {
    let title = api.title(name);
    if args.get(&IGNORE_NOT_FOUND) == Some(false) {
        return Err(Fault::new(Code::NotFound, format!("{title} does not exist")).about(title));
    }
    Ok(json!({ "changed": false, "gone": true, "summary": format!("{title}: does not exist") }))
}

/// Watches until the object of that uid is gone, and says what holds it.
fn until_gone(call: &Call<'_>, api: &Api, name: &str, live: &Value, patience: Duration) -> Result<(), Fault> {
    let clock = &call.world.clock;
    let deadline = clock.elapsed() + patience;
    let title = api.title(name);
    call.read(async {
        loop {
            let Some(now) = api.find(name).await?.filter(|now| uid(now) == uid(live)) else { return Ok(()) };
            let left = deadline.saturating_sub(clock.elapsed());
            if left.is_zero() {
                return Err(Fault::new(
                    Code::Timeout,
                    format!("{title} is still there after {} s", patience.as_secs()),
                )
                .about(title.clone())
                .seen(held_by(&now))
                .hint("it goes once what its finalizers wait for is done"));
            }
            call.waiting(Waiting {
                what: format!("{title} to be gone"),
                reasons: vec![held_by(&now)],
                left_ms: u64::try_from(left.as_millis()).ok(),
                ..Waiting::default()
            });
            let listing = Listing::named(name).metadata_only();
            let events = api.watch(&listing, text(&now, "/metadata/resourceVersion"), left).await?;
            let mut events = std::pin::pin!(events);
            let told = async {
                while let Some(Ok(event)) = events.next().await {
                    if matches!(event, Event::Deleted(_) | Event::Modified(_) | Event::Expired) {
                        return;
                    }
                }
            };
            // A watch that the server ends at once must not become a busy loop.
            tokio::select! {
                () = told => clock.sleep(Duration::from_millis(20)).await,
                () = clock.sleep(left.min(Duration::from_secs(30))) => {}
            }
        }
    })
}

fn held_by(object: &Value) -> String {
    let finalizers: Vec<&str> = items(object, "/metadata/finalizers").iter().filter_map(Value::as_str).collect();
    if finalizers.is_empty() {
        "it has time to end by itself".to_owned()
    } else {
        format!("held by {}", finalizers.join(", "))
    }
}
