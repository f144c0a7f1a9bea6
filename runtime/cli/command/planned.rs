//! One run and plan files: what it is held to, and what is saved of it.
//!
//! Does not know what stands in a plan.

use std::time::Duration;

use runbook_core::Outcome;
use runbook_core::engine::ParameterKind;
use runbook_core::fault::{Code, Fault};
use runbook_core::world::Clock as _;
use serde_json::{Map, Value};

use super::stage::{Set, Stage};
use super::{Program, Trouble};
use crate::arguments::Output;
use crate::dry_run::trace::Trace;
use crate::exit::Exit;
use crate::plan::{self, Drawing, Given, Plan};
use crate::text::{Line, Sign};
use crate::writer::Channel;
use crate::{parameter, screen};

/// How long a plan holds where nothing is said.
const LASTS: Duration = Duration::from_hours(24);

/// How long it may take to find out which cluster this is.
const PATIENCE: Duration = Duration::from_secs(30);

/// Calls as a plan has them, with their arguments as they were.
type Planned = Vec<(plan::Call, Value)>;

impl Stage<'_> {
    /// Whether the plan that was named is for what is started now.
    ///
    /// Faults: `RB053`.
    pub(super) fn fits(&self, given: &Map<String, Value>) -> Result<(), Fault> {
        let Some(held) = &self.held else { return Ok(()) };
        let secrets = self.secrets(given);
        let parameters = open(parameter::shown(self.runbook.parameters(), given), &secrets);
        plan::start(
            held.plan(),
            &self.plan_file(),
            &Given {
                now: self.program.clock.now(),
                program: env!("CARGO_PKG_VERSION"),
                runbook: &self.found.name,
                digest: self.runbook.digest(),
                parameters: &parameters,
                secrets: &secrets,
            },
        )
    }

    /// Parameters that are secrets.
    pub(super) fn secrets(&self, given: &Map<String, Value>) -> Map<String, Value> {
        let declared = self.runbook.parameters().iter().filter(|parameter| parameter.kind == ParameterKind::Secret);
        declared
            .filter_map(|parameter| Some((parameter.name.clone(), given.get(&parameter.name)?.clone())))
            .filter(|(_, value)| !value.is_null())
            .collect()
    }

    /// The plan that the run is held to: which file, made when and by whom.
    pub(super) fn plan_in_words(&self) -> Option<String> {
        let plan = self.held.as_ref()?.plan();
        let by = plan.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        Some(format!("{}, made {}{by}: {}", self.plan_file(), screen::moment(plan.made), extent(plan)))
    }

    /// What a person types to run this script.
    fn asked(&self) -> String {
        if self.found.folder.is_none() { format!("{}.rhai", self.found.name) } else { self.found.origin.clone() }
    }

    fn plan_file(&self) -> String {
        self.options.plan.as_deref().map(|file| file.display().to_string()).unwrap_or_default()
    }

    /// Holds a run to its plan from here on, where the cluster is the one that it was made for and as it was.
    ///
    /// Faults: `RB053`; those of reading.
    pub(super) fn bind(&self, set: &Set) -> Result<(), Fault> {
        let Some(held) = &self.held else { return Ok(()) };
        let live = set.session.world.clusters.get(None)?;
        let id = set.identity.known(PATIENCE).and_then(|cluster| cluster.id);
        self.runtime.block_on(plan::cluster(held.plan(), &self.plan_file(), &live, id.as_deref()))?;
        set.session.follow(held.clone());
        Ok(())
    }

    /// Whether a run that came to its end has made all the calls of its plan. Where it left the plan before it wrote anything, it
    /// says what is not as it was.
    pub(super) fn held_to(&self, set: &Set, outcome: Outcome) -> Outcome {
        let outcome = outcome.and_then(|value| set.session.complete().map(|()| value));
        let Some(held) = &self.held else { return outcome };
        outcome.map_err(|mut fault| {
            if let (Code::OffPlan, (0, _), Ok(live)) =
                (fault.code, set.session.counts(), set.session.world.clusters.get(None))
            {
                fault.evidence.extend(self.runtime.block_on(plan::moved(held.plan(), &live)));
            }
            fault
        })
    }

    /// The calls of a run, before they are let go of, where a plan of it is wanted.
    pub(super) fn planned(&self, set: &Set) -> Option<Planned> {
        let watched = self.part.as_ref().and(set.watched.as_ref())?;
        Some(watched.planned(&self.program.vault))
    }

    /// Saves a plan where one is wanted.
    ///
    /// Faults: `RB053` where nothing says which cluster it is for; `RB002` where it cannot be written.
    pub(super) fn save(
        &self,
        set: &Set,
        planned: Option<Planned>,
        trace: Option<&Trace>,
        exit: Exit,
    ) -> Result<(), Trouble> {
        let (Some(part), Some(trace), Some(calls), Some(overlay)) = (&self.part, trace, planned, self.mode.overlay())
        else {
            return Ok(());
        };
        let Program { writer, clock, .. } = self.program;
        // Why it failed has been said.
        if exit != Exit::Done {
            writer.print(Channel::Err, &[Line::of("No plan was saved: the dry run did not come to its end.")]);
            return Ok(());
        }
        let live = set.session.world.clusters.get(None)?;
        let run = set.session.started().cloned().expect("a run that is over was started");
        let plan = plan::draw(Drawing {
            run: &run,
            cluster: trace.cluster.as_ref(),
            namespace: live.namespace.clone(),
            parameters: open(run.parameters.clone(), &set.secrets),
            secrets: set.secrets.clone(),
            overlay,
            calls,
            now: clock.now(),
            since: set.began(),
            lasts: self.options.plan_expiry.unwrap_or(LASTS),
        })?;
        part.write(plan.text().as_bytes())?;
        part.finish()?;
        let file = self.options.plan_out.as_deref().map(|file| file.display().to_string()).unwrap_or_default();
        if self.options.output == Some(Output::Json) {
            writer.json(
                &serde_json::json!({ "t": "plan_saved", "at": plan.made, "file": file, "expires": plan.expires }),
            );
            return Ok(());
        }
        let until = screen::moment(plan.expires);
        let held = extent(&plan);
        let theme = writer.theme(Channel::Out);
        let mut lines = vec![
            Line::new()
                .spans([theme.sign(Sign::Done)])
                .plain(format!(" The plan is in {file}: {held}; it holds until {until}."))
                .hang(2),
        ];
        if trace.total.not_run > 0 {
            let calls = screen::counted(trace.total.not_run, "call");
            let words =
                format!("{calls} could not be made in the dry run: where the answer leads elsewhere, the run stops.");
            lines.push(Line::of(&words).indent(2));
        }
        lines.push(
            Line::new().indent(2).plain("Run it: ").strong(format!("runbook {} --plan {file}", self.asked())).whole(),
        );
        writer.print(Channel::Out, &lines);
        Ok(())
    }
}

/// Parameters that are no secrets. What nobody gave is not given by a plan either.
fn open(mut parameters: Map<String, Value>, secrets: &Map<String, Value>) -> Map<String, Value> {
    parameters.retain(|name, value| !secrets.contains_key(name) && !value.is_null());
    parameters
}

/// How much a plan holds.
fn extent(plan: &Plan) -> String {
    format!("{} of {} in all", screen::counted(plan.writes(), "write"), screen::counted(plan.calls.len(), "call"))
}
