//! What keeps a pod from being ready: of all that its status says, the most specific reason, and whether it can heal.
//!
//! Used by the rules of all workloads. Does not know which pods belong to which workload.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use super::object::{condition, count, flag, holds, items, name, number, shortened, text, time};
use super::verdict::Patience;

/// Messages of the server are cut to this in a line; evidence has them longer.
const LINE: usize = 160;
const MESSAGE: usize = 600;

/// Why a pod is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// For a line after the pod's name and node: `ErrImagePull: example/web:2: 403 Forbidden`.
    pub words: Cow<'static, str>,
    /// Whether it can heal.
    pub fate: Fate,
    /// The server's own words, where the line holds less.
    pub message: Option<String>,
    /// The container it is about, where it ran and may have left logs.
    pub container: Option<String>,
    rank: Rank,
}

/// Whether a trouble can heal by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It may.
    Heals,
    /// It will not, for this reason.
    Final(String),
    /// It will not once a container was restarted more often than allowed.
    Restarts(i64, String),
    /// It will not once it has lasted for too long.
    Lasts(Timestamp, String),
}

/// How much a reason explains: the last one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Vague,
    Running,
    Other,
    Setup,
    Exited,
    Crashing,
    Unscheduled,
    Image,
    Failed,
}

impl Trouble {
    /// Whether an event may say more than the status does.
    pub fn vague(&self) -> bool {
        self.rank <= Rank::Running
    }

    /// Whether the pod itself has ended badly.
    pub fn failed(&self) -> bool {
        self.rank == Rank::Failed
    }

    /// Why it will not heal, where it will not.
    pub fn doom(&self, patience: &Patience) -> Option<&str> {
        match &self.fate {
            Fate::Heals => None,
            Fate::Final(reason) => Some(reason),
            Fate::Restarts(restarts, reason) => (*restarts > patience.allow_restarts).then_some(reason),
            Fate::Lasts(from, reason) => (patience.lasted(*from) > patience.unschedulable).then_some(reason),
        }
    }

    /// What keeps a pod from being ready. `None` where it is ready or has finished well.
    pub fn of(pod: &Value) -> Option<Self> {
        match text(pod, "/status/phase") {
            "Succeeded" => return None,
            "Failed" => return Some(failed(pod)),
            _ if holds(pod, "Ready") => return None,
            _ => {}
        }
        let inits = items(pod, "/status/initContainerStatuses").iter().filter_map(|status| of_init(pod, status));
        let mains = items(pod, "/status/containerStatuses").iter().filter_map(|status| of_main(pod, status));
        let all = unscheduled(pod).into_iter().chain(inits).chain(mains);
        // The first of equals: init containers run in order, and the one that blocks stands first.
        let worst = all.reduce(|worst, next| if next.rank > worst.rank { next } else { worst });
        Some(worst.or_else(|| closed_gate(pod)).unwrap_or_else(|| unspecific(pod)))
    }
}

fn trouble(rank: Rank, words: impl Into<Cow<'static, str>>) -> Trouble {
    Trouble { words: words.into(), fate: Fate::Heals, message: None, container: None, rank }
}

fn failed(pod: &Value) -> Trouble {
    let (reason, message) = (text(pod, "/status/reason"), text(pod, "/status/message"));
    let exits = items(pod, "/status/containerStatuses").iter().find_map(|status| {
        let ended = status.pointer("/state/terminated").filter(|ended| count(ended, "/exitCode") != 0)?;
        Some((text(status, "/name").to_owned(), exit(ended)))
    });
    let said = match (&exits, reason) {
        (Some((container, exit)), "") => format!("container {container}, {exit}"),
        (_, reason) => [reason, message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": "),
    };
    let words = if said.is_empty() { "Failed".to_owned() } else { format!("Failed: {}", shortened(&said, LINE)) };
    let reason = format!("pod {} has failed: {}", name(pod), shortened(&said, LINE));
    let container = exits.map(|(container, _)| container);
    Trouble { fate: Fate::Final(reason), container, ..trouble(Rank::Failed, words) }
}

