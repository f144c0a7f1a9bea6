//! Files become a chart.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

use super::{Chart, File, Metadata, archive};
use crate::fault::Fault;
use crate::function::glob;
use crate::value::to_plain;
use crate::yaml;

/// How deep charts may lie in charts.
const DEEPEST: usize = 16;
/// How large one file may be.
const MOST_OF_ONE: usize = 5 << 20;

/// The files of a folder, without those that `.helmignore` names.
pub(super) fn folder(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Vec<File>, Fault> {
    let files: Vec<(String, Vec<u8>)> = files.into_iter().map(|(name, data)| (name.replace('\\', "/"), data)).collect();
    let rules = files
        .iter()
        .find(|(name, _)| name == ".helmignore")
        .map(|(_, data)| Ignore::read(&String::from_utf8_lossy(data)))
        .transpose()?
        .unwrap_or_default();
    let mut kept = Vec::new();
    for (name, data) in files {
        if rules.ignores(&name) {
            continue;
        }
        if data.len() > MOST_OF_ONE {
            let name = name.rsplit('/').next().unwrap_or(&name);
            return Err(Fault::new(format!("chart file {name:?} is larger than the maximum file size {MOST_OF_ONE}")));
        }
        let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&data);
        kept.push(File { data: Arc::from(data), name });
    }
    Ok(kept)
}

/// A chart out of its files.
pub(super) fn chart(files: Vec<File>, depth: usize) -> Result<Chart, Fault> {
    if depth > DEEPEST {
        return Err(Fault::new(format!("charts lie more than {DEEPEST} deep in charts")));
    }
    let mut metadata = None;
    for file in files.iter().filter(|file| file.name == "Chart.yaml") {
        let mut read: Metadata = typed(file, "Chart.yaml", Value::Object(serde_json::Map::new()))?;
        if read.api_version.is_empty() {
            "v1".clone_into(&mut read.api_version);
        }
        metadata = Some(read);
    }
    let mut loading = Loading { metadata, ..Loading::default() };
    for file in &files {
        loading.take(file)?;
    }
    let Some(metadata) = loading.metadata else { return Err(Fault::new("Chart.yaml file is missing")) };
    metadata.check()?;
    let mut dependencies = Vec::new();
    for (name, files) in loading.subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let read = subchart(&metadata.name, &name, files, depth).map_err(|fault| {
            Fault::new(format!("error unpacking subchart {name} in {}: {}", metadata.name, fault.words))
        })?;
        dependencies.push(read);
    }
    Ok(Chart {
        metadata,
        values: loading.values.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        values_text: loading.values_text,
        schema: loading.schema,
        templates: loading.templates,
        files: loading.files,
        raw: files,
        dependencies,
        lock: loading.lock,
        digest: String::new(),
    })
}

#[derive(Default)]
struct Loading {
    metadata: Option<Metadata>,
    values: Option<Value>,
    values_text: Option<String>,
    schema: Option<String>,
    lock: Option<Value>,
    templates: Vec<File>,
    files: Vec<File>,
    subcharts: BTreeMap<String, Vec<File>>,
}

impl Loading {
    fn take(&mut self, file: &File) -> Result<(), Fault> {
        let text = || String::from_utf8_lossy(&file.data).into_owned();
        match file.name.as_str() {
            "Chart.yaml" => {}
            "Chart.lock" | "requirements.lock" => {
                let read = yaml::read(&text()).map_err(|words| unreadable(&file.name, &words))?;
                self.lock = Some(to_plain(&read));
                self.keep_if_old(file);
            }
            "values.yaml" => {
                let read = yaml::read(&text()).map_err(|words| unreadable("values.yaml", &words))?;
                self.values = Some(match to_plain(&read) {
                    Value::Null => Value::Object(serde_json::Map::new()),
                    object @ Value::Object(_) => object,
                    other => {
                        let found = json_kind(&other);
                        let words = format!(
                            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
                        );
                        return Err(Fault::new(format!("cannot load values.yaml: {words}")));
                    }
                });
                self.values_text = Some(text());
            }
            "values.schema.json" => self.schema = Some(text()),
            "requirements.yaml" => {
                let before = self.metadata.take().unwrap_or_default();
                let before = serde_json::to_value(before).unwrap_or_default();
                self.metadata = Some(typed(file, "requirements.yaml", before)?);
                self.keep_if_old(file);
            }
            name if name.starts_with("templates/") => self.templates.push(file.clone()),
            name if name.starts_with("charts/") => {
                if std::path::Path::new(name).extension().is_some_and(|extension| extension == "prov") {
                    self.files.push(file.clone());
                } else {
                    let rest = &name["charts/".len()..];
                    let top = rest.split('/').next().unwrap_or_default().to_owned();
                    let file = File { name: rest.to_owned(), data: file.data.clone() };
                    self.subcharts.entry(top).or_default().push(file);
                }
            }
            _ => self.files.push(file.clone()),
        }
        Ok(())
    }

