//! Which mode this is. Each is a row: cluster, helm, clock, operator, journal. From here on nobody asks.
//!
//! Does not know what a run does with what it is given.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

use runbook_core::Session;
use runbook_core::fault::{Code, Fault};
use runbook_core::journal::Journal;
use runbook_core::record::{Attempt, Entry};
use runbook_core::world::{Clock, Cluster, Clusters, Connect, Files, Helm, Interrupt, Operator, Program, Reads, World};
use runbook_sim::overlay::{Overlay, Subject, Write};
use runbook_stdlib::cluster::{self, Limits};
use tokio::runtime::Handle;

use crate::arguments::Options;
use crate::clock::RealClock;
use crate::dry_run::{Ground, Overlaid, Watched};
use crate::environment::Environment;
use crate::id;
use crate::operator::Person;
use crate::rehearsal::{CONTEXT, Rehearsal, Scripted};

/// What every row needs from outside.
pub(crate) struct Surroundings<'a> {
    pub(crate) options: &'a Options,
    pub(crate) environment: &'a Environment,
    pub(crate) runtime: Handle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) operator: Arc<dyn Operator>,
    pub(crate) interrupt: Interrupt,
    pub(crate) secrets: Arc<runbook_core::secret::Vault>,
    /// Where the script lies, where it lies in a folder.
    pub(crate) folder: Option<&'a Path>,
    /// Files and folders that parameters name.
    pub(crate) named: Vec<PathBuf>,
}

/// The session of a run, for what is made before it exists.
pub(crate) type Later = Arc<OnceLock<Weak<Session>>>;

/// Which mode a run has.
#[derive(Clone)]
pub(crate) enum Mode {
    /// On a live cluster.
    Live,
    /// On a simulated one.
    Rehearsal(Arc<Rehearsal>),
    /// On an overlay over a live one.
    DryRun(Arc<Overlaid>),
}

impl Mode {
    /// What a run is given.
    pub(crate) fn world(&self, given: Surroundings<'_>, session: &Later) -> World {
        match self {
            Self::Live => live(given, session),
            Self::Rehearsal(rehearsal) => rehearsed(given, rehearsal, session),
            Self::DryRun(planned) => dry(given, planned, session),
        }
    }

    /// The clock of a run.
    pub(crate) fn clock(&self, real: &Arc<RealClock>) -> Arc<dyn Clock> {
        match self {
            Self::Live => real.clone(),
            Self::Rehearsal(rehearsal) => rehearsal.clock.clone(),
            Self::DryRun(planned) => planned.clock.clone(),
        }
    }

    /// Who answers a run's questions: `person` where it is in earnest.
    pub(crate) fn operator(&self, person: Person) -> Arc<dyn Operator> {
        match self {
            Self::Live => Arc::new(person),
            Self::Rehearsal(rehearsal) => Arc::new(Scripted {
                beforehand: person.beforehand,
                answers: rehearsal.script.scenario.answers.clone().unwrap_or_default(),
            }),
            Self::DryRun(planned) => Arc::new(planned.operator(person.beforehand)),
        }
    }

    /// The journal of a new run, and the run's id. Those of a rehearsal and of a dry run are kept in memory.
    ///
    /// Faults: `RB050` where it cannot be written.
    pub(crate) fn journal(
        &self,
        options: &Options,
        environment: &Environment,
        real: &RealClock,
    ) -> Result<(Journal, String), Fault> {
        match self {
            Self::Live => journal(&runs(options, environment)?, real),
            Self::Rehearsal(_) => Ok((Journal::in_memory(), "REHEARSAL".to_owned())),
            Self::DryRun(_) => Ok((Journal::in_memory(), "DRY-RUN".to_owned())),
        }
    }

    /// Watches a run that has no consequences, where its trace is wanted.
    pub(crate) fn watched(&self, options: &Options) -> Option<Watched> {
        match self {
            Self::Live => None,
            Self::Rehearsal(rehearsal) => options.trace.then(|| {
                let watched = Watched::new(Ground::Simulated);
                rehearsal.simulation.set_onlooker(watched.onlooker());
                watched
            }),
            Self::DryRun(planned) => {
                let watched = Watched::new(Ground::Live);
                planned.overlay.simulation().set_onlooker(watched.onlooker());
                Some(watched)
            }
        }
    }

