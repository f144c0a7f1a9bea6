//! Writes a journal. Knows files and flushing; does not know what a record means.

use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// A value that was kept beside the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of its bytes, which is its name too.
    pub digest: String,
    /// How many bytes it had before they were compressed.
    pub bytes: usize,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    key: [u8; 32],
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    File(Box<Disk>),
    Memory(Mutex<Vec<Record>>),
}

/// A file whose lines reach the disk together: threads that wait for it at the same time wait for one flush.
#[derive(Debug)]
struct Disk {
    folder: PathBuf,
    file: Mutex<File>,
    /// The same file, for flushing while others write.
    handle: File,
    /// Lines written.
    written: AtomicU64,
    flushed: Mutex<Flushed>,
}

/// What is known to be on disk.
#[derive(Debug, Default)]
struct Flushed {
    lines: u64,
    /// Whether the key is, and the names of file and folder: nothing else would be found again.
    names: bool,
    /// A flush that failed says so only once, and what it should have brought to disk may be lost: nothing after it counts.
    failed: Option<Fault>,
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
        let handle = file.try_clone().map_err(failed)?;
        let (written, flushed) = (AtomicU64::new(0), Mutex::default());
        Ok(Self { key, sink: Sink::File(Box::new(Disk { folder, file: Mutex::new(file), handle, written, flushed })) })
    }

    /// A journal that is never written anywhere.
    pub fn in_memory() -> Self {
        Self { key: [0; 32], sink: Sink::Memory(Mutex::default()) }
    }

    /// What a journal in memory holds; empty for one on disk.
    pub fn records(&self) -> Vec<Record> {
        match &self.sink {
            Sink::Memory(records) => records.lock().expect("no thread panics while it holds this lock").clone(),
            Sink::File(_) => Vec::new(),
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
            Sink::File(disk) => {
                let mut line = serde_json::to_vec(record).expect("a record is plain data");
                line.push(b'\n');
                let number = disk.write(&line)?;
                if flush == Flush::Now { disk.flush(number) } else { Ok(()) }
            }
        }
    }

    /// Turns an answer into what may be written: in the line, beside the journal, or not at all. Of large ones, a journal in memory keeps
    /// the digest.
    pub fn settle(&self, value: &Value, confidential: bool) -> Result<Settlement, Fault> {
        if confidential || secret::holds_secret(value) {
            return Ok(Settlement::Withheld(digest::keyed(&self.key, value)));
        }
        let is_large = is_longer(value, INLINE);
        match &self.sink {
            Sink::File(disk) if is_large => {
                let (digest, _) = digest::of_json(value);
                store(&disk.folder, &digest, value).map(|()| Settlement::Stored(digest))
            }
            // A list of all pods, asked for ten times, is nothing to remember; what a write says of itself is.
            Sink::Memory(_) if is_large && value.get("changed").is_none() => {
                Ok(Settlement::Stored(digest::of_json(value).0))
            }
            _ => Ok(Settlement::Value(value.clone())),
        }
    }

    /// Keeps a value whole beside the journal, on disk when this returns, under the digest of its bytes. One in memory keeps nothing.
    ///
    /// Faults: `RB050` where it cannot be written.
    pub fn keep(&self, value: &Value) -> Result<Kept, Fault> {
        let (digest, bytes) = digest::of_json(value);
        if let Sink::File(disk) = &self.sink {
            store(&disk.folder, &digest, value)?;
            let synced = File::open(disk.folder.join(format!("{digest}.json.gz"))).and_then(|file| file.sync_all());
            synced.map_err(|error| unwritable(&disk.folder, &error))?;
        }
        Ok(Kept { digest, bytes })
    }

    /// Digest of a value that only this run can make.
    pub fn digest(&self, value: &Value) -> String {
        digest::keyed(&self.key, value)
    }
}

