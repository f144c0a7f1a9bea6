//! Finds the script that was asked for: a file, or a bundled runbook of that name.
//!
//! Does not know what is in it.

use std::path::{Path, PathBuf};

use runbook_core::engine::Source;
use runbook_core::fault::{Code, Fault};
use runbook_core::param::nearest;

use crate::bundled;

/// More than this is no script.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The commands, for whoever misspells one and so seems to name a script.
const COMMANDS: [&str; 9] = ["list", "show", "fork", "runs", "report", "chart", "snapshot", "sim", "help"];

/// A script that was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its name, without folder and extension.
    pub(crate) name: String,
    /// Where it came from: a path, or `bundled`.
    pub(crate) origin: String,
    /// The folder it lies in, where it lies in one.
    pub(crate) folder: Option<PathBuf>,
    /// Its text.
    pub(crate) text: String,
}

/// Finds a script. A file comes first, so that a fork in the present folder runs under the name it was forked from.
///
/// Faults: `RB002` where there is neither a file nor a bundled runbook of that name.
pub(crate) fn find(asked: &str) -> Result<Found, Fault> {
    let path = Path::new(asked);
    if path.is_file() {
        return read(path);
    }
    if let Some(bundled) = bundled::find(asked) {
        let (name, text) = (bundled.name.to_owned(), bundled.text.to_owned());
        return Ok(Found { name, origin: "bundled".to_owned(), folder: None, text });
    }
    Err(nowhere(asked, path))
}

fn read(path: &Path) -> Result<Found, Fault> {
    let shown = path.display().to_string();
    let unreadable =
        |error: std::io::Error| Fault::new(Code::Usage, format!("script `{shown}` cannot be read: {error}"));
    let size = fs_err::metadata(path).map_err(unreadable)?.len();
    if size > LARGEST {
        return Err(Fault::new(Code::Usage, format!("script `{shown}` is too large: {size} bytes, at most {LARGEST}")));
    }
    let text = fs_err::read_to_string(path).map_err(unreadable)?;
    let folder =
        path.parent().map(|folder| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() });
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Found { name, origin: shown, folder, text })
}

impl Found {
    /// What the engine loads.
    pub(crate) fn source(&self) -> Source {
        let name = format!("{}.rhai", self.name);
        Source { name, text: self.text.clone(), folder: self.folder.clone() }
    }
}

fn nowhere(asked: &str, path: &Path) -> Fault {
    if path.is_dir() {
        return Fault::new(Code::Usage, format!("`{asked}` is a folder, not a script"));
    }
    let bundled = bundled::all();
    let names = bundled.iter().map(|bundled| bundled.name).chain(COMMANDS);
    let wanted = asked.strip_suffix(".rhai").unwrap_or(asked);
    let words = format!("`{asked}` is no command, no file, and no bundled runbook");
    let fault = Fault::new(Code::Usage, words);
    match nearest(wanted, names) {
        Some(near) => fault.hint(format!("did you mean `runbook {near}`?")),
        None => fault.hint("`runbook list` lists the bundled runbooks, `runbook --help` the commands"),
    }
}