    /// What is to be known of a run beside its trace.
    pub(crate) fn notes(&self) -> Vec<String> {
        match self {
            Self::Live | Self::Rehearsal(_) => Vec::new(),
            Self::DryRun(planned) => planned.told(),
        }
    }

    /// The overlay of a dry run.
    pub(crate) fn overlay(&self) -> Option<&Overlay> {
        match self {
            Self::Live | Self::Rehearsal(_) => None,
            Self::DryRun(planned) => Some(&planned.overlay),
        }
    }

    /// Objects that a dry run wrote and of which it cannot be known what becomes of them.
    pub(crate) fn undecided(&self) -> Vec<Subject> {
        self.overlay().map(Overlay::undecided).unwrap_or_default()
    }

    /// The requests of a dry run that would write, in order, as an API server's audit log has them.
    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.overlay().map(Overlay::writes).unwrap_or_default();
        writes.iter().map(Write::summary).collect()
    }

    /// Whether what a run writes stays in memory, over a live cluster.
    pub(crate) fn is_dry_run(&self) -> bool {
        matches!(self, Self::DryRun(_))
    }

    /// The scenario of a rehearsal.
    pub(crate) fn scenario(&self) -> Option<&str> {
        match self {
            Self::Live | Self::DryRun(_) => None,
            Self::Rehearsal(rehearsal) => Some(&rehearsal.script.name),
        }
    }
}

fn options(given: &Surroundings<'_>, session: &Later) -> cluster::Options {
    let Surroundings { options, environment, clock, .. } = given;
    cluster::Options {
        kubeconfig: options.kubeconfig.clone(),
        context: options.context.clone(),
        namespace: options.namespace.clone(),
        environment: environment.all(),
        limits: options.limits.clone(),
        on_retry: tell_of_retries(session.clone()),
        counters: Arc::default(),
        clock: clock.clone(),
        tokio: given.runtime.clone(),
    }
}

/// The row of a live run: TLS to the live cluster, the real helm, the real clock, whoever sits at the terminal.
fn live(given: Surroundings<'_>, session: &Later) -> World {
    let connect = cluster::connector(options(&given, session));
    let program = helm(given.options, given.environment);
    let (kubeconfig, context) = (given.options.kubeconfig.clone(), given.options.context.clone());
    world(given, connect, program, kubeconfig, context)
}

/// The row of a rehearsal: a simulation in this process, a helm that is pointed at it, simulated time, scripted answers.
fn rehearsed(given: Surroundings<'_>, rehearsal: &Rehearsal, session: &Later) -> World {
    let options = cluster::Options { context: None, ..options(&given, session) };
    let connect = cluster::through(options, CONTEXT, "in this process", rehearsal.simulation.service());
    let program = helm(given.options, given.environment).unwrap_or(Program::Builtin);
    world(given, connect, Some(program), Some(rehearsal.kubeconfig()), Some(CONTEXT.to_owned()))
}

/// The row of a dry run: an overlay in this process over reads of the live cluster, the built-in helm unless another is named, simulated
/// time, consent to everything.
fn dry(given: Surroundings<'_>, planned: &Overlaid, session: &Later) -> World {
    let options = cluster::Options {
        context: None,
        namespace: Some(planned.live.namespace.clone()),
        // What is slow, pushes back or breaks off is behind the overlay, where others see to it.
        limits: Limits { tries: 1, ..Limits::off() },
        ..options(&given, session)
    };
    let Cluster { context, server, .. } = &planned.live;
    let connect = cluster::through(options, context, server, planned.overlay.service());
    let program = given.options.helm.as_ref().and_then(|_| helm(given.options, given.environment));
    let kubeconfig = planned.kubeconfig();
    world(given, connect, Some(program.unwrap_or(Program::Builtin)), Some(kubeconfig), Some(CONTEXT.to_owned()))
}

/// The live cluster that a dry run reads: with the limits and retries of every live cluster, in the machine's time.
///
/// Faults: `RB020` where no kubeconfig, no such context or unusable credentials are found.
pub(crate) fn beneath(given: &Surroundings<'_>, session: &Later) -> Result<Cluster, Fault> {
    cluster::connector(options(given, session))(None)
}

