//! `sim`: serves a simulated cluster to a person's own `kubectl` and `helm`, until Ctrl-C.
//!
//! Does not know how it is prepared, nor what anybody does with it.

use std::sync::{Arc, OnceLock};

use runbook_core::fault::{Code, Fault};
use runbook_core::world::Interrupt;
use serde_json::Value;

use super::Program;
use crate::arguments::Options;
use crate::interrupt;
use crate::mode::{Mode, Surroundings};
use crate::rehearsal::{Rehearsal, Script};
use crate::text::Line;
use crate::writer::Channel;

/// Where the charts of a scenario come from that does not say it: the stand-ins.
const CHARTS: &str = "embedded";

/// Prepares the cluster of a scenario, an empty one where none is named, and serves it.
///
/// Faults: those of scenarios, and of whatever prepares the cluster.
pub(super) fn serve(
    program: &Program,
    options: &Options,
    scenario: Option<&str>,
    charts: Option<&str>,
) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Fault::new(Code::Internal, format!("threads cannot be started: {error}")))?;
    let interrupt = Interrupt::default();
    interrupt::listen(runtime.handle(), interrupt.clone(), program.writer.clone());
    let rehearsal =
        Rehearsal::start(Script::find(scenario.unwrap_or_default(), "")?, &program.clock, runtime.handle())?;
    let mode = Mode::Rehearsal(rehearsal.clone());
    let outside = program.surroundings(options, runtime.handle(), &interrupt);
    let surroundings = Surroundings { clock: mode.clock(&program.clock), ..outside };
    let world = mode.world(surroundings, &Arc::new(OnceLock::new()));
    let Script { name, scenario } = &rehearsal.script;
    let charts = charts.or_else(|| scenario.params.get("charts").and_then(Value::as_str)).unwrap_or(CHARTS);
    rehearsal.prepare(world, charts, options.audit_log.as_deref())?;
    let about = if scenario.about.is_empty() { String::new() } else { format!(": {}", scenario.about.trim()) };
    program.writer.print(Channel::Out, &[Line::new().strong(name).plain(about)]);
    rehearsal.serve(&program.writer, &program.clock, runtime.handle(), &interrupt);
    runtime.shutdown_background();
    Ok(())
}
