//! Holds a run to its plan: each call has to be the one that comes next.
//!
//! How often something is read or waited for depends on time: a read or a wait that repeats an earlier one of its step is no
//! difference, wherever it is missing or comes again; nor is a write that comes again because it failed. Between two writes of a
//! step the order of reads is no difference, since it follows names that clusters make up; nor are such names themselves. Branches
//! of one `parallel` may overtake each other. Does not know what calls do.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use runbook_core::course::Course;
use runbook_core::effect::Effect;
use runbook_core::fault::{Code, Fault};
use runbook_core::record::{CallId, Entry, Event, Observer, Settlement};
use runbook_core::secret::Vault;
use runbook_stdlib::difference;
use serde_json::Value;

use super::file::{Call, Plan};
use crate::dry_run::Disguise;
use crate::screen;

/// How many differing arguments are shown, and how much of each.
const SHOWN: usize = 10;
const LONGEST: usize = 120;

/// A run that is held to a plan.
pub(crate) struct Held {
    plan: Plan,
    vault: Arc<Vault>,
    /// The calls of each step, in order.
    steps: HashMap<String, Vec<usize>>,
    /// When the run began.
    since: OnceLock<Timestamp>,
    state: Mutex<State>,
}

/// How far a run is.
#[derive(Default)]
struct State {
    /// What has to be made yet, by its place in the plan.
    open: BTreeSet<usize>,
    made: HashSet<usize>,
    /// How many calls at the beginning of each step are not awaited any more.
    passed: HashMap<String, usize>,
    /// Writes that failed.
    failed: HashSet<usize>,
    /// The last call of each step.
    last: HashMap<String, usize>,
}

/// A call that is about to be made.
struct Next<'a> {
    call: &'a CallId,
    digest: String,
    loose: String,
}

impl Held {
    /// Nothing has been made yet.
    pub(crate) fn to(plan: Plan, vault: Arc<Vault>) -> Arc<Self> {
        let mut steps: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, call) in plan.calls.iter().enumerate() {
            steps.entry(call.step.clone()).or_default().push(index);
        }
        let mut seen = HashSet::new();
        let mut is_new = |call: &Call| {
            let digest = call.loose.clone().unwrap_or_else(|| call.digest.clone());
            seen.insert((call.step.clone(), call.primitive.clone(), digest))
        };
        let calls = plan.calls.iter().enumerate();
        let open = calls.filter(|(_, call)| is_new(call) || call.effect.writes()).map(|(index, _)| index).collect();
        let state = Mutex::new(State { open, ..State::default() });
        Arc::new(Self { plan, vault, steps, since: OnceLock::new(), state })
    }

    /// What it is held to.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The places of a step's calls in the plan.
    fn places(&self, step: &str) -> &[usize] {
        self.steps.get(step).map(Vec::as_slice).unwrap_or_default()
    }

    /// The place in the plan of a call that may come next in its step; else of the one that has to.
    fn place(&self, state: &State, next: &Next<'_>) -> Result<usize, Option<usize>> {
        let writes = next.call.effect.writes();
        let mut first = None;
        let rest = &self.places(&next.call.step)[state.passed.get(&next.call.step).copied().unwrap_or_default()..];
        for &index in rest.iter().filter(|index| !state.made.contains(index)) {
            let planned = &self.plan.calls[index];
            // Reads may come in any order, but neither pass a write nor are passed by one.
            if (!writes || first.is_none()) && next.is(planned) {
                return Ok(index);
            }
            if state.open.contains(&index) {
                first = first.or(Some(index));
            }
            if planned.effect.writes() {
                break;
            }
        }
        Err(first)
    }

    /// Is it a call that was made in this step before, and may be made again?
    fn repeats(&self, state: &State, next: &Next<'_>) -> bool {
        let mut made = self.places(&next.call.step).iter().filter(|index| state.made.contains(index));
        let may = |index: &usize| !next.call.effect.writes() || state.failed.contains(index);
        made.any(|index| next.is(&self.plan.calls[*index]) && may(index))
    }

    /// Says what was to come instead of a call: in its step, or after it.
    fn off(&self, next: &Next<'_>, words: &str, arguments: &Value, planned: Option<usize>) -> Fault {
        let said = fault(format!("not in the plan: {words}"));
        let Some(planned) = planned.map(|index| &self.plan.calls[index]) else {
            return said.seen("the plan ends here");
        };
        if planned.step != next.call.step || planned.primitive != next.call.primitive {
            return said.seen(format!("planned next: {}", planned.words));
        }
        let mut said = said.seen(format!("planned here: {}", planned.words));
        let arguments = Disguise::new(&self.vault).arguments(arguments.clone());
        let fields = difference::compared(&planned.arguments, &arguments).fields;
        let word = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), brief);
        let lines = fields.iter().map(|field| format!("{}: {} → {}", field.path, word(&field.old), word(&field.new)));
        said.evidence.extend(lines.take(SHOWN));
        said
    }
}