impl Disk {
    /// Writes a line; gives its number, from 1.
    fn write(&self, line: &[u8]) -> Result<u64, Fault> {
        let mut file = self.file.lock().expect("no thread panics while it holds this lock");
        // One write per line, so that a cut-off line can only be the last.
        file.write_all(line).map_err(|error| unwritable(&self.folder, &error))?;
        Ok(self.written.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Comes back once the line of that number is on disk. Who comes while a flush is under way waits for the next one, and
    /// whoever makes that one makes it for all.
    fn flush(&self, number: u64) -> Result<(), Fault> {
        let mut flushed = self.flushed.lock().expect("no thread panics while it holds this lock");
        if let Some(fault) = &flushed.failed {
            return Err(fault.clone());
        }
        if flushed.lines >= number {
            return Ok(());
        }
        let lines = {
            let _no_line_is_half_written = self.file.lock().expect("no thread panics while it holds this lock");
            self.written.load(Ordering::Relaxed)
        };
        let named = if flushed.names { Ok(()) } else { self.flush_names() };
        match named.and_then(|()| self.handle.sync_data()) {
            Ok(()) => (flushed.lines, flushed.names) = (lines, true),
            Err(error) => flushed.failed = Some(unwritable(&self.folder, &error)),
        }
        flushed.failed.clone().map_or(Ok(()), Err)
    }

    /// A run that writes nothing need not wait for this at its start.
    fn flush_names(&self) -> std::io::Result<()> {
        File::open(self.folder.join(KEY))?.sync_all()?;
        File::open(&self.folder)?.sync_all()?;
        self.folder.parent().map_or(Ok(()), |runs| File::open(runs)?.sync_all())
    }
}

/// Whether the JSON of a value has more bytes than these. Reads no more of it than that takes.
fn is_longer(value: &Value, than: usize) -> bool {
    let mut room = vec![0; than];
    serde_json::to_writer(room.as_mut_slice(), value).is_err()
}

/// Keeps a value under its digest.
fn store(folder: &Path, digest: &str, value: &Value) -> Result<(), Fault> {
    let path = folder.join(format!("{digest}.json.gz"));
    if path.exists() {
        return Ok(());
    }
    let failed = |error: std::io::Error| unwritable(folder, &error);
    let mut file =
        fs_err::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path).map_err(failed)?;
    let mut encoder = BufWriter::new(GzEncoder::new(Vec::new(), Compression::fast()));
    serde_json::to_writer(&mut encoder, value)
        .map_err(std::io::Error::from)
        .and_then(|()| encoder.into_inner().map_err(std::io::IntoInnerError::into_error))
        .and_then(GzEncoder::finish)
        .and_then(|packed| file.write_all(&packed))
        .map_err(failed)
}

fn unwritable(folder: &Path, error: &std::io::Error) -> Fault {
    Fault::new(Code::JournalFailed, format!("the journal in `{}` cannot be written: {error}", folder.display()))
        .hint("nothing is done without a record; name another folder with `--journal DIR`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Entry, Level, Log};

    #[test]
    fn the_length_of_a_value_is_that_of_its_json() {
        let value = serde_json::json!({ "a": [1, "x"] });
        let bytes = value.to_string().len();
        assert!(!is_longer(&value, bytes) && is_longer(&value, bytes - 1));
    }

    #[test]
    fn what_is_kept_is_read_back_whole_and_its_owners_alone() {
        let runs = tempfile::tempdir().unwrap();
        let journal = Journal::create(runs.path(), "run", [7; 32]).unwrap();
        let value = serde_json::json!({ "kind": "VirtualService", "spec": { "hosts": ["a"] } });
        let kept = journal.keep(&value).unwrap();
        assert_eq!(crate::journal::stored(runs.path(), "run", &kept.digest).unwrap(), value);
        let file = runs.path().join("run").join(format!("{}.json.gz", kept.digest));
        assert_eq!(fs_err::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs_err::write(&file, "damaged").unwrap();
        assert!(crate::journal::stored(runs.path(), "run", &kept.digest).is_err());
    }

    #[test]
    fn lines_of_many_threads_are_whole_and_flushed_when_told_so() {
        let runs = tempfile::tempdir().unwrap();
        let journal = Journal::create(runs.path(), "run", [7; 32]).unwrap();
        let Sink::File(disk) = &journal.sink else { panic!("it is on disk") };
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let journal = &journal;
                scope.spawn(move || {
                    for number in 0..20 {
                        let log = Log { step: thread.to_string(), level: Level::Info, message: number.to_string() };
                        let record = Record { at: jiff::Timestamp::UNIX_EPOCH, entry: Entry::Log(log) };
                        let before = disk.written.load(Ordering::Relaxed);
                        journal.append(&record, Flush::Now).unwrap();
                        assert!(disk.flushed.lock().unwrap().lines > before, "its own line is on disk");
                    }
                });
            }
        });
        let text = fs_err::read_to_string(disk.folder.join(FILE)).unwrap();
        let read = text.lines().filter(|line| serde_json::from_str::<Record>(line).is_ok());
        assert_eq!((read.count(), disk.flushed.lock().unwrap().lines), (160, 160));
    }
}
