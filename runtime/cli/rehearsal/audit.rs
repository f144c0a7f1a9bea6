//! The log of what a rehearsal asked of the simulated API server: a line for each request, as a real one's audit log has it.
//!
//! Does not know what the requests are for.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use runbook_core::fault::{Code, Fault};
use runbook_sim::{AuditEntry, Witness};

/// Writes each request to a new file, or over an old one.
///
/// Faults: `RB002` where it cannot be written.
pub(super) fn witness(file: &Path) -> Result<Witness, Fault> {
    let opened = fs_err::File::create(file)
        .map_err(|error| Fault::new(Code::Usage, format!("the audit log cannot be written: {error}")))?;
    let log = Mutex::new((opened, 0_u64));
    Ok(Arc::new(move |entry: &AuditEntry| {
        let mut log = log.lock().expect("no thread panics while it holds this lock");
        log.1 += 1;
        let line = format!("{}\n", entry.event(log.1));
        if let Err(error) = log.0.write_all(line.as_bytes()) {
            tracing::error!("the audit log is not complete: {error}");
        }
    }))
}
