//! Building a part with Go.
//!
//! Into a folder of its own first, then moved: a build that was cut off leaves nothing that looks finished.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::part::{Part, modules};
use crate::fault::Fault;
use crate::notice::{in_words, say};
use crate::process::tail;

/// Faults unless there is a Go toolchain, naming the part that would need it.
pub(super) fn require(part: &Part, bin: &Path) -> Result<(), Fault> {
    let there = Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match there {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Fault::NoToolchain {
            binary: part.tools[0].0.name().to_owned(),
            version: part.version().to_owned(),
            cache: bin.to_owned(),
        }),
    }
}

/// Builds all binaries of a part into `bin`. `which` says how far we are: `2 of 5`.
pub(super) fn build(part: &Part, bin: &Path, which: &str) -> Result<(), Fault> {
    let name = part.module;
    say(&format!("building {name} {} ({which}; about {} with cold caches)", part.version(), part.usual));
    let begun = Instant::now();
    fs_err::create_dir_all(bin)?;
    let fresh = tempfile::Builder::new().prefix(".build-").tempdir_in(bin)?;
    for target in targets(part) {
        let mut command = Command::new("go");
        command
            .current_dir(modules().join(part.module))
            .env("CGO_ENABLED", "0")
            .args(["build", "-trimpath", "-ldflags", &part.ldflags(), "-o"])
            .arg(fresh.path().join(target.file))
            .args(target.packages);
        run(&mut command)?;
    }
    for (tool, _) in part.tools {
        fs_err::rename(fresh.path().join(tool.name()), bin.join(tool.name()))?;
    }
    say(&format!("{name} is built, in {}", in_words(begun.elapsed())));
    Ok(())
}

/// Builds a program of files that lie elsewhere, over the module of a part.
pub(super) fn build_files(part: &Part, sources: &[PathBuf], program: &Path) -> Result<(), Fault> {
    say(&format!("building {} over {} {}", program.display(), part.module, part.version()));
    let folder = program.parent().unwrap_or(program);
    fs_err::create_dir_all(folder)?;
    let fresh = tempfile::Builder::new().prefix(".build-").tempdir_in(folder)?;
    let mut command = Command::new("go");
    command
        .current_dir(modules().join(part.module))
        .env("CGO_ENABLED", "0")
        .args(["build", "-trimpath", "-ldflags", &part.ldflags(), "-o"])
        .arg(fresh.path().join("program"))
        .args(sources.iter().map(fs_err::canonicalize).collect::<Result<Vec<_>, _>>()?);
    run(&mut command)?;
    fs_err::rename(fresh.path().join("program"), program)?;
    Ok(())
}

/// One call of `go build`.
struct Target<'a> {
    /// Where to, below the fresh folder; empty for the folder itself, where each binary gets its package's name.
    file: &'a str,
    packages: Vec<&'a str>,
}

/// A single binary is named by us, several are named by their packages and built in one call.
fn targets(part: &Part) -> Vec<Target<'_>> {
    match part.tools {
        [(tool, package)] => vec![Target { file: tool.name(), packages: vec![package] }],
        several => vec![Target { file: "", packages: several.iter().map(|(_, package)| *package).collect() }],
    }
}

/// Runs a command to its end and returns what it printed.
pub(crate) fn run(command: &mut Command) -> Result<Vec<u8>, Fault> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Fault::Command {
        command: format!("{command:?}"),
        status: output.status,
        output: tail(&String::from_utf8_lossy(&output.stderr), 20),
    })
}
