//! The name of a set of pinned versions: a digest of all that decides what comes out of the build.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::part::{PARTS, modules};
use crate::fault::Fault;

/// Digests `go.mod`, `go.sum`, sources and linker flags of every part, and the platform.
pub(super) fn of_parts() -> Result<String, Fault> {
    let mut sum = Sha256::new();
    sum.update(format!("{} {}\n", std::env::consts::OS, std::env::consts::ARCH));
    for part in &PARTS {
        sum.update(part.ldflags());
        let mut files = fs_err::read_dir(modules().join(part.module))?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>, std::io::Error>>()?;
        files.sort();
        for file in files {
            let bytes = fs_err::read(&file)?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            sum.update(format!("{}/{name} {}\n", part.module, bytes.len()));
            sum.update(bytes);
        }
    }
    Ok(short(&sum.finalize()))
}

/// The first sixteen hexadecimal digits of a digest: enough to tell folders apart, short enough to read.
pub(crate) fn short(digest: &[u8]) -> String {
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
