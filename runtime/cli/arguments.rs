//! The command line: what may stand on it, and what it says. Script parameters become flags beside the fixed ones.
//!
//! Does not know what a command does.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};
use runbook_core::fault::{Code, Fault};
use runbook_core::param::{nearest, parse_duration};
use runbook_sim::overlay::Validation;
use runbook_stdlib::cluster::Limits;

use crate::operator::Beforehand;
use crate::screen::change::Extent;
use crate::trace::LogFormat;

/// How the run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// For a person on a terminal.
    Human,
    /// For a log.
    Plain,
    /// For programs.
    Json,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Run a script: its name or path, and all other words of the command line in order.
    Run { script: String, words: Vec<OsString> },
    /// List the bundled runbooks.
    List,
    /// Print a bundled runbook.
    Show { name: String },
    /// Copy a bundled runbook to a file.
    Fork { name: String, file: Option<PathBuf> },
    /// Say what a chart changes of a release or of another chart.
    ChartDiff { before: String, after: String },
    /// Save what a rehearsal needs from a live cluster: where to, and of which namespaces.
    Snapshot { out: Option<PathBuf>, only: Vec<String> },
    /// Serve a simulated cluster: of which scenario, with charts from where.
    Sim { scenario: Option<String>, charts: Option<String> },
    /// List the runs.
    Runs { all: bool },
    /// Print the report of a run; of the newest where none is named.
    Report { run: Option<String> },
    /// Explain.
    Help { topic: Option<String> },
    /// A text that clap made: help or the version.
    Text(String),
}

/// What the options say.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) context: Option<String>,
    pub(crate) kubeconfig: Option<PathBuf>,
    pub(crate) namespace: Option<String>,
    pub(crate) output: Option<Output>,
    pub(crate) verbosity: u8,
    pub(crate) log_format: LogFormat,
    pub(crate) beforehand: Beforehand,
    pub(crate) params: Option<PathBuf>,
    pub(crate) journal: Option<PathBuf>,
    pub(crate) helm: Option<PathBuf>,
    pub(crate) limits: Limits,
    /// `--rehearse`: the scenario, empty for the runbook's own.
    pub(crate) rehearse: Option<String>,
    /// `--dry-run`.
    pub(crate) dry_run: bool,
    /// `--no-server-validation`: whether the live API server is asked what it would say to writes of a dry run.
    pub(crate) validation: Validation,
    /// `--report`.
    pub(crate) report: Option<PathBuf>,
    /// `--trace`.
    pub(crate) trace: bool,
    /// `--diff`.
    pub(crate) extent: Extent,
    /// `--exit-code`.
    pub(crate) exit_code: bool,
    /// `--rbac`.
    pub(crate) rbac: bool,
    /// `--keep`.
    pub(crate) keep: bool,
    /// `--audit-log`.
    pub(crate) audit_log: Option<PathBuf>,
    /// `--plan-out`.
    pub(crate) plan_out: Option<PathBuf>,
    /// `--plan-expiry`.
    pub(crate) plan_expiry: Option<Duration>,
    /// `--plan`.
    pub(crate) plan: Option<PathBuf>,
}

