//! Touches pods that kwok has overlooked.
//!
//! kwok looks at no pod that comes before it has made the pod's node its own, and may never look again: the pod stays bound and
//! without a status. A change of the pod, made in kwok's own name, has it look again. What was touched is said, with what kwok
//! says of itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use http::Request;
use kube::Client;
use serde_json::{Value, json};

use crate::notice::say;
use crate::process::tail;

/// How often is looked: a pod that has no status at two looks is touched.
const PAUSE: Duration = Duration::from_secs(10);

/// Lines of kwok's log that are shown.
const LINES: usize = 20;

/// Looks for ever, as `client`, which is kwok to the API server. `log` is kwok's.
pub(super) async fn watch(client: Client, log: &Path) {
    let mut known = BTreeSet::new();
    loop {
        tokio::time::sleep(PAUSE).await;
        let still = bound_and_untouched(&client).await;
        for pod in still.intersection(&known) {
            say(&format!("kwok has overlooked pod {}/{}, which is touched", pod.0, pod.1));
            // What cannot be read now has nothing to say.
            for line in tail(&fs_err::read_to_string(log).unwrap_or_default(), LINES).lines() {
                say(&format!("  kwok: {line}"));
            }
            touch(&client, pod).await;
        }
        known = still;
    }
}

type Pod = (String, String, String);

/// Pods on a node, without a word of it: namespace, name and uid.
async fn bound_and_untouched(client: &Client) -> BTreeSet<Pod> {
    let Ok(request) = Request::get("/api/v1/pods?fieldSelector=status.phase%3DPending").body(Vec::new()) else {
        return BTreeSet::new();
    };
    // What cannot be read now is read at the next look.
    let listed: Value = client.request(request).await.unwrap_or_default();
    let text = |pod: &Value, pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let pods = listed["items"].as_array().into_iter().flatten().filter(|pod| {
        !text(pod, "/spec/nodeName").is_empty()
            && pod["metadata"]["deletionTimestamp"].is_null()
            && pod["status"]["startTime"].is_null()
            && pod["status"]["containerStatuses"].is_null()
    });
    pods.map(|pod| (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"), text(pod, "/metadata/uid")))
        .collect()
}

async fn touch(client: &Client, (namespace, name, uid): &Pod) {
    let patch = json!({ "metadata": { "uid": uid, "annotations": { "test-bed/touched": "yes" } } });
    let request = Request::patch(format!("/api/v1/namespaces/{namespace}/pods/{name}"))
        .header("content-type", "application/merge-patch+json")
        .body(patch.to_string().into_bytes());
    if let Ok(request) = request {
        // It may have gone meanwhile, or have been seen after all.
        let _ = client.request_text(request).await;
    }
}
