//! The parameters that waits share, and what they say together.

use std::sync::Arc;
use std::time::Duration;

use runbook_core::arg::Arg;
use runbook_core::param::FromArg;
use runbook_core::world::Cluster;
use runbook_core::{Args, Call, Fault, Function, Param, Value};

use super::engine::{Limits, OnDoom};
use super::goal::Names;
use runbook_core::command::Command;

pub(super) const KIND: Param<String> =
    Param::required("kind", "Kind, by any name the cluster knows: `deploy`, `Deployment`, `deployments.apps`.");
pub(super) const NAME: Param<String> = Param::required("name", "Name of the object.");
pub(super) const NAMES: Param<Names> =
    Param::required("name", "Name of the object, a list of names, or `\"*\"` for all that the selectors find.");
pub(super) const NAMESPACE: Param<Option<String>> =
    Param::option("namespace", "Namespace; the run's own if absent. Means nothing for kinds without namespaces.");
pub(super) const ALL_NAMESPACES: Param<Option<bool>> =
    Param::option("all_namespaces", "Look in all namespaces; false if absent.");
pub(super) const SELECTOR: Param<Option<String>> =
    Param::option("selector", "Only objects with these labels: `app=web,tier in (a, b),!canary`.");
pub(super) const FIELD_SELECTOR: Param<Option<String>> =
    Param::option("field_selector", "Only objects with these fields: `spec.nodeName=node-3`.");
pub(super) const AT_LEAST: Param<Option<i64>> =
    Param::option("at_least", "How many there must be; 1 if absent. With 0, none at all will do.");
pub(super) const CONTEXT: Param<Option<String>> =
    Param::option("context", "Context of the kubeconfig; the run's own if absent.");
pub(super) const TIMEOUT: Param<Option<Duration>> =
    Param::option("timeout", "How long to wait at most; `10m` if absent, and never longer than the step may take.");
pub(super) const NO_ACTIVITY: Param<Option<Duration>> =
    Param::option("no_activity", "How long nothing at all may change, or a pod be unschedulable; `4m` if absent.");
pub(super) const FAIL_FAST: Param<Option<bool>> =
    Param::option("fail_fast", "Whether to stop early once it cannot succeed any more; true if absent.");
pub(super) const FAIL_WHEN: Param<Option<Function>> = Param::option(
    "fail_when",
    "Stops early where `|obj|` answers true or a reason; asked for each change that is not the end.",
);
pub(super) const ALLOW_RESTARTS: Param<Option<i64>> = Param::option(
    "allow_restarts",
    "How often a container may be restarted before crash-looping is final; 1 if absent.",
);
pub(super) const INTERVAL: Param<Option<Duration>> =
    Param::option("interval", "How often to ask where watching is not possible; `2s` if absent.");

const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);
const DEFAULT_NO_ACTIVITY: Duration = Duration::from_mins(4);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(2);

/// Nobody asks a server more often than this.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

impl FromArg for Names {
    const TYPE: &'static str = "a name, a list of names, or \"*\"";

    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        match arg {
            Some(Arg::Value(Value::String(all))) if all == "*" => Ok(Self::All),
            Some(Arg::Value(Value::String(name))) => Ok(Self::One(name.clone())),
            list => match Vec::<String>::from_arg(list) {
                Ok(names) if names.is_empty() => Err("expected at least one name, got an empty list".to_owned()),
                Ok(names) => Ok(Self::Several(names)),
                Err(reason) => Err(reason.replace(Vec::<String>::TYPE, Self::TYPE)),
            },
        }
    }
}

/// The limits of a call, of whatever it declares of them.
pub(super) fn limits(call: &Call<'_>, args: &Args) -> Limits {
    Limits {
        timeout: timeout(call, args),
        no_activity: args.get(&NO_ACTIVITY).unwrap_or(DEFAULT_NO_ACTIVITY),
        on_doom: if args.get(&FAIL_FAST) == Some(false) { OnDoom::GoOn } else { OnDoom::Stop },
        allow_restarts: args.get(&ALLOW_RESTARTS).unwrap_or(1),
        interval: interval(args),
    }
}

/// How long to wait: what was asked for, and no longer than the step may take.
pub(super) fn timeout(call: &Call<'_>, args: &Args) -> Duration {
    call.within(args.get(&TIMEOUT).unwrap_or(DEFAULT_TIMEOUT))
}

/// How often to ask.
pub(super) fn interval(args: &Args) -> Duration {
    args.get(&INTERVAL).unwrap_or(DEFAULT_INTERVAL).max(SHORTEST_INTERVAL)
}

/// The cluster of a call.
pub(super) fn cluster(call: &Call<'_>, args: &Args) -> Result<Arc<Cluster>, Fault> {
    call.world.clusters.get(args.get(&CONTEXT).as_deref())
}

/// ` in shop`, where a namespace was named.
pub(super) fn place(args: &Args) -> String {
    match (args.get(&ALL_NAMESPACES), args.get(&NAMESPACE)) {
        (Some(true), _) => " in all namespaces".to_owned(),
        (_, Some(namespace)) => format!(" in {namespace}"),
        _ => String::new(),
    }
}

/// The objects of a call for people: `deployment/web in shop`.
pub(super) fn objects(args: &Args) -> String {
    let kind = args.get(&KIND).to_lowercase();
    let words = match args.get(&NAMES) {
        Names::One(name) => format!("{kind}/{name}"),
        Names::Several(names) => format!("{} of kind {kind}", names.len()),
        Names::All => {
            let with = args.get(&SELECTOR).map(|labels| format!(" with {labels}")).unwrap_or_default();
            format!("every {kind}{with}")
        }
    };
    format!("{words}{}", place(args))
}

/// What kubectl is told of the objects, namespace, context and timeout.
pub(super) fn command(verb: &str, args: &Args) -> Command {
    let kind = args.get(&KIND);
    let command = match args.get(&NAMES) {
        Names::One(name) => Command::new(verb).word(format!("{kind}/{name}")),
        Names::Several(names) => names.iter().fold(Command::new(verb), |it, name| it.word(format!("{kind}/{name}"))),
        Names::All if args.get(&SELECTOR).is_none() => Command::new(verb).word(kind).word("--all"),
        Names::All => Command::new(verb).word(kind).flag("--selector", args.get(&SELECTOR)),
    };
    placed(command, args).switch("--all-namespaces", args.get(&ALL_NAMESPACES))
}

/// The flags for namespace, context and timeout.
pub(super) fn placed(command: Command, args: &Args) -> Command {
    let timeout = args.get(&TIMEOUT).unwrap_or(DEFAULT_TIMEOUT);
    command
        .flag("--namespace", args.get(&NAMESPACE))
        .flag("--context", args.get(&CONTEXT))
        .word(format!("--timeout={}s", timeout.as_secs()))
}