/// The options that every run has, in the order of the help page.
pub(crate) fn options() -> Vec<Arg> {
    let value = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let many = |arg: Arg| arg.action(ArgAction::Append);
    vec![
        value("context", "NAME", "Context of the kubeconfig"),
        value("kubeconfig", "FILE", "Kubeconfig; else KUBECONFIG, else ~/.kube/config"),
        value("namespace", "NAME", "Namespace where a call names none").short('n'),
        value("params", "FILE", "Parameters from a YAML or JSON file"),
        Arg::new("yes").long("yes").action(ArgAction::SetTrue).help("Answer the question at the start with yes"),
        many(value("approve", "STEP-ID", "Give an approval beforehand; `all` gives every one")),
        many(value("override", "CHECK", "Let a failed check through; needs --reason")),
        many(value("reason", "TEXT", "Why; one for each --override, in order")),
        Arg::new("dry-run")
            .long("dry-run")
            .action(ArgAction::SetTrue)
            .conflicts_with("rehearse")
            .help("See on the live cluster what each step would do, without writing to it"),
        Arg::new("no-server-validation")
            .long("no-server-validation")
            .action(ArgAction::SetTrue)
            .help("Do not ask the API server what it would say to the writes of a dry run"),
        value("plan-out", "FILE", "Save a dry run as a plan that a run can be held to").requires("dry-run"),
        value("plan-expiry", "DURATION", "How long the plan holds; else 24h").requires("plan-out"),
        value("plan", "FILE", "Run only as long as each call is as planned").conflicts_with("rehearse"),
        value("rehearse", "SCENARIO", "Rehearse on a simulated cluster: a scenario file or the runbook's own")
            .num_args(0..=1)
            .default_missing_value(""),
        Arg::new("keep")
            .long("keep")
            .action(ArgAction::SetTrue)
            .help("Serve the simulated cluster after the rehearsal"),
        value("audit-log", "FILE", "Write each request of a rehearsal to a file"),
        Arg::new("trace")
            .long("trace")
            .action(ArgAction::SetTrue)
            .help("After a rehearsal: every call, the line a person would have typed, and what it changes"),
        Arg::new("diff").long("diff").action(ArgAction::SetTrue).help("The same with every field of every object"),
        Arg::new("exit-code")
            .long("exit-code")
            .action(ArgAction::SetTrue)
            .help("End it with 2 where something would change"),
        Arg::new("rbac")
            .long("rbac")
            .action(ArgAction::SetTrue)
            .help("Print roles that allow what was asked of the cluster, and nothing else"),
        value("report", "FILE", "Write the run's report to a file too"),
        value("output", "FORM", "human, plain or json; human on a terminal, else plain"),
        value("journal", "DIR", "Where runs are kept; else below $XDG_STATE_HOME or ~/.local/state"),
        value("helm", "PATH", "The helm to drive; else the first on the PATH"),
        value("limits", "WORD", "polite or off; else polite, at most 50 writes/s"),
        many(value("library", "DIR", "Folder to import modules from, beside the script's own")),
        Arg::new("verbose").short('v').long("verbose").action(ArgAction::Count).help("Log every call; -vv in detail"),
        value("log-format", "FORM", "text or json, on standard error"),
    ]
}

/// The whole command line but a script's own words.
pub(crate) fn command() -> Command {
    let name = |name: &'static str, help: &'static str| Arg::new(name).value_name(name.to_uppercase()).help(help);
    let kept = |command: Command| command.args(options().into_iter().filter(|arg| arg.get_id() == "journal"));
    let shaped = |command: Command| command.args(options().into_iter().filter(|arg| arg.get_id() == "output"));
    Command::new("runbook")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs runbooks for Kubernetes: scripts that say what they do, ask before they do it, and keep a record.")
        .override_usage("runbook [OPTIONS] <SCRIPT> [--PARAMETER VALUE]...\n       runbook <COMMAND>")
        .after_help(
            "SCRIPT is a path or the name of a bundled runbook; `runbook SCRIPT --help` shows its parameters and steps.",
        )
        .disable_help_subcommand(true)
        .allow_external_subcommands(true)
        .subcommand_required(false)
        .args(options())
        .subcommands([
            shaped(Command::new("list").about("List the bundled runbooks")),
            Command::new("show").about("Print a bundled runbook").arg(name("name", "Its name").required(true)),
            Command::new("fork")
                .about("Copy a bundled runbook to a file of your own")
                .arg(name("name", "Its name").required(true))
                .arg(name("file", "Where to; its own name in this folder where absent")),
            shaped(kept(Command::new("runs").about("List the runs, newest first")))
                .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("Not only the newest 20")),
            kept(Command::new("report").about("Print the report of a run in Markdown, from its journal alone"))
                .arg(name("run", "Its id, or the beginning of it; the newest where absent")),
            Command::new("chart").about("Look at charts").subcommand_required(true).subcommand(
                shaped(Command::new("diff"))
                    .about("Say what a chart changes of a release or of another chart")
                    .arg(name("before", "NAMESPACE/RELEASE, or a chart: a path, or embedded/NAME@VERSION").required(true))
                    .arg(name("after", "The chart to compare it with").required(true)),
            ),
            snapshot(),
            sim(),
            Command::new("help")
                .about("Explain: `exit-codes` or `faults`")
                .arg(name("topic", "`exit-codes`, `faults`, or a command")),
        ])
}

