//! The folder of one running control plane: data, logs, kubeconfigs, and room for the test's own files.
//!
//! Removed with the control plane. A process that was killed cannot do that: the next one that starts removes the folders
//! whose owners are gone, told by the lock that each owner holds.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::cache;
use crate::fault::Fault;

const LOCK: &str = "lock";

/// Files here are in memory.
const MEMORY: &str = "/dev/shm";

/// A folder that lives as long as the value.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// Makes a folder in the cache, and removes those that were left behind.
    pub(crate) fn make() -> Result<Self, Fault> {
        Self::make_in(&cache::root().join("runs"))
    }

    /// The same on a disk in memory, where the machine has one.
    pub(crate) fn make_in_memory() -> Result<Self, Fault> {
        if Path::new(MEMORY).is_dir() { Self::make_in(&Path::new(MEMORY).join("runbook-runs")) } else { Self::make() }
    }

    fn make_in(runs: &Path) -> Result<Self, Fault> {
        fs_err::create_dir_all(runs)?;
        // One at a time: a folder that is not locked yet looks like one that was left.
        let _one = cache::lock(&runs.join(LOCK), "starting")?;
        sweep(runs)?;
        let path = tempfile::Builder::new().prefix("run-").tempdir_in(runs)?.keep();
        let lock = cache::try_lock(&path.join(LOCK))?.expect("nobody else knows the folder yet");
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next one.
        let _ = fs_err::remove_dir_all(&self.path);
    }
}

fn sweep(runs: &Path) -> Result<(), Fault> {
    for entry in fs_err::read_dir(runs)? {
        let path = entry?.path();
        if path.is_dir() && cache::try_lock(&path.join(LOCK))?.is_some() {
            let _ = fs_err::remove_dir_all(&path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_is_not_swept() {
        let one = RunFolder::make().unwrap();
        let two = RunFolder::make().unwrap();
        assert!(one.path().is_dir() && two.path().is_dir());
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists());
    }
}
