//! `snapshot`: saves what a rehearsal needs from a live cluster.
//!
//! Does not know what belongs into it.

use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use runbook_core::fault::{Code, Fault};
use runbook_core::world::{Clock as _, Cluster, Interrupt};
use runbook_stdlib::cluster;
use tokio::runtime::Runtime;

use super::Program;
use crate::arguments::Options;
use crate::interrupt;
use crate::part::Part;
use crate::screen::counted;
use crate::snapshot::{Place, Snapshot, Tally, Unreadable};
use crate::text::{Line, Sign};
use crate::writer::Channel;

/// Where it goes where nothing is said.
const FILE: &str = "snapshot.yaml";

/// Takes it. The file is there when all of it is there.
pub(super) fn take(program: &Program, options: &Options, out: Option<&Path>, only: &[String]) -> Result<(), Fault> {
    let file = out.unwrap_or(Path::new(FILE));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Fault::new(Code::Internal, format!("threads cannot be started: {error}")))?;
    let cluster = Arc::new(connect(program, options, &runtime)?);
    let part = Part::open(file, "a snapshot", "--out")?;
    let tally = fill(program, &runtime, &cluster, &part, only);
    let tally = tally.and_then(|tally| part.finish().map(|()| tally));
    runtime.shutdown_background();
    tell(program, &cluster, file, &tally?);
    Ok(())
}

fn connect(program: &Program, options: &Options, runtime: &Runtime) -> Result<Cluster, Fault> {
    let connect = cluster::connector(cluster::Options {
        kubeconfig: options.kubeconfig.clone(),
        context: options.context.clone(),
        namespace: None,
        environment: program.environment.all(),
        limits: options.limits.clone(),
        on_retry: Arc::new(|retry| tracing::warn!("{}, try {}: {}", retry.request, retry.attempt, retry.reason)),
        counters: Arc::default(),
        clock: program.clock.clone(),
        tokio: runtime.handle().clone(),
    });
    connect(None)
}

fn fill(
    program: &Program,
    runtime: &Runtime,
    cluster: &Arc<Cluster>,
    part: &Part,
    only: &[String],
) -> Result<Tally, Fault> {
    let interrupt = Interrupt::default();
    interrupt::listen(runtime.handle(), interrupt.clone(), program.writer.clone());
    let mut file = BufWriter::new(part.file());
    let snapshot = Snapshot::new(cluster.clone(), only.to_vec(), &mut file);
    runtime.block_on(async {
        tokio::select! {
            tally = snapshot.take(program.clock.now()) => tally,
            () = interrupt.soft.cancelled() => Err(Interrupt::fault()),
        }
    })
}

fn tell(program: &Program, cluster: &Cluster, file: &Path, tally: &Tally) {
    let shown = file.display().to_string();
    let held = format!(
        ": {} of {}, {}; {} replaced by tokens",
        counted(tally.objects, "object"),
        counted(tally.kinds, "kind"),
        counted(tally.releases, "release"),
        counted(tally.secrets, "secret value"),
    );
    let mut lines = vec![Line::of(format!("{} is now in ", cluster.context)).strong(&shown).plain(held)];
    let theme = program.writer.theme(Channel::Out);
    let mut warn = |text: String| {
        let line = Line::new().spans([theme.sign(Sign::Warning)]).plain(format!(" {text}"));
        lines.push(line.hang(theme.sign_width() + 1));
    };
    for unreadable in &tally.unreadable {
        warn(format!("may not be listed, and so may not in a rehearsal: {}", in_words(unreadable)));
    }
    for release in &tally.opaque {
        warn(format!("the record of release {release} cannot be read, and so not in a rehearsal either"));
    }
    lines.push(Line::of("look through it before you hand it to anybody; to rehearse on it:"));
    lines.push(Line::new().accent(format!("runbook SCRIPT --rehearse {shown}")).indent(2).whole());
    program.writer.print(Channel::Out, &lines);
}

fn in_words(unreadable: &Unreadable) -> String {
    let Unreadable { group, resource, place } = unreadable;
    let kind = if group.is_empty() { resource.clone() } else { format!("{resource}.{group}") };
    match place {
        Place::Anywhere => kind,
        Place::AllAtOnce => format!("{kind} in all namespaces at once"),
        Place::Namespace(namespace) => format!("{kind} in {namespace}"),
    }
}
