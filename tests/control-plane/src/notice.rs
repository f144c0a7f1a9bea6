//! Words to the person who waits.
//!
//! Written to standard error itself and not through `eprintln!`, which the test harness keeps to itself unless a test fails.

use std::io::{self, Write as _};

/// Says a line. A standard error that is gone is no reason to fail.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "control plane: {line}");
}

/// A duration as people say it: `7 s`, `2 min 10 s`.
pub(crate) fn in_words(duration: std::time::Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
