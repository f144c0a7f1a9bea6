//! What the numbers depend on beside the programs: processors, load, how long the disk takes, and which peers there are.

use std::io::Write as _;
use std::time::Instant;

use crate::Fallible;
use crate::peer;
use crate::place::Place;
use crate::times::Times;

/// Flushes that are timed.
const FLUSHES: usize = 60;

/// Says where it is measured.
pub(crate) fn show(place: &Place) -> Fallible<()> {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let flush = flush(place)?;
    println!("{processors} processors, load {}", load());
    println!("one flush of the journal's disk: {flush}");
    for found in peer::found(place) {
        println!("peer: {found}");
    }
    Ok(())
}

/// Processes that want to run, of late: over one, five and fifteen minutes.
pub(crate) fn load() -> String {
    let text = fs_err::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// How long it takes to append a line to a file and have it on disk, as the journal does before each write.
pub(crate) fn flush(place: &Place) -> Fallible<Times> {
    let path = place.runs().join("flush");
    let mut file = fs_err::OpenOptions::new().create(true).append(true).open(&path)?;
    let mut times = Times::default();
    for _ in 0..FLUSHES {
        let begun = Instant::now();
        file.write_all(&[b'x'; 400])?;
        file.sync_data()?;
        times.add(begun.elapsed());
    }
    fs_err::remove_file(&path)?;
    Ok(times)
}
