//! One step that reads, and one that writes, beside a shell loop of `kubectl`.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::place::{Place, STEP, STEP_OVER};
use crate::running::Running;
use crate::table::Row;
use crate::times::Times;
use crate::{Fallible, machine};

const READ: &str = r#"//! Reads one object again and again.
let times = param::int("times", "How often");
for n in 0..times {
    step `Read ${n}` { kubectl::get("namespace", "default"); }
}
"#;

const LABEL: &str = r#"//! Labels one object again and again.
let times = param::int("times", "How often");
let word = param::string("word", "What with");
for n in 0..times {
    step `Label ${n}` { kubectl::label("namespace", "bench-step", #{ tier: `${word}-${n}` }, #{ overwrite: true }); }
}
"#;

/// Steps in a run, and runs.
const STEPS: usize = 200;
const RUNS: usize = 5;

/// Turns of the shell's loop, and loops.
const TURNS: usize = 10;
const LOOPS: usize = 3;

/// A folder whose files are flushed at once, since they are in memory.
const MEMORY: &str = "/dev/shm";

pub(crate) fn measure(place: &Place) -> Fallible<Vec<Row>> {
    place.namespace("bench-step")?;
    let runs = place.runs();
    let (read, label) = (place.file("steps.rhai", READ)?, place.file("labels.rhai", LABEL)?);
    let reads = ours(place, &runs, &read, "")?;
    let labels = ours(place, &runs, &label, "disk")?;
    let flush = machine::flush(place)?.median();
    let get = shell(place, "get namespace default -o json")?;
    let set = shell(place, "label --overwrite namespace bench-step tier=shell-$i")?;
    let mut rows = vec![
        Row::time("one GET step", reads, 2.5).beside("shell loop of kubectl get", get, reads, 30.0),
        Row::time("one label step, journal flushed", labels, 2.5).beside(
            "shell loop of kubectl label",
            set,
            labels,
            30.0,
        ),
        Row::fact("  of which the disk's flush alone", crate::times::shown(flush)),
    ];
    if let Ok(folder) = tempfile::tempdir_in(MEMORY) {
        let labels = ours(place, folder.path(), &label, "memory")?;
        let row = Row::time("one label step, journal on a disk in memory", labels, 2.5);
        rows.push(row.beside("shell loop of kubectl label", set, labels, 30.0));
    }
    Ok(rows)
}

/// One step of ours: the runs' medians of all that lies between the first step's beginning and the last one's end, in milliseconds.
fn ours(place: &Place, runs: &Path, script: &Path, word: &str) -> Fallible<f64> {
    let mut each = Times::default();
    for run in 0..RUNS {
        let times = STEPS.to_string();
        let word = format!("{word}-{run}");
        let mut arguments = vec!["--times", &times];
        if !word.starts_with('-') {
            arguments.extend(["--word", &word]);
        }
        let mut running = place.run_in(runs, script, &arguments)?;
        let (begun, _) = running.line(STEP)?;
        let over = last(&mut running)?;
        running.end()?;
        each.add((over - begun) / u32::try_from(STEPS)?);
    }
    eprintln!("  {}: {each}", script.file_stem().unwrap_or_default().display());
    Ok(each.median())
}

fn last(running: &mut Running) -> Fallible<Instant> {
    let mut over = running.begun;
    for _ in 0..STEPS {
        over = running.line(STEP_OVER)?.0;
    }
    Ok(over)
}

/// One turn of a shell's loop, in milliseconds.
fn shell(place: &Place, what: &str) -> Fallible<f64> {
    let kubectl = place.plane.kubectl().display().to_string();
    let mut each = Times::default();
    for _ in 0..LOOPS {
        let line =
            format!("i=0; while [ $i -lt {TURNS} ]; do '{kubectl}' {what} > /dev/null || exit 1; i=$((i+1)); done");
        let mut command = place.command("sh")?;
        command.args(["-c", &line]);
        let running = Running::start(command)?;
        let begun = running.begun;
        let (over, _) = running.end()?;
        each.add((over - begun) / u32::try_from(TURNS)?);
    }
    eprintln!("  kubectl {what}: {each}");
    Ok(each.median().max(Duration::ZERO.as_secs_f64()))
}
