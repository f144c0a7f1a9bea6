//! What is in a chart, read natively from a folder or a `.tgz`. Untrusted: sizes and counts are bounded, links are not followed.
//!
//! Does not render anything.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use runbook_core::{Code, Fault, Value, digest};

use crate::yaml;

/// A chart unpacks to at most this much.
const LARGEST: u64 = 128 * 1024 * 1024;

/// A chart has at most this many files.
const MOST: usize = 20_000;

/// The files of a chart.
#[derive(Debug)]
pub(super) struct Archive {
    shown: String,
    files: BTreeMap<String, Vec<u8>>,
    digest: String,
}

/// What a chart says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metadata {
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// The version of what it installs.
    pub(super) app_version: Option<String>,
}

impl Archive {
    /// Reads a folder or a packed chart.
    ///
    /// Faults: `RB044` where it is neither, `RB028` where it is too large.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        Self::open_within(path, LARGEST)
    }

    /// Reads a packed chart.
    pub(super) fn of_bytes(shown: &str, bytes: &[u8]) -> Result<Self, Fault> {
        let (files, digest) = packed(shown, bytes, LARGEST)?;
        Self::of_files(shown.to_owned(), files, digest)
    }

    fn open_within(path: &Path, largest: u64) -> Result<Self, Fault> {
        let shown = path.display().to_string();
        if path.is_dir() {
            let (files, digest) = unpacked(path, largest)?;
            return Self::of_files(shown, files, digest);
        }
        let bytes = fs_err::read(path).map_err(|error| no_chart(&shown, &error.to_string()))?;
        let (files, digest) = packed(&shown, &bytes, largest)?;
        Self::of_files(shown, files, digest)
    }

    fn of_files(shown: String, files: BTreeMap<String, Vec<u8>>, digest: String) -> Result<Self, Fault> {
        if !files.contains_key("Chart.yaml") {
            return Err(no_chart(&shown, "it has no Chart.yaml"));
        }
        Ok(Self { shown, files, digest })
    }

    /// What it says of itself, as helm reads it: a version that is written as a number is one.
    pub(super) fn metadata(&self) -> Result<Metadata, Fault> {
        const FILE: &str = "Chart.yaml";
        let about = self.files.get(FILE).cloned().unwrap_or_default();
        let read = runbook_chart::Chart::from_files([(FILE.to_owned(), about)])
            .map_err(|fault| no_chart(&self.shown, &fault.words))?;
        let said = read.metadata();
        Ok(Metadata {
            name: said.name.clone(),
            version: said.version.clone(),
            app_version: Some(said.app_version.clone()).filter(|version| !version.is_empty()),
        })
    }

    /// All of Chart.yaml.
    pub(super) fn chart_yaml(&self) -> Result<Value, Fault> {
        self.yaml("Chart.yaml")
    }

    /// Its default values.
    pub(super) fn values(&self) -> Result<Value, Fault> {
        if self.files.contains_key("values.yaml") { self.yaml("values.yaml") } else { Ok(Value::Null) }
    }

    /// All files by their paths.
    pub(super) fn into_files(self) -> BTreeMap<String, Vec<u8>> {
        self.files
    }

    /// Paths of all files, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The objects in its `crds` folder, which helm installs once and never upgrades.
    pub(super) fn crds(&self) -> Result<Vec<Value>, Fault> {
        let mut crds = Vec::new();
        for name in self.files.keys().filter(|name| name.starts_with("crds/") && is_yaml(name)) {
            crds.extend(
                yaml::documents(&self.text(name))
                    .map_err(|reason| no_chart(&self.shown, &format!("{name}: {reason}")))?,
            );
        }
        Ok(crds)
    }

    /// SHA-256: of the packed file, or of names and contents where it is a folder.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    fn yaml(&self, name: &str) -> Result<Value, Fault> {
        yaml::document(&self.text(name)).map_err(|reason| no_chart(&self.shown, &format!("{name}: {reason}")))
    }

    fn text(&self, name: &str) -> String {
        self.files.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    }
}

fn is_yaml(name: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
}

fn packed(shown: &str, bytes: &[u8], largest: u64) -> Result<(BTreeMap<String, Vec<u8>>, String), Fault> {
    let failed = |error: std::io::Error| no_chart(shown, &error.to_string());
    let mut tar = tar::Archive::new(GzDecoder::new(bytes).take(largest + 1024 * 1024));
    let mut files = Files::new(shown, largest);
    for entry in tar.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path().map_err(failed)?.to_string_lossy().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(failed)?;
        // The first folder is the chart's name.
        if let Some((_, name)) = name.trim_start_matches("./").split_once('/') {
            files.add(name.to_owned(), content)?;
        }
    }
    Ok((files.found, digest::of_bytes(bytes)))
}

