//! The benchmark of the simulation: what its API server does in a second, beside the real one in the same run.
//!
//! Both are asked over loopback by the same client, in the same process as the simulation. A time that misses its aim is shown
//! and does not make it fail: the machine may be doing other things as well.

#![expect(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark measures by a real clock, and says what it found; none of its counts is large"
)]

mod alone;
#[expect(dead_code, reason = "this table has fewer sorts of rows")]
mod table;
#[expect(dead_code, reason = "what is measured once has no quantiles")]
mod times;

use std::{
    error::Error,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{AsyncReadExt, StreamExt, pin_mut};
use http::Request;
use kube::{Client, Config};
use runbook_control_plane::{ControlPlane, Nodes, many_pods};
use runbook_sim::{Options, Simulation};
use serde_json::{Value, json};
use table::Row;
use times::shown;
use tokio_util::sync::CancellationToken;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How many objects are made for each measure.
const CREATES: usize = 10_000;
const PODS: usize = 50_000;
/// The real API server is asked for less: it has a disk to write to.
const PEER_CREATES: usize = 2_000;
const WATCHERS: usize = 100;
const EVENTS: usize = 3_000;
/// Requests under way at once.
const AT_ONCE: usize = 16;

fn main() -> ExitCode {
    alone::run("simulation", run)
}

fn run() -> Fallible<Vec<Row>> {
    let begun = Instant::now();
    let simulation = Arc::new(Simulation::new(Options::default()));
    let runtime = tokio::runtime::Runtime::new()?;
    let stop = CancellationToken::new();
    let client = runtime.block_on(async {
        let listening = simulation.listen(stop.clone()).await?;
        let client = Client::try_from(Config::new(listening.url().parse()?))?;
        read(&client, "/api/v1/namespaces/default/pods").await?;
        Fallible::Ok(client)
    })?;
    let ready = millis(begun.elapsed());
    let mut rows = vec![Row::time("the simulation is ready", ready, 20.0)];
    let peer = ControlPlane::in_memory(Nodes { count: 1, pods_each: 5000 }).map_err(|fault| fault.to_string())?;
    runtime.block_on(async {
        let there = peer.client();
        for (client, name) in [(&client, "bench"), (&there, "bench")] {
            let namespace = json!({ "metadata": { "name": name } });
            send(client, "/api/v1/namespaces", &namespace).await?;
        }
        rows.push(creates(&client, &there).await?);
        rows.push(fan_out(&client, &there).await?);
        rows.extend(pods(&client).await?);
        Fallible::Ok(())
    })?;
    stop.cancel();
    Ok(rows)
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

async fn read(client: &Client, path: &str) -> Fallible<String> {
    Ok(client.request_text(Request::get(path).body(Vec::new())?).await?)
}

async fn send(client: &Client, path: &str, object: &Value) -> Fallible<()> {
    let request =
        Request::post(path).header("content-type", "application/json").body(object.to_string().into_bytes())?;
    client.request_text(request).await?;
    Ok(())
}

/// Makes objects, many requests at once; how many a second.
async fn rate(client: &Client, path: &str, objects: impl Iterator<Item = Value>) -> Fallible<f64> {
    let begun = Instant::now();
    let mut count = 0_usize;
    let requests = futures::stream::iter(objects).map(|object| async move { send(client, path, &object).await });
    let done = requests.buffer_unordered(AT_ONCE);
    pin_mut!(done);
    while let Some(outcome) = done.next().await {
        outcome?;
        count += 1;
    }
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

fn maps(count: usize, name: &'static str) -> impl Iterator<Item = Value> {
    (0..count).map(move |number| json!({ "metadata": { "name": format!("{name}-{number}") }, "data": { "a": "1" } }))
}

const MAPS: &str = "/api/v1/namespaces/bench/configmaps";

async fn creates(client: &Client, peer: &Client) -> Fallible<Row> {
    let ours = rate(client, MAPS, maps(CREATES, "made")).await?;
    let theirs = rate(peer, MAPS, maps(PEER_CREATES, "made")).await?;
    let row = Row::measured("creates a second", format!("{ours:.0}/s"), ">= 5000/s".to_owned(), ours >= 5000.0);
    Ok(row.said_of(format!("kube-apiserver {theirs:.0}/s"), format!("{:.1}x", ours / theirs)))
}

/// Events a second over all watches together, while objects are made.
async fn fan_out(client: &Client, peer: &Client) -> Fallible<Row> {
    let ours = watched(client, EVENTS).await?;
    let theirs = watched(peer, EVENTS / 5).await?;
    let what = format!("events a second to {WATCHERS} watches");
    let row = Row::measured(what, format!("{ours:.0}/s"), ">= 200000/s".to_owned(), ours >= 200_000.0);
    Ok(row.said_of(format!("kube-apiserver {theirs:.0}/s"), format!("{:.1}x", ours / theirs)))
}

async fn watched(client: &Client, events: usize) -> Fallible<f64> {
    let list: Value = serde_json::from_str(&read(client, &format!("{MAPS}?limit=1")).await?)?;
    let version = list["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_owned();
    let mut watches = Vec::new();
    for _ in 0..WATCHERS {
        let path = format!("{MAPS}?watch=1&resourceVersion={version}");
        let stream = client.request_stream(Request::get(path).body(Vec::new())?).await?;
        watches.push(tokio::spawn(async move {
            pin_mut!(stream);
            let (mut seen, mut buffer) = (0, vec![0; 64 * 1024]);
            while seen < events {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(length) => seen += buffer[..length].split(|byte| *byte == b'\n').count() - 1,
                }
            }
            seen
        }));
    }
    let begun = Instant::now();
    rate(client, MAPS, maps(events, "watched")).await?;
    let mut seen = 0;
    for watch in watches {
        seen += watch.await?;
    }
    if seen < events * WATCHERS {
        return Err(format!("{seen} events came, not {}", events * WATCHERS).into());
    }
    Ok(seen as f64 / begun.elapsed().as_secs_f64())
}

/// Many pods: the memory that they take, and how long their list takes.
async fn pods(client: &Client) -> Fallible<Vec<Row>> {
    let before = resident()?;
    let path = "/api/v1/namespaces/bench/pods";
    let made = rate(client, path, many_pods(PODS, 6)).await?;
    let taken = resident()?.saturating_sub(before);
    let begun = Instant::now();
    let list = read(client, path).await?;
    let took = millis(begun.elapsed());
    let bytes = list.len();
    let times = taken as f64 / bytes as f64;
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    let shown_memory = format!("{times:.2}x ({:.0} of {:.0} MiB)", mib(taken), mib(bytes));
    eprintln!("  {PODS} pods made, {made:.0} a second; listed in {}", shown(took));
    Ok(vec![
        Row::fact("pods made a second", format!("{made:.0}/s")),
        Row::time(format!("list of {PODS} pods"), took, 500.0),
        Row::measured("memory of them, beside their JSON", shown_memory, "<= 2x".to_owned(), times <= 2.0),
    ])
}

/// The memory that this process holds, in bytes.
fn resident() -> Fallible<usize> {
    let text = fs_err::read_to_string("/proc/self/statm")?;
    let pages: usize = text.split(' ').nth(1).unwrap_or("0").parse()?;
    Ok(pages * 4096)
}
