//! One revision of a release as helm keeps it, and its form in a Secret: JSON, gzip, base64.
//!
//! What is not read here is kept as it is, so that a record of a newer helm loses nothing. Does not know a cluster.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use runbook_core::Value;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

/// A record unpacks to at most this much.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Labels that are helm's own.
const OWN: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];

/// One revision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) info: Info,
    #[serde(default)]
    pub(super) chart: Value,
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Map::is_empty")]
    pub(super) config: Map<String, Value>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) manifest: String,
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub(super) hooks: Vec<Hook>,
    /// The number of the revision.
    #[serde(default)]
    pub(super) version: u64,
    #[serde(default)]
    pub(super) namespace: String,
    /// `ssa`, `csa`; nothing where helm 3 made it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) apply_method: String,
    /// The person's own labels; they stand on the Secret.
    #[serde(skip)]
    pub(super) labels: BTreeMap<String, String>,
}

/// How it went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Info {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) first_deployed: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) last_deployed: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) deleted: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) status: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) rollback_revision: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) notes: String,
}

/// A hook, and when it last ran.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Hook {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) manifest: String,
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<String>,
    #[serde(default)]
    pub(super) last_run: Execution,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) weight: i64,
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub(super) delete_policies: Vec<String>,
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub(super) output_log_policies: Vec<String>,
}

/// When a hook ran and how that ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Execution {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) started_at: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) completed_at: String,
    #[serde(default)]
    pub(super) phase: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn is_none(number: &i64) -> bool {
    *number == 0
}

/// Go writes what is empty as `null`.
fn or_empty<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Record {
    /// `sh.helm.release.v1.web.v3`
    pub(super) fn key(&self) -> String {
        format!("sh.helm.release.v1.{}.v{}", self.name, self.version)
    }

    /// Whether an operation is at work on it, or was cut off.
    pub(super) fn is_pending(&self) -> bool {
        self.info.status.starts_with("pending-")
    }

    /// A text of its chart's Chart.yaml.
    pub(super) fn chart_text(&self, key: &str) -> &str {
        self.chart.pointer(&format!("/metadata/{key}")).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the server applied it.
    pub(super) fn is_server_side(&self) -> bool {
        self.apply_method == "ssa"
    }

    /// Says how it is, and why.
    pub(super) fn settle(&mut self, status: &str, description: String) {
        status.clone_into(&mut self.info.status);
        self.info.description = description;
    }

    /// Its Secret. `stamp`: the label that says when it was written, and the time.
    pub(super) fn to_secret(&self, stamp: (&str, Timestamp)) -> Value {
        let mut labels: Map<String, Value> =
            self.labels.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        labels.insert(stamp.0.to_owned(), json!(stamp.1.as_second().to_string()));
        labels.insert("name".to_owned(), json!(self.name));
        labels.insert("owner".to_owned(), json!("helm"));
        labels.insert("status".to_owned(), json!(self.info.status));
        labels.insert("version".to_owned(), json!(self.version.to_string()));
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": self.key(), "namespace": self.namespace, "labels": labels },
            "type": "helm.sh/release.v1",
            "data": { "release": STANDARD.encode(self.encode()) },
        })
    }

    /// Reads a Secret; `None` for one that holds no release.
    pub(super) fn of_secret(secret: &Value) -> Option<Self> {
        let mut record = decode(&STANDARD.decode(secret.pointer("/data/release")?.as_str()?).ok()?)?;
        let labels = secret.pointer("/metadata/labels").and_then(Value::as_object);
        let labels = labels.into_iter().flatten().filter(|(key, _)| !OWN.contains(&key.as_str()));
        record.labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
        Some(record)
    }

    fn encode(&self) -> String {
        let json = serde_json::to_vec(self).expect("a record is plain data");
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        let packed = packed.write_all(&json).and_then(|()| packed.finish()).expect("memory can be written");
        STANDARD.encode(packed)
    }
}

/// Records from before compression begin with no magic number.
fn decode(text: &[u8]) -> Option<Record> {
    let bytes = STANDARD.decode(text).ok()?;
    if !bytes.starts_with(&[0x1f, 0x8b, 0x08]) {
        return serde_json::from_slice(&bytes).ok();
    }
    let mut json = Vec::new();
    GzDecoder::new(bytes.as_slice()).take(LARGEST).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            name: "web".to_owned(),
            namespace: "shop".to_owned(),
            version: 3,
            info: Info { status: "deployed".to_owned(), ..Info::default() },
            chart: json!({ "metadata": { "name": "web", "version": "1.0.0" } }),
            labels: BTreeMap::from([("team".to_owned(), "a".to_owned())]),
            ..Record::default()
        }
    }

    #[test]
    fn a_record_comes_out_of_its_secret_as_it_went_in() {
        let secret = record().to_secret(("createdAt", Timestamp::UNIX_EPOCH));
        assert_eq!(secret["metadata"]["name"], "sh.helm.release.v1.web.v3");
        let labels = json!({ "team": "a", "createdAt": "0", "name": "web", "owner": "helm", "status": "deployed", "version": "3" });
        assert_eq!(secret["metadata"]["labels"], labels);
        assert_eq!(Record::of_secret(&secret), Some(record()));
    }

    #[test]
    fn what_helm_3_wrote_is_read_and_what_is_no_release_is_none() {
        let text = r#"{"name":"t","info":{"first_deployed":"2026-01-01T00:00:00Z","deleted":"","status":"failed"},"config":null,"hooks":null,"version":1,"namespace":"ns"}"#;
        let read = decode(STANDARD.encode(text).as_bytes()).unwrap();
        assert_eq!((read.version, read.info.status.as_str(), read.is_server_side()), (1, "failed", false));
        assert!(decode(b"bm8gcmVsZWFzZQ==").is_none() && decode(b"\xff").is_none());
        assert!(Record::of_secret(&json!({ "data": {} })).is_none());
    }
}
