//! From a condition that becomes true to what goes on because of it.
//!
//! The condition is the readiness of a pod that nobody schedules: the benchmark itself writes it. What counts begins before that
//! write is sent, so it holds the write as well, for each tool alike.

use std::thread;
use std::time::{Duration, Instant};

use http::Method;
use runbook_control_plane::Helm;
use serde_json::{Value, json};

use crate::Fallible;
use crate::place::{CALLING, Place, SETTLED};
use crate::running::Running;
use crate::table::Row;
use crate::times::Times;

const SCRIPT: &str = r#"//! Waits for one pod after the other.
let pods = param::int("pods", "How many");
for n in 0..pods {
    step `Wait ${n}` { wait::ready("pod", `ours-${n}`, #{ namespace: "bench-wait" }); }
}
"#;

const CHART: &str = "apiVersion: v2\nname: one-pod\nversion: 1.0.0\n";

const TEMPLATE: &str = r#"apiVersion: v1
kind: Pod
metadata: { name: "{{ .Release.Name }}" }
spec:
  schedulerName: nobody
  containers: [{ name: app, image: registry.example/app:1 }]
"#;

/// How often each tool waits.
const OURS: usize = 60;
const KUBECTL: usize = 20;
const HELM: usize = 9;

/// How long a wait lasts before its condition becomes true; helm looks every two seconds, so each time another.
const LEAD: Duration = Duration::from_millis(150);

pub(crate) fn measure(place: &Place) -> Fallible<Vec<Row>> {
    place.namespace("bench-wait")?;
    thread::sleep(Duration::from_secs(1));
    let (ours, kubectl, helm) = (ours(place)?, kubectl(place)?, helm(place)?);
    eprintln!("  ours: {ours}\n  kubectl wait: {kubectl}\n  helm --wait: {helm}");
    let what = "condition true to going on, p50";
    let (us, helm) = (ours.median(), helm.median());
    Ok(vec![
        Row::time(what, us, 5.0).beside("kubectl wait", kubectl.median(), us, 1.0),
        Row::fact(what, crate::times::shown(us)).beside("helm 3 --wait", helm, us, 20.0),
    ])
}

fn pod(name: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": { "schedulerName": "nobody", "containers": [{ "name": "app", "image": "registry.example/app:1" }] },
    })
}

/// Makes a pod ready; gives the moment before.
fn make_ready(place: &Place, name: &str) -> Fallible<Instant> {
    let status = json!({ "status": {
        "phase": "Running",
        "conditions": [{ "type": "Ready", "status": "True" }, { "type": "ContainersReady", "status": "True" }],
        "containerStatuses": [{
            "name": "app", "ready": true, "restartCount": 0, "image": "registry.example/app:1", "imageID": "",
            "state": { "running": {} },
        }],
    } });
    let before = Instant::now();
    place.request(Method::PATCH, &format!("/api/v1/namespaces/bench-wait/pods/{name}/status"), &status)?;
    Ok(before)
}

fn ours(place: &Place) -> Fallible<Times> {
    place.plane.create_all("/api/v1/namespaces/bench-wait/pods", (0..OURS).map(|n| pod(&format!("ours-{n}"))))?;
    let script = place.file("wait.rhai", SCRIPT)?;
    let mut running = place.run(&script, &["--pods", &OURS.to_string()])?;
    let mut times = Times::default();
    for n in 0..OURS {
        running.line(CALLING)?;
        thread::sleep(LEAD);
        let before = make_ready(place, &format!("ours-{n}"))?;
        let (at, line) = running.line(SETTLED)?;
        if at < before {
            return Err(format!("it went on before pod ours-{n} was ready: {line}").into());
        }
        times.add(at - before);
    }
    running.end()?;
    Ok(times)
}

fn kubectl(place: &Place) -> Fallible<Times> {
    place.plane.create_all("/api/v1/namespaces/bench-wait/pods", (0..KUBECTL).map(|n| pod(&format!("peer-{n}"))))?;
    let mut times = Times::default();
    for n in 0..KUBECTL {
        let name = format!("pod/peer-{n}");
        let command = place.kubectl(&["wait", "--for=condition=Ready", "-n", "bench-wait", "--timeout=60s", &name])?;
        let mut running = Running::start(command)?;
        thread::sleep(LEAD * 5);
        let before = make_ready(place, &format!("peer-{n}"))?;
        times.add(running.line("condition met")?.0 - before);
        running.end()?;
    }
    Ok(times)
}

fn helm(place: &Place) -> Fallible<Times> {
    place.file("one-pod/Chart.yaml", CHART)?;
    place.file("one-pod/templates/pod.yaml", TEMPLATE)?;
    let mut times = Times::default();
    for n in 0..HELM {
        let name = format!("helm-{n}");
        let mut command = place.command(place.plane.helm(Helm::V3))?;
        command.args(["install", &name, "one-pod", "--wait", "--timeout", "60s", "-n", "bench-wait"]);
        let running = Running::start(command)?;
        let path = format!("/api/v1/namespaces/bench-wait/pods/{name}");
        while place.request(Method::GET, &path, &Value::Null).is_err() {
            if running.begun.elapsed() > Duration::from_mins(1) {
                return Err("helm did not make its pod".into());
            }
            thread::sleep(LEAD);
        }
        thread::sleep(LEAD * (6 + u32::try_from(n)? * 5 % 14));
        let before = make_ready(place, &name)?;
        times.add(running.end()?.0 - before);
    }
    Ok(times)
}