impl Next<'_> {
    fn is(&self, planned: &Call) -> bool {
        let same = planned.digest == self.digest || planned.loose.as_ref() == Some(&self.loose);
        same && planned.primitive == self.call.primitive
    }
}

impl Course for Held {
    fn admit(&self, call: &CallId, words: &str, arguments: &Value) -> Result<(), Fault> {
        let since = self.since.get().copied().unwrap_or(self.plan.made);
        let (digest, loose) = self.plan.digests(arguments, since);
        let next = Next { call, digest, loose };
        let mut state = self.state();
        let place = match self.place(&state, &next) {
            Ok(place) => place,
            Err(_) if self.repeats(&state, &next) => return Ok(()),
            Err(planned) => {
                let planned = planned.or_else(|| state.open.first().copied());
                return Err(self.off(&next, words, arguments, planned));
            }
        };
        let mut before = state.open.range(..place).map(|open| (*open, &self.plan.calls[*open].step));
        if let Some((missing, _)) = before.find(|(_, step)| **step != call.step && !apart(step, &call.step)) {
            return Err(self.off(&next, words, arguments, Some(missing)));
        }
        state.open.remove(&place);
        state.made.insert(place);
        state.last.insert(call.step.clone(), place);
        let State { open, passed, .. } = &mut *state;
        let passed = passed.entry(call.step.clone()).or_default();
        *passed += self.places(&call.step)[*passed..].iter().take_while(|index| !open.contains(index)).count();
        Ok(())
    }

    fn complete(&self) -> Result<(), Fault> {
        let state = self.state();
        if state.open.is_empty() {
            return Ok(());
        }
        let mut fault =
            fault(format!("the run ended without {} of the plan", screen::counted(state.open.len(), "call")));
        fault.evidence =
            state.open.iter().take(SHOWN).map(|index| format!("planned: {}", self.plan.calls[*index].words)).collect();
        Err(fault)
    }
}

impl Observer for Held {
    fn observe(&self, event: &Event<'_>) {
        let Event::Recorded(record) = event else { return };
        self.since.get_or_init(|| record.at);
        let Entry::Settled(settled) = &record.entry else { return };
        let mut state = self.state();
        let Some(index) = state.last.get(&settled.call.step).copied() else { return };
        if matches!(settled.outcome, Settlement::Fault(_)) && settled.call.effect != Effect::Read {
            state.failed.insert(index);
        }
    }
}

fn fault(message: String) -> Fault {
    Fault::new(Code::OffPlan, message).hint("plan anew with `--dry-run --plan-out FILE`, and look at what differs")
}

