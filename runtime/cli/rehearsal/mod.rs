//! A rehearsal: a simulated cluster, prepared as its scenario says, in which stand-ins of what lives there act.
//!
//! Does not know what a run does in it.

mod audit;
mod clock;
mod operator;
mod prepare;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt as _;
use runbook_core::fault::{Code, Fault};
use runbook_core::world::{Clock as _, Interrupt};
use runbook_sim::actor::Fleet;
use runbook_sim::scenario::Scenario;
use runbook_sim::{Call, Listening, Options, Simulation};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) use clock::SimulatedClock;
pub(crate) use operator::Scripted;

use crate::bundled;
use crate::clock::{RealClock, moment};
use crate::text::Line;
use crate::writer::{Channel, Writer};

/// What the simulated cluster is called.
pub(crate) const CONTEXT: &str = "simulation";

/// The root certificate of the stand-in. Nobody verifies it: no TLS is spoken in a simulation.
pub(crate) const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGlvbg==\n-----END CERTIFICATE-----\n";

/// A scenario, and what it is called.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) scenario: Scenario,
}

impl Script {
    /// The scenario that was asked for: a file, a bundled one by its name, or, where none is named, the one that a bundled
    /// runbook has; an empty cluster for a script that has none.
    ///
    /// Faults: `RB002` where there is none of that name, or it cannot be understood; the line is named.
    pub(crate) fn find(asked: &str, runbook: &str) -> Result<Self, Fault> {
        let wanted = if asked.is_empty() { runbook } else { asked };
        let (name, text) = if Path::new(asked).is_file() {
            let unreadable =
                |error: std::io::Error| Fault::new(Code::Usage, format!("scenario `{asked}` cannot be read: {error}"));
            (asked.to_owned(), fs_err::read_to_string(asked).map_err(unreadable)?)
        } else if let Some(text) = bundled::scenario(wanted) {
            (wanted.to_owned(), text.to_owned())
        } else if asked.is_empty() {
            ("an empty cluster".to_owned(), "about: An empty cluster.\n".to_owned())
        } else {
            let known = bundled::scenarios().join(", ");
            return Err(Fault::new(
                Code::Usage,
                format!("there is no scenario `{asked}`: no file, and none in the box"),
            )
            .hint(format!("in the box are {known}")));
        };
        let scenario = read(&name, &text)?;
        Ok(Self { scenario: based(scenario, Path::new(&name))?, name })
    }
}

/// More than this many scenarios that begin with each other are a circle.
const LAYERS: usize = 8;

fn read(name: &str, text: &str) -> Result<Scenario, Fault> {
    Scenario::read(text)
        .map_err(|why| Fault::new(Code::Usage, format!("scenario `{name}` cannot be understood")).seen(&why))
}

/// A scenario over all that it begins with: files beside it, or scenarios in the box.
fn based(mut scenario: Scenario, place: &Path) -> Result<Scenario, Fault> {
    let folder = place.parent().unwrap_or(Path::new(""));
    for _ in 0..LAYERS {
        let Some(from) = scenario.from.take() else { return Ok(scenario) };
        let file = folder.join(&from);
        let text = if file.is_file() {
            fs_err::read_to_string(&file)
                .map_err(|error| Fault::new(Code::Usage, format!("scenario `{from}` cannot be read: {error}")))?
        } else {
            let nowhere = || {
                let known = bundled::scenarios().join(", ");
                Fault::new(
                    Code::Usage,
                    format!("scenario `{}` begins with `{from}`, which there is not", place.display()),
                )
                .hint(format!("name a file beside it, or one in the box: {known}"))
            };
            bundled::scenario(&from).ok_or_else(nowhere)?.to_owned()
        };
        scenario = scenario.over(read(&from, &text)?);
    }
    Err(Fault::new(Code::Usage, format!("scenario `{}` begins with itself", place.display()))
        .hint("end the circle: one of them has no `from`"))
}

/// The cluster of a scenario, before anybody acts in it.
fn simulation(script: &Script) -> Result<Simulation, Fault> {
    let scenario = &script.scenario;
    let usual = Options { habits: scenario.calm(), ..Options::default() };
    let options = match scenario.at {
        // What the state's own cluster gave out is not given out again.
        Some(at) => Options { seed: at.as_millisecond().unsigned_abs(), start: at, ..usual },
        None => usual,
    };
    let simulation = Simulation::new(options);
    simulation
        .restore(scenario.state.clone())
        .map_err(|why| Fault::new(Code::Usage, format!("scenario `{}` cannot be prepared: {why}", script.name)))?;
    Ok(simulation)
}

