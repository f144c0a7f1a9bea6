//! A file that comes into being as a whole, for its owner alone, and never over another one.
//!
//! Does not know what is in it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use fs_err::os::unix::fs::OpenOptionsExt as _;
use runbook_core::fault::{Code, Fault};

/// A file that is not complete yet: beside the one that is wanted, and gone where nothing comes of it.
pub(crate) struct Part {
    wanted: PathBuf,
    path: PathBuf,
    file: fs_err::File,
}

impl Part {
    /// Begins it. `what` is in it, such as `a snapshot`, and `option` names another file.
    ///
    /// Faults: `RB002` where there is a file already, or it cannot be written.
    pub(crate) fn open(wanted: &Path, what: &str, option: &str) -> Result<Self, Fault> {
        let shown = wanted.display();
        if wanted.symlink_metadata().is_ok() {
            let message = format!("`{shown}` exists already, and {what} never writes over a file");
            return Err(Fault::new(Code::Usage, message).hint(format!("name another file with `{option} FILE`")));
        }
        let mut name = wanted.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = wanted.with_file_name(name);
        let file = fs_err::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| Fault::new(Code::Usage, format!("`{shown}` cannot be written: {error}")))?;
        Ok(Self { wanted: wanted.to_owned(), path, file })
    }

    /// What is written into.
    pub(crate) fn file(&self) -> &File {
        self.file.file()
    }

    /// Writes into it.
    ///
    /// Faults: `RB002` where it cannot be written.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Fault> {
        self.file().write_all(bytes).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Fault {
        Fault::new(Code::Usage, format!("`{}` cannot be written: {error}", self.wanted.display()))
    }

    /// All of it is there now.
    ///
    /// Faults: `RB002` where a file has come there meanwhile.
    pub(crate) fn finish(&self) -> Result<(), Fault> {
        // A link fails where a file has come there meanwhile; renaming would take its place.
        fs_err::hard_link(&self.path, &self.wanted).map_err(|error| self.failed(&error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // What cannot be removed is named as what it is: a part.
        drop(fs_err::remove_file(&self.path));
    }
}
