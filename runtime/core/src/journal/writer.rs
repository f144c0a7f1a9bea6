//! Writes a journal. Knows files and flushing; does not know what a record means.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use flate2::{Compression, write::GzEncoder};
use fs_err::File;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use serde_json::Value;

use super::{FILE, INLINE, KEY};
use crate::digest;
use crate::fault::{Code, Fault};
use crate::record::{Record, Settlement};
use crate::secret;

/// Whether a line must be on disk before we go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// On disk before this returns.
    Now,
    /// With the next that is.
    Later,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    key: [u8; 32],
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    File { folder: PathBuf, file: Mutex<File> },
    Memory(Mutex<Vec<Record>>),
}

impl Journal {
    /// A new journal in a folder of its own, `runs/<run>/journal.jsonl`, locked for as long as it is open.
    ///
    /// `key` is random; it is kept beside the journal, readable by its owner alone.
    ///
    /// Faults: `RB050` where the folder cannot be written, `AlreadyExists` inside where the id is taken.
    pub fn create(runs: &Path, run: &str, key: [u8; 32]) -> Result<Self, Fault> {
        let folder = runs.join(run);
        let failed = |error: std::io::Error| unwritable(runs, &error);
        fs_err::create_dir_all(runs).map_err(failed)?;
        fs_err::create_dir(&folder).map_err(failed)?;
        fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
        let private = |name: &str| {
            fs_err::OpenOptions::new().create_new(true).append(true).mode(0o600).open(folder.join(name)).map_err(failed)
        };
        private(KEY)?.write_all(&key).map_err(failed)?;
        let file = private(FILE)?;
        file.file().try_lock().map_err(|error| unwritable(runs, &error.into()))?;
        // The names themselves must survive a power cut too.
        File::open(&folder).and_then(|dir| dir.sync_all()).map_err(failed)?;
        File::open(runs).and_then(|dir| dir.sync_all()).map_err(failed)?;
        Ok(Self { key, sink: Sink::File { folder, file: Mutex::new(file) } })
    }

    /// A journal that is never written anywhere.
    pub fn in_memory() -> Self {
        Self { key: [0; 32], sink: Sink::Memory(Mutex::default()) }
    }

    /// What a journal in memory holds; empty for one on disk.
    pub fn records(&self) -> Vec<Record> {
        match &self.sink {
            Sink::Memory(records) => records.lock().expect("no thread panics while it holds this lock").clone(),
            Sink::File { .. } => Vec::new(),
        }
    }

    /// Appends a line.
    ///
    /// Faults: `RB050` where it cannot be written; the run must not go on.
    pub fn append(&self, record: &Record, flush: Flush) -> Result<(), Fault> {
        match &self.sink {
            Sink::Memory(records) => {
                records.lock().expect("no thread panics while it holds this lock").push(record.clone());
                Ok(())
            }
            Sink::File { folder, file } => {
                let mut line = serde_json::to_vec(record).expect("a record is plain data");
                line.push(b'\n');
                let mut file = file.lock().expect("no thread panics while it holds this lock");
                // One write per line, so that a cut-off line can only be the last.
                let written =
                    file.write_all(&line).and_then(|()| if flush == Flush::Now { file.sync_data() } else { Ok(()) });
                written.map_err(|error| unwritable(folder, &error))
            }
        }
    }

    /// Turns an answer into what may be written: in the line, beside the journal, or not at all.
    pub fn settle(&self, value: &Value, confidential: bool) -> Result<Settlement, Fault> {
        if confidential || secret::holds_secret(value) {
            return Ok(Settlement::Withheld(digest::keyed(&self.key, value)));
        }
        let bytes = serde_json::to_vec(value).expect("a value is plain data");
        match &self.sink {
            Sink::File { folder, .. } if bytes.len() > INLINE => store(folder, &bytes).map(Settlement::Stored),
            _ => Ok(Settlement::Value(value.clone())),
        }
    }

    /// Digest of a value that only this run can make.
    pub fn digest(&self, value: &Value) -> String {
        digest::keyed(&self.key, value)
    }
}

fn store(folder: &Path, bytes: &[u8]) -> Result<String, Fault> {
    let name = digest::of_bytes(bytes);
    let path = folder.join(format!("{name}.json.gz"));
    if path.exists() {
        return Ok(name);
    }
    let failed = |error: std::io::Error| unwritable(folder, &error);
    let mut file =
        fs_err::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path).map_err(failed)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .and_then(|packed| file.write_all(&packed))
        .map_err(failed)?;
    Ok(name)
}

fn unwritable(folder: &Path, error: &std::io::Error) -> Fault {
    Fault::new(Code::JournalFailed, format!("the journal in `{}` cannot be written: {error}", folder.display()))
        .hint("nothing is done without a record; name another folder with `--journal DIR`")
}
