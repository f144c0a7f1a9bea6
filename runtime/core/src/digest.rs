//! Digests that identify calls and values, in hexadecimal.
//!
//! Does not know what is digested.

use std::fmt::Write as _;
use std::io::{self, Write};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::digest::Update;
use sha2::{Digest as _, Sha256};

/// SHA-256 of bytes, as 64 hexadecimal digits.
pub fn of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Digest of a value's JSON as it stands, and how many bytes that is; the text is never held whole.
pub fn of_json(value: &Value) -> (String, usize) {
    let mut sum = Sha256::default();
    let mut into = Into { sum: &mut sum, bytes: 0 };
    serde_json::to_writer(&mut into, value).expect("a value is plain data");
    let bytes = into.bytes;
    (hex(&sum.finalize()), bytes)
}

/// Digest of a value, independent of the order of map keys.
pub fn of_value(value: &Value) -> String {
    let mut sum = Sha256::default();
    canonical(value, &mut Into { sum: &mut sum, bytes: 0 }).expect("a digest takes everything");
    hex(&sum.finalize())
}

/// Digest of a value with a key, for values that must not be guessable from what is written down.
pub fn keyed(key: &[u8], value: &Value) -> String {
    let mut sum = Hmac::<Sha256>::new_from_slice(key).expect("a key has any length");
    canonical(value, &mut Into { sum: &mut sum, bytes: 0 }).expect("a digest takes everything");
    hex(&sum.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Hands what is written on to a digest.
struct Into<'a, Sum> {
    sum: &'a mut Sum,
    bytes: usize,
}

impl<Sum: Update> Write for Into<'_, Sum> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sum.update(bytes);
        self.bytes += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn canonical(value: &Value, out: &mut impl Write) -> io::Result<()> {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.write_all(b"{")?;
            for (key, value) in entries {
                serde_json::to_writer(&mut *out, key)?;
                out.write_all(b":")?;
                canonical(value, out)?;
                out.write_all(b",")?;
            }
            out.write_all(b"}")
        }
        Value::Array(items) => {
            out.write_all(b"[")?;
            for item in items {
                canonical(item, out)?;
                out.write_all(b",")?;
            }
            out.write_all(b"]")
        }
        scalar => Ok(serde_json::to_writer(out, scalar)?),
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
        // `printf '"x"' | openssl dgst -sha256 -hmac k`: the text carries its quotes.
        assert_eq!(keyed(b"k", &json!("x")), "ecf3c0320fef18cdb7a5169e505bbde3804818bf217d330c29c96b9e78636b88");
        assert_ne!(keyed(b"k", &json!("x")), keyed(b"l", &json!("x")));
    }

    #[test]
    fn a_text_that_is_never_held_has_the_digest_of_its_bytes() {
        let value = json!({"b": [1, "x"], "a": null});
        let bytes = value.to_string();
        assert_eq!(of_json(&value), (of_bytes(bytes.as_bytes()), bytes.len()));
    }
}
