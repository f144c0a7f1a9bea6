//! The helm of a run: the real one, found, asked for its version once, and run; or the one that is built in, which also
//! answers what only reads or renders, and leaves to the real one what it does not do.
//!
//! All that is specific to a version ends here: callers say what they want, and do not learn which helm answers. Does not
//! know releases or charts.

pub(super) mod failure;
mod feature;
mod line;
mod private;
#[cfg(test)]
mod tests;
mod words;

use std::path::Path;

use runbook_core::world::{Program as Which, Reads};
use runbook_core::{Code, Fault, World};
use semver::Version;

pub(super) use feature::Feature;
pub(super) use line::{Line, in_seconds};
pub(super) use private::Private;

use super::builtin::{self, Beside, Reach, Trouble};
use super::embedded;
use super::option::Target;
use crate::cluster::IN_CLUSTER;
use crate::process::{self, Ended, Finished, Limits, Program};

/// Manifests and charts above this are refused.
const OUTPUT: usize = 128 * 1024 * 1024;

/// What has to be had.
const NEED: &str = "helm 3.14 or newer, or helm 4, is needed";

/// The helm of a run.
#[derive(Clone, Copy)]
pub(super) struct Tool<'a> {
    world: &'a World,
    program: &'a Which,
    /// Its version.
    pub(super) version: &'a Version,
}

impl<'a> Tool<'a> {
    /// Finds it, and asks for its version where nobody has yet.
    ///
    /// Faults: `RB040` where there is none, or one too old or too new, naming what was found and what is needed.
    pub(super) async fn find(world: &'a World) -> Result<Self, Fault> {
        let Some(program) = world.helm.program.as_ref() else {
            return Err(Fault::new(Code::HelmMissing, format!("no helm was found; {NEED}"))
                .hint("put `helm` on the PATH, or name it with `--helm PATH`"));
        };
        if let Some(version) = world.helm.version.get() {
            return Ok(Self { world, program, version });
        }
        let answered = match program {
            Which::File(file) => ask_version(world, file).await?,
            Which::Builtin => match &world.helm.stands_for {
                // One that cannot be used is a matter of the run that wants it.
                Some(file) => ask_version(world, file).await.unwrap_or(builtin::VERSION),
                None => builtin::VERSION,
            },
        };
        let version = world.helm.version.get_or_init(|| answered);
        Ok(Self { world, program, version })
    }

    /// The same for what reaches no cluster: where there is no helm, the one that is built in does it.
    pub(super) async fn for_charts(world: &'a World) -> Result<Self, Fault> {
        if world.helm.program.is_some() {
            return Self::find(world).await;
        }
        Ok(Self { world, program: &Which::Builtin, version: world.helm.version.get_or_init(|| builtin::VERSION) })
    }

    /// Whether it can do something.
    pub(super) fn has(&self, feature: Feature) -> bool {
        feature.is_in(self.version)
    }

    /// Faults with `RB047` where something is asked for that it cannot do.
    pub(super) fn require(&self, feature: Feature, asked: bool) -> Result<(), Fault> {
        if asked && !self.has(feature) { Err(feature.missing(self.version)) } else { Ok(()) }
    }

    /// Runs a line that reaches a cluster, and gives what it printed.
    ///
    /// Faults: what helm says went wrong, in its place in the registry, with helm's own words as evidence.
    pub(super) async fn run_at(&self, target: &Target, line: Line) -> Result<String, Fault> {
        let cluster = target.cluster(self.world)?;
        let namespace = target.namespace.clone().unwrap_or_else(|| cluster.namespace.clone());
        let reach = Reach { cluster: cluster.clone(), namespace: namespace.clone() };
        if let Some(answer) = self.answered(Some(reach), &line).await {
            return answer;
        }
        self.spawn(self.reach(target, &cluster.context, line).flag("--namespace", Some(namespace))).await
    }

    /// The same over all namespaces.
    pub(super) async fn run_everywhere(&self, context: Option<String>, line: Line) -> Result<String, Fault> {
        let target = Target { namespace: None, context };
        let cluster = target.cluster(self.world)?;
        let reach = Reach { cluster: cluster.clone(), namespace: String::new() };
        if let Some(answer) = self.answered(Some(reach), &line).await {
            return answer;
        }
        self.spawn(self.reach(&target, &cluster.context, line).switch("--all-namespaces", true)).await
    }

    /// Names the cluster, so that helm cannot mean another one: someone may change the current context during a run.
    fn reach(&self, target: &Target, connected: &str, line: Line) -> Line {
        let helm = &self.world.helm;
        let context = target.context.clone().or_else(|| helm.context.clone()).unwrap_or_else(|| connected.to_owned());
        line.flag("--kubeconfig", helm.kubeconfig.as_ref().map(|path| path.display()))
            .flag("--kube-context", Some(context).filter(|name| !name.is_empty() && name != IN_CLUSTER))
    }

    /// What the built-in helm answers; `None` where the real one is to be asked: for what writes, and for what only it does.
    async fn answered(&self, reach: Option<Reach>, line: &Line) -> Option<Result<String, Fault>> {
        let alone = *self.program == Which::Builtin;
        let its_own = self.world.helm.reads == Reads::Program || !line.only_reads() || builtin::fetches(&line.words);
        if !alone && its_own {
            return None;
        }
        let beside = Beside { values: line.values.clone(), input: line.input.clone() };
        let answer = Box::pin(builtin::answer(self.world, reach, &line.words, beside)).await;
        match answer {
            Err(Trouble::Beyond(why)) if !alone => {
                tracing::debug!(arguments = ?line.words, why = %why.message, "left to the real helm");
                None
            }
            answer => Some(answer.map_err(|trouble| self.masked(trouble.into_fault(), line.about.clone()))),
        }
    }

