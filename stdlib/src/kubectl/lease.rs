//! `kubectl::lease`: one run at a time in a scope, agreed on by a Lease in the cluster that runs on every machine see.
//!
//! The call itself only reads. The Lease is taken before the first write of the run, renewed until the run ends and let go of
//! then; where the machine dies it expires. Whoever loses it writes no more: renewals carry the version that was last seen.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use runbook_core::arg::Arg;
use runbook_core::claim::Hold;
use runbook_core::primitive::{Answer, Example, no_command};
use runbook_core::world::Clock;
use runbook_core::{Args, Call, Code, Effect, Fault, Outcome, Param, Primitive, Repeat, Value};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::option::{CONTEXT, MANAGER, NAMESPACE, Target};
use super::query::Writing;
use runbook_core::command::Command;

const SCOPE: Param<String> =
    Param::required("scope", "What two runs must not change at once, such as `istio`; the Lease is `runbook-<scope>`.");
const SEEN: Param<Option<i64>> =
    Param::option("seen", "How often the Lease had changed hands when this run began to look.");

/// `kubectl::lease`
pub(super) const LEASE: Primitive = Primitive {
    name: "kubectl::lease",
    summary: "Let only one run at a time write in a scope: a fault where another holds it; taken before the first write.",
    params: &[&SCOPE, &NAMESPACE, &CONTEXT],
    effect: Effect::Read,
    answer: Answer::Recorded,
    announce: |args| format!("look who holds {}", words(args)),
    command: |args| Some(command(args)),
    run: look,
    examples: &[Example {
        cluster: "shop",
        script: r#"kubectl::lease("shop", #{ namespace: "shop" })"#,
        expect: r#"{"lease": "runbook-shop", "holder": null}"#,
    }],
};

/// What `kubectl::lease` has done before the first write. Not for scripts.
const HOLD: Primitive = Primitive {
    name: "kubectl::lease hold",
    summary: "Take the Lease.",
    params: &[&SCOPE, &NAMESPACE, &CONTEXT, &SEEN],
    effect: Effect::Write(Repeat::Safe),
    answer: Answer::Recorded,
    announce: |args| format!("hold {}", words(args)),
    command: no_command,
    run: hold,
    examples: &[],
};

/// A Lease that is not renewed for so long is anyone's.
const LASTS: Duration = Duration::from_mins(1);

/// How often it is renewed: two renewals may fail.
const RENEWED: Duration = Duration::from_secs(15);

/// How long the end of a run may take to let go of it.
const RELEASE: Duration = Duration::from_secs(3);

fn object_name(args: &Args) -> String {
    format!("runbook-{}", args.get(&SCOPE))
}

fn words(args: &Args) -> String {
    Target::of(args).words("lease", &object_name(args))
}

fn command(args: &Args) -> Command {
    let line = Command::new("kubectl get lease").word(object_name(args));
    Target::of(args).flags(line)
}

async fn open(target: &Target, call: &Call<'_>) -> Result<Api, Fault> {
    target.open(&target.cluster(call)?, "leases.coordination.k8s.io").await
}

fn look(call: &Call<'_>, args: &Args) -> Outcome {
    let (target, name) = (Target::of(args), object_name(args));
    let live = call.read(async { open(&target, call).await?.find(&name).await })?.unwrap_or_default();
    if let Some(holder) = holder(&live, call.world.clock.now())
        && holder != identity(call)
    {
        return Err(held(&name, &target, &live, holder));
    }
    let mut due = args.clone();
    due.set(SEEN.name(), Arg::Value(transitions(&live).into()));
    call.session.before_writes(&HOLD, due);
    Ok(json!({ "lease": name, "holder": null }))
}

fn hold(call: &Call<'_>, args: &Args) -> Outcome {
    let (target, name, me) = (Target::of(args), object_name(args), identity(call));
    let clock = call.world.clock.clone();
    let now = clock.now();
    let (api, taken) = call.write(async {
        let api = open(&target, call).await?;
        let live = api.find(&name).await?.unwrap_or_default();
        let other = holder(&live, now).filter(|holder| *holder != me);
        if let Some(holder) = other {
            return Err(held(&name, &target, &live, holder));
        }
        if args.get(&SEEN).is_some_and(|seen| seen != transitions(&live)) {
            return Err(Fault::new(
                Code::HeldByAnother,
                format!("another run wrote in the scope of lease/{name}{} after this one had looked", target.place()),
            )
            .about(format!("lease/{name}"))
            .hint("run it again: it then sees what the other run left behind"));
        }
        let wanted = taken(&live, &name, &me, now);
        let sent = if live.is_null() {
            api.create(&wanted, &Writing::by(MANAGER)).await
        } else {
            api.replace(&name, &wanted, &Writing::by(MANAGER)).await
        };
        match sent {
            Ok(lease) => Ok((api, lease)),
            Err(fault) if fault.code == Code::Conflict => {
                let live = api.find(&name).await?.unwrap_or_default();
                Err(held(&name, &target, &live, holder(&live, now).unwrap_or("another run")))
            }
            Err(fault) => Err(fault),
        }
    })?;
    let kept =
        Arc::new(Kept { api, name: name.clone(), clock, lease: Mutex::new(taken), lost: AtomicBool::new(false) });
    let stop = CancellationToken::new();
    let task = call.world.tokio.spawn(renew(kept.clone(), stop.clone()));
    call.session.hold(Box::new(Held { kept, stop, tokio: call.world.tokio.clone(), task: Mutex::new(Some(task)) }));
    Ok(json!({ "changed": true, "lease": name, "holder": me }))
}