/// The command that serves a simulated cluster.
fn sim() -> Command {
    Command::new("sim")
        .about("Serve a simulated cluster for your own kubectl and helm, until Ctrl-C")
        .arg(
            Arg::new("scenario")
                .value_name("SCENARIO")
                .help("What it begins with: a file, or the name of one in the box; an empty cluster where absent"),
        )
        .arg(
            Arg::new("charts")
                .long("charts")
                .value_name("PLACE")
                .help("Where the charts of its releases are; else as the scenario says, else the stand-ins"),
        )
        .args(options().into_iter().filter(|arg| ["helm", "audit-log"].contains(&arg.get_id().as_str())))
}

/// The command that saves a cluster.
fn snapshot() -> Command {
    Command::new("snapshot")
        .about("Save what a rehearsal needs from a live cluster, without the values of Secrets")
        .arg(Arg::new("out").long("out").value_name("FILE").help("Where to; else snapshot.yaml. Never over a file"))
        .arg(
            Arg::new("only")
                .long("only")
                .value_name("NAMESPACE")
                .action(ArgAction::Append)
                .help("Of these namespaces alone, and of what lies in none"),
        )
        .args(options().into_iter().filter(|arg| ["context", "kubeconfig", "limits"].contains(&arg.get_id().as_str())))
}

/// Reads the command line as far as it can be read without the script.
///
/// Faults: `RB002`.
pub(crate) fn read(words: &[OsString], columns: usize) -> Result<(Asked, Options), Fault> {
    let mut command = command().term_width(columns);
    let matches = match command.try_get_matches_from_mut(words) {
        Ok(matches) => matches,
        Err(error) => return text_or_fault(&error).map(|text| (Asked::Text(text), Options::default())),
    };
    let Some((name, inner)) = matches.subcommand() else {
        return Ok((Asked::Text(command.render_help().to_string()), Options::default()));
    };
    let text = |id: &str| inner.try_get_one::<String>(id).ok().flatten().cloned();
    let flag = |id: &str| inner.try_get_one::<bool>(id).ok().flatten().copied().unwrap_or_default();
    let needed = |id: &str| text(id).expect("clap has checked that it is there");
    let asked = match name {
        "list" => Asked::List,
        "show" => Asked::Show { name: needed("name") },
        "fork" => Asked::Fork { name: needed("name"), file: text("file").map(Into::into) },
        "runs" => Asked::Runs { all: flag("all") },
        "report" => Asked::Report { run: text("run") },
        "chart" => {
            let (_, diff) = inner.subcommand().expect("clap has checked that it is there");
            let needed = |id: &str| diff.get_one::<String>(id).cloned().expect("clap has checked that it is there");
            Asked::ChartDiff { before: needed("before"), after: needed("after") }
        }
        "snapshot" => Asked::Snapshot {
            out: text("out").map(Into::into),
            only: inner.get_many::<String>("only").into_iter().flatten().cloned().collect(),
        },
        "sim" => Asked::Sim { scenario: text("scenario"), charts: text("charts") },
        "help" => Asked::Help { topic: text("topic") },
        script => {
            // What stood before the script is read again together with what stands behind it.
            let behind: Vec<OsString> = inner.get_many::<OsString>("").into_iter().flatten().cloned().collect();
            let before = &words[1..words.len() - behind.len() - 1];
            Asked::Run { script: script.to_owned(), words: [before, &behind[..]].concat() }
        }
    };
    let options = match &asked {
        Asked::Run { .. } => Options::default(),
        Asked::ChartDiff { .. } => {
            read_options(&[inner.subcommand().map_or(inner, |(_, diff)| diff), inner, &matches])?
        }
        _ => read_options(&[inner, &matches])?,
    };
    Ok((asked, options))
}

/// The values of an option, found before it is known which other options there are.
pub(crate) fn early(words: &[OsString], option: &str) -> Vec<OsString> {
    let mut values = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.to_str().map(|word| word.strip_prefix(option)) {
            Some(Some("")) => values.extend(words.next().cloned()),
            Some(Some(rest)) => values.extend(rest.strip_prefix('=').map(OsString::from)),
            _ => {}
        }
    }
    values
}

