//! Many objects at once, for benchmarks.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

use super::ControlPlane;
use crate::fault::Fault;

/// How many requests are under way at once: one HTTP/2 connection carries about as many.
const IN_FLIGHT: usize = 64;

impl ControlPlane {
    /// Creates objects by posting each to the path of its collection, such as `/api/v1/namespaces/shop/pods`, many at a
    /// time. Returns how many were created; the first refusal ends it.
    pub fn create_all(&self, path: &str, objects: impl IntoIterator<Item = Value>) -> Result<usize, Fault> {
        let post = |object: Value| {
            let client = self.client();
            async move {
                let request = http::Request::post(path)
                    .header(http::header::CONTENT_TYPE, "application/json")
                    .body(object.to_string().into_bytes())
                    .map_err(|error| Fault::malformed("a request", error))?;
                client.request_text(request).await.map(drop).map_err(Fault::from)
            }
        };
        let posted = stream::iter(objects).map(post).buffer_unordered(IN_FLIGHT);
        self.block_on(posted.try_fold(0, async |count, ()| Ok(count + 1)))
    }
}

/// A pod of one container, bound to `node-1` and on, in turn, over `nodes` nodes. Its label is `app: many`.
pub fn many_pods(count: usize, nodes: u8) -> impl Iterator<Item = Value> {
    (0..count).map(move |number| {
        json!({
            "metadata": { "name": format!("pod-{number}"), "labels": { "app": "many" } },
            "spec": {
                "nodeName": format!("node-{}", number % usize::from(nodes) + 1),
                "automountServiceAccountToken": false,
                "containers": [{ "name": "app", "image": "registry.example/app:1" }],
            },
        })
    })
}

/// Deployments of `replicas` pods each, with the label `app: many`.
pub fn many_deployments(count: usize, replicas: u32) -> impl Iterator<Item = Value> {
    (0..count).map(move |number| {
        let name = format!("deployment-{number}");
        json!({
            "metadata": { "name": name, "labels": { "app": "many" } },
            "spec": {
                "replicas": replicas,
                "selector": { "matchLabels": { "deployment": name } },
                "template": {
                    "metadata": { "labels": { "deployment": name, "app": "many" } },
                    "spec": { "containers": [{ "name": "app", "image": "registry.example/app:1" }] },
                },
            },
        })
    })
}