fn world(
    given: Surroundings<'_>,
    connect: Connect,
    program: Option<Program>,
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
) -> World {
    let environment = given.environment.all();
    // What is tried without consequences is then done by the helm that is at hand, and two of them do not write alike.
    let stands_for = match &program {
        Some(Program::Builtin) => given.environment.program("helm"),
        _ => None,
    };
    World {
        clusters: Clusters::new(connect),
        helm: Helm {
            program,
            stands_for,
            reads: reads(given.environment),
            kubeconfig,
            context,
            environment,
            version: OnceLock::new(),
        },
        clock: given.clock,
        operator: given.operator,
        files: Files { roots: roots(given.folder), named: given.named },
        tokio: given.runtime,
        interrupt: given.interrupt,
        secrets: given.secrets,
    }
}

/// The row of a command that only looks: the live cluster where one is asked about, the built-in helm wherever it can see the
/// releases, nobody to ask.
pub(crate) fn look(given: Surroundings<'_>) -> World {
    let mut world = live(given, &Later::default());
    if world.helm.reads == Reads::Builtin {
        world.helm.program = Some(Program::Builtin);
    }
    world
}

/// Where releases are kept as `HELM_DRIVER` says, which is in Secrets unless it says otherwise, everybody can read them.
fn reads(environment: &Environment) -> Reads {
    match environment.get("HELM_DRIVER").map(str::to_ascii_lowercase).as_deref() {
        None | Some("secret" | "secrets") => Reads::Builtin,
        Some(_) => Reads::Program,
    }
}

/// The helm that is asked for: `--helm`, or the first on the `PATH`.
pub(crate) fn helm(options: &Options, environment: &Environment) -> Option<Program> {
    match &options.helm {
        Some(named) if named == Path::new(Program::BUILTIN) => Some(Program::Builtin),
        Some(named) => Some(Program::File(named.clone())),
        None => environment.program("helm").map(Program::File),
    }
}

/// A live cluster is changed by the real helm alone: people go on with what it leaves.
///
/// Faults: `RB002` where the built-in one is asked for.
pub(crate) fn may_be_live(options: &Options) -> Result<(), Fault> {
    if options.helm.as_deref() != Some(Path::new(Program::BUILTIN)) {
        return Ok(());
    }
    Err(Fault::new(Code::Usage, "`--helm builtin` is for rehearsals and dry runs; a live run needs the real helm")
        .hint("leave `--helm` out where `helm` is on the PATH, or name it with `--helm PATH`"))
}

/// Where scripts may read: below their own folder, and below the one the person is in.
fn roots(folder: Option<&Path>) -> Vec<PathBuf> {
    folder.map(Path::to_owned).into_iter().chain(std::env::current_dir()).collect()
}

fn tell_of_retries(session: Later) -> Arc<dyn Fn(&cluster::Retry) + Send + Sync> {
    Arc::new(move |retry| {
        let Some(session) = session.get().and_then(Weak::upgrade) else { return };
        let attempt = Attempt {
            step: session.scopes.path(),
            words: retry.request.clone(),
            attempt: retry.attempt,
            reason: retry.reason.clone(),
        };
        if let Err(fault) = session.record(Entry::Attempt(attempt)) {
            tracing::error!("a failed try could not be recorded: {fault}");
        }
    })
}

/// The folder in which runs are kept.
///
/// Faults: `RB050` where neither `--journal` nor the environment names one.
pub(crate) fn runs(options: &Options, environment: &Environment) -> Result<PathBuf, Fault> {
    options.journal.clone().or_else(|| environment.runs()).ok_or_else(|| {
        Fault::new(
            Code::JournalFailed,
            "there is no folder for the journal: neither `XDG_STATE_HOME` nor `HOME` is set",
        )
        .hint("name one with `--journal DIR`")
    })
}

/// The journal of a new run, and the run's id.
///
/// Faults: `RB050` where it cannot be written.
fn journal(runs: &Path, clock: &dyn Clock) -> Result<(Journal, String), Fault> {
    let key = id::key()?;
    let mut last = Fault::new(Code::JournalFailed, format!("no free run id in `{}`", runs.display()));
    for id in id::candidates(clock.now()) {
        if runs.join(&id).exists() {
            continue;
        }
        match Journal::create(runs, &id, key) {
            Ok(journal) => return Ok((journal, id)),
            // Another run took the id between the look and the attempt, or the folder cannot be written at all.
            Err(fault) if runs.join(&id).exists() => last = fault,
            Err(fault) => return Err(fault),
        }
    }
    Err(last)
}
