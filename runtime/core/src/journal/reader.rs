//! Reads a journal back. Tolerates a line cut off at the end; anything else that is wrong is a fault that names the line.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::FILE;
use crate::fault::{Code, Fault};
use crate::record::{Entry, Record, VERSION};

/// A stored answer unpacks to at most this much.
const LARGEST: u64 = 512 * 1024 * 1024;

/// A journal as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its records, in order.
    pub records: Vec<Record>,
    /// Whether the last line was cut off, as by `kill -9` or a power cut.
    pub torn: bool,
}

/// Reads the journal of a run: the folder `runs/<run>`.
///
/// Faults: `RB052` where there is none, `RB050` where it cannot be understood.
pub fn read(runs: &Path, run: &str) -> Result<Reading, Fault> {
    let path = runs.join(run).join(FILE);
    let text = match fs_err::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Fault::new(Code::NoRun, format!("there is no run `{run}` in `{}`", runs.display()))
                .hint("`runbook runs` lists them"));
        }
        Err(error) => return Err(Fault::new(Code::JournalFailed, format!("the journal cannot be read: {error}"))),
    };
    parse(&text, &path)
}

fn parse(bytes: &[u8], path: &Path) -> Result<Reading, Fault> {
    let mut reading = Reading { records: Vec::new(), torn: false };
    let mut lines = bytes.split_inclusive(|b| *b == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let whole = line.ends_with(b"\n");
        match serde_json::from_slice::<Record>(line) {
            Ok(record) if whole => reading.records.push(record),
            _ if lines.peek().is_none() && !whole => reading.torn = true,
            Ok(_) => unreachable!("only the last line can lack its end"),
            Err(error) => return Err(unreadable(path, index + 1, &error.to_string())),
        }
        if index == 0 {
            check_version(&reading, path)?;
        }
    }
    Ok(reading)
}

fn check_version(reading: &Reading, path: &Path) -> Result<(), Fault> {
    match reading.records.first().map(|record| &record.entry) {
        Some(Entry::Run(run)) if run.version <= VERSION => Ok(()),
        Some(Entry::Run(run)) => Err(Fault::new(
            Code::JournalFailed,
            format!("`{}` has format {}, this program reads up to {VERSION}", path.display(), run.version),
        )
        .hint("use the version of `runbook` that wrote it, or a newer one")),
        _ => Err(unreadable(path, 1, "it does not begin with a run")),
    }
}

fn unreadable(path: &Path, line: usize, reason: &str) -> Fault {
    Fault::new(Code::JournalFailed, format!("`{}` cannot be understood in line {line}: {reason}", path.display()))
}

/// The answer that a digest in a journal names.
pub fn stored(runs: &Path, run: &str, digest: &str) -> Result<Value, Fault> {
    let path = runs.join(run).join(format!("{digest}.json.gz"));
    let failed =
        |reason: String| Fault::new(Code::JournalFailed, format!("`{}` cannot be read: {reason}", path.display()));
    let packed = fs_err::File::open(&path).map_err(|e| failed(e.to_string()))?;
    let mut bytes = Vec::new();
    GzDecoder::new(packed).take(LARGEST).read_to_end(&mut bytes).map_err(|e| failed(e.to_string()))?;
    if crate::digest::of_bytes(&bytes) != digest {
        return Err(failed("its content is not what its name says".to_owned()));
    }
    serde_json::from_slice(&bytes).map_err(|e| failed(e.to_string()))
}

/// Whether a run's journal is still being written: its writer holds a lock on it for as long as it lives.
pub fn is_open(runs: &Path, run: &str) -> bool {
    fs_err::File::open(runs.join(run).join(FILE))
        .is_ok_and(|file| matches!(file.file().try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}

/// The runs in a folder, newest first: their ids and journals' paths. A folder that does not exist holds none.
pub fn list(runs: &Path) -> Result<Vec<(String, PathBuf)>, Fault> {
    let entries = match fs_err::read_dir(runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Fault::new(Code::JournalFailed, format!("the runs cannot be listed: {error}"))),
    };
    let mut found: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path().join(FILE)))
        .filter(|(_, journal)| journal.is_file())
        .collect();
    found.sort_by(|left, right| right.0.cmp(&left.0));
    Ok(found)
}
