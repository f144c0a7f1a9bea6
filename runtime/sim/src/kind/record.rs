//! Reading the record: a header, and three blocks of which each is unpacked when somebody first asks for what it holds.
//!
//! Not known here: what discovery and schemas mean.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use flate2::read::ZlibDecoder;
use serde_json::Value;

const RECORD: &[u8] = include_bytes!("record.bin");

/// What the first line begins with; the number is that of the format.
const MARK: &str = "runbook record 1 ";

/// Which block of the record.
#[derive(Clone, Copy)]
enum Block {
    Discovery,
    Schemas,
    Fields,
}

/// One block, unpacked. The record is part of the program, so that a broken one is a fault of the build.
fn block(which: Block) -> String {
    let end = RECORD.iter().position(|byte| *byte == b'\n').expect("the record has a header");
    let header = std::str::from_utf8(&RECORD[..end]).expect("the header is text");
    let lengths = header.strip_prefix(MARK).expect("the record has the format that this program reads");
    let lengths: Vec<usize> = lengths.split(' ').map(|length| length.parse().expect("a length is a number")).collect();
    let start = end + 1 + lengths[..which as usize].iter().sum::<usize>();
    let mut text = String::new();
    let pressed = &RECORD[start..start + lengths[which as usize]];
    ZlibDecoder::new(pressed).read_to_string(&mut text).expect("the record unpacks");
    text
}

/// What discovery said: `version`, `paths` and `groups`.
pub(super) fn discovery() -> &'static Value {
    static DISCOVERY: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(&block(Block::Discovery)).expect("discovery is JSON"));
    &DISCOVERY
}

/// The answer to `/version`.
pub(crate) fn version() -> &'static Value {
    &discovery()["version"]
}

/// All paths that the server lists at `/`, those of health checks among them.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    discovery()["paths"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A block of lines, found by their first word.
struct Lines {
    text: &'static str,
    begin: HashMap<&'static str, &'static str>,
}

impl Lines {
    fn of(which: Block) -> Self {
        // Unpacked once, for as long as the program runs.
        let text: &'static str = Box::leak(block(which).into_boxed_str());
        Self { text, begin: text.lines().filter_map(|line| line.split_once(' ')).collect() }
    }
}

static SCHEMAS: LazyLock<Lines> = LazyLock::new(|| Lines::of(Block::Schemas));
static FIELDS: LazyLock<Lines> = LazyLock::new(|| Lines::of(Block::Fields));

/// The schema of a name (`io.k8s.api.core.v1.Pod`), parsed on first use.
pub(crate) fn schema(name: &str) -> Option<Arc<Value>> {
    static PARSED: LazyLock<Mutex<HashMap<&'static str, Arc<Value>>>> = LazyLock::new(Mutex::default);
    let (name, text) = SCHEMAS.begin.get_key_value(name)?;
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    let schema = parsed.entry(name).or_insert_with(|| Arc::new(serde_json::from_str(text).expect("a schema is JSON")));
    Some(Arc::clone(schema))
}

/// The names of all schemas, in order.
pub(crate) fn schema_names() -> impl Iterator<Item = &'static str> {
    schema_texts().map(|(name, _)| name)
}

/// The names and the text of all schemas, in order.
pub(super) fn schema_texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    SCHEMAS.text.lines().filter_map(|line| line.split_once(' '))
}

/// The line that says how Go writes the fields of a schema.
pub(super) fn field_line(name: &str) -> Option<&'static str> {
    FIELDS.begin.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_json_and_every_field_line_fits_its_schema() {
        let mut lines = 0;
        for (name, _) in schema_texts() {
            let schema = schema(name).unwrap();
            if let Some(line) = field_line(name) {
                assert_eq!(line.split(' ').count(), schema["properties"].as_object().unwrap().len(), "{name}");
                lines += 1;
            }
        }
        assert!(lines > 400, "{lines}");
    }

    #[test]
    fn it_says_which_kubernetes_was_recorded() {
        assert!(version()["gitVersion"].as_str().unwrap().starts_with("v1."));
        assert!(paths().any(|path| path == "/readyz"));
    }
}
