//! The manifests that a script hands over: a map, a list of maps, YAML text, or the path of a file.
//!
//! Does not know kinds; what a manifest says is untrusted.

use runbook_core::command::Command;
use runbook_core::param::FromArg;
use runbook_core::world::Files;
use runbook_core::{Arg, Code, Fault, Param};
use serde_json::Value;

use super::name;
use crate::readiness::object::{self, text};
use crate::yaml;

pub(super) const SOURCE: Param<Source> =
    Param::required("source", "A manifest: a map, a list of maps, YAML text, or the path of a file.");

/// What a script hands over.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// Manifests as values.
    Values(Vec<Value>),
    /// YAML.
    Text(String),
    /// A file.
    File(String),
}

impl FromArg for Source {
    const TYPE: &'static str = "a map, a list of maps, YAML text or a path";

    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        let value = Value::from_arg(arg).map_err(|_| format!("expected {}", Self::TYPE))?;
        match value {
            Value::Object(_) => Ok(Self::Values(vec![value])),
            Value::Array(items) if items.iter().all(Value::is_object) => Ok(Self::Values(items)),
            // A path has one line, and a manifest says at least `kind: X`.
            Value::String(text) if text.contains('\n') || text.contains(": ") => Ok(Self::Text(text)),
            Value::String(path) if !path.trim().is_empty() => Ok(Self::File(path)),
            other => Err(format!("expected {}, got {}", Self::TYPE, runbook_core::param::in_words(&other))),
        }
    }
}

impl Source {
    /// In a few words, for people.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Values(manifests) => match manifests.as_slice() {
                [] => "nothing".to_owned(),
                [one] => title(one),
                [first, rest @ ..] => format!("{} and {} more", title(first), rest.len()),
            },
            Self::Text(_) => "a YAML text".to_owned(),
            Self::File(path) => path.clone(),
        }
    }

    /// Adds `-f` to a command, with the file that holds the manifests.
    pub(super) fn typed(&self, command: Command) -> Command {
        match self {
            Self::File(path) => command.word("-f").word(path),
            Self::Text(text) => command.file("manifests.yaml", text.as_str().into()),
            Self::Values(manifests) => match manifests.as_slice() {
                [one] => command.file(format!("{}.yaml", title(one).replace('/', "-")), one.clone()),
                several => command.file("manifests.yaml", several.into()),
            },
        }
    }

    /// The manifests, `List`s taken apart. Each is a map with `apiVersion` and `kind`.
    ///
    /// Faults: `RB091` where the file cannot be read, `RB015` where it holds no manifests.
    pub(super) fn read(&self, files: &Files) -> Result<Vec<Value>, Fault> {
        let documents = match self {
            Self::Values(manifests) => manifests.clone(),
            Self::Text(text) => parsed(text, "the text")?,
            Self::File(path) => parsed(&files.read(path)?, &format!("file `{path}`"))?,
        };
        let mut manifests = Vec::new();
        for document in documents {
            flatten(document, &mut manifests)?;
        }
        Ok(manifests)
    }
}

fn parsed(text: &str, place: &str) -> Result<Vec<Value>, Fault> {
    yaml::documents(text)
        .map_err(|reason| Fault::new(Code::WrongArgument, format!("{place} cannot be read as YAML: {reason}")))
}

fn flatten(document: Value, manifests: &mut Vec<Value>) -> Result<(), Fault> {
    if document.is_null() {
        return Ok(());
    }
    let kind = text(&document, "/kind").to_owned();
    if !document.is_object() || kind.is_empty() || text(&document, "/apiVersion").is_empty() {
        return Err(Fault::new(
            Code::WrongArgument,
            format!("{} is no manifest: it needs `apiVersion` and `kind`", title(&document)),
        ));
    }
    if kind.ends_with("List") && document["items"].is_array() {
        let Some(Value::Array(items)) = document.get("items").cloned() else { return Ok(()) };
        return items.into_iter().try_for_each(|item| flatten(item, manifests));
    }
    manifests.push(document);
    Ok(())
}