    /// Charts of the first version see their requirements as files.
    fn keep_if_old(&mut self, file: &File) {
        let old = self.metadata.as_ref().is_some_and(|metadata| metadata.api_version == "v1");
        if old && file.name.starts_with("requirements.") {
            self.files.push(file.clone());
        }
    }
}

fn subchart(parent: &str, name: &str, files: Vec<File>, depth: usize) -> Result<Chart, Fault> {
    if std::path::Path::new(name).extension().is_some_and(|extension| extension == "tgz") {
        let file = &files[0];
        if file.name != name {
            return Err(Fault::new(format!(
                "error unpacking subchart tar in {parent}: expected {name}, got {}",
                file.name
            )));
        }
        return chart(archive::files(&file.data)?, depth + 1);
    }
    let below = files.into_iter().filter_map(|file| {
        let rest = file.name.split_once('/')?.1.to_owned();
        Some(File { name: rest, data: file.data })
    });
    chart(below.collect(), depth + 1)
}

fn unreadable(name: &str, words: &str) -> Fault {
    let words = if words.starts_with("error converting") {
        words.to_owned()
    } else {
        format!("error converting YAML to JSON: {words}")
    };
    Fault::new(format!("cannot load {name}: {words}"))
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Reads a file into metadata, on top of what is known. Go turns a number or truth value that stands for a string into one.
fn typed(file: &File, name: &str, before: Value) -> Result<Metadata, Fault> {
    let text = String::from_utf8_lossy(&file.data);
    let read = yaml::read(&text).map_err(|words| unreadable(name, &words))?;
    let mut merged = before;
    if let (Value::Object(into), Value::Object(from)) = (&mut merged, to_plain(&read)) {
        for (key, value) in from {
            if !value.is_null() {
                let kept = key == "deprecated";
                into.insert(key, if kept { value } else { spelt(value) });
            }
        }
    }
    serde_json::from_value(merged).map_err(|error| {
        Fault::new(format!("cannot load {name}: error unmarshaling JSON: while decoding JSON: json: {error}"))
    })
}

/// Numbers and truth values as the strings that metadata wants.
fn spelt(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let shown = number.as_f64().and_then(crate::value::float_json).unwrap_or_else(|| number.to_string());
            Value::String(shown)
        }
        Value::Bool(truth) => Value::String(truth.to_string()),
        Value::Array(items) => Value::Array(items.into_iter().filter(|item| !item.is_null()).map(spelt).collect()),
        Value::Object(entries) => Value::Object(
            entries
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| {
                    let kept = matches!(key.as_str(), "deprecated" | "enabled");
                    (key, if kept { value } else { spelt(value) })
                })
                .collect(),
        ),
        other => other,
    }
}

/// The rules of `.helmignore`, helm's own among them.
#[derive(Default)]
struct Ignore(Vec<Rule>);

struct Rule {
    pattern: Regex,
    negated: bool,
    folders_only: bool,
    whole_path: bool,
}

impl Ignore {
    fn read(text: &str) -> Result<Self, Fault> {
        let mut rules = Vec::new();
        for line in text.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.contains("**") {
                return Err(Fault::new("double-star (**) syntax is not supported"));
            }
            let (negated, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
            let (folders_only, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
            let (rooted, line) = line.strip_prefix('/').map_or((false, line), |rest| (true, rest));
            let whole_path = rooted || line.contains('/');
            let Some(pattern) = glob(line) else {
                return Err(Fault::new(format!("syntax error in pattern {line:?}")));
            };
            rules.push(Rule { pattern, negated, folders_only, whole_path });
        }
        Ok(Self(rules))
    }

    /// Whether a file, or a folder above it, is left out.
    fn ignores(&self, path: &str) -> bool {
        let parts: Vec<_> = path.split('/').collect();
        (1..=parts.len()).any(|count| {
            let (above, folder) = (parts[..count].join("/"), count < parts.len());
            self.ignores_one(&above, folder)
        })
    }

    fn ignores_one(&self, path: &str, folder: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        // Helm's own rule: hidden files among the templates.
        if path.starts_with("templates/.") && !folder {
            return true;
        }
        for rule in &self.0 {
            let hit = rule.pattern.is_match(if rule.whole_path { path } else { name });
            if rule.negated {
                if (rule.folders_only && !folder) || !hit {
                    return true;
                }
                continue;
            }
            if rule.folders_only && !folder {
                continue;
            }
            if hit {
                return true;
            }
        }
        false
    }
}
