//! The short hash that tells templates apart, in the alphabet of the real one.
//!
//! The real one hashes a dump of Go's memory, which nobody else can make: ours is as stable, and has other digits.

use serde_json::Value;

const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// FNV-1a, 32 bits.
struct Fnv(u32);

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(16_777_619);
        }
    }

    /// The same for equal values, whatever the order of their keys.
    fn walk(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                let mut keys: Vec<_> = map.iter().collect();
                keys.sort_by_key(|(key, _)| key.as_str());
                self.write(b"{");
                for (key, value) in keys {
                    self.write(key.as_bytes());
                    self.write(b"\0:");
                    self.walk(value);
                }
                self.write(b"}");
            }
            Value::Array(list) => {
                self.write(b"[");
                for item in list {
                    self.walk(item);
                }
                self.write(b"]");
            }
            other => {
                self.write(other.to_string().as_bytes());
                self.write(b"\0");
            }
        }
    }
}

/// The hash of a template, after so many collisions with others.
pub(super) fn fingerprint(template: &Value, collisions: i64) -> String {
    let mut fnv = Fnv(2_166_136_261);
    fnv.walk(template);
    if collisions > 0 {
        fnv.write(&collisions.to_le_bytes());
    }
    let digits = fnv.0.to_string();
    digits.bytes().map(|digit| char::from(ALPHABET[usize::from(digit) % ALPHABET.len()])).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_of_keys_does_not_matter_and_everything_else_does() {
        let hash = |value: Value| fingerprint(&value, 0);
        assert_eq!(hash(json!({ "a": 1, "b": 2 })), hash(json!({ "b": 2, "a": 1 })));
        assert_ne!(hash(json!({ "a": 1 })), hash(json!({ "a": "1" })));
        assert_ne!(fingerprint(&json!(1), 0), fingerprint(&json!(1), 1));
        assert!(hash(json!({})).bytes().all(|digit| ALPHABET.contains(&digit)));
    }
}
