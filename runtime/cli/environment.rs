//! The environment, read once and handed on. Nobody else looks at it.
//!
//! Does not know what a variable means to whoever asks for it.

use std::path::PathBuf;

/// The environment of the program as it was started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    variables: Vec<(String, String)>,
}

impl Environment {
    /// Reads it. A variable that is not UTF-8 is left out.
    pub(crate) fn read() -> Self {
        let variables =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
        Self { variables }
    }

    /// One of these variables; for tests.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        Self { variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() }
    }

    /// A variable; one that is empty counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// All of it, for programs that are started.
    pub(crate) fn all(&self) -> Vec<(String, String)> {
        self.variables.clone()
    }

    /// Where a program is found on the `PATH`.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        use std::os::unix::fs::PermissionsExt as _;
        let runs = |path: &PathBuf| {
            fs_err::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        };
        std::env::split_paths(self.get("PATH")?).map(|folder| folder.join(name)).find(runs)
    }

    /// Where runs are kept: `$XDG_STATE_HOME/runbook/runs`, or below `~/.local/state`.
    pub(crate) fn runs(&self) -> Option<PathBuf> {
        let state = match self.get("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
            Some(state) => state,
            None => PathBuf::from(self.get("HOME")?).join(".local/state"),
        };
        Some(state.join("runbook/runs"))
    }

    /// Whether the locale says that text is UTF-8.
    pub(crate) fn utf8(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| self.get(name)).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_kept_where_the_desktop_says_or_below_home() {
        let of = |variables: &[(&str, &str)]| Environment::of(variables).runs();
        assert_eq!(of(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]), Some("/s/runbook/runs".into()));
        assert_eq!(of(&[("XDG_STATE_HOME", "relative"), ("HOME", "/h")]), Some("/h/.local/state/runbook/runs".into()));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_first_variable_that_is_set_decides_about_the_locale() {
        assert!(Environment::of(&[("LC_ALL", ""), ("LANG", "de_DE.UTF-8")]).utf8());
        assert!(!Environment::of(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).utf8());
        assert!(!Environment::of(&[]).utf8());
    }
}