/// The run, in the words others read.
fn identity(call: &Call<'_>) -> String {
    let Some(run) = call.session.started() else { return "runbook".to_owned() };
    let by = run.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("run {} of {}{by}", run.run, run.runbook)
}

fn taken(live: &Value, name: &str, me: &str, now: Timestamp) -> Value {
    let mut lease = live.clone();
    if lease.is_null() {
        lease = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": name } });
    }
    lease["spec"] = json!({
        "holderIdentity": me,
        "leaseDurationSeconds": LASTS.as_secs(),
        "acquireTime": micro(now),
        "renewTime": micro(now),
        "leaseTransitions": transitions(live) + 1,
    });
    lease
}

fn micro(time: Timestamp) -> String {
    format!("{time:.6}")
}

fn transitions(lease: &Value) -> i64 {
    lease["spec"]["leaseTransitions"].as_i64().unwrap_or(0)
}

/// Who holds it, unless nobody does or it has expired.
fn holder(lease: &Value, now: Timestamp) -> Option<&str> {
    let spec = &lease["spec"];
    let holder = spec["holderIdentity"].as_str().filter(|holder| !holder.is_empty())?;
    let renewed: Timestamp = spec["renewTime"].as_str()?.parse().ok()?;
    let lasts = SignedDuration::from_secs(spec["leaseDurationSeconds"].as_i64().unwrap_or(0));
    (now.duration_since(renewed) < lasts).then_some(holder)
}

fn held(name: &str, target: &Target, lease: &Value, holder: &str) -> Fault {
    let renewed = lease["spec"]["renewTime"].as_str().unwrap_or("never");
    Fault::new(
        Code::HeldByAnother,
        format!("{holder} holds lease/{name}{}; it writes in the same scope", target.place()),
    )
    .about(format!("lease/{name}"))
    .seen(format!("taken {}, renewed {renewed}", lease["spec"]["acquireTime"].as_str().unwrap_or("never")))
    .hint(format!("wait until it has ended; if it died, its lease expires after {} s", LASTS.as_secs()))
}

/// A Lease that this run holds.
struct Kept {
    api: Api,
    name: String,
    clock: Arc<dyn Clock>,
    /// As last written.
    lease: Mutex<Value>,
    lost: AtomicBool,
}

impl Kept {
    fn lease(&self) -> Value {
        self.lease.lock().expect("no thread panics while it holds this lock").clone()
    }

    fn expired(&self) -> bool {
        holder(&self.lease(), self.clock.now()).is_none()
    }

    async fn write(&self, change: impl FnOnce(&mut Value)) -> Result<(), Fault> {
        let mut lease = self.lease();
        change(&mut lease["spec"]);
        let written = self.api.replace(&self.name, &lease, &Writing::by(MANAGER)).await?;
        *self.lease.lock().expect("no thread panics while it holds this lock") = written;
        Ok(())
    }
}

async fn renew(kept: Arc<Kept>, stop: CancellationToken) {
    // A renewal in hand is not broken off: its version would stand in the way of letting go.
    while stop.run_until_cancelled(kept.clock.alarm(RENEWED)).await.is_some() {
        let now = kept.clock.now();
        match kept.write(|spec| spec["renewTime"] = micro(now).into()).await {
            Ok(()) => {}
            // Somebody else wrote it or removed it; it is not ours to write any more.
            Err(fault) if matches!(fault.code, Code::Conflict | Code::NotFound) => {
                kept.lost.store(true, Ordering::SeqCst);
                return;
            }
            Err(fault) => {
                tracing::warn!(target: "runbook::kubectl", reason = %fault.message, "a lease was not renewed");
            }
        }
    }
}

struct Held {
    kept: Arc<Kept>,
    stop: CancellationToken,
    tokio: tokio::runtime::Handle,
    task: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Hold for Held {
    fn check(&self) -> Result<(), Fault> {
        if !self.kept.lost.load(Ordering::SeqCst) && !self.kept.expired() {
            return Ok(());
        }
        let title = format!("lease/{}", self.kept.name);
        Err(Fault::new(Code::HeldByAnother, format!("this run has lost {title}, so it writes no more"))
            .about(title)
            .hint("see who holds it, and whether the cluster could be reached; then run it again"))
    }

    fn release(&self) {
        self.stop.cancel();
        let task = self.task.lock().expect("no thread panics while it holds this lock").take();
        let kept = self.kept.clone();
        self.tokio.block_on(async move {
            let let_go = async {
                if let Some(task) = task {
                    // Whatever ended it, nobody renews any more.
                    let _ = task.await;
                }
                if kept.lost.load(Ordering::SeqCst) {
                    return;
                }
                if let Err(fault) = kept.write(|spec| spec["holderIdentity"] = "".into()).await {
                    tracing::warn!(target: "runbook::kubectl", reason = %fault.message, "a lease was left to expire");
                }
            };
            tokio::select! {
                () = let_go => {}
                () = kept.clock.sleep(RELEASE) => {}
            }
        });
    }
}
