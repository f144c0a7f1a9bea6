//! Paths.

use super::{fixed, text};
use crate::execute::{Function, Param};
use crate::value::Value;

const TEXT: Param = Param::Text;

pub(super) fn functions() -> Vec<Function> {
    let mut all = Vec::new();
    for name in ["base", "osBase"] {
        all.push(fixed(name, &[TEXT], |_, args| Ok(Value::text(base(&text(args, 0))))));
    }
    for name in ["dir", "osDir"] {
        all.push(fixed(name, &[TEXT], |_, args| {
            let path = text(args, 0);
            Ok(Value::text(clean(&path[..path.rfind('/').map_or(0, |at| at + 1)])))
        }));
    }
    for name in ["clean", "osClean"] {
        all.push(fixed(name, &[TEXT], |_, args| Ok(Value::text(clean(&text(args, 0))))));
    }
    for name in ["ext", "osExt"] {
        all.push(fixed(name, &[TEXT], |_, args| {
            let path = text(args, 0);
            let name = path.rsplit('/').next().unwrap_or_default();
            Ok(Value::text(name.rfind('.').map_or("", |at| &name[at..])))
        }));
    }
    for name in ["isAbs", "osIsAbs"] {
        all.push(fixed(name, &[TEXT], |_, args| Ok(Value::Bool(text(args, 0).starts_with('/')))));
    }
    all
}

fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    match path.trim_end_matches('/') {
        "" => "/",
        trimmed => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

/// `path.Clean`.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            other => parts.push(other),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}
