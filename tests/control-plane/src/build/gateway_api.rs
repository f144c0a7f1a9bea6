//! The CRDs of the Gateway API, out of its Go module.

use std::path::PathBuf;
use std::process::Command;

use super::part::{gateway_api_version, modules};
use super::{Binaries, go};
use crate::cache;
use crate::fault::Fault;

/// The files that hold the standard channel's CRDs of one version (`v1.5.1`), in order of their names.
///
/// Copied into the cache on first use, so that Go is asked for each version once.
pub fn gateway_api_crds(binaries: &Binaries, version: &str) -> Result<Vec<PathBuf>, Fault> {
    let folder = binaries.folder().join("gateway-api").join(version);
    if !folder.is_dir() {
        let _lock = cache::lock(&folder.with_extension("lock"), "fetching the Gateway API")?;
        if !folder.is_dir() {
            fetch(version, &folder)?;
        }
    }
    let mut files =
        fs_err::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    files.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("gateway.")));
    files.sort();
    Ok(files)
}

fn fetch(version: &str, folder: &std::path::Path) -> Result<(), Fault> {
    let mut command = Command::new("go");
    command.args(["mod", "download", "-json", &format!("sigs.k8s.io/gateway-api@{version}")]);
    // The pinned version is held to our go.sum; any other to Go's checksum database.
    if version == gateway_api_version() {
        command.current_dir(modules().join("gateway-api"));
    } else {
        command.current_dir(std::env::temp_dir());
    }
    let answer: serde_json::Value = serde_json::from_slice(&go::run(&mut command)?)
        .map_err(|error| Fault::malformed("the answer of `go mod download`", error))?;
    let module =
        answer["Dir"].as_str().ok_or_else(|| Fault::malformed("the answer of `go mod download`", "no `Dir`"))?;
    let parent = folder.parent().expect("the folder was made by joining");
    let fresh = tempfile::Builder::new().prefix(".fetch-").tempdir_in(parent)?;
    for entry in fs_err::read_dir(PathBuf::from(module).join("config/crd/standard"))? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_owned();
        // Copied as bytes: files in Go's module cache are read-only.
        fs_err::write(fresh.path().join(name), fs_err::read(&file)?)?;
    }
    fs_err::rename(fresh.keep(), folder)?;
    Ok(())
}
