//! The Go source of Kubernetes' types: structs and the tags of their fields, read line by line.
//!
//! Not a Go parser: it reads what `gofmt` makes of plain structs, which is all that these packages hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::build::{go, kubernetes_modules};
use crate::fault::Fault;

/// One field of a struct that is written to the wire.
pub(super) struct Member {
    /// Its Go type, such as `*int32`.
    pub(super) of: String,
    /// Its name in JSON, empty where its own fields stand in its place.
    pub(super) json: String,
    /// `omitempty`.
    pub(super) omit_empty: bool,
    /// `omitzero`.
    pub(super) omit_zero: bool,
    /// Its number in protobuf.
    pub(super) number: u32,
}

/// The structs of one package.
pub(super) type Structs = BTreeMap<String, Vec<Member>>;

/// Packages that have been read, by the name that schemas give them (`io.k8s.api.core.v1`).
#[derive(Default)]
pub(super) struct Packages {
    modules: BTreeMap<String, PathBuf>,
    read: BTreeMap<String, Structs>,
}

impl Packages {
    /// The structs of a package, read on first use.
    pub(super) fn structs(&mut self, package: &str) -> Result<&Structs, Fault> {
        if !self.read.contains_key(package) {
            let path = package.strip_prefix("io.k8s.").unwrap_or(package);
            let (module, inside) = path.split_once('.').unwrap_or((path, ""));
            let folder = self.module(module)?.join(inside.replace('.', "/"));
            self.read.insert(package.to_owned(), read_folder(&folder)?);
        }
        Ok(&self.read[package])
    }

    /// The folder of a module of Kubernetes, at the version that the API server was built from.
    fn module(&mut self, name: &str) -> Result<&Path, Fault> {
        if !self.modules.contains_key(name) {
            let mut command = Command::new("go");
            command.args(["mod", "download", "-json", &format!("k8s.io/{name}")]).current_dir(kubernetes_modules());
            let answer: Value = serde_json::from_slice(&go::run(&mut command)?)
                .map_err(|error| Fault::malformed("the answer of `go mod download`", error))?;
            let folder = answer["Dir"]
                .as_str()
                .ok_or_else(|| Fault::malformed("the answer of `go mod download`", "no `Dir`"))?;
            self.modules.insert(name.to_owned(), folder.into());
        }
        Ok(&self.modules[name])
    }
}

fn read_folder(folder: &Path) -> Result<Structs, Fault> {
    let mut structs = Structs::new();
    for entry in fs_err::read_dir(folder)? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if file.extension().is_some_and(|extension| extension == "go")
            && !name.ends_with("_test.go")
            && !name.starts_with("generated")
        {
            read(&fs_err::read_to_string(&file)?, &mut structs);
        }
    }
    Ok(structs)
}

fn read(text: &str, structs: &mut Structs) {
    let mut open: Option<(String, Vec<Member>)> = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("type ").and_then(|rest| rest.strip_suffix(" struct {")) {
            open = Some((name.to_owned(), Vec::new()));
        } else if line.starts_with('}') {
            structs.extend(open.take());
        } else if let Some((_, members)) = &mut open {
            members.extend(member(line));
        }
    }
}

fn member(line: &str) -> Option<Member> {
    let (declared, tags) = line.trim_start().split_once('`')?;
    if declared.starts_with("//") {
        return None;
    }
    let of = declared.split_whitespace().last()?.to_owned();
    let mut json = quoted(tags, "json:")?.split(',');
    let name = json.next().unwrap_or_default().to_owned();
    let options: Vec<_> = json.collect();
    let number = quoted(tags, "protobuf:")?.split(',').nth(1)?.parse().ok()?;
    let (omit_empty, omit_zero) = (options.contains(&"omitempty"), options.contains(&"omitzero"));
    Some(Member { of, json: name, omit_empty, omit_zero, number })
}

fn quoted<'a>(tags: &'a str, key: &str) -> Option<&'a str> {
    tags.split_once(key)?.1.strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_a_struct_are_read() {
        let mut structs = Structs::new();
        let text = "type Volume struct {\n\t// comment `json:\"no\"`\n\tName string `json:\"name\" protobuf:\"bytes,1,opt,name=name\"`\n\
                    \tVolumeSource `json:\",inline\" protobuf:\"bytes,2,opt,name=volumeSource\"`\n}\n";
        read(text, &mut structs);
        let members = &structs["Volume"];
        assert_eq!(members.len(), 2);
        assert_eq!((members[0].json.as_str(), members[0].number, members[0].omit_empty), ("name", 1, false));
        assert_eq!((members[1].json.as_str(), members[1].of.as_str()), ("", "VolumeSource"));
    }
}
