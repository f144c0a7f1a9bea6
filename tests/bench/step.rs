//! One step that reads, and one that writes, beside a shell loop of `kubectl`.

use std::path::Path;
use std::time::Instant;

use http::Method;

use crate::place::Place;
use crate::running::Running;
use crate::table::Row;
use crate::times::{Times, shown};
use crate::{Fallible, machine};

const READ: &str = r#"//! Reads one object again and again.
let times = param::int("times", "How often");
for n in 0..times {
    step `Read ${n}` { kubectl::get("namespace", "default"); }
}
"#;

const LABEL: &str = r#"//! Labels one object again and again, and says each time what it expects to find.
let times = param::int("times", "How often");
let word = param::string("word", "What with");
kubectl::label("namespace", "bench-step", #{ tier: `${word}-0` }, #{ overwrite: true });
for n in 0..times {
    step `Label ${n}` {
        kubectl::label("namespace", "bench-step", #{ tier: `${word}-${n + 1}` }, #{ expect: #{ tier: `${word}-${n}` } });
    }
}
"#;

const OVERWRITE: &str = r#"//! Labels one object again and again, whatever it finds.
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
    let read = place.file("steps.rhai", READ)?;
    let (label, overwrite) = (place.file("labels.rhai", LABEL)?, place.file("overwrite.rhai", OVERWRITE)?);
    let reads = ours(place, &runs, &read, "")?;
    let labels = ours(place, &runs, &label, "expected")?;
    let flush = machine::flush(place)?.median();
    let alone = server_alone(place)?;
    let both = ours(place, &runs, &overwrite, "overwritten")?;
    let get = shell(place, "get namespace default -o json")?;
    let set = shell(place, "label --overwrite namespace bench-step tier=shell-$i")?;
    let (gets, sets) = ("shell loop of kubectl get", "shell loop of kubectl label");
    let mut rows = vec![
        Row::time("one GET step", reads, 2.5).beside(gets, get, reads, 30.0),
        Row::time("one label step, journal flushed", labels, 2.5).beside(sets, set, labels, 30.0),
        Row::fact("  one flush of the journal's disk alone", shown(flush)),
        Row::fact("  the same patch from a client that does nothing else", shown(alone)),
        Row::fact("  where it has to read before it writes", shown(both)).beside(sets, set, both, 0.0),
    ];
    if let Ok(folder) = tempfile::tempdir_in(MEMORY) {
        let labels = ours(place, folder.path(), &label, "memory")?;
        rows.push(Row::fact("  journal on a disk in memory", shown(labels)).beside(sets, set, labels, 0.0));
    }
    Ok(rows)
}

/// How long the server takes over one such patch, in milliseconds.
fn server_alone(place: &Place) -> Fallible<f64> {
    let mut times = Times::default();
    for number in 0..STEPS {
        let body = serde_json::json!({ "metadata": { "labels": { "tier": format!("alone-{number}") } } });
        let begun = Instant::now();
        place.request(Method::PATCH, "/api/v1/namespaces/bench-step", &body)?;
        times.add(begun.elapsed());
    }
    eprintln!("  the same patch, alone: {times}");
    Ok(times.mean())
}

/// One step of ours, in milliseconds: what a run of many takes longer than a run of none, over how many they are. Nobody reads
/// what they say meanwhile, as nobody reads what the shell's loop says.
fn ours(place: &Place, runs: &Path, script: &Path, word: &str) -> Fallible<f64> {
    let (mut none, mut many) = (Times::default(), Times::default());
    for run in 0..RUNS {
        for (times, steps) in [(&mut none, 0), (&mut many, STEPS)] {
            let (steps, told) = (steps.to_string(), format!("{word}-{run}-{steps}"));
            // The limits let 50 writes a second go: they would be all that is measured.
            let mut arguments = vec!["--times", &steps, "--limits", "off"];
            if !word.is_empty() {
                arguments.extend(["--word", &told]);
            }
            times.add(place.took(runs, script, &arguments)?);
        }
    }
    eprintln!("  {}: {none} without a step, {many} with {STEPS}", script.file_stem().unwrap_or_default().display());
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    Ok((many.median() - none.median()) / STEPS as f64)
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
    Ok(each.median())
}
