//! A chart as a call names it, and as helm is told. Does not know what is in it.

use std::path::{Path, PathBuf};

use runbook_core::arg::Arg;
use runbook_core::param::FromArg;
use runbook_core::{Code, Fault, Value, World, digest};
use serde_json::{Map, json};

use super::archive::Archive;
use super::embedded;
use super::tool::Line;

/// A chart: a string, or a map with the keys of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reference {
    /// `istio/istiod`, `oci://...`, a path, or a plain name where there is a `repo`.
    pub(super) chart: String,
    /// URL of the repository, where `chart` is a plain name.
    pub(super) repo: Option<String>,
    /// Version, where it is settled.
    pub(super) version: Option<String>,
    /// SHA-256 of the archive, where it is known.
    pub(super) digest: Option<String>,
}

impl FromArg for Reference {
    const TYPE: &'static str = "a chart: a string, or a map such as `helm::chart` gives";

    fn from_arg(arg: Option<&Arg>) -> Result<Self, String> {
        let expected = || format!("expected {}", Self::TYPE);
        match arg {
            Some(Arg::Value(Value::String(chart))) => Ok(Self { chart: chart.clone(), ..Self::default() }),
            Some(Arg::Value(Value::Object(map))) => Ok(Self {
                chart: text(map, "chart")?.ok_or_else(|| format!("{}, but the map has no `chart`", expected()))?,
                repo: text(map, "repo")?,
                version: text(map, "version")?,
                digest: text(map, "digest")?,
            }),
            _ => Err(expected()),
        }
    }
}

fn text(map: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{key}` of a chart is a string")),
    }
}

/// A chart that has been looked at as far as that is possible without the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located {
    /// What helm is told.
    pub(super) chart: String,
    repo: Option<String>,
    version: Option<String>,
    /// Where it lies, if it lies on this machine.
    pub(super) path: Option<PathBuf>,
}

impl Reference {
    /// Checks it, and finds a local one among the files that the script may read.
    ///
    /// `version` is the call's own option. Faults: `RB044` for a local chart of another version or digest, `RB091` for one
    /// that may not be read, `RB015` for what cannot be a chart.
    pub(super) fn locate(&self, world: &World, version: Option<String>) -> Result<Located, Fault> {
        let version = match (version, &self.version) {
            (Some(asked), Some(settled)) if asked != *settled => {
                return Err(wrong(format!(
                    "chart `{}` is of version {settled}, but `version` says {asked}",
                    self.chart
                )));
            }
            (asked, settled) => asked.or_else(|| settled.clone()),
        };
        if self.chart.is_empty() || self.chart.starts_with('-') {
            return Err(wrong(format!("`{}` cannot be a chart", self.chart)));
        }
        if self.repo.is_none() && is_path(&self.chart) {
            let path = world.files.locate(&self.chart)?;
            self.verify(&path, version.as_deref())?;
            return Ok(Located { chart: path.display().to_string(), repo: None, version: None, path: Some(path) });
        }
        let remote = self.chart.contains("://") || self.chart.split('/').count() == 2;
        if self.repo.is_none() && !remote {
            return Err(wrong(format!("`{}` does not say where the chart is", self.chart))
                .hint("write `./path`, `repo/name`, `oci://...`, or use `helm::chart(name, #{ charts: ... })`"));
        }
        Ok(Located { chart: self.chart.clone(), repo: self.repo.clone(), version, path: None })
    }

    /// Helm itself does not look at the version or digest of a local chart.
    fn verify(&self, path: &Path, version: Option<&str>) -> Result<(), Fault> {
        if let (Some(expected), true) = (&self.digest, path.is_file()) {
            let bytes = fs_err::read(path).map_err(|error| wrong(error.to_string()))?;
            let found = digest::of_bytes(&bytes);
            if found != *expected {
                return Err(Fault::new(
                    Code::ChartNotFound,
                    format!("chart `{}` has changed since it was looked up", self.chart),
                )
                .seen(format!("expected digest {expected}"))
                .seen(format!("found digest {found}")));
            }
        }
        let Some(version) = version else { return Ok(()) };
        let found = Archive::open(path)?.metadata()?.version;
        if found == version.trim_start_matches('v') || found == version {
            return Ok(());
        }
        Err(Fault::new(Code::ChartNotFound, format!("chart `{}` is of version {found}, not {version}", self.chart)))
    }

    /// How people call it: `istiod 1.30.3`.
    pub(super) fn in_words(&self, version: Option<&str>) -> String {
        let name = self.chart.trim_end_matches('/').rsplit('/').next().unwrap_or(&self.chart);
        let name = name.strip_suffix(".tgz").unwrap_or(name);
        let name =
            if embedded::name_in(&self.chart).is_some() { format!("the stand-in {name}") } else { name.to_owned() };
        match version.or(self.version.as_deref()) {
            Some(version) if name.ends_with(version) => {
                format!("{} {version}", name.trim_end_matches(version).trim_end_matches('-'))
            }
            Some(version) => format!("{name} {version}"),
            None => name,
        }
    }

    /// The map a script gets and hands on.
    pub(super) fn to_value(&self) -> Value {
        json!({ "chart": self.chart, "repo": self.repo, "version": self.version, "digest": self.digest })
    }
}

impl Located {
    /// Adds the chart to a line: its word, and the flags that say where it is.
    pub(super) fn add_to(&self, line: Line) -> Line {
        line.word(&self.chart).flag("--repo", self.repo.as_ref()).flag("--version", self.version.as_ref())
    }
}

/// Whether a string means a place on this machine; everything else is looked up by helm, in an empty folder.
fn is_path(chart: &str) -> bool {
    let begins = ["/", "./", "../"].iter().any(|begin| chart.starts_with(begin));
    begins || chart == "." || (!chart.contains("://") && is_archive(chart))
}

/// Whether a name is one of a packed chart.
pub(super) fn is_archive(chart: &str) -> bool {
    Path::new(chart).extension().is_some_and(|end| end.eq_ignore_ascii_case("tgz"))
}

fn wrong(message: String) -> Fault {
    Fault::new(Code::WrongArgument, message)
}
