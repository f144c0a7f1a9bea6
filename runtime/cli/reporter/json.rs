//! One JSON object a line: the journal's records, and between them calls that begin and waits that say why.

use runbook_core::record::{CallId, Event, Observer};
use serde_json::{Value, json};

use super::{Desk, Reporter};

/// Tells programs.
pub(crate) struct Json {
    desk: Desk,
}

impl Json {
    /// A reporter that has told nothing yet.
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk }
    }

    /// An event that no record stands for, in the form of one.
    fn passing(&self, name: &str, step: &str, mut rest: Value) -> Value {
        let mut value = json!({ "at": self.desk.clock.now(), "t": name, "step": step });
        if let (Some(value), Some(rest)) = (value.as_object_mut(), rest.as_object_mut()) {
            value.append(rest);
        }
        value
    }
}

impl Observer for Json {
    fn observe(&self, event: &Event<'_>) {
        let value = match event {
            Event::Recorded(record) => serde_json::to_value(record).expect("a record is plain data"),
            Event::Calling(calling) => {
                let CallId { step, primitive, effect, .. } = calling.call;
                self.passing(
                    "calling",
                    step,
                    json!({ "primitive": primitive, "effect": effect, "words": calling.words }),
                )
            }
            Event::Waiting { step, waiting } => {
                self.passing("waiting", step, serde_json::to_value(waiting).expect("a wait's words are plain data"))
            }
        };
        self.desk.writer.json(&value);
    }
}

impl Reporter for Json {
    fn asking(&self) {}
    fn tick(&self) {}
    fn close(&self) {}
}
