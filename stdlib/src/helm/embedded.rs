//! The charts that are part of this program: stand-ins for rehearsals, offered as the repository `embedded`.
//!
//! Does not know what is in them. `stdlib/charts/README.md` says what they are and what not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use include_dir::{Dir, include_dir};
use runbook_core::{Code, Fault, digest};

use super::repository::Offer;

static CHARTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/charts");

/// What `charts` calls the repository.
pub(super) const REPOSITORY: &str = "embedded";

/// The versions in which each chart is to be had.
const VERSIONS: [&str; 2] = ["1.29.6", "1.30.3"];

/// What stands for the version in a chart's own files.
const UNSET: &str = "0.0.0";

/// The name in `embedded/base`, where the reference is one to this repository.
pub(super) fn name_in(chart: &str) -> Option<&str> {
    chart.strip_prefix(REPOSITORY)?.strip_prefix('/')
}

/// The versions of a chart; none where there is no such chart.
pub(super) fn offers(name: &str) -> Vec<Offer> {
    let versions = VERSIONS.iter().filter(|_| CHARTS.get_dir(name).is_some());
    versions
        .map(|version| Offer { version: (*version).to_owned(), digest: None, place: format!("{REPOSITORY}/{name}") })
        .collect()
}

/// The packed chart: the same bytes whenever it is asked for.
///
/// Faults: `RB044` where there is no such chart or version.
pub(super) fn packed(name: &str, version: Option<&str>) -> Result<Vec<u8>, Fault> {
    let version = version.unwrap_or(VERSIONS[VERSIONS.len() - 1]);
    let found = CHARTS.get_dir(name).filter(|_| VERSIONS.contains(&version));
    let Some(folder) = found else {
        return Err(Fault::new(Code::ChartNotFound, format!("no chart `{name}` {version} is embedded"))
            .hint(format!("there are {}", VERSIONS.join(", "))));
    };
    let mut files = BTreeMap::new();
    collect(folder, &mut files);
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (path, bytes) in files {
        let bytes = if path.ends_with("Chart.yaml") {
            String::from_utf8_lossy(bytes).replace(UNSET, version).into_bytes()
        } else {
            bytes.to_vec()
        };
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let failed = |error: std::io::Error| Fault::new(Code::Internal, format!("a chart cannot be packed: {error}"));
        tar.append_data(&mut header, path, bytes.as_slice()).map_err(failed)?;
    }
    let packed = tar.into_inner().and_then(GzEncoder::finish);
    packed.map_err(|error| Fault::new(Code::Internal, format!("a chart cannot be packed: {error}")))
}

fn collect<'a>(folder: &Dir<'a>, files: &mut BTreeMap<String, &'a [u8]>) {
    for file in folder.files() {
        files.insert(file.path().to_string_lossy().into_owned(), file.contents());
    }
    for inner in folder.dirs() {
        collect(inner, files);
    }
}

/// Writes all of them into a folder, as a repository with its index.
///
/// Faults: `RB091` where the folder cannot be written.
pub fn write_charts(folder: &Path) -> Result<(), Fault> {
    let failed = |error: std::io::Error| Fault::new(Code::FileAccess, format!("the charts cannot be written: {error}"));
    let mut index = "apiVersion: v1\nentries:\n".to_owned();
    for chart in CHARTS.dirs() {
        let name = chart.path().to_string_lossy();
        writeln!(index, "  {name}:").expect("a text can be written");
        for version in VERSIONS {
            let (bytes, file) = (packed(&name, Some(version))?, format!("{name}-{version}.tgz"));
            writeln!(
                index,
                "  - apiVersion: v2\n    name: {name}\n    version: {version}\n    appVersion: {version}\n    digest: {}\n    urls: [{file}]",
                digest::of_bytes(&bytes)
            )
            .expect("a text can be written");
            fs_err::write(folder.join(file), bytes).map_err(failed)?;
        }
    }
    fs_err::write(folder.join("index.yaml"), index).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::super::archive::Archive;
    use super::super::repository;
    use super::*;

    #[test]
    fn every_chart_is_had_in_every_version_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        write_charts(folder.path()).unwrap();
        let names: Vec<_> = CHARTS.dirs().map(|chart| chart.path().to_string_lossy().into_owned()).collect();
        assert_eq!(names.len(), 5);
        for name in names {
            let listed = repository::offers_of(folder.path(), &name).unwrap();
            assert_eq!(listed.len(), VERSIONS.len());
            for offer in listed {
                let archive = Archive::open(&folder.path().join(&offer.place)).unwrap();
                let metadata = archive.metadata().unwrap();
                assert_eq!((metadata.name, &metadata.version), (name.clone(), &offer.version));
                assert_eq!(metadata.app_version.as_ref(), Some(&offer.version));
                assert_eq!(offer.digest.as_deref(), Some(archive.digest()));
                assert!(archive.chart_yaml().unwrap()["description"].as_str().unwrap().contains("Stand-in"));
            }
        }
        assert_eq!(packed("base", Some("1.0.0")).unwrap_err().code, Code::ChartNotFound);
        assert!(offers("nothing").is_empty());
        assert_eq!((name_in("embedded/base"), name_in("istio/base")), (Some("base"), None));
    }
}
