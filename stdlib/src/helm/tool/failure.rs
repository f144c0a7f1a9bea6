//! What helm says went wrong, sorted into the registry of faults. Helm's own words stay as evidence.
//!
//! Both helm 3 and helm 4 are read here; the tests hold words recorded from each. Does not know what was attempted.

use runbook_core::world::Interrupt;
use runbook_core::{Code, Fault, Value};
use serde_json::json;

use super::words::{after, between, template_error};
use crate::process::Ended;

/// How many lines of helm's words are kept, and how long each.
const LINES: usize = 15;
const WIDTH: usize = 600;

/// The fault for a helm that did not end well.
pub(super) fn fault(ended: Ended, errors: &str) -> Fault {
    let words = complaint(errors);
    let fault = match ended {
        Ended::Exited(code) => sorted(words, code),
        Ended::TimedOut => Fault::new(Code::Timeout, "helm did not end in time and was stopped"),
        Ended::Interrupted => Interrupt::fault(),
        Ended::Killed => Fault::new(Code::HelmFailed, "helm was killed by a signal from outside"),
    };
    words.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).take(LINES).fold(fault, |fault, line| {
        let line: String = without_dumps(line).chars().take(WIDTH).collect();
        fault.seen(format!("helm: {}", line.trim_start_matches("Error: ")))
    })
}

/// The fault for what the built-in helm says, which are the real one's words.
pub(in crate::helm) fn told(words: &str) -> Fault {
    fault(Ended::Exited(1), &format!("Error: {words}"))
}

/// The line without whole objects in it, which helm 3 quotes when a patch is refused: they may be Secrets.
fn without_dumps(line: &str) -> String {
    let (begin, end) = ("\"{\\\"", "}\": ");
    match line.split_once(begin) {
        Some((before, dump)) => match dump.rsplit_once(end) {
            Some((_, behind)) => format!("{before}\"{{...}}\": {behind}"),
            None => format!("{before}\"{{...\""),
        },
        None => line.to_owned(),
    }
}

/// What helm complains of: from `Error: ` on, without what it logged before.
fn complaint(errors: &str) -> &str {
    let errors = errors.trim();
    if errors.starts_with("Error: ") {
        return errors;
    }
    errors.find("\nError: ").map_or(errors, |at| &errors[at + 1..])
}

/// Asks each kind of trouble in turn; the first that knows the words has them.
fn sorted(words: &str, code: i32) -> Fault {
    let sorters: [fn(&str) -> Option<Fault>; 13] = [
        pending, ownership, conflict, hook, schema, template, release, chart, forbidden, rejected, timeout, cluster,
        missing,
    ];
    sorters.iter().find_map(|sorter| sorter(words)).unwrap_or_else(|| {
        let first = without_dumps(words.lines().next().unwrap_or_default().trim_start_matches("Error: "));
        let first: String = first.chars().take(WIDTH).collect();
        let first = if first.is_empty() { "it said nothing" } else { &first };
        Fault::new(Code::HelmFailed, format!("helm failed with exit code {code}: {first}"))
    })
}

fn pending(words: &str) -> Option<Fault> {
    words.contains("another operation (install/upgrade/rollback) is in progress").then(|| {
        Fault::new(Code::PendingRelease, "another helm operation holds the release, or one was left unfinished")
            .hint("wait until it has ended; where nothing is running any more, `helm::recover` clears it")
    })
}

fn ownership(words: &str) -> Option<Fault> {
    let (before, reason) = words.split_once(" exists and cannot be imported into the current release: ")?;
    let (kind, rest) = before.rsplit_once(": ").map_or(before, |(_, object)| object).split_once(" \"")?;
    let name = rest.split('"').next()?;
    let namespace = between(rest, "in namespace \"", "\"").unwrap_or_default();
    let current = |key: &str| {
        let about = after(reason, &format!("\"{key}\" must equal"))?;
        between(about, "current value is \"", "\"")
    };
    let (owner, place) = (current("meta.helm.sh/release-name"), current("meta.helm.sh/release-namespace"));
    let whose = match (owner, place) {
        (Some(owner), Some(place)) => format!("belongs to release `{owner}` in namespace `{place}`"),
        (Some(owner), None) => format!("belongs to release `{owner}`"),
        (None, Some(place)) => format!("belongs to a release in namespace `{place}`"),
        (None, None) => "was not made by any release".to_owned(),
    };
    let shown = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
    Some(
        Fault::new(Code::Conflict, format!("{kind} `{shown}` {whose}"))
            .about(format!("{kind}/{name}"))
            .hint("label and annotate it for this release first, or pass `take_ownership: true`")
            .with("kind", kind)
            .with("name", name)
            .with("namespace", namespace)
            .with("owner", owner.map_or(Value::Null, Value::from))
            .with("owner_namespace", place.map_or(Value::Null, Value::from)),
    )
}