/// What the options say; where several matches have one, the first counts.
pub(crate) fn read_options(matches: &[&ArgMatches]) -> Result<Options, Fault> {
    let text = |id: &str| matches.iter().find_map(|m| m.try_get_one::<String>(id).ok().flatten().cloned());
    let all = |id: &str| -> Vec<String> {
        matches
            .iter()
            .flat_map(|m| m.try_get_many::<String>(id).ok().flatten().into_iter().flatten())
            .cloned()
            .collect()
    };
    let flag = |id: &str| matches.iter().any(|m| m.try_get_one::<bool>(id).ok().flatten().copied().unwrap_or_default());
    Ok(Options {
        context: text("context"),
        kubeconfig: text("kubeconfig").map(Into::into),
        namespace: text("namespace"),
        output: text("output").map(|word| output(&word)).transpose()?,
        verbosity: matches
            .iter()
            .find_map(|m| m.try_get_one::<u8>("verbose").ok().flatten().copied())
            .unwrap_or_default(),
        log_format: text("log-format").map(|word| log_format(&word)).transpose()?.unwrap_or_default(),
        beforehand: Beforehand {
            yes: flag("yes"),
            approved: all("approve"),
            overrides: overrides(all("override"), all("reason"))?,
        },
        params: text("params").map(Into::into),
        journal: text("journal").map(Into::into),
        helm: text("helm").map(Into::into),
        rehearse: text("rehearse"),
        dry_run: flag("dry-run"),
        validation: if flag("no-server-validation") { Validation::Skip } else { Validation::Ask },
        report: text("report").map(Into::into),
        audit_log: text("audit-log").map(Into::into),
        plan_out: text("plan-out").map(Into::into),
        plan_expiry: text("plan-expiry").map(|word| duration("plan-expiry", &word)).transpose()?,
        plan: text("plan").map(Into::into),
        trace: ["trace", "diff", "rbac", "exit-code"].iter().any(|id| flag(id)),
        exit_code: flag("exit-code"),
        rbac: flag("rbac"),
        extent: if flag("diff") { Extent::Whole } else { Extent::Brief },
        keep: flag("keep"),
        limits: text("limits").map(|word| limits(&word)).transpose()?.unwrap_or_default(),
    })
}

fn output(word: &str) -> Result<Output, Fault> {
    match word {
        "human" => Ok(Output::Human),
        "plain" => Ok(Output::Plain),
        "json" => Ok(Output::Json),
        other => Err(unknown_word("output", other, &["human", "plain", "json"])),
    }
}

fn log_format(word: &str) -> Result<LogFormat, Fault> {
    match word {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(unknown_word("log-format", other, &["text", "json"])),
    }
}

fn limits(word: &str) -> Result<Limits, Fault> {
    match word {
        "polite" => Ok(Limits::default()),
        "off" => Ok(Limits::off()),
        other => Err(unknown_word("limits", other, &["polite", "off"])),
    }
}

fn duration(option: &str, word: &str) -> Result<Duration, Fault> {
    parse_duration(word).map_err(|reason| {
        Fault::new(Code::Usage, format!("`--{option}` is a duration, and `{word}` is none")).hint(reason)
    })
}

fn unknown_word(option: &str, word: &str, known: &[&str]) -> Fault {
    Fault::new(Code::Usage, format!("`--{option}` does not know `{word}`"))
        .hint(format!("it knows {}", known.join(", ")))
}

fn overrides(checks: Vec<String>, reasons: Vec<String>) -> Result<Vec<(String, String)>, Fault> {
    if checks.len() == reasons.len() {
        if let Some((check, _)) = checks.iter().zip(&reasons).find(|(_, reason)| reason.trim().is_empty()) {
            return Err(Fault::new(Code::Usage, format!("the `--reason` for `--override {check}` says nothing"))
                .hint("write why: it goes into the run's record"));
        }
        return Ok(checks.into_iter().zip(reasons).collect());
    }
    Err(Fault::new(Code::Usage, format!("{} `--override` and {} `--reason` were given", checks.len(), reasons.len()))
        .hint("each check that is let through needs its own reason: `--override CHECK --reason TEXT`"))
}

/// What clap has to say: a text that was asked for, or a fault in our words.
pub(crate) fn text_or_fault(error: &clap::Error) -> Result<String, Fault> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Ok(error.render().to_string())
        }
        _ => Err(fault(error, &[])),
    }
}

