//! From the start of the process to the first answered read.

use crate::place::{Place, SETTLED};
use crate::table::Row;
use crate::times::Times;
use crate::{Fallible, peer};

const SCRIPT: &str = "//! Reads one object.\n\nstep \"Read\" { kubectl::get(\"namespace\", \"default\"); }\n";

/// How often each is started. The first time warms caches and does not count.
const TIMES: usize = 31;

/// Ours and each peer in turn, so that all meet the same weather.
pub(crate) fn measure(place: &Place) -> Fallible<Vec<Row>> {
    let script = place.file("read.rhai", SCRIPT)?;
    let readers = peer::readers(place);
    let mut ours = Times::default();
    let mut theirs = vec![Times::default(); readers.len()];
    for round in 0..TIMES {
        let mut running = place.run(&script, &[])?;
        let (at, _) = running.line(SETTLED)?;
        let took = at - running.begun;
        running.end()?;
        if round > 0 {
            ours.add(took);
        }
        for (reader, times) in readers.iter().zip(&mut theirs) {
            let mut running = reader.start(place)?;
            let (at, _) = running.line("")?;
            let took = at - running.begun;
            running.end()?;
            if round > 0 {
                times.add(took);
            }
        }
    }
    eprintln!("  start to first answered read: {ours}");
    let mut rows = Vec::new();
    for (index, (reader, times)) in readers.iter().zip(&theirs).enumerate() {
        eprintln!("  {}: {times}", reader.name);
        let row = match index {
            0 => Row::time("start to first answered read", ours.median(), 15.0),
            _ => Row::fact("start to first answered read", crate::times::shown(ours.median())),
        };
        let least = if index == 0 { 3.0 } else { 0.0 };
        rows.push(row.beside(reader.name, times.median(), ours.median(), least));
    }
    Ok(rows)
}
