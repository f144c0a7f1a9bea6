//! Waiting until something holds, by looking again and again.
//!
//! The code under test watches; its test bed polls, so that the two cannot be wrong together.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::fault::Fault;

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(50);

/// What was seen: it holds, or it does not.
pub(crate) type Seen<T> = Result<T, Not>;

/// Why it does not hold.
pub(crate) enum Not {
    /// It may still come.
    Yet(String),
    /// It cannot come any more.
    Ever(Fault),
}

/// Not yet, because of what an error or a sentence says.
pub(crate) fn not_yet(because: impl Display) -> Not {
    Not::Yet(because.to_string())
}

/// Looks until `look` sees what it wants; a fault after `seconds`, with what was seen last.
pub(crate) async fn until<T>(what: &str, seconds: u64, mut look: impl AsyncFnMut() -> Seen<T>) -> Result<T, Fault> {
    let begun = Instant::now();
    loop {
        match look().await {
            Ok(value) => return Ok(value),
            Err(Not::Ever(fault)) => return Err(fault),
            Err(Not::Yet(last)) if begun.elapsed() > Duration::from_secs(seconds) => {
                return Err(Fault::Timeout { what: what.to_owned(), seconds, last });
            }
            Err(Not::Yet(_)) => tokio::time::sleep(INTERVAL).await,
        }
    }
}
