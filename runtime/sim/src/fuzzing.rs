//! The patch engine, part by part, as it is fuzzed. Compiled with `--cfg fuzzing` and never into a program.
//!
//! Not known here: what has to hold of any part.

use serde_json::Value;

use crate::{
    apply::{self, Order},
    patch,
    schema::Schema,
    server::recorded,
};

/// A kind with its recorded schema.
pub struct Kind {
    schema: Schema,
    api_version: String,
}

/// What an object becomes under a JSON patch.
pub fn json(object: &Value, patch: &Value) -> Result<Value, String> {
    patch::json(object, patch).map_err(|why| why.to_string())
}

/// What an object becomes under a merge patch.
pub fn merge(object: &Value, patch: &Value) -> Value {
    patch::merge(object, patch)
}

impl Kind {
    /// A built-in kind, if there is one of that name.
    pub fn of(group: &str, version: &str, kind: &str) -> Option<Self> {
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        Some(Self { schema: Schema::of_record(recorded(), group, version, kind)?, api_version })
    }

    /// Such as `apps/v1`.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// What an object of the kind becomes under a strategic merge patch.
    pub fn strategic(&self, object: &Value, patch: &Value) -> Result<Value, String> {
        patch::strategic(&self.schema, object, patch).map_err(|why| why.to_string())
    }

    /// What a live object becomes when a manager applies its configuration.
    pub fn apply(&self, live: Option<&Value>, applied: &Value, manager: &str, force: bool) -> Result<Value, String> {
        apply::apply(&self.schema, live, applied, &self.order(manager, force)).map_err(|why| why.to_string())
    }

    /// A written object, with the owners that it has then.
    pub fn track(&self, live: Option<&Value>, mut written: Value, manager: &str) -> Value {
        apply::track(&self.schema, live, &mut written, &self.order(manager, true));
        written
    }

    fn order<'a>(&'a self, manager: &'a str, force: bool) -> Order<'a> {
        let now = jiff::Timestamp::UNIX_EPOCH;
        Order { manager, force, now, api_version: &self.api_version, subresource: "", resets: &[&["status"]] }
    }
}
