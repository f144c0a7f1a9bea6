//! A script's parameters on the command line: which flags they become, and where their values come from.
//!
//! A flag, then `--params FILE`, then `RUNBOOK_<NAME>`, then the scenario of a rehearsal or the plan that is followed, then a
//! person on the terminal, then the fallback.
//! Does not know what a type means; the declaration reads and checks its own values.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches};
use runbook_core::engine::{Parameter, ParameterKind};
use runbook_core::fault::{Code, Fault};
use runbook_core::param::nearest;
use runbook_core::secret::Vault;
use serde_json::{Map, Value};

use crate::arguments::options;
use crate::environment::Environment;
use crate::prompt::Prompt;
use crate::text::Line;
use crate::writer::{Channel, Writer};

/// Options of every run that a parameter of the same name shares: `--namespace shop` sets both.
const SHARED: [&str; 2] = ["namespace", "context"];

/// Names that mean something else already, beside the options.
const TAKEN: [&str; 3] = ["help", "version", "log"];

/// Where values may come from.
pub(crate) struct Origins<'a> {
    /// What stands on the command line.
    pub(crate) flags: &'a ArgMatches,
    /// `--params`.
    pub(crate) file: Option<&'a Path>,
    /// `RUNBOOK_<NAME>`.
    pub(crate) environment: &'a Environment,
    /// What the scenario of a rehearsal gives, or the plan that is followed, under the names of the declarations.
    pub(crate) laid_down: &'a Map<String, Value>,
    /// A person, where there is one.
    pub(crate) prompt: Option<&'a Prompt>,
    /// The door.
    pub(crate) writer: &'a Writer,
}

/// The flag of a parameter, without dashes before it.
pub(crate) fn flag_of(parameter: &Parameter) -> String {
    parameter.name.replace('_', "-")
}

/// What stands for a parameter's value on help pages.
pub(crate) fn value_name(parameter: &Parameter) -> String {
    match parameter.kind {
        ParameterKind::List => "A,B".to_owned(),
        ParameterKind::Map => "A=X,B=Y".to_owned(),
        ParameterKind::String => "TEXT".to_owned(),
        kind => kind.word().to_uppercase(),
    }
}

/// The flags that parameters become.
///
/// Faults: `RB016` where two of them would be one, or an option of the program has the name.
pub(crate) fn flags(declared: &[Parameter]) -> Result<Vec<Arg>, Fault> {
    let fixed: Vec<String> = options().iter().filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
    let mut seen: Vec<String> = Vec::new();
    let mut flags = Vec::new();
    for parameter in declared {
        let flag = flag_of(parameter);
        if SHARED.contains(&flag.as_str()) && parameter.kind == ParameterKind::String {
            continue;
        }
        let reason = if fixed.contains(&flag) || TAKEN.contains(&flag.as_str()) {
            Some(format!("`--{flag}` is an option of every run"))
        } else if seen.contains(&flag) {
            Some(format!("another parameter is `--{flag}` on the command line too"))
        } else if !flag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            || !flag.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            Some("a name begins with a letter and has letters, digits, `-` and `_` only".to_owned())
        } else {
            None
        };
        if let Some(reason) = reason {
            let message = format!("parameter `{}` cannot be a flag: {reason}", parameter.name);
            let mut fault = Fault::new(Code::Parameter, message).hint("give it another name in the script");
            fault.stack.push(parameter.place.clone());
            return Err(fault);
        }
        flags.push(arg(parameter, &flag));
        seen.push(flag);
    }
    Ok(flags)
}

fn arg(parameter: &Parameter, flag: &str) -> Arg {
    let arg = Arg::new(id(parameter)).long(flag.to_owned()).value_name(value_name(parameter));
    match parameter.kind {
        ParameterKind::Bool => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        ParameterKind::List | ParameterKind::Map => arg.action(ArgAction::Append),
        ParameterKind::Int => arg.allow_negative_numbers(true),
        _ => arg,
    }
}

fn id(parameter: &Parameter) -> String {
    let flag = flag_of(parameter);
    let shared = SHARED.contains(&flag.as_str()) && parameter.kind == ParameterKind::String;
    if shared { flag } else { format!("parameter {}", parameter.name) }
}

/// The values that were given; what has a fallback may be absent.
///
/// Faults: `RB016` where a value is of the wrong type, a name in the file is unknown, or required ones are missing: all of
/// them are named. `RB080` where a person presses Ctrl-C instead of answering.
pub(crate) fn collect(
    declared: &[Parameter],
    origins: &Origins<'_>,
    vault: &Vault,
) -> Result<Map<String, Value>, Fault> {
    let file = origins.file.map(|path| read(path, declared)).transpose()?.unwrap_or_default();
    let mut given = Map::new();
    let mut missing = Vec::new();
    for parameter in declared {
        let mut found = value(parameter, origins, &file)?;
        if let (None, true, Some(prompt)) = (&found, parameter.required(), origins.prompt) {
            found = Some(ask(parameter, prompt, origins.writer)?);
        }
        match found {
            Some(value) => {
                if let (ParameterKind::Secret, Some(text)) = (parameter.kind, value.as_str()) {
                    vault.learn(text);
                }
                given.insert(parameter.name.clone(), value);
            }
            None if parameter.required() => missing.push(parameter),
            None => {}
        }
    }
    if missing.is_empty() { Ok(given) } else { Err(nobody_gave(&missing)) }
}

