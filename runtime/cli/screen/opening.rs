//! Before the start: what is this, where will it act, with what.

use std::path::Path;

use runbook_core::record::{Cluster, Run};

use super::value_in_words;
use crate::text::{Line, Role, Span};

/// Width of the names on the left.
const NAMES: usize = 9;

/// What is started, with what.
pub(crate) fn opening(run: &Run, helm: Option<&Path>) -> Vec<Line> {
    let mut lines = vec![
        Line::new()
            .strong(&run.runbook)
            .plain("   ")
            .plain(&run.title)
            .right(Role::Faint, "run ")
            .right(Role::Plain, &run.run)
            .hang(run.runbook.chars().count() + 3),
    ];
    if let Some(scenario) = &run.rehearsal {
        let words = format!(" on a simulated cluster, from `{scenario}`: nothing real is read or changed");
        lines.push(fact("mode", [Span::new(Role::Notice, "REHEARSAL"), Span::new(Role::Plain, words)]));
    }
    if run.dry_run {
        let words = " over the live cluster: it is read, and nothing is written to it";
        lines.push(fact("mode", [Span::new(Role::Notice, "DRY RUN"), Span::new(Role::Plain, words)]));
    }
    lines
        .push(fact("script", [Span::new(Role::Plain, &run.source), Span::new(Role::Faint, short_digest(&run.digest))]));
    if let Some(plan) = &run.plan {
        lines.push(fact("plan", [Span::new(Role::Plain, plan)]));
    }
    if let Some(helm) = helm {
        lines.push(fact("tools", [Span::new(Role::Plain, format!("helm {}", helm.display()))]));
    }
    if !run.parameters.is_empty() {
        lines.push(fact("params", parameters(run)));
    }
    lines
}

/// Where it acts.
pub(crate) fn cluster(cluster: &Cluster) -> Line {
    let id = match &cluster.id {
        Some(id) => format!("   id {}", id.split('-').next().unwrap_or(id)),
        None => "   id unknown: namespace kube-system may not be read".to_owned(),
    };
    fact(
        "cluster",
        [
            Span::new(Role::Strong, &cluster.context),
            Span::new(Role::Plain, format!("   {}", cluster.server)),
            Span::new(Role::Faint, id),
        ],
    )
}

fn fact(name: &str, spans: impl IntoIterator<Item = Span>) -> Line {
    Line::new().indent(2).faint(format!("{name:NAMES$}")).spans(spans).hang(NAMES)
}

fn short_digest(digest: &str) -> String {
    format!("   sha256 {}", digest.chars().take(8).collect::<String>())
}

fn parameters(run: &Run) -> Vec<Span> {
    let mut spans = Vec::new();
    for (name, value) in &run.parameters {
        if !spans.is_empty() {
            spans.push(Span::new(Role::Faint, " · "));
        }
        spans.push(Span::new(Role::Faint, format!("{name} ")));
        spans.push(Span::new(Role::Plain, value_in_words(value)));
    }
    spans
}
