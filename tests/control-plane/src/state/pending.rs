//! A release as a helm leaves it that was killed in the middle of an upgrade.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ListParams, PostParams};
use serde_json::{Value, json};

use crate::fault::Fault;

/// Adds a revision to the release that says `pending-upgrade` and was begun two hours ago; its manifest is the one before.
pub(super) async fn mark(client: &Client, namespace: &str, release: &str) -> Result<(), Fault> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let of_release = ListParams::default().labels(&format!("owner=helm,name={release}"));
    let mut newest =
        secrets.list(&of_release).await?.items.into_iter().max_by_key(revision).ok_or_else(|| {
            Fault::malformed(format!("release `{release}` in `{namespace}`"), "helm has no record of it")
        })?;
    let next = revision(&newest) + 1;
    let data = newest.data.get_or_insert_default();
    let mut record = decode(data.get("release").map_or(&[], |bytes| &bytes.0))?;
    let begun = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(2)).to_string();
    record["version"] = json!(next);
    record["info"]["status"] = json!("pending-upgrade");
    record["info"]["description"] = json!("Preparing upgrade");
    record["info"]["last_deployed"] = json!(begun);
    data.insert("release".to_owned(), ByteString(encode(&record)?));

    let mut labels = newest.metadata.labels.take().unwrap_or_default();
    labels.insert("status".to_owned(), "pending-upgrade".to_owned());
    labels.insert("version".to_owned(), next.to_string());
    newest.metadata = serde_json::from_value(json!({
        "name": format!("sh.helm.release.v1.{release}.v{next}"),
        "labels": labels,
    }))
    .map_err(|error| Fault::malformed("a release's metadata", error))?;
    secrets.create(&PostParams::default(), &newest).await?;
    Ok(())
}

fn revision(secret: &Secret) -> u64 {
    let label = secret.metadata.labels.as_ref().and_then(|labels| labels.get("version"));
    label.and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// Helm keeps a release as JSON, compressed, and as text once more inside the secret.
fn decode(bytes: &[u8]) -> Result<Value, Fault> {
    let wrong = |error: &dyn std::fmt::Display| Fault::malformed("a helm release", error.to_string());
    let packed = STANDARD.decode(bytes).map_err(|error| wrong(&error))?;
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text)?;
    serde_json::from_str(&text).map_err(|error| wrong(&error))
}

fn encode(record: &Value) -> Result<Vec<u8>, Fault> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(record.to_string().as_bytes())?;
    Ok(STANDARD.encode(packed.finish()?).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_survives_being_packed() {
        let record = json!({ "name": "istio-base", "info": { "status": "deployed" }, "version": 1 });
        assert_eq!(decode(&encode(&record).unwrap()).unwrap(), record);
    }
}
