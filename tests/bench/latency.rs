//! From a condition that becomes true to what goes on because of it.
//!
//! The condition is the readiness of a pod that nobody schedules: the benchmark itself writes it. It is true once the server
//! answers that write; whoever goes on before that answer has arrived waited for nothing. What lies between the moment before the
//! write is sent and the same end is told as well: it holds the server's work on the write.

use std::thread;
use std::time::{Duration, Instant};

use http::Method;
use runbook_control_plane::Helm;
use serde_json::{Value, json};

use crate::Fallible;
use crate::place::{CALLING, Place, SETTLED};
use crate::running::Running;
use crate::table::Row;
use crate::times::{Times, shown};

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
const WAITS: usize = 40;
const HELM: usize = 9;

/// How long a wait lasts before its condition becomes true; for helm, which looks every two seconds, each time another.
const LEAD: Duration = Duration::from_millis(600);

pub(crate) fn measure(place: &Place) -> Fallible<Vec<Row>> {
    place.namespace("bench-wait")?;
    thread::sleep(Duration::from_secs(1));
    let (ours, kubectl) = both(place)?;
    let helm = helm(place)?;
    for (name, lags) in [("ours", &ours), ("kubectl wait", &kubectl), ("helm --wait", &helm)] {
        eprintln!("  {name}: {}; from before the write: {}", lags.answered, lags.sent);
    }
    let what = "condition true to going on, p50";
    let (us, with_write) = (ours.answered.median(), ours.sent.median());
    Ok(vec![
        Row::time(what, us, 5.0).beside("kubectl wait", kubectl.answered.median(), us, 1.0),
        Row::fact(what, shown(us)).beside("helm 3 --wait", helm.answered.median(), us, 20.0),
        Row::fact("  with the write that makes it true", shown(with_write)).beside(
            "kubectl wait",
            kubectl.sent.median(),
            with_write,
            0.0,
        ),
    ])
}

fn pod(name: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": { "schedulerName": "nobody", "containers": [{ "name": "app", "image": "registry.example/app:1" }] },
    })
}

/// A condition that was made true.
#[derive(Clone, Copy)]
struct Made {
    /// The moment before it was asked for.
    sent: Instant,
    /// The moment after it was answered.
    answered: Instant,
}

/// From a condition that became true to what went on.
#[derive(Default)]
struct Lags {
    /// From the answer on.
    answered: Times,
    /// From before it was asked for.
    sent: Times,
}

impl Lags {
    fn add(&mut self, made: Made, at: Instant) -> Fallible<()> {
        if at < made.sent {
            return Err("a false success: it went on before the pod was ready".into());
        }
        self.answered.add(at.saturating_duration_since(made.answered));
        self.sent.add(at - made.sent);
        Ok(())
    }
}

/// Makes a pod ready.
fn make_ready(place: &Place, name: &str) -> Fallible<Made> {
    let status = json!({ "status": {
        "phase": "Running",
        "conditions": [{ "type": "Ready", "status": "True" }, { "type": "ContainersReady", "status": "True" }],
        "containerStatuses": [{
            "name": "app", "ready": true, "restartCount": 0, "image": "registry.example/app:1", "imageID": "",
            "state": { "running": {} },
        }],
    } });
    let sent = Instant::now();
    place.request(Method::PATCH, &format!("/api/v1/namespaces/bench-wait/pods/{name}/status"), &status)?;
    Ok(Made { sent, answered: Instant::now() })
}

/// Ours and `kubectl wait` in turn, so that both meet the same weather.
fn both(place: &Place) -> Fallible<(Lags, Lags)> {
    let pods = (0..WAITS).flat_map(|n| [pod(&format!("ours-{n}")), pod(&format!("peer-{n}"))]);
    place.plane.create_all("/api/v1/namespaces/bench-wait/pods", pods)?;
    let script = place.file("wait.rhai", SCRIPT)?;
    let mut running = place.run(&script, &["--pods", &WAITS.to_string()])?;
    let (mut ours, mut kubectl) = (Lags::default(), Lags::default());
    for n in 0..WAITS {
        let name = format!("pod/peer-{n}");
        let command = place.kubectl(&["wait", "--for=condition=Ready", "-n", "bench-wait", "--timeout=60s", &name])?;
        let mut peer = Running::start(command)?;
        running.line(CALLING)?;
        thread::sleep(LEAD);
        let made = make_ready(place, &format!("peer-{n}"))?;
        kubectl.add(made, peer.line("condition met")?.0)?;
        peer.end()?;
        let made = make_ready(place, &format!("ours-{n}"))?;
        ours.add(made, running.line(SETTLED)?.0)?;
    }
    running.end()?;
    Ok((ours, kubectl))
}

fn helm(place: &Place) -> Fallible<Lags> {
    place.file("one-pod/Chart.yaml", CHART)?;
    place.file("one-pod/templates/pod.yaml", TEMPLATE)?;
    let mut lags = Lags::default();
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
            thread::sleep(LEAD / 10);
        }
        thread::sleep(LEAD + LEAD * (u32::try_from(n)? * 7 % 10) / 3);
        let made = make_ready(place, &name)?;
        lags.add(made, running.end()?.0)?;
    }
    Ok(lags)
}
