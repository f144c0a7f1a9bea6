//! The benchmark of the dry run: what it asks of a live cluster with 5,000 pods in 200 namespaces, and how long it takes beside those
//! very reads sent by a client that does nothing else.
//!
//! One real API server with a real mesh on it. A dry run that fails, or asks for anything twice, makes it fail; a time that misses
//! its aim is shown and does not: the machine may be doing other things as well.

#![expect(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark measures real processes by a real clock, and says what it found; none of its counts is large"
)]

mod alone;
#[expect(dead_code, reason = "this table has fewer sorts of rows")]
mod table;
#[expect(dead_code, reason = "what is measured once has no quantiles")]
mod times;

use std::collections::BTreeMap;
use std::error::Error;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use http::Request;
use runbook_control_plane::{AuditEntry, Charts, ControlPlane, Helm, StandIn, State, many_pods};
use serde_json::json;
use table::Row;
use times::shown;

type Fallible<T> = Result<T, Box<dyn Error>>;

const NAMESPACES: usize = 200;
const PODS_EACH: usize = 25;
const NODES: u8 = 3;

/// The most memory that a dry run may have, in KiB.
const MOST: u64 = 256 * 1024;

fn main() -> ExitCode {
    alone::run("dry_run", run)
}

fn run() -> Fallible<Vec<Row>> {
    let plane = ControlPlane::from_state(&State::ambient("1.29.6", Helm::V3))?;
    let _istiod = StandIn::start(&plane)?;
    let small = measure(&plane)?;
    make_room(&plane)?;
    for number in 0..NAMESPACES {
        let name = format!("bench-{number}");
        let namespace = json!({ "metadata": { "name": name, "labels": { "istio.io/dataplane-mode": "ambient" } } });
        plane.create_all("/api/v1/namespaces", [namespace])?;
        let pods = many_pods(PODS_EACH, NODES).map(|mut pod| {
            pod["metadata"]["annotations"] = json!({ "ambient.istio.io/redirection": "enabled" });
            pod
        });
        plane.create_all(&format!("/api/v1/namespaces/{name}/pods"), pods)?;
    }
    eprintln!("{} pods made", NAMESPACES * PODS_EACH);
    let large = measure(&plane)?;
    Ok([rows("the mesh alone", &small), rows("with 5,000 pods in 200 namespaces", &large)].concat())
}

/// Nodes hold as many pods as there are, and what starts meanwhile.
fn make_room(plane: &ControlPlane) -> Fallible<()> {
    let room = json!({ "pods": (NAMESPACES * PODS_EACH * 2).to_string() });
    let body = json!({ "status": { "capacity": room, "allocatable": room } }).to_string();
    for number in 1..=NODES {
        let request = Request::patch(format!("/api/v1/nodes/node-{number}/status"))
            .header("content-type", "application/merge-patch+json")
            .body(body.clone().into_bytes())?;
        let client = plane.client();
        plane.block_on(client.request_text(request))?;
    }
    Ok(())
}

/// One dry run.
struct Measured {
    took: Duration,
    /// In KiB.
    peak: u64,
    /// What it read of the live cluster.
    reads: Vec<String>,
    /// How long the same reads take alone.
    alone: Duration,
}

fn measure(plane: &ControlPlane) -> Fallible<Measured> {
    let before = plane.audit()?.len();
    let (took, peak) = dry_run(plane)?;
    let asked = plane.audit()?.split_off(before);
    let reads = reads(&asked)?;
    let client = plane.client();
    let begun = Instant::now();
    for uri in &reads {
        let request = Request::get(uri).header("accept", "application/json").body(Vec::new())?;
        // What is not there is an answer too.
        drop(plane.block_on(client.request_text(request)));
    }
    Ok(Measured { took, peak, reads, alone: begun.elapsed() })
}

/// How long it takes, and the most memory that it has had.
fn dry_run(plane: &ControlPlane) -> Fallible<(Duration, u64)> {
    let charts = Charts::open()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_runbook"));
    command.args([
        "ambient-upgrade.rhai",
        "--target",
        "1.30.3",
        "--dry-run",
        "--no-server-validation",
        "--yes",
        "--charts",
    ]);
    command.arg(charts.folder()).envs(plane.environment(Helm::V3)?);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let begun = Instant::now();
    let mut child = command.spawn()?;
    let mut peak = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        peak = peak.max(memory(child.id()).unwrap_or_default());
        thread::sleep(Duration::from_millis(5));
    };
    let took = begun.elapsed();
    if ended.success() {
        return Ok((took, peak));
    }
    let said = child.wait_with_output()?;
    Err(String::from_utf8_lossy(&said.stderr).into())
}

/// The most memory that a process has had so far.
fn memory(id: u32) -> Option<u64> {
    let told = fs_err::read_to_string(format!("/proc/{id}/status")).ok()?;
    told.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

/// The reads of the program, of objects none of them twice; and nothing else but questions about rights.
fn reads(asked: &[AuditEntry]) -> Fallible<Vec<String>> {
    let ours: Vec<&AuditEntry> = asked.iter().filter(|entry| entry.user_agent.starts_with("runbook/")).collect();
    if let Some(write) = ours.iter().find(|entry| entry.is_mutating()) {
        return Err(format!("a dry run wrote: {}", write.summary()).into());
    }
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in ours.iter().filter(|entry| ["get", "list"].contains(&entry.verb.as_str())) {
        *times.entry(&entry.request_uri).or_default() += 1;
    }
    // Which kinds there are is asked by the overlay and by whoever stands on it.
    let objects = times.iter().filter(|(uri, _)| uri.matches('/').count() > 2);
    let twice: Vec<&&str> = objects.filter(|(_, times)| **times > 1).map(|(uri, _)| uri).collect();
    if !twice.is_empty() {
        return Err(format!("asked for twice: {twice:?}").into());
    }
    Ok(times.into_keys().map(str::to_owned).collect())
}

fn rows(what: &str, measured: &Measured) -> Vec<Row> {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let ratio = ms(measured.took) / ms(measured.alone);
    let memory = format!("{:.1} MB", measured.peak as f64 / 1024.0);
    vec![
        Row::fact(format!("dry run of an ambient upgrade, {what}"), shown(ms(measured.took))).said_of(
            format!("its {} reads alone {}", measured.reads.len(), shown(ms(measured.alone))),
            format!("{ratio:.1}x"),
        ),
        Row::measured("  memory", memory, format!("<= {} MB", MOST / 1024), measured.peak <= MOST),
    ]
}