fn brief(value: &Value) -> String {
    let text = screen::plain(value);
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

/// Are two steps in different branches of one `parallel`, so that neither comes first?
fn apart(left: &str, right: &str) -> bool {
    let differing = left.split('/').zip(right.split('/')).find(|(left, right)| left != right);
    differing.is_some_and(|(left, right)| match (left.split_once('['), right.split_once('[')) {
        (Some((left, _)), Some((right, _))) => left == right,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use runbook_core::effect::Repeat;
    use serde_json::json;

    const WRITE: Effect = Effect::Write(Repeat::Safe);

    /// A call by its step, effect and what it is about.
    type Said = (&'static str, Effect, &'static str);

    fn held(calls: &[Said]) -> Arc<Held> {
        let mut plan: Plan = serde_json::from_value(json!({
            "version": 1, "program": "0", "runbook": "it", "digest": "d", "made": "2026-11-27T06:00:00Z", "expires": "2026-11-28T06:00:00Z",
            "cluster": { "context": "c", "server": "s", "id": "i" }, "namespace": "default", "parameters": {}, "key": "k",
            "objects": [], "calls": [], "read": {},
        }))
        .unwrap();
        plan.calls = calls
            .iter()
            .map(|(step, effect, about)| {
                let (digest, loose) = plan.digests(&json!(about), plan.made);
                let loose = Some(loose).filter(|_| !effect.writes());
                let (step, words) = ((*step).to_owned(), format!("do {about}"));
                Call { step, primitive: "p".to_owned(), effect: *effect, words, arguments: json!(about), digest, loose }
            })
            .collect();
        Held::to(plan, Arc::default())
    }

    fn made(held: &Held, (step, effect, about): Said) -> Result<(), String> {
        let (step, primitive) = (step.to_owned(), "p".to_owned());
        let call = CallId { step, ordinal: 1, primitive, effect, digest: String::new() };
        held.admit(&call, &format!("do {about}"), &json!(about)).map_err(|fault| fault.evidence.join("; "))
    }

    fn all(held: &Held, calls: &[Said]) -> Result<(), String> {
        calls.iter().try_for_each(|call| made(held, *call))
    }

    const A: Said = ("one", Effect::Read, "a");
    const B: Said = ("one", Effect::Read, "b");
    const W: Said = ("one", WRITE, "w");
    const C: Said = ("two", Effect::Read, "c");

    #[test]
    fn reads_come_in_any_order_but_no_write_passes_them() {
        let planned = [A, B, W, C];
        assert_eq!(all(&held(&planned), &[B, A, W, C]), Ok(()));
        assert_eq!(all(&held(&planned), &[A, W]), Err("planned here: do b; : b → w".to_owned()));
        assert_eq!(all(&held(&planned), &[A, B, C]), Err("planned next: do w".to_owned()));
        assert_eq!(all(&held(&[A, W, B]), &[B]), Err("planned here: do a; : a → b".to_owned()));
    }

    #[test]
    fn how_often_something_is_read_is_no_difference_and_how_often_it_is_written_is() {
        assert_eq!(all(&held(&[A, W]), &[A, A, W]), Ok(()));
        let often = held(&[A, A, A, W]);
        assert_eq!(all(&often, &[A, W]), Ok(()));
        assert!(often.complete().is_ok());
        assert!(all(&held(&[W]), &[W, W]).is_err());
        let twice = held(&[W, W]);
        assert_eq!(all(&twice, &[W]), Ok(()));
        assert_eq!(twice.complete().unwrap_err().message, "the run ended without 1 call of the plan");
    }

    #[test]
    fn branches_overtake_each_other_and_steps_do_not() {
        let (left, right): (Said, Said) = (("move/each[0]", WRITE, "l"), ("move/each[1]", WRITE, "r"));
        assert_eq!(all(&held(&[left, right]), &[right, left]), Ok(()));
        let second: Said = ("move/each-2[1]", WRITE, "r");
        assert!(all(&held(&[left, second]), &[second]).is_err());
    }

    #[test]
    fn what_is_written_into_a_secret_stays_inside() {
        let (step, primitive) = ("one".to_owned(), "p".to_owned());
        let call = CallId { step, ordinal: 1, primitive, effect: WRITE, digest: String::new() };
        let arguments = json!({ "kind": "secret", "name": "login", "patch": { "data": { "pin": "NDU2" } } });
        let said = held(&[W]).admit(&call, "patch secret/login", &arguments).unwrap_err().evidence.join("; ");
        assert!(said.contains("login") && said.contains("<secret>") && !said.contains("NDU2"), "{said}");
    }

    #[test]
    fn names_that_clusters_make_up_differ_where_something_is_read() {
        let pod = |effect| -> Said { ("one", effect, "web-79f45578c6-sdndr") };
        let other = |effect| -> Said { ("one", effect, "web-5cdf6c5f4d-x7k2b") };
        assert_eq!(all(&held(&[pod(Effect::Read)]), &[other(Effect::Read)]), Ok(()));
        assert!(all(&held(&[pod(WRITE)]), &[other(WRITE)]).is_err());
    }
}
