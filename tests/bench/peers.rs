//! The benchmark: how long `runbook` takes over what an operator waits for, beside the tools found on the machine.
//!
//! One real API server, all tools against it in turn, one table. A wait that succeeds where nothing is ready, or a run that
//! fails, makes it fail; a time that misses its aim is shown and does not: the machine may be doing other things as well.
//! Does not know how the program does what it does: it is run as a person runs it, from its release build.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark measures real processes by a real clock, and says what it found"
)]

mod deployments;
mod latency;
mod machine;
mod memory;
mod namespaces;
mod peer;
mod place;
mod running;
mod start;
mod step;
mod table;
mod times;

use std::error::Error;
use std::process::ExitCode;

use place::Place;
use table::Row;

/// Whatever went wrong, in words.
type Fallible<T> = Result<T, Box<dyn Error>>;

/// A part of the benchmark; gives its rows of the table.
type Measure = fn(&Place) -> Fallible<Vec<Row>>;

const MEASURES: [(&str, Measure); 6] = [
    ("start", start::measure),
    ("step", step::measure),
    ("latency", latency::measure),
    ("deployments", deployments::measure),
    ("namespaces", namespaces::measure),
    ("memory", memory::measure),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        println!("a benchmark: `cargo bench --bench peers` runs it");
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    match run(&chosen) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("{failed} of the measures failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the measures whose names were given, or all; gives how many failed.
fn run(chosen: &[&str]) -> Fallible<usize> {
    let place = Place::open()?;
    machine::show(&place)?;
    let mut rows = Vec::new();
    let mut failed = 0;
    for (name, measure) in MEASURES {
        if !chosen.is_empty() && !chosen.contains(&name) {
            continue;
        }
        eprintln!("measuring: {name} (load {})", machine::load());
        match measure(&place) {
            Ok(more) => rows.extend(more),
            Err(error) => {
                failed += 1;
                rows.push(Row::failed(name, error.as_ref()));
            }
        }
    }
    print!("{}", table::text(&rows));
    println!("load at the end: {}", machine::load());
    Ok(failed)
}
