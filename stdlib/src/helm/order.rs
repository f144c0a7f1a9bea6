//! What an install, an upgrade or a plan of one is asked to apply, and the lines of helm that say so.
//!
//! Does not run them, and does not know what is deployed.

use std::time::Duration;

use runbook_core::arg::Arg;
use runbook_core::param::FromArg;
use runbook_core::{Args, Call, Code, Fault, Param, Value};
use serde_json::Map;

use super::option::{
    CHART, NAMESPACE, RELEASE, SKIP_SCHEMA, TIMEOUT, Target, VALUES_FILES, VERSION, WAIT, patience, release_name,
};
use super::overlay;
use super::reference::{Located, is_archive};
use super::tool::{Feature, Line, Tool, in_seconds};
use runbook_core::command::Command;

pub(super) const CREATE_NAMESPACE: Param<Option<bool>> =
    Param::option("create_namespace", "Make the release's namespace where it does not exist; false if absent.");
pub(super) const SKIP_CRDS: Param<Option<bool>> =
    Param::option("skip_crds", "Do not install what is in the chart's `crds` folder; templates are not affected.");
pub(super) const TAKE_OWNERSHIP: Param<Option<bool>> = Param::option(
    "take_ownership",
    "Take over objects that exist and belong to nobody or to another release; helm 3.17 or newer.",
);
pub(super) const SERVER_SIDE: Param<Option<ServerSide>> = Param::option(
    "server_side",
    "Whether the server applies the objects: true, false, or \"auto\", as the release was applied before; true needs helm 4.",
);
pub(super) const DESCRIPTION: Param<Option<String>> =
    Param::option("description", "What the revision is for; shown in the release's history.");
pub(super) const INSTALL: Param<Option<bool>> =
    Param::option("install", "Install the release where it does not exist; false if absent.");
pub(super) const RESET_VALUES: Param<Option<bool>> =
    Param::option("reset_values", "Forget the release's user values; that is so anyway where any are given.");
pub(super) const REUSE_VALUES: Param<Option<bool>> = Param::option(
    "reuse_values",
    "Keep all values of the old chart, its defaults included: with a new chart this can render nothing at all.",
);
pub(super) const RESET_THEN_REUSE_VALUES: Param<Option<bool>> = Param::option(
    "reset_then_reuse_values",
    "Begin with the new chart's defaults, then the release's user values, then those given.",
);
pub(super) const FORCE_CONFLICTS: Param<Option<bool>> =
    Param::option("force_conflicts", "Take fields from other managers; helm 4.");
pub(super) const HISTORY_MAX: Param<Option<i64>> =
    Param::option("history_max", "How many revisions to keep; 0 for all, 10 if absent.");

/// How objects are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerSide {
    /// As the release was applied before.
    Auto,
    /// By the server.
    On,
    /// By helm.
    Off,
}

impl ServerSide {
    /// The flag that says so. Helm 3 knows none; `false` and `auto` are what it does anyway.
    pub(super) fn flag(self, tool: &Tool<'_>) -> Option<&'static str> {
        match self {
            Self::On => Some("--server-side=true"),
            Self::Off if tool.has(Feature::ServerSide) => Some("--server-side=false"),
            Self::Off | Self::Auto => None,
        }
    }
}

impl FromArg for ServerSide {
    const TYPE: &'static str = "true, false or \"auto\"";

    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        match arg {
            Some(Arg::Value(Value::Bool(true))) => Ok(Self::On),
            Some(Arg::Value(Value::Bool(false))) => Ok(Self::Off),
            Some(Arg::Value(Value::String(text))) if text == "auto" => Ok(Self::Auto),
            _ => Err(format!("expected {}", Self::TYPE)),
        }
    }
}