/// A manifest for people, as far as it can be told: `deployment/web`.
pub(super) fn title(manifest: &Value) -> String {
    let (kind, name) = (text(manifest, "/kind").to_lowercase(), object::name(manifest));
    let name = if name.is_empty() { text(manifest, "/metadata/generateName") } else { name };
    match (kind.is_empty(), name.is_empty()) {
        (false, false) => format!("{kind}/{name}"),
        (false, true) => kind,
        (true, _) => runbook_core::param::in_words(manifest),
    }
}

/// The name that a manifest gives its object.
///
/// Faults: `RB015` where it gives none, or an impossible one.
pub(super) fn name_of(manifest: &Value) -> Result<String, Fault> {
    let name = object::name(manifest);
    if name.is_empty() {
        return Err(Fault::new(Code::WrongArgument, format!("{} has no `metadata.name`", title(manifest))));
    }
    name::check(&text(manifest, "/kind").to_lowercase(), name)?;
    Ok(name.to_owned())
}

/// The namespace of a manifest's object: what the manifest says, else the option; a fault where they disagree, as in kubectl.
pub(super) fn namespace_of(manifest: &Value, option: Option<&String>) -> Result<Option<String>, Fault> {
    let own = object::namespace(manifest);
    match option {
        Some(option) if !own.is_empty() && own != option => Err(Fault::new(
            Code::WrongArgument,
            format!("{} says namespace `{own}`, the call says `{option}`", title(manifest)),
        )
        .hint("leave out one of them")),
        _ if own.is_empty() => Ok(option.cloned()),
        _ => Ok(Some(own.to_owned())),
    }
}

/// Whether there is an object already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    Yes,
    No,
}

/// A manifest may be an object that was read: what the server wrote into it is not applied. Its version is, as a condition,
/// where there is an object to be of that version.
pub(super) fn cleaned(mut manifest: Value, there: There) -> Value {
    if let Value::Object(fields) = &mut manifest {
        fields.shift_remove("status");
        if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
            for key in ["creationTimestamp", "deletionTimestamp", "generation", "managedFields", "selfLink", "uid"] {
                metadata.shift_remove(key);
            }
            if there == There::No {
                metadata.shift_remove("resourceVersion");
            }
        }
    }
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Vec<Value>, Fault> {
        let source =
            Source::from_arg(Some(&Arg::Value(value))).map_err(|reason| Fault::new(Code::WrongArgument, reason))?;
        source.read(&Files::default())
    }

    #[test]
    fn manifests_come_in_every_form() {
        let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n# nothing\n---\n";
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": [map] });
        for source in [map.clone(), json!([map]), json!(text), list] {
            assert_eq!(read(source.clone()).unwrap(), std::slice::from_ref(&map), "{source}");
        }
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for source in
            [json!(3), json!(""), json!(["a"]), json!({ "kind": "Pod" }), json!("a: [\nb"), json!("- 1\n- 2\n")]
        {
            assert_eq!(read(source.clone()).unwrap_err().code, Code::WrongArgument, "{source}");
        }
    }

    #[test]
    fn a_file_outside_of_what_may_be_read_is_refused() {
        assert_eq!(read(json!("../../etc/passwd")).unwrap_err().code, Code::FileAccess);
    }

    #[test]
    fn two_namespaces_that_disagree_are_a_fault() {
        let manifest = json!({ "kind": "Pod", "metadata": { "name": "a", "namespace": "x" } });
        assert_eq!(namespace_of(&manifest, None).unwrap().as_deref(), Some("x"));
        assert_eq!(namespace_of(&manifest, Some(&"x".to_owned())).unwrap().as_deref(), Some("x"));
        assert_eq!(namespace_of(&manifest, Some(&"y".to_owned())).unwrap_err().code, Code::WrongArgument);
    }
}
