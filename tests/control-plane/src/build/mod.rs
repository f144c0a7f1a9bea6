//! Finding the binaries of the control plane, or building them.
//!
//! First `KUBEBUILDER_ASSETS`, then the `PATH`, each only where the version is the pinned one; then the cache; and where
//! that has them not, Go builds them into it, once.

mod digest;
mod found;
mod gateway_api;
pub(crate) mod go;
mod part;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

pub(crate) use digest::short;
pub use gateway_api::gateway_api_crds;
pub(crate) use part::kubernetes_modules;
pub use part::{Tool, gateway_api_version, kubernetes_version};

use crate::cache;
use crate::fault::Fault;
use crate::notice::{in_words, say};
use part::{PARTS, Part};
use sha2::{Digest as _, Sha256};

/// The binaries of the control plane, all there and of the pinned versions.
#[derive(Clone, Debug)]
pub struct Binaries {
    paths: BTreeMap<Tool, PathBuf>,
    digest: String,
}

impl Binaries {
    /// Finds each binary, or builds what is missing: about a quarter of an hour once, then milliseconds.
    ///
    /// Says on standard error what it builds. Several processes may ask at once: one builds, the others wait.
    pub fn find_or_build() -> Result<Self, Fault> {
        static FOUND: Mutex<Option<Binaries>> = Mutex::new(None);
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(binaries) = &*found {
            return Ok(binaries.clone());
        }
        let binaries = Self::find_or_build_uncached()?;
        Ok(found.insert(binaries).clone())
    }

    fn find_or_build_uncached() -> Result<Self, Fault> {
        let digest = digest::of_parts()?;
        let folder = cache::root().join(&digest);
        let bin = folder.join("bin");
        let mut paths = BTreeMap::new();
        let mut missing = Vec::new();
        for part in &PARTS {
            match find(part, &bin) {
                Some(found) => paths.extend(found),
                None => missing.push(part),
            }
        }
        if !missing.is_empty() {
            go::require(missing[0], &bin)?;
            let _lock = cache::lock(&folder.join("build.lock"), "building the control plane")?;
            let begun = Instant::now();
            for (index, part) in missing.iter().enumerate() {
                // Another process may have built it while this one waited for the lock.
                if find(part, &bin).is_none() {
                    go::build(part, &bin, &format!("{} of {}", index + 1, missing.len()))?;
                }
                paths.extend(part.tools.iter().map(|(tool, _)| (*tool, bin.join(tool.name()))));
            }
            say(&format!("all binaries are there after {}", in_words(begun.elapsed())));
        }
        Ok(Self { paths, digest })
    }

    /// The path of one binary.
    pub fn path(&self, tool: Tool) -> &Path {
        &self.paths[&tool]
    }

    /// A program of a few Go files over the module that a binary comes from, with the binary's own flags: built once, and kept.
    ///
    /// A fault that says what is missing where there is no Go.
    pub fn beside(&self, tool: Tool, sources: &[PathBuf]) -> Result<PathBuf, Fault> {
        let part = PARTS.iter().find(|part| part.tools.iter().any(|(own, _)| *own == tool));
        let part = part.expect("every tool comes from a part");
        let folder = self.folder().join("beside");
        let mut digest = Sha256::new();
        for source in sources {
            digest.update(fs_err::read(source)?);
        }
        let program = folder.join(format!("{}-{}", tool.name(), short(&digest.finalize())));
        if !program.is_file() {
            go::require(part, &folder)?;
            let _lock = cache::lock(&self.folder().join("beside.lock"), "building a program beside helm")?;
            if !program.is_file() {
                go::build_files(part, sources, &program)?;
            }
        }
        Ok(program)
    }

    /// Names the pinned versions and build flags, as sixteen hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The folder that belongs to these versions; whatever depends on them is kept in it.
    pub fn folder(&self) -> PathBuf {
        cache::root().join(&self.digest)
    }
}

/// All binaries of a part, or nothing: a part is built as a whole.
fn find(part: &Part, bin: &Path) -> Option<Vec<(Tool, PathBuf)>> {
    part.tools.iter().map(|(tool, _)| Some((*tool, found::find(*tool, part.version(), bin)?))).collect()
}
