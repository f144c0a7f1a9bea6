//! Records of releases as helm keeps them in Secrets and ConfigMaps: JSON, gzip, base64.
//!
//! Does not know what in one is secret.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

/// A record unpacks to at most this much.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The type of a Secret that holds one.
const TYPE: &str = "helm.sh/release.v1";

/// Namespace and name of the release that an object records, where it does.
pub(super) fn of(object: &Value) -> Option<(String, String)> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let in_secret = object["kind"] == "Secret" && object["type"] == TYPE;
    let in_map = object["kind"] == "ConfigMap" && text("/metadata/labels/owner") == Some("helm");
    text("/data/release").filter(|_| in_secret || in_map)?;
    let name = text("/metadata/labels/name").or(text("/metadata/name"))?;
    Some((text("/metadata/namespace").unwrap_or_default().to_owned(), name.to_owned()))
}

/// The record in an object; `None` where it cannot be read.
pub(super) fn record(object: &Value) -> Option<Value> {
    let text = object.pointer("/data/release")?.as_str()?;
    if object["kind"] == "Secret" { decode(&STANDARD.decode(text).ok()?) } else { decode(text.as_bytes()) }
}

/// Puts a record back into its object.
pub(super) fn put(object: &mut Value, record: &Value) {
    let text = encode(record);
    let text = if object["kind"] == "Secret" { STANDARD.encode(text) } else { text };
    if let Some(place) = object.pointer_mut("/data/release") {
        *place = text.into();
    }
}

/// Records from before compression begin with no magic number.
fn decode(text: &[u8]) -> Option<Value> {
    let bytes = STANDARD.decode(text).ok()?;
    let record: Value = if bytes.starts_with(&[0x1f, 0x8b, 0x08]) {
        let mut json = Vec::new();
        GzDecoder::new(bytes.as_slice()).take(LARGEST).read_to_end(&mut json).ok()?;
        serde_json::from_slice(&json).ok()?
    } else {
        serde_json::from_slice(&bytes).ok()?
    };
    record.is_object().then_some(record)
}

fn encode(record: &Value) -> String {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let packed = packed.write_all(record.to_string().as_bytes()).and_then(|()| packed.finish());
    STANDARD.encode(packed.expect("memory can be written"))
}

/// The documents of a manifest, each with what leads to it: `---` and comments.
pub(super) fn documents(manifest: &str) -> Vec<String> {
    let mut documents: Vec<String> = Vec::new();
    for line in manifest.split_inclusive('\n') {
        match documents.last_mut() {
            Some(last) if !line.starts_with("---") => last.push_str(line),
            _ => documents.push(line.to_owned()),
        }
    }
    documents
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_is_read_and_put_back_in_secrets_and_maps() {
        for object in [
            json!({ "kind": "Secret", "type": TYPE, "metadata": { "name": "r", "namespace": "shop", "labels": { "name": "web" } }, "data": { "release": "" } }),
            json!({ "kind": "ConfigMap", "metadata": { "name": "r", "namespace": "shop", "labels": { "name": "web", "owner": "helm" } }, "data": { "release": "" } }),
        ] {
            let mut object = object;
            let held = json!({ "name": "web", "config": { "a": 1 } });
            put(&mut object, &held);
            assert_eq!(record(&object), Some(held));
            assert_eq!(of(&object), Some(("shop".to_owned(), "web".to_owned())));
        }
        assert_eq!(of(&json!({ "kind": "ConfigMap", "metadata": { "name": "r" }, "data": { "release": "x" } })), None);
        assert_eq!(decode(b"no base64"), None);
    }

    #[test]
    fn documents_of_a_manifest_together_are_the_manifest() {
        let manifest = "---\n# Source: a\nkind: A\n---\nkind: B\ndata: |\n  ---\n";
        let documents = documents(manifest);
        assert_eq!((documents.len(), documents.concat().as_str()), (2, manifest));
    }
}