fn conflict(words: &str) -> Option<Fault> {
    let object = after(words, "conflict occurred while applying object ")?;
    let (path, rest) = object.split_once(' ')?;
    let (_, rest) = rest.split_once("Kind=")?;
    let (kind, rest) = rest.split_once(':')?;
    let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
    let conflicts = conflicts_in(rest);
    let in_words: Vec<_> =
        conflicts.iter().map(|(manager, fields)| format!("`{manager}` owns {}", fields.join(", "))).collect();
    let conflicts: Vec<_> =
        conflicts.iter().map(|(manager, fields)| json!({ "manager": manager, "fields": fields })).collect();
    Some(
        Fault::new(Code::Conflict, format!("{kind} `{name}` cannot be applied: {}", in_words.join("; ")))
            .about(format!("{kind}/{name}"))
            .hint("leave those fields to their owner, or pass `force_conflicts: true` after looking at them")
            .with("kind", kind)
            .with("name", name)
            .with("namespace", namespace)
            .with("conflicts", conflicts),
    )
}

/// Managers and fields out of the API server's sentence: `conflict with "m" using v1: .a`, `conflicts with "m" using v1:\n- .a\n- .b`.
fn conflicts_in(sentence: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut rest = sentence;
    while let Some(begin) = rest.find(" with \"") {
        rest = &rest[begin + " with \"".len()..];
        let Some((manager, behind)) = rest.split_once('"') else { break };
        let end = behind.find("conflict with \"").or_else(|| behind.find("conflicts with \"")).unwrap_or(behind.len());
        let fields = behind[..end].split_once(": ").or_else(|| behind[..end].split_once(":\n")).map_or("", |(_, f)| f);
        let fields = fields
            .split(['\n', ','].as_slice())
            .map(|f| f.trim().trim_start_matches("- "))
            .filter(|f| f.starts_with('.'));
        found.push((manager.to_owned(), fields.map(str::to_owned).collect()));
        rest = &behind[end..];
    }
    found
}

fn hook(words: &str) -> Option<Fault> {
    let moments = ["install", "upgrade", "rollback", "delete"];
    let mut hooks = moments.iter().flat_map(|moment| [format!("pre-{moment}"), format!("post-{moment}")]);
    let hook = hooks.find(|hook| {
        [format!("{hook} hooks failed"), format!("failed {hook}:"), format!("{hook} hook failed")]
            .iter()
            .any(|sentence| words.contains(sentence))
    })?;
    Some(
        Fault::new(Code::HookFailed, format!("the chart's {hook} hook failed"))
            .hint("look at the hook's Job and its pods; what the chart makes after the hook was not touched")
            .with("hook", hook),
    )
}

fn schema(words: &str) -> Option<Fault> {
    let complaints = after(words, "values don't meet the specifications of the schema(s) in the following chart(s):")?;
    let lines: Vec<_> = complaints.lines().map(str::trim).filter(|line| line.starts_with("- ")).collect();
    let first = lines.first().map_or("see below", |line| line.trim_start_matches("- "));
    let fault = Fault::new(Code::RenderFailed, format!("the values do not fit the chart's schema: {first}"))
        .with("schema", lines.iter().map(|line| line.trim_start_matches("- ")).collect::<Vec<_>>());
    if words.contains("_internal_defaults_do_not_set") {
        return Some(fault.hint(
            "the chart's own defaults do not fit its schema (istio #57354): take a newer patch of the chart, or pass `skip_schema_validation: true`",
        ));
    }
    Some(fault.hint("correct the values; `helm::show` gives the chart's own"))
}

