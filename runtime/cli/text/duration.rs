//! Durations in words: as exact as a person wants to know.

/// Milliseconds as `12ms`, `2.1s`, `41s`, `6m 12s`, `1h 04m`.
pub(crate) fn in_words(ms: u64) -> String {
    let seconds = ms / 1000;
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..10_000 => format!("{}.{}s", seconds, ms % 1000 / 100),
        10_000..60_000 => format!("{seconds}s"),
        60_000..3_600_000 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The same in whole seconds, for what is counting.
pub(crate) fn whole(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{}s", ms / 1000),
        _ => in_words(ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_it_takes_the_less_exactly_it_is_said() {
        let words = [12, 2_149, 41_900, 372_000, 3_840_000].map(in_words);
        assert_eq!(words, ["12ms", "2.1s", "41s", "6m 12s", "1h 04m"]);
    }
}
