//! The private folder of one helm process: its working folder, and where values travel, in a file only we may read.
//!
//! Removed when dropped, whatever came of the process. Does not know what the values mean.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fs_err::os::unix::fs::OpenOptionsExt as _;
use runbook_core::{Code, Fault, Value};
use serde_json::Map;
use tempfile::TempDir;

/// A folder for one process.
#[derive(Debug)]
pub(in crate::helm) struct Private {
    folder: TempDir,
}

impl Private {
    /// Makes one, readable by its owner alone.
    ///
    /// Faults: `RB091` where it cannot be made.
    pub(in crate::helm) fn make() -> Result<Self, Fault> {
        tempfile::Builder::new()
            .prefix("runbook-helm-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()
            .map(|folder| Self { folder })
            .map_err(|error| failed(&error))
    }

    /// Where it is.
    pub(in crate::helm) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes user values and gives the file's path.
    pub(in crate::helm) fn write_values(&self, values: &Map<String, Value>) -> Result<PathBuf, Fault> {
        let path = self.path().join("values.yaml");
        let text = as_yaml(values);
        fs_err::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| failed(&error))?;
        Ok(path)
    }
}

fn failed(error: &std::io::Error) -> Fault {
    Fault::new(Code::FileAccess, format!("the private folder for helm cannot be written: {error}"))
}

/// JSON that every YAML reader takes for the same: what YAML would refuse in a string, or fold, is escaped.
fn as_yaml(values: &Map<String, Value>) -> String {
    let json = serde_json::to_string(values).expect("values are plain data");
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                write!(text, "\\u{:04x}", u32::from(c)).expect("writing to a string cannot fail");
            }
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_values_file_is_for_its_owner_alone_and_gone_afterwards() {
        let private = Private::make().unwrap();
        let values = json!({ "password": "hunter2" });
        let path = private.write_values(values.as_object().unwrap()).unwrap();
        let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(private.path())), (0o600, 0o700));
        let folder = private.path().to_owned();
        drop(private);
        assert!(!folder.exists());
    }

    #[test]
    fn any_text_survives_the_way_through_yaml() {
        let hard = "y\u{7f}\u{85}\u{2028}\u{feff}😀: - \"#\\ \n\t'%@`\u{1}";
        let values = json!({ "yes": hard, "on": "on", "n": "0644", "f": 1e20, "deep": { hard: [null, true, "null"] } });
        let text = as_yaml(values.as_object().unwrap());
        assert_eq!(crate::yaml::document(&text).unwrap(), values);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), values);
    }
}
