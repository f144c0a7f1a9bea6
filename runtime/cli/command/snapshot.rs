//! `snapshot`: saves what a rehearsal needs from a live cluster.
//!
//! Does not know what belongs into it.

use fs_err::os::unix::fs::OpenOptionsExt as _;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runbook_core::fault::{Code, Fault};
use runbook_core::world::{Clock as _, Cluster, Interrupt};
use runbook_stdlib::cluster;
use tokio::runtime::Runtime;

use super::Program;
use crate::arguments::Options;
use crate::interrupt;
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
    let part = Part::open(file)?;
    let tally = fill(program, &runtime, &cluster, &part, only);
    let tally = tally.and_then(|tally| part.finish(file).map(|()| tally));
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
    let mut file = BufWriter::new(part.file.file());
    let snapshot = Snapshot::new(cluster.clone(), only.to_vec(), &mut file);
    runtime.block_on(async {
        tokio::select! {
            tally = snapshot.take(program.clock.now()) => tally,
            () = interrupt.soft.cancelled() => Err(Interrupt::fault()),
        }
    })
}

/// A file that is not complete yet: beside the one that is wanted, for its owner alone, and gone where nothing comes of it.
struct Part {
    path: PathBuf,
    file: fs_err::File,
}

impl Part {
    fn open(wanted: &Path) -> Result<Self, Fault> {
        let shown = wanted.display();
        if wanted.symlink_metadata().is_ok() {
            return Err(Fault::new(
                Code::Usage,
                format!("`{shown}` exists already, and a snapshot never writes over a file"),
            )
            .hint("name another file with `--out FILE`"));
        }
        let mut name = wanted.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = wanted.with_file_name(name);
        let file = fs_err::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| Fault::new(Code::Usage, format!("`{shown}` cannot be written: {error}")))?;
        Ok(Self { path, file })
    }

    fn finish(&self, wanted: &Path) -> Result<(), Fault> {
        // A link fails where a file has come there meanwhile; renaming would take its place.
        fs_err::hard_link(&self.path, wanted)
            .map_err(|error| Fault::new(Code::Usage, format!("`{}` cannot be written: {error}", wanted.display())))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // What cannot be removed is named as what it is: a part.
        drop(fs_err::remove_file(&self.path));
    }
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
