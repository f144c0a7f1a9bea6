//! Waiting until something holds, by looking again and again.
//!
//! The code under test watches; its test bed polls, so that the two cannot be wrong together.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::fault::Fault;

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(50);

/// What was seen: it holds, or it does not yet and why.
pub(crate) type Seen<T> = Result<T, String>;

/// Looks until `look` sees what it wants; a fault after `seconds`, with what was seen last.
pub(crate) async fn until<T>(what: &str, seconds: u64, mut look: impl AsyncFnMut() -> Seen<T>) -> Result<T, Fault> {
    let begun = Instant::now();
    loop {
        match look().await {
            Ok(value) => return Ok(value),
            Err(last) if begun.elapsed() > Duration::from_secs(seconds) => {
                return Err(Fault::Timeout { what: what.to_owned(), seconds, last });
            }
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}

/// A fault on the way to the API server, as something to look at again.
pub(crate) fn not_yet(error: impl Display) -> String {
    error.to_string()
}
