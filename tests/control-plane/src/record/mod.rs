//! The record of built-in kinds: what a real API server says of itself, in one small file that the simulation reads.
//!
//! A header line with the lengths of three blocks, then the blocks, each compressed by itself: discovery, schemas, the fields
//! of Go's types. The bytes depend on the version of Kubernetes alone, so that a new one is one command and a review.
//! Not known here: how the simulation reads it (`runtime/sim/src/kind/record.rs`).

mod discovery;
mod field;
mod source;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use kube::Client;
use serde_json::Value;

use crate::fault::Fault;
use crate::plane::ControlPlane;

/// What the first line begins with; the number is that of the format.
const MARK: &str = "runbook record 1";

/// Schemas by their names in OpenAPI documents, without prose.
type Schemas = BTreeMap<String, Value>;

/// Where the record lies.
pub fn record_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/sim/src/kind/record.bin")
}

/// Asks a control plane that nobody has installed anything into, and Go's module cache, and writes down what they say.
pub async fn record(client: &Client) -> Result<Vec<u8>, Fault> {
    let (discovery, schemas) = discovery::read(client).await?;
    let fields = field::table(&schemas)?;
    let schemas: Vec<_> = schemas.iter().map(|(name, schema)| format!("{name} {schema}\n")).collect();
    let blocks = [discovery.to_string(), schemas.concat(), fields].map(|text| pressed(text.as_bytes()));
    let lengths: Vec<_> = blocks.iter().map(|block| block.len().to_string()).collect();
    let header = format!("{MARK} {}\n", lengths.join(" "));
    Ok([header.into_bytes(), blocks.concat()].concat())
}

/// Records anew and writes the file.
pub fn record_to_file() -> Result<PathBuf, Fault> {
    let plane = ControlPlane::start()?;
    let client = plane.client();
    let bytes = plane.block_on(async { record(&client).await })?;
    let file = record_file();
    fs_err::write(&file, bytes)?;
    Ok(file)
}

fn pressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all that is written to it")
}