    /// Runs a line that reaches no cluster, and gives what it printed.
    pub(super) async fn run(&self, line: Line) -> Result<String, Fault> {
        match self.answered(None, &line).await {
            Some(answer) => answer,
            None => self.spawn(line).await,
        }
    }

    async fn spawn(&self, line: Line) -> Result<String, Fault> {
        let private = Private::make()?;
        self.run_in(&private, line).await
    }

    /// Runs a line that reaches no cluster in a folder that the caller reads afterwards.
    pub(super) async fn run_in(&self, private: &Private, mut line: Line) -> Result<String, Fault> {
        let Which::File(program) = self.program else {
            let answer = self.answered(None, &line).await;
            return answer.unwrap_or_else(|| Err(Fault::new(Code::HelmMissing, format!("no helm was found; {NEED}"))));
        };
        if let Some(values) = line.values.take() {
            let path = private.write_values(&values)?;
            line = line.flag("--values", Some(path.display()));
        }
        lay_out_embedded(private, &mut line)?;
        let about = line.about.clone();
        let finished = execute(self.world, program, private, line).await?;
        match finished.ended {
            Ended::Exited(0) if !finished.cut => Ok(finished.output),
            Ended::Exited(0) => {
                Err(Fault::new(Code::TooLarge, format!("helm printed more than {} MiB", OUTPUT / 1024 / 1024)))
            }
            ended => Err(self.fault(ended, &finished, about)),
        }
    }

    fn fault(&self, ended: Ended, finished: &Finished, about: Option<String>) -> Fault {
        self.masked(failure::fault(ended, &finished.errors), about)
    }

    fn masked(&self, mut fault: Fault, about: Option<String>) -> Fault {
        fault.object = fault.object.or(about);
        let mask = |text: &mut String| *text = self.world.secrets.mask(text);
        mask(&mut fault.message);
        fault.evidence.iter_mut().for_each(mask);
        for value in fault.detail.values_mut() {
            self.world.secrets.mask_value(value);
        }
        fault
    }
}

/// A real helm is given the charts of this program as files.
fn lay_out_embedded(private: &Private, line: &mut Line) -> Result<(), Fault> {
    let Some(at) = line.words.iter().position(|word| embedded::name_in(word).is_some()) else { return Ok(()) };
    let version = line.words.iter().position(|word| word.starts_with("--version="));
    let version = version.map(|place| line.words.remove(place).trim_start_matches("--version=").to_owned());
    let at = at.min(line.words.len() - 1);
    let Some(name) = embedded::name_in(&line.words[at]) else { return Ok(()) };
    let file = private.path().join(format!("{name}.tgz"));
    fs_err::write(&file, embedded::packed(name, version.as_deref())?)
        .map_err(|error| Fault::new(Code::FileAccess, error.to_string()))?;
    line.words[at] = file.display().to_string();
    Ok(())
}

async fn execute(world: &World, program: &Path, private: &Private, line: Line) -> Result<Finished, Fault> {
    tracing::debug!(program = %program.display(), arguments = ?line.words, "helm");
    let environment = environment(world, private.path());
    let limits = Limits { time: line.time, output: OUTPUT, interruption: line.interruption };
    let program = Program {
        path: program,
        args: &line.words,
        environment: &environment,
        folder: private.path(),
        input: line.input,
    };
    let name = program.path.display().to_string();
    process::run(world, program, limits).await.map_err(|error| {
        Fault::new(Code::HelmMissing, format!("`{name}` cannot be started: {error}; {NEED}"))
            .hint("put `helm` on the PATH, or name it with `--helm PATH`")
    })
}

/// All that helm sees: the person's own settings, without those that would lead it to another cluster than ours.
fn environment(world: &World, private: &Path) -> Vec<(String, String)> {
    let misleading =
        |name: &str| name.starts_with("HELM_KUBE") || ["HELM_NAMESPACE", "HELM_DEBUG", "HELM_COLOR"].contains(&name);
    let mut environment: Vec<_> =
        world.helm.environment.iter().filter(|(name, _)| !misleading(name)).cloned().collect();
    let home = ["HOME", "HELM_CACHE_HOME", "XDG_CACHE_HOME"];
    if !environment.iter().any(|(name, _)| home.contains(&name.as_str())) {
        environment.push(("HOME".to_owned(), private.display().to_string()));
    }
    environment
}

async fn ask_version(world: &World, program: &Path) -> Result<Version, Fault> {
    let private = Private::make()?;
    let line = Line::reading("version --template {{.Version}}");
    let finished = execute(world, program, &private, line).await?;
    let shown = program.display();
    let hint = "name another helm with `--helm PATH`";
    let Some(version) = feature::parse_version(&finished.output) else {
        if finished.ended == Ended::Interrupted {
            return Err(runbook_core::world::Interrupt::fault());
        }
        return Err(Fault::new(Code::HelmMissing, format!("`{shown}` does not say which helm it is; {NEED}"))
            .seen(format!("{}{}", finished.output, finished.errors).chars().take(500).collect::<String>())
            .hint(hint));
    };
    if feature::is_usable(&version) {
        return Ok(version);
    }
    Err(Fault::new(Code::HelmMissing, format!("`{shown}` is helm {version}; {NEED}"))
        .hint(hint)
        .with("found", version.to_string()))
}
