//! A chart: read from an archive or from files, its parts told apart.
//!
//! Not known here: how templates are rendered.

mod archive;
mod load;
mod metadata;

use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;
use sha2::Digest as _;

pub use metadata::{Dependency, Maintainer, Metadata};

use crate::fault::Fault;

/// A file of a chart, by its path below the chart's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path.
    pub name: String,
    /// What is in it.
    pub data: Arc<[u8]>,
}

/// A custom resource definition that a chart carries in `crds/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crd {
    /// Its path below the chart that holds it.
    pub name: String,
    /// Its path below the outermost chart's name.
    pub path: String,
    /// The text of the file.
    pub content: String,
}

/// A chart with its subcharts.
#[derive(Clone, Debug)]
pub struct Chart {
    pub(crate) metadata: Metadata,
    pub(crate) values: Value,
    pub(crate) values_text: Option<String>,
    pub(crate) schema: Option<String>,
    pub(crate) templates: Vec<File>,
    pub(crate) files: Vec<File>,
    pub(crate) raw: Vec<File>,
    pub(crate) dependencies: Vec<Chart>,
    pub(crate) lock: Option<Value>,
    digest: String,
}

impl Chart {
    /// Reads a packaged chart: a gzipped tar.
    pub fn from_archive(bytes: &[u8]) -> Result<Self, Fault> {
        let mut chart = load::chart(archive::files(bytes)?, 0)?;
        chart.digest = hex(&sha2::Sha256::digest(bytes));
        Ok(chart)
    }

    /// Reads the files of a chart's folder, given by their paths below it. Those that `.helmignore` names are left out.
    pub fn from_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, Fault> {
        let mut files = load::folder(files)?;
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let mut hash = sha2::Sha256::new();
        for file in &files {
            hash.update((file.name.len() as u64).to_be_bytes());
            hash.update(file.name.as_bytes());
            hash.update((file.data.len() as u64).to_be_bytes());
            hash.update(&file.data);
        }
        let mut chart = load::chart(files, 0)?;
        chart.digest = hex(&hash.finalize());
        Ok(chart)
    }

    /// What `Chart.yaml` says.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The chart's name.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The chart's version.
    pub fn version(&self) -> &str {
        &self.metadata.version
    }

    /// Its default values: an object, every number a float.
    pub fn values(&self) -> &Value {
        &self.values
    }

    /// `values.yaml` as it was written.
    pub fn values_text(&self) -> Option<&str> {
        self.values_text.as_deref()
    }

    /// `values.schema.json`, if there is one.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// `Chart.lock`, if there is one.
    pub fn lock(&self) -> Option<&Value> {
        self.lock.as_ref()
    }

    /// The templates.
    pub fn templates(&self) -> &[File] {
        &self.templates
    }

    /// Files that are neither templates nor described by another part.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Every file as it was read, subcharts' included.
    pub fn raw(&self) -> &[File] {
        &self.raw
    }

    /// The subcharts that lie in `charts/`.
    pub fn dependencies(&self) -> &[Chart] {
        &self.dependencies
    }

    /// SHA-256 of the archive, or of all paths and contents where it was read from files.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What lies in `crds/`, subcharts' after the chart's own.
    pub fn crds(&self) -> Vec<Crd> {
        let mut found = Vec::new();
        self.collect_crds(self.name(), &mut found);
        found
    }

    fn collect_crds(&self, path: &str, found: &mut Vec<Crd>) {
        for file in &self.files {
            let manifest = file.name.rsplit_once('.').is_some_and(|(_, extension)| {
                ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
            });
            if file.name.starts_with("crds/") && manifest {
                found.push(Crd {
                    name: file.name.clone(),
                    path: format!("{path}/{}", file.name),
                    content: String::from_utf8_lossy(&file.data).into_owned(),
                });
            }
        }
        for dependency in &self.dependencies {
            dependency.collect_crds(&format!("{path}/charts/{}", dependency.name()), found);
        }
    }

    /// Whether it only holds what other charts include.
    pub fn is_library(&self) -> bool {
        self.metadata.kind.eq_ignore_ascii_case("library")
    }

    /// Its files as templates see them.
    pub(crate) fn visible_files(&self) -> Rc<crate::value::Files> {
        let files = self.files.iter().map(|file| (file.name.clone(), Rc::from(&*file.data)));
        Rc::new(crate::value::Files(files.collect()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