fn template(words: &str) -> Option<Fault> {
    if let Some(name) = between(words, "could not find template ", " in chart") {
        return Some(
            Fault::new(Code::NotFound, format!("the chart has no template `{name}`"))
                .hint("`helm::show(chart).templates` lists them")
                .with("template", name),
        );
    }
    if words.contains("chart requires kubeVersion") {
        let reason = after(words, "chart requires kubeVersion").unwrap_or_default();
        let reason = reason.lines().next().unwrap_or_default().trim_start_matches(':').trim();
        return Some(Fault::new(
            Code::Precondition,
            format!("the chart does not fit this Kubernetes: it requires {reason}"),
        ));
    }
    let error = template_error(words)?;
    let place = format!("{}:{}", error.template, error.line);
    let fault = Fault::new(Code::RenderFailed, format!("the chart cannot be rendered: {} ({place})", error.reason))
        .with("template", error.template)
        .with("line", error.line)
        .with("reason", error.reason);
    Some(match error.value {
        Some(value) => fault.hint(format!("look at the value `{value}`")).with("value", value),
        None => fault,
    })
}

fn release(words: &str) -> Option<Fault> {
    if words.contains("release has no") && words.contains("version") {
        let revision = between(words, "release has no ", " version").unwrap_or("such");
        return Some(
            Fault::new(Code::NotFound, format!("the release has no revision {revision}"))
                .hint("`helm::history` lists them"),
        );
    }
    if words.contains("release: not found") || words.contains("has no deployed releases") {
        return Some(
            Fault::new(Code::ReleaseNotFound, "there is no such release").hint("`helm::list` shows what is there"),
        );
    }
    (words.contains("cannot re-use a name that is still in use")
        || words.contains("cannot reuse a name that is still in use"))
    .then(|| {
        Fault::new(Code::ReleaseExists, "a release of that name exists already")
            .hint("`helm::upgrade` with `install: true` does either")
    })
}

fn chart(words: &str) -> Option<Fault> {
    let signs = [
        "no chart version found for",
        "no cached repo found",
        "Chart.yaml file is missing",
        "could not find protocol handler",
        "is not a valid chart repository",
        "failed to perform \"FetchReference\"",
        "unable to locate any tags",
        "Could not locate a version matching",
        "improper constraint",
        "repo index cache",
    ];
    let missing = signs.iter().any(|sign| words.contains(sign))
        || (words.contains("path \"") && words.contains("\" not found"))
        || (words.contains("chart \"") && words.contains(" not found in "))
        || (words.contains("repo ") && words.trim_end().ends_with(" not found"))
        || (words.contains("chart \"") && words.contains(" matching ") && words.contains("index"));
    if !missing {
        return None;
    }
    let first = words.lines().next().unwrap_or_default().trim_start_matches("Error: ");
    let first = first.trim_start_matches("INSTALLATION FAILED: ").trim_start_matches("UPGRADE FAILED: ");
    Some(
        Fault::new(Code::ChartNotFound, format!("the chart was not found: {first}"))
            .hint("`helm::repo_update` refreshes what helm knows of a repository"),
    )
}

fn forbidden(words: &str) -> Option<Fault> {
    let (_, permission) = words.split_once(" is forbidden: ")?;
    let permission = permission.lines().next().unwrap_or_default();
    Some(Fault::new(Code::Forbidden, format!("helm is not permitted: {permission}")))
}

fn rejected(words: &str) -> Option<Fault> {
    if let Some(webhook) = between(words, "admission webhook \"", "\" denied the request") {
        return Some(
            Fault::new(Code::Rejected, format!("admission webhook `{webhook}` refuses an object of the chart"))
                .with("webhook", webhook),
        );
    }
    // The name may stand in the middle of another sentence of the server.
    if let Some(namespace) = between(words, "namespaces \"", "\" not found") {
        return Some(
            Fault::new(Code::NotFound, format!("namespace `{namespace}` does not exist"))
                .about(format!("namespace/{namespace}"))
                .hint("make it first, or pass `create_namespace: true` where it is the release's own"),
        );
    }
    let (kind, name, reason) = refused_patch(words).or_else(|| refused_apply(words)).or_else(|| invalid(words))?;
    let fault = Fault::new(Code::Rejected, format!("the cluster refuses {kind} `{name}`: {reason}"))
        .about(format!("{kind}/{name}"))
        .with("kind", kind)
        .with("name", name);
    Some(if reason.contains("field is immutable") {
        fault.hint("the field cannot be changed: the object has to be deleted and made again")
    } else {
        fault
    })
}

