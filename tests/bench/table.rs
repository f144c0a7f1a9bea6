//! The table: what was measured, ours, a peer's, and whether the aim was met.

use std::error::Error;

use crate::times::shown;

/// A line of the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    what: String,
    ours: String,
    peer: String,
    ratio: String,
    aim: String,
    verdict: &'static str,
}

impl Row {
    /// A time of ours in milliseconds, and what it should be at most.
    pub(crate) fn time(what: impl Into<String>, ours: f64, most: f64) -> Self {
        Self::measured(what, shown(ours), format!("<= {}", brief(most)), ours <= most)
    }

    /// Something that is no time.
    pub(crate) fn measured(what: impl Into<String>, ours: String, aim: String, met: bool) -> Self {
        let verdict = if met { "met" } else { "MISSED" };
        Self { what: what.into(), ours, aim, verdict, ..Self::default() }
    }

    /// Something without an aim of its own.
    pub(crate) fn fact(what: impl Into<String>, ours: String) -> Self {
        Self { what: what.into(), ours, verdict: "-", ..Self::default() }
    }

    /// Beside a peer that took so many milliseconds, which should be at least so many times ours.
    pub(crate) fn beside(mut self, name: &str, peer: f64, ours: f64, least: f64) -> Self {
        self.peer = format!("{name} {}", shown(peer));
        self.ratio = format!("{:.1}x", peer / ours);
        if least > 0.0 {
            let more = format!(">= {least}x");
            self.aim = if self.aim.is_empty() { more } else { format!("{}, {more}", self.aim) };
            self.verdict = if self.verdict != "MISSED" && peer >= least * ours { "met" } else { "MISSED" };
        }
        self
    }

    /// Beside a peer of which something else is to be said.
    pub(crate) fn said_of(mut self, peer: impl Into<String>, ratio: impl Into<String>) -> Self {
        (self.peer, self.ratio) = (peer.into(), ratio.into());
        self
    }

    /// A measure that failed.
    pub(crate) fn failed(what: &str, error: &dyn Error) -> Self {
        Self { what: what.to_owned(), ours: format!("failed: {error}"), verdict: "FAILED", ..Self::default() }
    }

    fn cells(&self) -> [&str; 6] {
        [&self.what, &self.ours, &self.peer, &self.ratio, &self.aim, self.verdict]
    }
}

fn brief(ms: f64) -> String {
    if ms < 100.0 { format!("{ms} ms") } else { format!("{} s", ms / 1000.0) }
}

/// The table as Markdown, its columns aligned.
pub(crate) fn text(rows: &[Row]) -> String {
    let head = ["what", "ours", "peer", "ratio", "target", ""];
    let all: Vec<[&str; 6]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let width = |column: usize| all.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |cells: &[&str; 6]| {
        let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("| {} |\n", padded.join(" | "))
    };
    let rule = widths.map(|width| "-".repeat(width.max(1)));
    let rule = line(&rule.each_ref().map(String::as_str));
    let mut lines = all.iter().map(line);
    lines.next().into_iter().chain(std::iter::once(rule)).chain(lines).collect()
}
