//! Prepares a simulated cluster as its scenario says: objects, releases that helm installs, workloads.
//!
//! Everything comes by the primitives that scripts call, over the same road. Does not know what is rehearsed afterwards.

use std::path::Path;
use std::time::Duration;

use runbook_core::arg::Arg;
use runbook_core::fault::Fault;
use runbook_core::journal::Journal;
use runbook_core::primitive::NoScript;
use runbook_core::{Outcome, Session, Value, World, param};
use runbook_sim::scenario::Release;
use serde_json::json;

use super::{Rehearsal, audit};

/// How long one release may take to come up, in simulated time.
const PATIENCE: &str = "10m";

/// How long the cluster is left to itself before the run, in simulated time: pods come up, and istiod has seen all there is.
const REST: Duration = Duration::from_secs(30);

impl Rehearsal {
    /// Prepares the cluster through `world`, with charts from `charts`. Nothing fails meanwhile: what the scenario lets go wrong
    /// begins when this is over, and so does the log of requests that goes to `log`.
    ///
    /// Faults: what went wrong, with what was being prepared.
    pub(crate) fn prepare(&self, world: World, charts: &str, log: Option<&Path>) -> Result<(), Fault> {
        let session = Session::new(world, Journal::in_memory(), Vec::new());
        let stage = Stage { session: &session, name: &self.script.name };
        let scenario = &self.script.scenario;
        for node in scenario.nodes() {
            stage.call("a node", "kubectl::create", vec![node])?;
        }
        stage.apply("the objects", &scenario.objects)?;
        for release in &scenario.releases {
            stage.install(release, charts)?;
        }
        stage.apply("the workloads", &scenario.workloads)?;
        session.world.tokio.block_on(self.simulation.clock().wait(REST));
        self.simulation.set_habits(scenario.habits());
        self.simulation.set_troubles(scenario.trouble.clone());
        if let Some(file) = log {
            self.simulation.set_witness(audit::witness(file)?);
        }
        Ok(())
    }
}

/// Where it is prepared.
struct Stage<'a> {
    session: &'a std::sync::Arc<Session>,
    name: &'a str,
}

impl Stage<'_> {
    fn apply(&self, what: &str, objects: &[Value]) -> Result<(), Fault> {
        if objects.is_empty() {
            return Ok(());
        }
        // Whoever writes a scenario may say something else about what a release has made.
        let options = json!({ "on_conflict": "force" });
        self.call(what, "kubectl::apply", vec![Value::from(objects), options]).map(drop)
    }

    fn install(&self, release: &Release, charts: &str) -> Result<(), Fault> {
        let what = format!("release {}", release.name);
        let chart = json!({ "charts": charts, "version": release.version });
        let chart = self.call(&what, "helm::chart", vec![json!(release.chart), chart])?;
        let mut options = json!({
            "namespace": release.namespace,
            "create_namespace": true,
            "wait": true,
            "timeout": PATIENCE,
            "values": release.values,
        });
        if release.skip_schema_validation {
            options["skip_schema_validation"] = true.into();
        }
        if let Some(server_side) = release.server_side {
            options["server_side"] = server_side.into();
        }
        self.call(&what, "helm::install", vec![json!(release.name), chart, options]).map(drop)
    }

    fn call(&self, what: &str, name: &str, given: Vec<Value>) -> Outcome {
        let primitive = runbook_stdlib::primitives().into_iter().find(|primitive| primitive.name == name);
        let primitive = primitive.expect("a scenario is prepared with primitives that there are");
        let args = param::bind(primitive, given.into_iter().map(Arg::Value).collect())?;
        self.session.call(primitive, &args, &NoScript).map_err(|mut fault| {
            fault.message = format!("scenario `{}` cannot be prepared: {what}: {}", self.name, fault.message);
            fault
        })
    }
}
