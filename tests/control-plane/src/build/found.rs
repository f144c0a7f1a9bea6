//! Looking for a binary that is already there.
//!
//! What others installed counts only at the pinned version: a `kubectl` two minors older behaves differently, and a
//! `helm` may be either of two programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::part::Tool;

/// Looks into `KUBEBUILDER_ASSETS`, the `PATH` and then the cache's `bin` folder.
pub(super) fn find(tool: Tool, version: &str, bin: &Path) -> Option<PathBuf> {
    elsewhere()
        .flat_map(|folder| tool.names().iter().map(move |name| folder.join(name)))
        .find(|path| path.is_file() && says(path, tool, version))
        .or_else(|| Some(bin.join(tool.name())).filter(|path| path.is_file()))
}

/// The folders that are not ours.
fn elsewhere() -> impl Iterator<Item = PathBuf> {
    let assets = std::env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    assets.into_iter().chain(std::env::split_paths(&path).collect::<Vec<_>>())
}

/// Whether the binary calls itself by this version. One that cannot be run does not.
fn says(path: &Path, tool: Tool, version: &str) -> bool {
    Command::new(path)
        .args(tool.version_arguments())
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| names_version(&String::from_utf8_lossy(&output.stdout), version))
}

/// Whether a text holds the version as a word: `v1.36.3` is in neither `v1.36.30` nor `v1.36.3-rc.1`.
fn names_version(text: &str, version: &str) -> bool {
    let bare = version.trim_start_matches('v');
    text.split(|c: char| c.is_whitespace() || "\"',(){}".contains(c))
        .map(|word| word.trim_start_matches('v'))
        .any(|word| word == bare || word.strip_prefix(bare).is_some_and(|rest| rest.starts_with('+')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_whole_word() {
        assert!(names_version("Kubernetes v1.36.3\n", "v1.36.3"));
        assert!(names_version("etcd Version: 3.6.16\nGit SHA: x", "v3.6.16"));
        assert!(names_version("v3.22.0+g1234567", "v3.22.0"));
        assert!(!names_version("Kubernetes v1.36.30", "v1.36.3"));
        assert!(!names_version("Client Version: v1.36.3-rc.1", "v1.36.3"));
    }
}
