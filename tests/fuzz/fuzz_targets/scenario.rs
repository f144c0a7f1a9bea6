//! Any text as a scenario, and those in the box with anything written over a part of them: read, a scenario or a named fault.

#![no_main]

use libfuzzer_sys::fuzz_target;
use runbook_sim::scenario::{Nodes, Scenario};

/// Between them they use every field that there is.
const BOX: [&str; 6] = [
    include_str!("../../../runbooks/scenarios/ambient-upgrade.yaml"),
    include_str!("../../../runbooks/scenarios/ambient-upgrade-unpullable.yaml"),
    include_str!("../../../runbooks/scenarios/in-place-upgrade.yaml"),
    include_str!("../../../runbooks/scenarios/remove-revision-forbidden.yaml"),
    include_str!("../../../runbooks/scenarios/rolling-restart-crash.yaml"),
    include_str!("../../../runbooks/scenarios/rolling-restart.yaml"),
];

fuzz_target!(|given: (&str, u8, u16, u16)| {
    let (text, which, from, length) = given;
    read(text);
    let whole = BOX[usize::from(which) % BOX.len()];
    let at = |index: usize| (0..=index.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
    let (from, to) = (at(usize::from(from)), at(usize::from(from) + usize::from(length % 64)));
    read(&format!("{}{text}{}", &whole[..from], &whole[to..]));
});

fn read(text: &str) {
    let scenario = match Scenario::read(text) {
        Ok(scenario) => scenario,
        Err(words) => return assert!(!words.is_empty(), "a refusal says why"),
    };
    let nodes = scenario.nodes().len();
    match &scenario.nodes {
        Some(Nodes::Count(count)) => assert_eq!(nodes, *count as usize),
        Some(Nodes::Named(named)) => assert_eq!(nodes, named.len()),
        None => assert_eq!(nodes, if scenario.state.is_empty() { 3 } else { 0 }),
    }
    assert_eq!(scenario.habits().failures.len(), scenario.failures.len());
    assert!(scenario.calm().failures.is_empty());
    // Over itself it is what it was, and its lists are twice as long.
    let both = scenario.clone().over(scenario.clone());
    assert_eq!(both.nodes().len(), nodes);
    assert_eq!(both.trouble.len(), 2 * scenario.trouble.len());
    assert_eq!(both.params, scenario.params);
}
