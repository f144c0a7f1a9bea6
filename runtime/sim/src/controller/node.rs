//! Nodes: they are there, ready, and as large as they say.
//!
//! A heartbeat that nothing reads would be a write every few seconds for each node: the first word of a node is its last,
//! unless somebody changes it. Taints follow what is said of a node. Not known here: pods, beyond those that a taint drives
//! away.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Gravity, Hand, Key, Next, Watch, condition,
    member::{Member, PODS},
    reading::{is_leaving, later, stamp, time},
    scheduler::fit::{Taint, tolerates},
};
use crate::{
    actor::json::{items, list_at, map_at, name, text},
    resource::Resource,
    server::Deletion,
    status::Status,
};

pub(super) const NODES: Resource = Resource::core("nodes");

const TAINTS: [(&str, &str, &str); 5] = [
    ("Ready", "False", "node.kubernetes.io/not-ready"),
    ("Ready", "Unknown", "node.kubernetes.io/unreachable"),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];

pub(super) const NODE: Controller =
    Controller { name: "node-controller", watches: &[Watch::itself(NODES)], reconcile: |hand, key| boxed(hand, key) };

fn boxed<'a>(hand: &'a Hand, key: &'a Key) -> BoxFuture<'a, Result<Next, Status>> {
    Box::pin(reconcile(hand, key))
}

async fn reconcile(hand: &Hand, key: &Key) -> Result<Next, Status> {
    let Some(node) = hand.get(NODES, "", &key.name) else {
        return forget(hand, &key.name).await.map(|()| Next::Done);
    };
    if is_leaving(&node) {
        return Ok(Next::Done);
    }
    if condition::find(&node, "/status/conditions", "Ready").is_none() {
        return introduce(hand, node).await.map(|()| Next::Done);
    }
    let wanted = taints(&node, hand);
    if wanted != items(&node, "/spec/taints") {
        let patch = json!({ "spec": { "taints": if wanted.is_empty() { Value::Null } else { wanted.into() } } });
        hand.patch_merge(NODES, ("", &key.name), patch).await?;
        return Ok(Next::Done);
    }
    evict(hand, &node).await
}

/// What a kubelet says of its node at first.
async fn introduce(hand: &Hand, mut node: Value) -> Result<(), Status> {
    let now = stamp(hand.now());
    let say = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        })
    };
    let said = json!([
        say("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        say("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        say("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        say("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]);
    let named = name(&node).to_owned();
    let status = map_at(&mut node, "status");
    status.insert("conditions".to_owned(), said);
    let room = json!({ "cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "500Gi" });
    status.entry("capacity").or_insert_with(|| room.clone());
    status.entry("allocatable").or_insert(room);
    status.entry("addresses").or_insert_with(
        || json!([{ "type": "InternalIP", "address": address(&named) }, { "type": "Hostname", "address": named }]),
    );
    status.entry("nodeInfo").or_insert_with(|| {
        json!({
            "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.12.0", "kubeProxyVersion": "", "kubeletVersion": "v1.36.3", "machineID": "",
            "operatingSystem": "linux", "osImage": "Debian GNU/Linux 13 (trixie)", "systemUUID": "",
        })
    });
    hand.update_status(NODES, node).await.map(|_| ())
}

/// An address that a name always leads to.
fn address(name: &str) -> String {
    let sum = name.bytes().fold(17_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("10.{}.{}.{}", sum >> 16 & 0x1f, sum >> 8 & 0xff, sum & 0xff)
}

/// The taints that follow from what is said of a node, and those that others set.
fn taints(node: &Value, hand: &Hand) -> Vec<Value> {
    let present = items(node, "/spec/taints");
    let of_ours = |taint: &Value| {
        let key = text(taint, "/key");
        TAINTS.iter().any(|(_, _, ours)| *ours == key) || key == "node.kubernetes.io/unschedulable"
    };
    let mut wanted: Vec<Value> = present.iter().filter(|taint| !of_ours(taint)).cloned().collect();
    let mut add = |key: &str, effect: &str| {
        let known = present.iter().find(|taint| taint["key"] == key && taint["effect"] == effect);
        wanted.push(
            known.cloned().unwrap_or_else(|| json!({ "key": key, "effect": effect, "timeAdded": stamp(hand.now()) })),
        );
    };
    if node["spec"]["unschedulable"] == true {
        add("node.kubernetes.io/unschedulable", "NoSchedule");
    }
    for (kind, status, key) in TAINTS {
        let holds = condition::find(node, "/status/conditions", kind).is_some_and(|it| it["status"] == status);
        if holds {
            add(key, "NoSchedule");
            if kind == "Ready" {
                add(key, "NoExecute");
            }
        }
    }
    wanted
}

/// Pods that do not stand a taint which drives away what runs, or not for ever.
async fn evict(hand: &Hand, node: &Value) -> Result<Next, Status> {
    let driving: Vec<(Taint, Option<jiff::Timestamp>)> = items(node, "/spec/taints")
        .iter()
        .filter(|taint| taint["effect"] == "NoExecute")
        .filter_map(|taint| Some((serde_json::from_value(taint.clone()).ok()?, time(taint, "/timeAdded"))))
        .collect();
    let mut next = Next::Done;
    if driving.is_empty() {
        return Ok(next);
    }
    for pod in hand.on_node(name(node)).into_iter().filter(|pod| !is_leaving(pod)) {
        for (taint, since) in &driving {
            let tolerations = items(&pod, "/spec/tolerations");
            let standing: Vec<&Value> =
                tolerations.iter().filter(|it| tolerates(std::slice::from_ref(it), taint)).collect();
            let patience =
                standing.iter().map(|it| it["tolerationSeconds"].as_i64()).min_by_key(|it| it.unwrap_or(i64::MAX));
            let due = match patience {
                None => hand.now(),
                Some(None) => continue,
                Some(Some(seconds)) => later(since.unwrap_or_else(|| hand.now()), seconds),
            };
            if due > hand.now() {
                next = next.sooner(Next::At(due));
                continue;
            }
            let at = (text(&pod, "/metadata/namespace"), name(&pod));
            let message = format!("Marking for deletion Pod {}/{}", at.0, at.1);
            hand.event(&pod, Gravity::Normal, "TaintManagerEviction", &message).await;
            hand.delete(PODS, at, Deletion::default()).await?;
            break;
        }
    }
    Ok(next)
}

/// The pods of a node that is gone are gone with it.
async fn forget(hand: &Hand, node: &str) -> Result<(), Status> {
    for pod in hand.stored_on(node).into_iter().map(Member::of) {
        let how = Deletion { grace: Some(0), uid: Some(pod.uid().to_owned()), ..Deletion::default() };
        match hand.delete(PODS, (pod.namespace(), pod.name()), how).await {
            Err(status) if !status.is_not_found() => return Err(status),
            _ => {}
        }
    }
    Ok(())
}

/// Says that a node is well no more: for those who rehearse it.
#[cfg(test)]
pub(super) fn unready(node: &mut Value) {
    let conditions = list_at(&mut node["status"], "conditions");
    for condition in conditions.iter_mut().filter(|condition| condition["type"] == "Ready") {
        condition["status"] = "False".into();
    }
}