/// Which user values a release keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    /// Those given and no others; or, where none are given, those of before.
    Given,
    /// `--reset-values`
    Reset,
    /// `--reuse-values`
    Reuse,
    /// `--reset-then-reuse-values`
    ResetThenReuse,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Name of the release.
    pub(super) release: String,
    /// Where it lives.
    pub(super) target: Target,
    /// What helm is told of the chart.
    pub(super) chart: Located,
    /// How long helm may wait for any one operation.
    pub(super) patience: Duration,
    values: Option<Map<String, Value>>,
    keeping: Keeping,
    side: Option<&'static str>,
    flags: Vec<&'static str>,
    create_namespace: bool,
    wait: bool,
    description: Option<String>,
    history_max: Option<i64>,
}

impl Order {
    /// What the arguments of a call say.
    ///
    /// Faults: `RB047` for what this helm cannot do, `RB015` for what contradicts itself, and those of the chart and values.
    pub(super) fn of(call: &Call<'_>, tool: &Tool<'_>, args: &Args) -> Result<Self, Fault> {
        let on = |param: &Param<Option<bool>>| args.get(param) == Some(true);
        let server_side = args.get(&SERVER_SIDE).unwrap_or(ServerSide::Auto);
        tool.require(Feature::ServerSide, server_side == ServerSide::On)?;
        tool.require(Feature::ForceConflicts, on(&FORCE_CONFLICTS))?;
        tool.require(Feature::TakeOwnership, on(&TAKE_OWNERSHIP))?;
        tool.require(Feature::SkipSchemaValidation, on(&SKIP_SCHEMA))?;
        let flags = [
            ("--skip-crds", on(&SKIP_CRDS)),
            ("--take-ownership", on(&TAKE_OWNERSHIP)),
            ("--skip-schema-validation", on(&SKIP_SCHEMA)),
            ("--force-conflicts", on(&FORCE_CONFLICTS)),
        ];
        Ok(Self {
            release: release_name(args)?,
            target: Target::of(args),
            chart: args.get(&CHART).locate(call.world, args.get(&VERSION))?,
            patience: patience(call, args),
            values: overlay::given(call.world, args)?,
            keeping: keeping(args)?,
            side: server_side.flag(tool),
            flags: flags.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag).collect(),
            create_namespace: on(&CREATE_NAMESPACE),
            wait: on(&WAIT),
            description: args.get(&DESCRIPTION),
            history_max: args.get(&HISTORY_MAX),
        })
    }

    /// The line that installs.
    pub(super) fn install(&self) -> Line {
        let line = Line::writing("install", beyond(self.patience)).release(&self.release);
        self.told(self.applied_by_install(self.chart.add_to(line)).values(self.values.clone()))
    }

    /// The line that upgrades, or installs where `install` says so.
    pub(super) fn upgrade(&self, install: bool) -> Line {
        let line = Line::writing("upgrade", beyond(self.patience)).release(&self.release).switch("--install", install);
        let line = line.flag("--history-max", self.history_max);
        self.told(self.applied_by_upgrade(self.chart.add_to(line)))
    }

    /// The line that only renders what an upgrade would apply, with the cluster's own capabilities and lookups.
    pub(super) fn rendered_upgrade(&self) -> Line {
        let line = Line::reading("upgrade --dry-run=server --output=json").release(&self.release);
        self.applied_by_upgrade(self.chart.add_to(line))
    }

    /// The line that only renders what an install would apply: with these values, or the order's own.
    pub(super) fn rendered_install(&self, values: Option<Map<String, Value>>) -> Line {
        let line = Line::reading("install --dry-run=server --output=json").release(&self.release);
        self.applied_by_install(self.chart.add_to(line)).values(values.or_else(|| self.values.clone()))
    }

    fn applied_by_install(&self, line: Line) -> Line {
        let line = line.words(self.flags.iter().copied().filter(|flag| *flag != "--force-conflicts"));
        line.words(self.side)
    }

    fn applied_by_upgrade(&self, line: Line) -> Line {
        let line = line.words(self.flags.iter().copied());
        let line = match (self.keeping, &self.values) {
            (Keeping::Reuse, _) => line.word("--reuse-values"),
            (Keeping::ResetThenReuse, _) => line.word("--reset-then-reuse-values"),
            (Keeping::Reset, _) | (Keeping::Given, Some(_)) => line.word("--reset-values"),
            (Keeping::Given, None) => line,
        };
        line.words(self.side).values(self.values.clone())
    }

    fn told(&self, line: Line) -> Line {
        line.switch("--create-namespace", self.create_namespace)
            .switch("--wait", self.wait)
            .flag("--timeout", Some(in_seconds(self.patience)))
            .flag("--description", self.description.as_ref())
            .word("--output=json")
    }
}

