//! Where things are kept between runs: a folder outside the checkout, one sub-folder per set of pinned versions.
//!
//! Not known here: what is kept there.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::fault::Fault;
use crate::notice::say;

/// The folder of the test bed: `$RUNBOOK_TEST_CACHE`, else the user's cache folder, and `runbook/control-plane` in it.
pub(crate) fn root() -> PathBuf {
    let base = std::env::var_os("RUNBOOK_TEST_CACHE")
        .or_else(|| std::env::var_os("XDG_CACHE_HOME"))
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| etcetera::home_dir().ok().map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir);
    base.join("runbook").join("control-plane")
}

/// Holds a lock file exclusively, for as long as the value lives. Waits for whoever holds it, and says so.
pub(crate) fn lock(path: &Path, held_for: &str) -> Result<File, Fault> {
    let file = open_lock(path)?;
    if file.try_lock().is_err() {
        say(&format!("waiting for another test that is {held_for}"));
        file.lock()?;
    }
    Ok(file)
}

/// Takes a lock file if nobody holds it.
pub(crate) fn try_lock(path: &Path) -> Result<Option<File>, Fault> {
    let file = open_lock(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

fn open_lock(path: &Path) -> Result<File, Fault> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let file = fs_err::OpenOptions::new().create(true).append(true).open(path)?;
    Ok(file.into_parts().0)
}
