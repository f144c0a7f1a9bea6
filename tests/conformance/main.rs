//! The simulation is held to the truth: the same requests go to a real API server and to the simulation, and the answers are
//! compared. `README.md` beside this file says how cases are written.
//!
//! Where the machine has neither the control plane's binaries nor Go, every test here is skipped by name.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests run a real API server against a real clock, and what is wrong in them may panic"
)]

mod answer;
mod case;
mod chart;
mod difference;
mod exchange;
mod normal;
mod place;

use std::fmt::Write;

use futures::StreamExt;
use runbook_control_plane::required_or_skip;

use case::Case;
use difference::{Accepted, Difference};
use place::Places;

/// Cases that are under way at once: the real server answers them side by side.
const AT_ONCE: usize = 12;

#[test]
fn the_simulation_answers_as_the_api_server_does() {
    let Some(_) = required_or_skip("the_simulation_answers_as_the_api_server_does") else { return };
    let mut cases = case::read_all();
    let places = Places::open();
    cases.extend(places.block_on(chart::cases(&places.real.client)));
    assert!(!cases.is_empty(), "no case has the title that CONFORMANCE_ONLY asks for");
    let found = places.block_on(async {
        let run = |case| compare(&places, case);
        futures::stream::iter(&cases).map(run).buffered(AT_ONCE).collect::<Vec<_>>().await
    });
    let accepted = Accepted::read();
    let found: Vec<_> = found.into_iter().flatten().collect();
    let (strange, stale) = accepted.judge(&found, &cases);
    let mut report = String::new();
    for difference in &strange {
        let _ = writeln!(report, "{difference}");
    }
    for entry in &stale {
        let _ = writeln!(report, "differences.yaml: `{entry}` no longer differs: take it out");
    }
    assert!(report.is_empty(), "{} differences, {} stale entries:\n{report}", strange.len(), stale.len());
}

/// Runs one case on both and says where the answers differ.
async fn compare(places: &Places, case: &Case) -> Vec<Difference> {
    let (real, simulated) = futures::join!(exchange::run(&places.real, case), exchange::run(&places.simulated, case));
    let mut found = Vec::new();
    for (index, (real, simulated)) in real.iter().zip(&simulated).enumerate() {
        difference::between(case, index, real, simulated, &mut found);
    }
    found
}