fn unscheduled(pod: &Value) -> Option<Trouble> {
    let scheduled = condition(pod, "PodScheduled").filter(|scheduled| text(scheduled, "/status") == "False")?;
    let (reason, message) = (text(scheduled, "/reason"), text(scheduled, "/message"));
    let words = match (reason, message) {
        ("", "") => "not scheduled yet".to_owned(),
        ("", message) => shortened(message, LINE),
        (reason, message) => shortened(&format!("{reason}: {message}"), LINE),
    };
    let mut found = trouble(Rank::Unscheduled, words);
    if let ("Unschedulable", Some(from)) = (reason, time(scheduled, "/lastTransitionTime")) {
        let reason = format!("pod {} cannot be scheduled: {}", name(pod), shortened(message, LINE));
        found.fate = Fate::Lasts(from, reason);
    }
    found.message = long(message);
    Some(found)
}

fn of_init(pod: &Value, status: &Value) -> Option<Trouble> {
    let container = text(status, "/name");
    let said =
        |found: Trouble| Trouble { words: format!("init container {container}: {}", found.words).into(), ..found };
    if let Some(waiting) = status.pointer("/state/waiting") {
        return stuck(pod, status, waiting).map(said);
    }
    if let Some(ended) = status.pointer("/state/terminated") {
        return (count(ended, "/exitCode") != 0).then(|| said(exited(status, ended)));
    }
    let spec = items(pod, "/spec/initContainers").iter().find(|spec| text(spec, "/name") == container);
    let sidecar = spec.is_some_and(|spec| text(spec, "/restartPolicy") == "Always");
    match (sidecar, flag(status, "/started"), flag(status, "/ready")) {
        (true, true, true) => None,
        (true, true, false) => Some(trouble(Rank::Running, unprobed("sidecar", container, "readiness", status))),
        (true, false, _) => Some(trouble(Rank::Running, unprobed("sidecar", container, "startup", status))),
        (false, ..) => Some(trouble(Rank::Running, format!("init container {container} is running"))),
    }
}

fn of_main(pod: &Value, status: &Value) -> Option<Trouble> {
    if let Some(waiting) = status.pointer("/state/waiting") {
        return stuck(pod, status, waiting);
    }
    if let Some(ended) = status.pointer("/state/terminated") {
        return Some(exited(status, ended));
    }
    let container = text(status, "/name");
    if flag(status, "/ready") {
        return None;
    }
    let probe = if status.get("started") == Some(&Value::Bool(false)) { "startup" } else { "readiness" };
    Some(trouble(Rank::Running, unprobed("container", container, probe, status)))
}

fn unprobed(what: &str, container: &str, probe: &str, status: &Value) -> String {
    let before = status.pointer("/lastState/terminated").map(exit);
    match (count(status, "/restartCount"), before) {
        (0, _) | (_, None) => format!("{what} {container} runs, but its {probe} probe has not passed"),
        (restarts, Some(exit)) => {
            format!("{what} {container} runs, but its {probe} probe has not passed; {}, last {exit}", times(restarts))
        }
    }
}

/// A container that is not running and says why.
fn stuck(pod: &Value, status: &Value, waiting: &Value) -> Option<Trouble> {
    let (reason, message) = (text(waiting, "/reason"), text(waiting, "/message"));
    match reason {
        "PodInitializing" | "" => None,
        "ContainerCreating" => Some(trouble(Rank::Vague, "ContainerCreating")),
        "ErrImagePull"
        | "ImagePullBackOff"
        | "InvalidImageName"
        | "ErrImageNeverPull"
        | "ImageInspectError"
        | "RegistryUnavailable"
        | "SignatureValidationFailed" => Some(unpulled(pod, status, reason, message)),
        "CrashLoopBackOff" => Some(crashing(pod, status)),
        _ => {
            let rank = if reason.ends_with("Error") { Rank::Setup } else { Rank::Other };
            let words = [reason, message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
            Some(Trouble { message: long(message), ..trouble(rank, shortened(&words, LINE)) })
        }
    }
}

fn unpulled(pod: &Value, status: &Value, reason: &str, message: &str) -> Trouble {
    let image = image_of(pod, status);
    // Runtimes chain their errors with colons; the last link is the registry's own answer.
    let cause = message.rsplit_once(": ").map(|(_, cause)| shortened(cause, 80)).filter(|cause| !cause.contains(image));
    let words = match &cause {
        Some(cause) => format!("{reason}: {image}: {cause}"),
        None => format!("{reason}: {image}"),
    };
    let mut found = trouble(Rank::Image, words);
    if reason != "ErrImagePull" && reason != "ImageInspectError" && reason != "RegistryUnavailable"
        || is_refusal(message)
    {
        let cause = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
        found.fate = Fate::Final(format!("image {image} cannot be pulled{cause}"));
    }
    found.message = long(message);
    found
}

/// Whether a registry's answer will be the same the next time.
fn is_refusal(message: &str) -> bool {
    const REFUSALS: [&str; 6] =
        ["not found", "manifest unknown", "unauthorized", "forbidden", "denied", "no match for platform"];
    let message = message.to_ascii_lowercase();
    // As words: digests hold any three digits.
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| matches!(word, "401" | "403" | "404")) || REFUSALS.iter().any(|refusal| message.contains(refusal))
}