fn value(parameter: &Parameter, origins: &Origins<'_>, file: &Map<String, Value>) -> Result<Option<Value>, Fault> {
    let texts: Vec<&String> = origins.flags.get_many::<String>(&id(parameter)).into_iter().flatten().collect();
    if !texts.is_empty() {
        return texts
            .into_iter()
            .map(|text| parameter.parse(text))
            .reduce(|all, next| Ok(joined(all?, next?)))
            .transpose();
    }
    if let Some(value) = file.get(&parameter.name) {
        return parameter.accept(value).map(Some);
    }
    match origins.environment.get(&variable(parameter)) {
        Some(text) => parameter.parse(text).map(Some).map_err(|fault| {
            let hint = format!("it comes from `{}` in the environment", variable(parameter));
            if fault.hint.is_none() { fault.hint(hint) } else { fault.seen(hint) }
        }),
        None => origins.laid_down.get(&parameter.name).map(|value| parameter.accept(value)).transpose(),
    }
}

fn joined(all: Value, next: Value) -> Value {
    match (all, next) {
        (Value::Array(mut all), Value::Array(next)) => {
            all.extend(next);
            Value::Array(all)
        }
        (Value::Object(mut all), Value::Object(next)) => {
            all.extend(next);
            Value::Object(all)
        }
        (_, next) => next,
    }
}

/// The environment variable of a parameter.
pub(crate) fn variable(parameter: &Parameter) -> String {
    format!("RUNBOOK_{}", parameter.name.to_ascii_uppercase().replace('-', "_"))
}

/// A file of parameters; its keys in the spelling of the declarations.
fn read(path: &Path, declared: &[Parameter]) -> Result<Map<String, Value>, Fault> {
    let wrong = |reason: String| Fault::new(Code::Parameter, format!("`--params {}`: {reason}", path.display()));
    let text = fs_err::read_to_string(path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let value: Value =
        serde_yaml::from_str(&text).map_err(|error| wrong(format!("it is neither YAML nor JSON: {error}")))?;
    let Value::Object(map) = value else { return Err(wrong("it must be a map of names and values".to_owned())) };
    let mut found = Map::new();
    for (name, value) in map {
        let same = |parameter: &&Parameter| flag_of(parameter) == name.replace('_', "-");
        let Some(parameter) = declared.iter().find(same) else {
            let fault = wrong(format!("there is no parameter `{name}`"));
            let names: Vec<_> = declared.iter().map(|parameter| parameter.name.as_str()).collect();
            return Err(match nearest(&name, names.iter().copied()) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint(format!("there are {}", names.join(", "))),
            });
        };
        found.insert(parameter.name.clone(), value);
    }
    Ok(found)
}

fn ask(parameter: &Parameter, prompt: &Prompt, writer: &Writer) -> Result<Value, Fault> {
    let choices =
        if parameter.choices.is_empty() { String::new() } else { format!(": {}", parameter.choices.join(", ")) };
    let line = Line::new()
        .strong(&parameter.name)
        .faint(format!(" ({}{choices})  ", parameter.kind.word()))
        .plain(&parameter.help)
        .plain(": ")
        .whole();
    loop {
        let typed = if parameter.kind == ParameterKind::Secret { prompt.secret(&line) } else { prompt.line(&line) }?;
        let Some(typed) = typed else { return Err(nobody_gave(&[parameter])) };
        let typed = typed.trim_end_matches(['\n', '\r']);
        if typed.trim().is_empty() {
            continue;
        }
        match parameter.parse(typed) {
            Ok(value) => return Ok(value),
            Err(fault) => {
                let hint = fault.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                writer.line(Channel::Err, &Line::new().indent(2).plain(fault.message).faint(hint));
            }
        }
    }
}

fn nobody_gave(missing: &[&Parameter]) -> Fault {
    let named: Vec<_> = missing.iter().map(|parameter| format!("`--{}`", flag_of(parameter))).collect();
    let message = match named.as_slice() {
        [one] => format!("parameter {one} is missing"),
        many => format!("{} parameters are missing: {}", many.len(), many.join(", ")),
    };
    let hint = format!("give it as a flag, in `--params FILE`, or as `{}` in the environment", variable(missing[0]));
    missing.iter().fold(Fault::new(Code::Parameter, message).hint(hint), |fault, parameter| {
        fault.seen(format!("--{} {}   {}", flag_of(parameter), value_name(parameter), parameter.help))
    })
}

/// The files and folders that a person named: what the script may read wherever it lies.
pub(crate) fn named(declared: &[Parameter], given: &Map<String, Value>) -> Vec<PathBuf> {
    let of = |parameter: &Parameter| {
        let path = PathBuf::from(given.get(&parameter.name)?.as_str()?);
        let meant = match parameter.kind {
            ParameterKind::File => true,
            // A folder of charts may also be a URL, so its parameter is a text; a path shows by its slash.
            ParameterKind::String => path.components().count() > 1 && path.exists(),
            _ => false,
        };
        meant.then_some(path)
    };
    declared.iter().filter_map(of).collect()
}

/// All values in effect, as the record may show them.
pub(crate) fn shown(declared: &[Parameter], given: &Map<String, Value>) -> Map<String, Value> {
    let of = |parameter: &Parameter| {
        let value = given.get(&parameter.name).or(parameter.fallback.as_ref())?;
        let hidden = parameter.kind == ParameterKind::Secret && !value.is_null();
        Some((parameter.name.clone(), if hidden { "<secret>".into() } else { value.clone() }))
    };
    declared.iter().filter_map(of).collect()
}
