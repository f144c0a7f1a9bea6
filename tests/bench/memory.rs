//! How much memory it takes to wait for twenty thousand pods, above what a run takes that only starts.

use std::thread;
use std::time::Duration;

use http::Method;
use runbook_control_plane::many_pods;
use serde_json::{Value, json};

use crate::Fallible;
use crate::place::{CALLING, Place, SETTLED};
use crate::running::Running;
use crate::table::Row;

const START: &str = "//! Starts and stays a moment.\n\nwait::pause(\"300ms\");\nwait::pause(\"2s\");\n";

const WAIT: &str = r#"//! Waits for many pods, and stays a moment.
step "Wait" { wait::pods("app=many", #{ namespace: "bench-pods", at_least: 20000, timeout: "20m" }); }
wait::pause("2s");
"#;

/// How many pods, on how many nodes.
const ALL: usize = 20_000;
const NODES: u8 = 6;

/// What it may take above the start, in KiB.
const MOST: u32 = 32 * 1024;

pub(crate) fn measure(place: &Place) -> Fallible<Vec<Row>> {
    let start = place.file("start.rhai", START)?;
    let base = peak(place.run(&start, &[])?)?;
    place.namespace("bench-pods")?;
    let path = "/api/v1/namespaces/bench-pods/pods";
    // None is bound to a node at first, so none is ready when the wait begins.
    let unbound = many_pods(ALL, NODES).map(|mut pod| {
        pod["spec"]["nodeName"] = Value::Null;
        pod["spec"]["schedulerName"] = "nobody".into();
        pod
    });
    let made = place.plane.create_all(path, unbound)?;
    eprintln!("  {made} pods made");
    let wait = place.file("pods.rhai", WAIT)?;
    let mut running = place.run(&wait, &[])?;
    running.line(CALLING)?;
    thread::sleep(Duration::from_secs(5));
    make_ready(place, path)?;
    let took = running.begun.elapsed();
    let all = peak(running)?;
    eprintln!("  peak {all} KiB, of which {base} KiB are the start; ready after {} s", took.as_secs());
    let again = peak(place.run(&wait, &[])?)?;
    let above = |peak: u32| shown(peak.saturating_sub(base));
    let aim = "<= 32 MB above the start";
    Ok(vec![
        Row::measured("20,000 pods that become ready, memory", above(all), aim.to_owned(), all <= base + MOST)
            .said_of(format!("(the start takes {})", shown(base)), ""),
        Row::measured("20,000 pods that are ready, memory", above(again), aim.to_owned(), again <= base + MOST),
    ])
}

/// The most memory that a run has had, looked at when its first call has been answered.
fn peak(mut running: Running) -> Fallible<u32> {
    running.line(SETTLED)?;
    let told = fs_err::read_to_string(format!("/proc/{}/status", running.id()))?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let peak = line.trim().trim_end_matches(" kB").parse()?;
    running.end()?;
    Ok(peak)
}

/// KiB for people.
fn shown(peak: u32) -> String {
    format!("{:.1} MB", f64::from(peak) / 1024.0)
}

/// Makes every pod ready, as a kubelet would.
fn make_ready(place: &Place, path: &str) -> Fallible<()> {
    use futures::{StreamExt as _, TryStreamExt as _};
    let ready = json!({ "status": {
        "phase": "Running",
        "conditions": [{ "type": "Ready", "status": "True" }],
        "containerStatuses": [{
            "name": "app", "ready": true, "restartCount": 0, "image": "registry.example/app:1", "imageID": "",
            "state": { "running": {} },
        }],
    } });
    let client = place.client();
    let put = |number: usize| {
        let request = http::Request::builder()
            .method(Method::PATCH)
            .uri(format!("{path}/pod-{number}/status"))
            .header("content-type", "application/merge-patch+json")
            .body(ready.to_string().into_bytes());
        let client = client.clone();
        async move { client.request_text(request?).await.map(drop).map_err(Box::<dyn std::error::Error>::from) }
    };
    place.plane.block_on(futures::stream::iter(0..ALL).map(put).buffer_unordered(64).try_collect::<()>())
}
