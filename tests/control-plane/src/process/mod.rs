//! The processes of a control plane: begun with it, ended with it, whatever happens.

mod keeper;
mod launch;

pub(crate) use keeper::Keeper;
pub(crate) use launch::Launch;

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.trim_end().lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