/// A simulated cluster in which everybody acts.
pub(crate) struct Rehearsal {
    pub(crate) script: Script,
    pub(crate) simulation: Simulation,
    pub(crate) clock: Arc<SimulatedClock>,
    folder: TempDir,
    _stop: DropGuard,
}

impl Rehearsal {
    /// Starts the cluster, empty but for its nodes.
    ///
    /// Faults: `RB001` where the loopback address cannot be listened on.
    pub(crate) fn start(script: Script, real: &Arc<RealClock>, runtime: &Handle) -> Result<Arc<Self>, Fault> {
        let _inside = runtime.enter();
        let (simulation, stop) = (simulation(&script)?, CancellationToken::new());
        let failed = |what: &str, error: std::io::Error| Fault::new(Code::Internal, format!("{what}: {error}"));
        let listening = runtime
            .block_on(simulation.listen(stop.clone()))
            .map_err(|error| failed("the simulation cannot listen on the loopback address", error))?;
        let folder = kubeconfig(&listening)?;
        let clock = Arc::new(SimulatedClock::new(simulation.clock().clone(), real.clone()));
        let rehearsal = Self { script, simulation, clock, folder, _stop: stop.clone().drop_guard() };
        rehearsal.set_going(runtime, &stop);
        Ok(Arc::new(rehearsal))
    }

    /// A kubeconfig that leads to it from other programs.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        kubeconfig_in(&self.folder)
    }

    /// Serves it to people until Ctrl-C, and says how they reach it.
    pub(crate) fn serve(&self, writer: &Writer, real: &Arc<RealClock>, runtime: &Handle, interrupt: &Interrupt) {
        self.follow_real_time(real, runtime);
        let line = format!("export KUBECONFIG={}", self.kubeconfig().display());
        writer.print(
            Channel::Out,
            &[Line::new(), Line::of("The simulated cluster answers until Ctrl-C:"), Line::new().accent(line)],
        );
        runtime.block_on(interrupt.soft.cancelled());
    }

    /// Lets time go on as the machine's does, for people who use the cluster.
    fn follow_real_time(&self, real: &Arc<RealClock>, runtime: &Handle) {
        let (clock, elapsed, machine) = (self.simulation.clock().clone(), real.clone(), real.clone());
        runtime.spawn(async move { clock.follow(move || elapsed.elapsed(), move |span| machine.sleep(span)).await });
    }

    fn set_going(&self, runtime: &Handle, stop: &CancellationToken) {
        let_live(&self.simulation, runtime, stop);
        let fleet = Arc::new(Fleet::new(
            self.simulation.client(),
            AUTHORITY.to_owned(),
            Arc::new(self.simulation.clock().clone()),
        ));
        let answering = fleet.clone();
        self.simulation.set_answerer(Arc::new(move |call: Call| {
            let fleet = answering.clone();
            async move { fleet.admit(&call.namespace, &call.service, &call.path, call.review).await }.boxed()
        }));
        let until = stop.clone();
        runtime.spawn(async move { fleet.run(until).await });
    }
}

/// Lets time pass in a simulated cluster, and its controllers act, until `stop` is cancelled.
pub(crate) fn let_live(simulation: &Simulation, runtime: &Handle, stop: &CancellationToken) {
    let (clock, ended) = (simulation.clock().clone(), stop.clone());
    runtime.spawn(async move {
        let driving = clock.drive(moment);
        tokio::select! { () = ended.cancelled() => {}, () = driving => {} }
    });
    runtime.spawn(simulation.run(stop.clone()));
}

/// A folder for a kubeconfig that leads other programs to a simulated cluster.
///
/// Faults: `RB001` where it cannot be written.
pub(crate) fn kubeconfig(listening: &Listening) -> Result<TempDir, Fault> {
    let failed = |what: &str, error: std::io::Error| Fault::new(Code::Internal, format!("{what}: {error}"));
    let folder = tempfile::Builder::new()
        .prefix("runbook-simulation-")
        .tempdir()
        .map_err(|error| failed("there is no room for the simulation's kubeconfig", error))?;
    fs_err::write(kubeconfig_in(&folder), listening.kubeconfig())
        .map_err(|error| failed("the simulation's kubeconfig cannot be written", error))?;
    Ok(folder)
}

/// Where the kubeconfig lies.
pub(crate) fn kubeconfig_in(folder: &TempDir) -> PathBuf {
    folder.path().join("kubeconfig")
}
