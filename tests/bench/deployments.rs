//! A thousand Deployments that are ready already, and the same where some have a status of yesterday.

use std::thread;
use std::time::{Duration, Instant};

use http::Method;
use runbook_control_plane::many_deployments;
use serde_json::{Value, json};

use crate::Fallible;
use crate::place::{Place, SETTLED};
use crate::running::{Ended, Running};
use crate::table::Row;
use crate::times::{Times, shown};

const SCRIPT: &str = r#"//! Waits for many Deployments.
step "Wait" { wait::ready("deployment", "*", #{ namespace: "bench-many", selector: "app=many", at_least: 1000 }); }
"#;

const PATH: &str = "/apis/apps/v1/namespaces/bench-many/deployments";

/// How many there are, and of how many the status is old.
const ALL: usize = 1000;
const STALE: usize = 50;

/// How often ours waits.
const TIMES: usize = 7;

/// How long `kubectl wait` is given.
const BOUND: Duration = Duration::from_secs(20);

/// How long nothing may be told ready while statuses are old.
const STILL: Duration = Duration::from_secs(3);

pub(crate) fn measure(place: &Place) -> Fallible<Vec<Row>> {
    place.namespace("bench-many")?;
    place.plane.create_all(PATH, many_deployments(ALL, 0))?;
    let script = place.file("many.rhai", SCRIPT)?;
    settled(place, &script)?;
    let mut times = Times::default();
    let before = place.requests()?;
    for _ in 0..TIMES {
        let running = place.run(&script, &[])?;
        let begun = running.begun;
        times.add(running.end()?.0 - begun);
    }
    let requests = (place.requests()? - before).div_ceil(TIMES);
    eprintln!("  ours: {times}, {requests} requests");
    let (peer, ratio) = kubectl(place, times.median())?;
    let stale = stale(place, &script)?;
    let stale_peer = stale_kubectl(place)?;
    let met = "0 false, ready once observed";
    Ok(vec![
        Row::time("1,000 ready Deployments waited for", times.median(), 500.0).said_of(peer, ratio),
        Row::measured("  requests for it", requests.to_string(), "<= 10".to_owned(), requests <= 10),
        Row::measured("  with 50 stale ones among them", stale, met.to_owned(), true).said_of(stale_peer, ""),
    ])
}

/// Waits until all are ready, and the program says so.
fn settled(place: &Place, script: &std::path::Path) -> Fallible<()> {
    place.run(script, &[])?.end().map(drop)
}

fn kubectl(place: &Place, ours: f64) -> Fallible<(String, String)> {
    let (ended, said) = start_kubectl(place)?.end_within(BOUND)?;
    let met = said.iter().filter(|line| line.contains("condition met")).count();
    Ok(match ended {
        None => (
            format!("kubectl wait -l > {} s ({met} of {ALL} met by then)", BOUND.as_secs()),
            format!("> {:.0}x", BOUND.as_secs_f64() * 1000.0 / ours),
        ),
        Some(Ended { took, success }) => {
            let ms = took.as_secs_f64() * 1000.0;
            let verdict = if success { "" } else { ", failed" };
            (format!("kubectl wait -l {}{verdict} ({met} of {ALL} met)", shown(ms)), format!("{:.1}x", ms / ours))
        }
    })
}

fn start_kubectl(place: &Place) -> Fallible<Running> {
    let condition = ["--for=condition=Available", "-l", "app=many", "-n", "bench-many", "--timeout=600s"];
    Running::start(place.kubectl(&[&["wait", "deployment"], &condition[..]].concat())?)
}

/// While the controllers stand still, changes what some should be, so that their status speaks of what they were.
fn age(place: &Place, seconds: usize) -> Fallible<()> {
    place.plane.freeze()?;
    for number in 0..STALE {
        let path = format!("{PATH}/deployment-{number}");
        place.request(Method::PATCH, &path, &json!({ "spec": { "minReadySeconds": seconds } }))?;
    }
    Ok(())
}

/// Ours must not succeed before the controllers have come to them; and then it must.
fn stale(place: &Place, script: &std::path::Path) -> Fallible<String> {
    age(place, 1)?;
    let outcome = (|| {
        let mut running = place.run(script, &[])?;
        if let Some((_, line)) = running.line_within(SETTLED, STILL)? {
            return Err(format!("a false success: {STALE} Deployments were stale, and it said {line}").into());
        }
        place.plane.thaw()?;
        let thawed = Instant::now();
        let (at, line) = running.line(SETTLED)?;
        running.end()?;
        let found: Value = serde_json::from_str(&place.request(Method::GET, PATH, &Value::Null)?)?;
        let lagging = found["items"].as_array().into_iter().flatten().filter(|it| lags(it)).count();
        if lagging > 0 {
            return Err(format!("a false success: {lagging} Deployments were stale, and it said {line}").into());
        }
        Ok(format!("0 false; {} after the controllers", shown((at - thawed).as_secs_f64() * 1000.0)))
    })();
    place.plane.thaw()?;
    outcome
}

fn lags(deployment: &Value) -> bool {
    deployment["metadata"]["generation"] != deployment["status"]["observedGeneration"]
}

/// How many stale ones `kubectl wait` calls available.
fn stale_kubectl(place: &Place) -> Fallible<String> {
    thread::sleep(Duration::from_secs(1));
    age(place, 2)?;
    let outcome = (|| {
        let names: Vec<String> = (0..STALE).map(|number| format!("deployment/deployment-{number}")).collect();
        let mut words = vec!["wait", "--for=condition=Available", "-n", "bench-many", "--timeout=2s"];
        words.extend(names.iter().map(String::as_str));
        let (_, said) = Running::start(place.kubectl(&words)?)?.end_within(BOUND)?;
        Ok(said.iter().filter(|line| line.contains("condition met")).count())
    })();
    place.plane.thaw()?;
    outcome.map(|falsely| format!("kubectl wait: {falsely} of {STALE} stale ones called available"))
}