/// A fault for what clap refuses. `parameters` are the script's own flags, where a script is run.
pub(crate) fn fault(error: &clap::Error, parameters: &[&str]) -> Fault {
    let said = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let argument = said(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(&argument, parameters),
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            let name = argument.split([' ', '=']).next().unwrap_or_default();
            Fault::new(Code::Usage, format!("`{name}` needs a value")).hint(format!("write {argument}"))
        }
        ErrorKind::ArgumentConflict => {
            let named = |argument: &str| argument.split([' ', '=']).next().unwrap_or_default().to_owned();
            let (name, other) = (named(&argument), named(&said(ContextKind::PriorArg).unwrap_or_default()));
            if !other.is_empty() && other != name {
                return Fault::new(Code::Usage, format!("`{name}` and `{other}` do not go together"));
            }
            Fault::new(Code::Usage, format!("`{name}` is given more than once"))
        }
        ErrorKind::MissingRequiredArgument => Fault::new(Code::Usage, format!("{argument} is missing")),
        _ => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Fault::new(Code::Usage, first)
        }
    }
}

fn unknown(argument: &str, parameters: &[&str]) -> Fault {
    let word = argument.split('=').next().unwrap_or_default();
    if !word.starts_with('-') {
        let fault = Fault::new(Code::Usage, format!("`{word}` is one word too many"));
        return fault.hint(match word {
            "true" | "false" | "yes" | "no" => format!("a bool takes its value behind an equals sign: `--name={word}`"),
            _ => "parameters are given by name: `--name value`".to_owned(),
        });
    }
    let own = if parameters.is_empty() { String::new() } else { format!("; the runbook has {}", flags(parameters)) };
    let fixed: Vec<String> = options().iter().filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
    let names = parameters.iter().copied().chain(fixed.iter().map(String::as_str));
    let code = if parameters.is_empty() { Code::Usage } else { Code::Parameter };
    let fault = Fault::new(code, format!("there is no parameter or option `{word}`"));
    match nearest(word.trim_start_matches('-'), names) {
        Some(near) => fault.hint(format!("did you mean `--{near}`?")),
        None => fault.hint(format!("`runbook --help` lists the options{own}")),
    }
}

fn flags(names: &[&str]) -> String {
    names.iter().map(|name| format!("--{name}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &str) -> Result<(Asked, Options), Fault> {
        let words: Vec<OsString> = words.split(' ').map(Into::into).collect();
        read(&words, 100)
    }

    #[test]
    fn options_may_stand_before_and_behind_the_script() {
        let (Asked::Run { script, words }, _) = asked("runbook --context eu -v move.rhai --target 1.30 --yes").unwrap()
        else {
            panic!("a run was asked for");
        };
        assert_eq!((script.as_str(), words.len()), ("move.rhai", 6));
        assert_eq!(words[0], "--context");
        assert_eq!(words[5], "--yes");
    }

    #[test]
    fn an_override_without_a_reason_is_refused() {
        let words: Vec<OsString> = ["x", "--override", "skew"].iter().map(Into::into).collect();
        let matches = Command::new("x").args(options()).try_get_matches_from(words).unwrap();
        assert!(read_options(&[&matches]).unwrap_err().hint.unwrap().contains("--reason TEXT"));
        let said = |reason: &str| overrides(vec!["skew".to_owned()], vec![reason.to_owned()]);
        assert!(said(" ").unwrap_err().message.contains("says nothing"));
        assert_eq!(said("tested").unwrap(), [("skew".to_owned(), "tested".to_owned())]);
    }

    #[test]
    fn a_dry_run_is_no_rehearsal() {
        let tried = Command::new("x").args(options()).try_get_matches_from(["x", "--dry-run", "--rehearse", "shop"]);
        let fault = fault(&tried.unwrap_err(), &[]);
        assert!(fault.message.ends_with("do not go together"), "{}", fault.message);
        assert!(fault.message.contains("`--dry-run`") && fault.message.contains("`--rehearse`"), "{}", fault.message);
    }

    #[test]
    fn a_misspelt_option_of_a_command_finds_its_neighbour() {
        let fault = asked("runbook runs --jurnal x").unwrap_err();
        assert_eq!(fault.hint.as_deref(), Some("did you mean `--journal`?"));
        let fault = asked("runbook runs twice").unwrap_err();
        assert!(fault.message.contains("one word too many"), "{}", fault.message);
    }
}