fn unpacked(folder: &Path, largest: u64) -> Result<(BTreeMap<String, Vec<u8>>, String), Fault> {
    let shown = folder.display().to_string();
    let failed = |error: std::io::Error| no_chart(&shown, &error.to_string());
    let mut files = Files::new(&shown, largest);
    let mut open = vec![folder.to_owned()];
    while let Some(inside) = open.pop() {
        for entry in fs_err::read_dir(&inside).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let path = entry.path();
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                let name =
                    path.strip_prefix(folder).expect("it was found below the folder").to_string_lossy().into_owned();
                files.add(name, fs_err::read(&path).map_err(failed)?)?;
            }
        }
    }
    let listing = files
        .found
        .iter()
        .fold(String::new(), |listing, (name, content)| format!("{listing}{}  {name}\n", digest::of_bytes(content)));
    Ok((files.found, digest::of_bytes(listing.as_bytes())))
}

/// Files as they are found, within bounds.
struct Files<'a> {
    shown: &'a str,
    found: BTreeMap<String, Vec<u8>>,
    size: u64,
    largest: u64,
}

impl<'a> Files<'a> {
    fn new(shown: &'a str, largest: u64) -> Self {
        Self { shown, found: BTreeMap::new(), size: 0, largest }
    }

    fn add(&mut self, name: String, content: Vec<u8>) -> Result<(), Fault> {
        self.size += content.len() as u64;
        self.found.insert(name, content);
        if self.size <= self.largest && self.found.len() <= MOST {
            return Ok(());
        }
        Err(Fault::new(
            Code::TooLarge,
            format!("chart `{}` is too large: at most {} bytes in {MOST} files", self.shown, self.largest),
        ))
    }
}

fn no_chart(shown: &str, reason: &str) -> Fault {
    Fault::new(Code::ChartNotFound, format!("`{shown}` is no chart: {reason}"))
}

/// A small chart in a folder, for tests.
#[cfg(test)]
pub(super) fn write_chart(folder: &Path, name: &str, version: &str, templates: &[(&str, &str)]) {
    fs_err::create_dir_all(folder.join("templates")).unwrap();
    fs_err::write(
        folder.join("Chart.yaml"),
        format!("apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: \"9\"\n"),
    )
    .unwrap();
    fs_err::write(folder.join("values.yaml"), "color: red\n").unwrap();
    for (file, text) in templates {
        fs_err::write(folder.join("templates").join(file), text).unwrap();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use serde_json::json;

    /// Files, packed as helm packs a chart.
    pub(in crate::helm) fn pack(files: &[(&str, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn a_packed_chart_and_its_folder_hold_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let unpacked = folder.path().join("tiny");
        write_chart(&unpacked, "tiny", "0.1.0", &[("a.yaml", "x")]);
        fs_err::create_dir(unpacked.join("crds")).unwrap();
        fs_err::write(unpacked.join("crds/c.yaml"), "kind: A\n---\nkind: B\n").unwrap();
        let open = Archive::open(&unpacked).unwrap();
        let files: Vec<_> = open
            .files()
            .map(|name| (format!("tiny/{name}"), fs_err::read_to_string(unpacked.join(name)).unwrap()))
            .collect();
        let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let tgz = folder.path().join("tiny-0.1.0.tgz");
        let bytes = pack(&files);
        fs_err::write(&tgz, &bytes).unwrap();
        let closed = Archive::open(&tgz).unwrap();
        for archive in [&open, &closed] {
            let metadata = archive.metadata().unwrap();
            assert_eq!((metadata.name.as_str(), metadata.version.as_str()), ("tiny", "0.1.0"));
            assert_eq!(metadata.app_version.as_deref(), Some("9"));
            assert_eq!(archive.values().unwrap(), json!({ "color": "red" }));
            assert_eq!(archive.crds().unwrap(), [json!({ "kind": "A" }), json!({ "kind": "B" })]);
            let names: Vec<_> = archive.files().collect();
            assert_eq!(names, ["Chart.yaml", "crds/c.yaml", "templates/a.yaml", "values.yaml"]);
        }
        assert_eq!(closed.digest(), digest::of_bytes(&bytes));
        assert_ne!(open.digest(), closed.digest());
    }

    #[test]
    fn a_version_that_is_written_as_a_number_is_read_as_helm_reads_it() {
        let about = b"apiVersion: v2\nname: tiny\nversion: 1.10\nappVersion: 7\n".to_vec();
        let files = BTreeMap::from([("Chart.yaml".to_owned(), about)]);
        let metadata = Archive::of_files("tiny".to_owned(), files, String::new()).unwrap().metadata().unwrap();
        assert_eq!((metadata.version.as_str(), metadata.app_version.as_deref()), ("1.1", Some("7")));
    }

    #[test]
    fn what_is_no_chart_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Archive::open(folder.path()).unwrap_err().code, Code::ChartNotFound);
        let file = folder.path().join("x.tgz");
        fs_err::write(&file, "not packed").unwrap();
        assert_eq!(Archive::open(&file).unwrap_err().code, Code::ChartNotFound);
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bomb.tgz");
        fs_err::write(&file, pack(&[("b/Chart.yaml", "name: b"), ("b/zeros", &"0".repeat(4096))])).unwrap();
        assert!(Archive::open(&file).is_ok());
        assert_eq!(Archive::open_within(&file, 1024).unwrap_err().code, Code::TooLarge);
    }
}
