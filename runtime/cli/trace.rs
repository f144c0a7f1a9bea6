//! What tracing writes: to standard error, through the writer, as text or JSON.
//!
//! Does not know what is traced; the seam makes a span of every call.

use std::io::Write;
use std::sync::Arc;

use runbook_core::fault::{Code, Fault};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::environment::Environment;
use crate::writer::{Channel, Writer};

/// What `-vv` shows: us in detail, and of those below us only what matters to us.
const DETAILED: &str = "debug,h2=info,hyper=info,hyper_util=info,rustls=info,tower=info";

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts tracing, where the environment or `-v` asks for it.
///
/// Faults: `RB002` where `RUNBOOK_LOG` cannot be understood.
pub(crate) fn start(
    verbosity: u8,
    format: LogFormat,
    environment: &Environment,
    writer: &Arc<Writer>,
) -> Result<(), Fault> {
    let directives = match (environment.get("RUNBOOK_LOG"), verbosity) {
        (Some(given), _) => given,
        (None, 0) => return Ok(()),
        (None, 1) => "info",
        (None, _) => DETAILED,
    };
    let filter = EnvFilter::try_new(directives).map_err(|error| {
        Fault::new(Code::Usage, format!("`RUNBOOK_LOG={directives}` cannot be understood: {error}"))
            .hint("write it as `info`, or as `runbook_core=debug,kube=info`")
    })?;
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Door(writer.clone()));
    let started = match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Fault::new(Code::Internal, format!("tracing cannot be started: {error}")))
}

/// Hands out buffers that leave through the writer.
struct Door(Arc<Writer>);

/// One event's text.
struct Buffer {
    writer: Arc<Writer>,
    bytes: Vec<u8>,
}

impl MakeWriter<'_> for Door {
    type Writer = Buffer;

    fn make_writer(&self) -> Buffer {
        Buffer { writer: self.0.clone(), bytes: Vec::new() }
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.writer.text(Channel::Err, &String::from_utf8_lossy(&self.bytes));
    }
}