/// When a helm that was told to be patient for so long is beyond hope: it waits for hooks, objects and hooks in turn.
pub(super) fn beyond(patience: Duration) -> Duration {
    patience * 3 + Duration::from_mins(2)
}

fn keeping(args: &Args) -> Result<Keeping, Fault> {
    let asked = [
        (&RESET_VALUES, Keeping::Reset),
        (&REUSE_VALUES, Keeping::Reuse),
        (&RESET_THEN_REUSE_VALUES, Keeping::ResetThenReuse),
    ];
    let mut asked = asked.into_iter().filter(|(param, _)| args.get(param) == Some(true));
    match (asked.next(), asked.next()) {
        (None, _) => Ok(Keeping::Given),
        (Some((_, one)), None) => Ok(one),
        (Some((one, _)), Some((other, _))) => Err(Fault::new(
            Code::WrongArgument,
            format!("`{}` and `{}` contradict each other", one.name(), other.name()),
        )),
    }
}

/// The command of an install or upgrade as a person would have typed it, values in a file of their own.
pub(super) fn command(verb: &str, args: &Args) -> Command {
    let reference = args.get(&CHART);
    let files = args.get(&VALUES_FILES).unwrap_or_default();
    let release = args.get(&RELEASE);
    let command = Command::new(verb).word(&release).word(&reference.chart);
    let command = command.flag("--repo", reference.repo.as_ref());
    let command =
        command.flag("--version", args.get(&VERSION).or(reference.version.filter(|_| !is_archive(&reference.chart))));
    let command = command.flag("--namespace", args.get(&NAMESPACE));
    let command = files.iter().fold(command, |command, file| command.word("-f").word(file));
    let command = overlay::typed(args)
        .into_iter()
        .fold(command, |command, values| command.file(format!("{release}.yaml"), values));
    let command =
        switches(args).into_iter().fold(command, |command, (flag, param)| command.switch(flag, args.get(param)));
    let command = match args.get(&SERVER_SIDE) {
        Some(ServerSide::On) => command.word("--server-side=true"),
        Some(ServerSide::Off) => command.word("--server-side=false"),
        Some(ServerSide::Auto) | None => command,
    };
    command
        .flag("--timeout", args.get(&TIMEOUT).map(in_seconds))
        .flag("--history-max", args.get(&HISTORY_MAX).map(|most| most.to_string()))
        .flag("--description", args.get(&DESCRIPTION))
}

fn switches(args: &Args) -> Vec<(&'static str, &'static Param<Option<bool>>)> {
    let mut switches: Vec<(&str, &Param<Option<bool>>)> = vec![
        ("--install", &INSTALL),
        ("--create-namespace", &CREATE_NAMESPACE),
        ("--reset-values", &RESET_VALUES),
        ("--reuse-values", &REUSE_VALUES),
        ("--reset-then-reuse-values", &RESET_THEN_REUSE_VALUES),
        ("--skip-crds", &SKIP_CRDS),
        ("--take-ownership", &TAKE_OWNERSHIP),
        ("--skip-schema-validation", &SKIP_SCHEMA),
        ("--force-conflicts", &FORCE_CONFLICTS),
        ("--wait", &WAIT),
    ];
    switches.retain(|(_, param)| args.has(param));
    switches
}
