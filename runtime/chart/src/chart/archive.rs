//! A gzipped tar becomes files, whatever its maker had in mind.
//!
//! Nothing outside the chart's folder, nothing beyond the bounds, and nothing but plain files comes out.

use std::io::Read as _;
use std::sync::Arc;

use super::File;
use crate::fault::Fault;
use crate::function;

/// How large all files together may be.
const MOST: u64 = 100 << 20;
/// How large one file may be.
const MOST_OF_ONE: u64 = 5 << 20;
/// How many entries an archive may have.
const MOST_ENTRIES: usize = 20_000;

/// The files of an archive, below the folder that the archive holds.
pub(super) fn files(bytes: &[u8]) -> Result<Vec<File>, Fault> {
    if !bytes.starts_with(&[0x1f, 0x8b, 0x08]) {
        return Err(Fault::new("gzip: invalid header"));
    }
    // What is not data, such as long names, counts as well: the stream itself is bounded.
    let stream = flate2::read::MultiGzDecoder::new(bytes).take(MOST + (16 << 20));
    let mut archive = tar::Archive::new(stream);
    let mut files = Vec::new();
    let mut left = MOST;
    let entries = archive.entries().map_err(broken)?;
    for (index, entry) in entries.enumerate() {
        if index > MOST_ENTRIES {
            return Err(Fault::new(format!("chart archive has more than {MOST_ENTRIES} entries")));
        }
        let mut entry = entry.map_err(broken)?;
        let kind = entry.header().entry_type();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_dir() || kind.is_pax_global_extensions() || kind.is_pax_local_extensions() || name.ends_with('/') {
            continue;
        }
        let path = inside(&name)?;
        if kind.is_symlink() || kind.is_hard_link() {
            // Helm keeps a link as an empty file.
            files.push(File { name: path, data: Arc::from([]) });
            continue;
        }
        if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
            return Err(Fault::new(format!("chart archive holds {name:?}, which is not a plain file")));
        }
        let size = entry.size();
        if size > left {
            return Err(Fault::new(format!("decompressed chart is larger than the maximum file size {MOST}")));
        }
        if size > MOST_OF_ONE {
            return Err(Fault::new(format!(
                "decompressed chart file {name:?} is larger than the maximum file size {MOST_OF_ONE}"
            )));
        }
        let mut data = Vec::new();
        entry.by_ref().take(MOST_OF_ONE + 1).read_to_end(&mut data).map_err(broken)?;
        if (data.len() as u64) < size {
            return Err(Fault::new("unexpected EOF"));
        }
        left -= size;
        let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&data);
        files.push(File { name: path, data: Arc::from(data) });
    }
    if files.is_empty() {
        return Err(Fault::new("no files in chart archive"));
    }
    Ok(files)
}

fn broken(error: std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return Fault::new("unexpected EOF");
    }
    Fault::new(format!("chart archive cannot be read: {error}"))
}

/// The path below the chart's folder, or why there is none.
fn inside(name: &str) -> Result<String, Fault> {
    let separator = if name.contains('\\') { '\\' } else { '/' };
    let mut parts = name.split(separator);
    let top = parts.next().unwrap_or_default();
    let rest = parts.collect::<Vec<_>>().join("/");
    if rest.starts_with('/') {
        return Err(Fault::new("chart illegally contains absolute paths"));
    }
    let clean = function::clean_path(&rest);
    if clean == "." {
        return Err(Fault::new(format!("chart illegally contains content outside the base directory: {name:?}")));
    }
    if clean.starts_with("..") {
        return Err(Fault::new("chart illegally references parent directory"));
    }
    let bytes = clean.as_bytes();
    if bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && &bytes[1..3] == b":/" {
        return Err(Fault::new("chart contains illegally named files"));
    }
    if top == "Chart.yaml" {
        return Err(Fault::new("chart yaml not in base directory"));
    }
    Ok(clean)
}
