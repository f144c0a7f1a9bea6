//! A thousand namespaces relabelled: as fast as the server lets us, and politely while somebody else works.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use http::Request;
use runbook_control_plane::Identity;
use serde_json::{Value, json};

use crate::Fallible;
use crate::place::Place;
use crate::running::Running;
use crate::table::Row;
use crate::times::{Times, shown};

const SCRIPT: &str = r#"//! Relabels many namespaces at once.
let from = param::string("from", "What they have");
let to = param::string("to", "What they get");
let names = [];
for n in 0..1000 { names.push(`bench-${n}`); }
step "Relabel" {
    parallel(names, |name| kubectl::label("namespace", name, #{ tier: to }, #{ expect: #{ tier: from } }), #{ max: 32 });
}
"#;

/// How many there are, and how often they are relabelled at full speed.
const ALL: usize = 1000;
const TIMES: usize = 5;

/// How often the second client asks, and for how long it does while nobody else does anything.
const PAUSE: Duration = Duration::from_millis(5);
const QUIET: Duration = Duration::from_secs(12);

/// From one write to the next by the default limits: 50 a second.
const PACE: Duration = Duration::from_millis(20);

/// How often quiet and busy are compared.
const ROUNDS: usize = 2;

pub(crate) fn measure(place: &Place) -> Fallible<Vec<Row>> {
    let made = (0..ALL).map(|number| {
        json!({ "metadata": { "name": format!("bench-{number}"), "labels": { "bench": "yes", "tier": "v0" } } })
    });
    place.plane.create_all("/api/v1/namespaces", made)?;
    await_calm(place)?;
    let script = place.file("relabel.rhai", SCRIPT)?;
    let mut version = 0;
    let (mut times, mut floor) = (Times::default(), Times::default());
    // In turn, so that both meet the same weather.
    for _ in 0..TIMES {
        let running = relabel(place, &script, &mut version, "off")?;
        let begun = running.begun;
        times.add(running.end()?.0 - begun);
        check(place, version)?;
        floor.add(server_alone(place, &mut version)?);
    }
    check(place, version)?;
    eprintln!("  limits off: {times}; the server alone: {floor}");
    let Beside { quiet, busy, bare, polite } = beside_another(place, &script, &mut version)?;
    check(place, version)?;
    let peer = kubectl(place)?;
    let p99 = |times: &Times| times.quantile(0.99);
    let (grown, unavoidable) = (p99(&busy) / p99(&quiet), p99(&bare) / p99(&quiet));
    eprintln!(
        "  a second client: quiet {quiet}, p99 {:.1}; busy {busy}, p99 {:.1}; beside a bare client {bare}, p99 {:.1}",
        p99(&quiet),
        p99(&busy),
        p99(&bare)
    );
    Ok(vec![
        Row::time("1,000 namespaces relabelled, limits off", times.median(), 1200.0).beside(
            "kubectl label -l",
            peer,
            times.median(),
            0.0,
        ),
        Row::fact("  the same patches from a client that does nothing else", shown(floor.median()))
            .said_of("", format!("{:.2}x", floor.median() / times.median())),
        Row::measured(
            "a second client's p99 meanwhile, default limits",
            format!("{} -> {}", shown(p99(&quiet)), shown(p99(&busy))),
            "<= 1.2x".to_owned(),
            grown <= 1.2,
        )
        .said_of(format!("(relabelling takes {})", shown(polite.median())), format!("{grown:.2}x")),
        Row::fact("  the same writes as often from a client that does nothing else", shown(p99(&bare)))
            .said_of("", format!("{unavoidable:.2}x")),
    ])
}

/// Namespaces get accounts and certificates from controllers, long after they are made.
fn await_calm(place: &Place) -> Fallible<()> {
    let until = Instant::now() + Duration::from_mins(2);
    loop {
        let listed: Value = serde_json::from_str(&place.request(
            http::Method::GET,
            "/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt",
            &Value::Null,
        )?)?;
        let there = listed["items"].as_array().map_or(0, Vec::len);
        if there >= ALL {
            thread::sleep(Duration::from_secs(3));
            return Ok(());
        }
        if Instant::now() > until {
            return Err(format!("the controllers have come to {there} of {ALL} namespaces in two minutes").into());
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn relabel(place: &Place, script: &Path, version: &mut usize, limits: &str) -> Fallible<Running> {
    let from = format!("v{version}");
    *version += 1;
    place.run(script, &["--from", &from, "--to", &format!("v{version}"), "--limits", limits])
}

/// A JSON patch of one namespace.
fn patch(number: usize, body: Vec<u8>) -> http::Result<Request<Vec<u8>>> {
    Request::patch(format!("/api/v1/namespaces/bench-{number}"))
        .header("content-type", "application/json-patch+json")
        .body(body)
}

/// How long the server takes over the same patches, sent by a client that keeps no record and asks nobody.
fn server_alone(place: &Place, version: &mut usize) -> Fallible<Duration> {
    let test = json!({ "op": "test", "path": "/metadata/labels/tier", "value": format!("v{version}") });
    *version += 1;
    let add = json!({ "op": "add", "path": "/metadata/labels/tier", "value": format!("v{version}") });
    let body = json!([test, add]).to_string().into_bytes();
    let client = place.client();
    let send = |number: usize| {
        let request = patch(number, body.clone());
        let client = client.clone();
        async move { client.request_text(request?).await.map(drop).map_err(Box::<dyn Error>::from) }
    };
    let begun = Instant::now();
    let all = stream::iter(0..ALL).map(send).buffer_unordered(32).try_collect::<()>();
    place.plane.block_on(all)?;
    Ok(begun.elapsed())
}

/// Each has the new label.
fn check(place: &Place, version: usize) -> Fallible<()> {
    let path = format!("/api/v1/namespaces?labelSelector=bench%3Dyes%2Ctier%3Dv{version}");
    let found: Value = serde_json::from_str(&place.request(http::Method::GET, &path, &Value::Null)?)?;
    match found["items"].as_array().map_or(0, Vec::len) {
        ALL => Ok(()),
        other => Err(format!("it said that it relabelled all, and {other} of {ALL} are").into()),
    }
}

/// Latencies of a second client, and how long relabelling takes meanwhile.
#[derive(Default)]
struct Beside {
    /// While nothing else happens.
    quiet: Times,
    /// While ours relabels.
    busy: Times,
    /// While a client that does nothing else writes as often.
    bare: Times,
    polite: Times,
}

fn beside_another(place: &Place, script: &Path, version: &mut usize) -> Fallible<Beside> {
    let mut beside = Beside::default();
    for _ in 0..ROUNDS {
        beside.quiet.extend(meanwhile(place, || {
            thread::sleep(QUIET);
            Ok(())
        })?);
        let running = relabel(place, script, version, "polite")?;
        let begun = running.begun;
        let mut ended = None;
        beside.busy.extend(meanwhile(place, || {
            ended = Some(running.end()?.0);
            Ok(())
        })?);
        beside.polite.add(ended.ok_or("it ended without an end")? - begun);
        beside.bare.extend(meanwhile(place, || bare(place, version))?);
    }
    Ok(beside)
}

/// Latencies of a second client while something is done.
fn meanwhile(place: &Place, work: impl FnOnce() -> Fallible<()>) -> Fallible<Vec<Duration>> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let second = scope.spawn(|| second_client(place, &over).map_err(|error| error.to_string()));
        let done = work();
        over.store(true, Ordering::Relaxed);
        let times = second.join().unwrap_or_else(|_| Err("the second client fell over".to_owned()))?;
        done.map(|()| times)
    })
}

/// The same patches, as often as the default limits let them go, one after the other.
fn bare(place: &Place, version: &mut usize) -> Fallible<()> {
    *version += 1;
    let client = place.client();
    let begun = Instant::now();
    for number in 0..ALL {
        let add = json!([{ "op": "add", "path": "/metadata/labels/tier", "value": format!("v{version}") }]);
        let request = patch(number, add.to_string().into_bytes())?;
        place.plane.block_on(client.request_text(request))?;
        let due = PACE.saturating_mul(u32::try_from(number + 1)?);
        thread::sleep(due.saturating_sub(begun.elapsed()));
    }
    Ok(())
}

/// Reads one object, again and again, until it is told to stop.
fn second_client(place: &Place, over: &AtomicBool) -> Fallible<Vec<Duration>> {
    let client = place.plane.client_as(Identity::Admin, "second-client")?;
    let mut times = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let request = Request::get("/api/v1/namespaces/default").body(Vec::new())?;
        let begun = Instant::now();
        place.plane.block_on(client.request_text(request))?;
        times.push(begun.elapsed());
        thread::sleep(PAUSE);
    }
    Ok(times)
}

fn kubectl(place: &Place) -> Fallible<f64> {
    let words = ["label", "namespace", "-l", "bench=yes", "tier=kubectl", "--overwrite"];
    let running = Running::start(place.kubectl(&words)?)?;
    let begun = running.begun;
    Ok((running.end()?.0 - begun).as_secs_f64() * 1000.0)
}
