//! Charts and releases, through the real `helm` or the one that is built in.

mod applied;
mod archive;
mod builtin;
mod change;
mod chart;
mod comparison;
mod embedded;
mod exists;
mod history;
mod install;
mod list;
mod live;
mod manifest;
mod object;
mod option;
mod order;
mod overlay;
mod ownership;
mod path;
mod plan;
mod pull;
mod recover;
mod reference;
mod release;
mod remote;
mod repo_add;
mod repo_update;
mod repository;
mod rollback;
mod show;
mod status;
mod template;
#[cfg(test)]
mod tests;
mod tool;
mod uninstall;
mod upgrade;
mod values;
mod version;

pub use change::{Before, chart_change};
pub use embedded::write_charts;

use runbook_core::Primitive;

/// The primitives of this folder, in the order of the reference page.
pub const ALL: &[&Primitive] = &[
    &install::INSTALL,
    &upgrade::UPGRADE,
    &uninstall::UNINSTALL,
    &rollback::ROLLBACK,
    &recover::RECOVER,
    &plan::PLAN,
    &chart::CHART,
    &template::TEMPLATE,
    &show::SHOW,
    &values::VALUES,
    &manifest::MANIFEST,
    &history::HISTORY,
    &status::STATUS,
    &list::LIST,
    &exists::EXISTS,
    &repo_add::REPO_ADD,
    &repo_update::REPO_UPDATE,
    &pull::PULL,
    &version::VERSION,
];