fn image_of<'a>(pod: &'a Value, status: &'a Value) -> &'a str {
    let name = text(status, "/name");
    let specs = items(pod, "/spec/containers").iter().chain(items(pod, "/spec/initContainers"));
    let asked = specs.filter(|spec| text(spec, "/name") == name).map(|spec| text(spec, "/image"));
    asked.chain([text(status, "/image")]).find(|image| !image.is_empty()).unwrap_or("(unnamed)")
}

fn crashing(pod: &Value, status: &Value) -> Trouble {
    let container = text(status, "/name");
    let restarts = count(status, "/restartCount");
    let last = status.pointer("/lastState/terminated");
    let exit = last.map_or_else(|| "exit unknown".to_owned(), exit);
    let words = format!("CrashLoopBackOff: container {container}, {exit}, {}", times(restarts));
    let reason = format!("pod {} is crash-looping ({container}: {exit}, {})", name(pod), times(restarts));
    Trouble {
        fate: Fate::Restarts(restarts, reason),
        message: last.and_then(|last| long(text(last, "/message"))),
        container: Some(container.to_owned()),
        ..trouble(Rank::Crashing, words)
    }
}

fn exited(status: &Value, ended: &Value) -> Trouble {
    let (container, exit) = (text(status, "/name"), exit(ended));
    let words = match count(status, "/restartCount") {
        0 => format!("container {container} ended, {exit}"),
        restarts => format!("container {container} ended, {exit}, {}", times(restarts)),
    };
    Trouble {
        message: long(text(ended, "/message")),
        container: Some(container.to_owned()),
        ..trouble(Rank::Exited, words)
    }
}

/// How a container ended: `exit 1`, `exit 137 OOMKilled`, `signal 9`.
fn exit(ended: &Value) -> String {
    let how = match number(ended, "/exitCode") {
        Some(code) => format!("exit {code}"),
        None => format!("signal {}", count(ended, "/signal")),
    };
    match text(ended, "/reason") {
        "" | "Error" | "Completed" => how,
        reason => format!("{how} {reason}"),
    }
}

fn times(restarts: i64) -> String {
    if restarts == 1 { "1 restart".to_owned() } else { format!("{restarts} restarts") }
}

fn closed_gate(pod: &Value) -> Option<Trouble> {
    let gates = items(pod, "/spec/readinessGates").iter().map(|gate| text(gate, "/conditionType"));
    let closed = gates.into_iter().find(|gate| !holds(pod, gate))?;
    Some(trouble(Rank::Other, format!("readiness gate {closed} is not true")))
}

fn unspecific(pod: &Value) -> Trouble {
    let words: Cow<'static, str> = if text(pod, "/spec/nodeName").is_empty() {
        "not scheduled yet".into()
    } else if items(pod, "/status/containerStatuses").is_empty() {
        "no container started yet".into()
    } else if items(pod, "/status/initContainerStatuses").is_empty() {
        "its Ready condition is not true".into()
    } else {
        "PodInitializing".into()
    };
    trouble(Rank::Vague, words)
}

fn long(message: &str) -> Option<String> {
    (!message.is_empty()).then(|| shortened(message, MESSAGE))
}