/// Helm 3: `cannot patch "web" with kind Deployment: Deployment.apps "web" is invalid: spec.selector: ...`.
fn refused_patch(words: &str) -> Option<(&str, &str, String)> {
    let name = between(words, "cannot patch \"", "\" with kind ")?;
    let (kind, reason) = after(words, "\" with kind ")?.split_once(": ")?;
    let reason = without_dumps(reason.lines().next()?);
    let reason = reason.split_once("\" is invalid: ").map_or(reason.as_str(), |(_, reason)| reason);
    Some((kind, name, reason.to_owned()))
}

/// Helm 4: `server-side apply failed for object shop/web apps/v1, Kind=Deployment: ...`.
fn refused_apply(words: &str) -> Option<(&str, &str, String)> {
    let (path, rest) = after(words, "server-side apply failed for object ")?.split_once(' ')?;
    let (kind, reason) = after(rest, "Kind=")?.split_once(": ")?;
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let mut lines = reason.lines();
    let first = lines.next()?;
    let first = first.split_once("\" is invalid: ").map_or(first, |(_, reason)| reason);
    match lines.next().filter(|_| first.ends_with("errors:")) {
        Some(second) => Some((kind, name, second.trim().to_owned())),
        None => Some((kind, name, first.to_owned())),
    }
}

/// `Service "web" is invalid: ...`.
fn invalid(words: &str) -> Option<(&str, &str, String)> {
    let object = words.lines().find(|line| line.contains("\" is invalid: "))?;
    let (before, reason) = object.split_once("\" is invalid: ")?;
    let (kind, name) = before.rsplit_once(" \"")?;
    Some((kind.rsplit([' ', '\t']).next().unwrap_or(kind), name, without_dumps(reason)))
}

fn timeout(words: &str) -> Option<Fault> {
    let late =
        ["context deadline exceeded", "timed out waiting for the condition"].iter().any(|sign| words.contains(sign));
    if !late || words.contains("cluster unreachable") {
        return None;
    }
    let waiting = words.lines().find_map(|line| {
        let (_, resource) = line.split_once("resource ")?;
        let (name, state) = resource.split_once(" not ready. status: ")?;
        Some((name.to_owned(), state.to_owned()))
    });
    Some(match waiting {
        Some((name, state)) => {
            Fault::new(Code::Timeout, format!("`{name}` did not become ready in time: {state}")).about(name)
        }
        None => Fault::new(Code::Timeout, "the objects did not become ready in time"),
    })
}

fn cluster(words: &str) -> Option<Fault> {
    if let Some(context) = between(words, "context \"", "\" does not exist") {
        return Some(Fault::new(Code::NoCluster, format!("helm finds no context `{context}` in the kubeconfig")));
    }
    let signs = [
        "cluster unreachable",
        "connection refused",
        "no such host",
        "i/o timeout",
        "TLS handshake timeout",
        "client connection lost",
        "connection reset by peer",
    ];
    signs.iter().any(|sign| words.contains(sign)).then(|| {
        let first = words.lines().next().unwrap_or_default().trim_start_matches("Error: ");
        Fault::new(Code::Network, format!("helm cannot reach the cluster: {first}")).retryable()
    })
}

fn missing(words: &str) -> Option<Fault> {
    let kind = between(words, "resource mapping not found for name: \"", "\"")?;
    let reason = after(words, "no matches for kind ").and_then(|rest| rest.lines().next()).unwrap_or_default();
    Some(
        Fault::new(Code::Rejected, format!("the cluster does not know the kind of `{kind}`: {reason}"))
            .hint("its CustomResourceDefinition has to be there first"),
    )
}
