//! A course that a run is held to: which calls it may make, as somebody agreed to before it began.
//!
//! Does not know where that was written down, nor how two calls are compared.

use serde_json::Value;

use crate::fault::Fault;
use crate::record::CallId;

/// Holds a run to what was agreed on.
pub trait Course: Send + Sync {
    /// Whether this call may be made now. `words` say what it does, without secrets; `arguments` are as the script gave them.
    ///
    /// Faults: `RB054` where it is not the call that was agreed on.
    fn admit(&self, call: &CallId, words: &str, arguments: &Value) -> Result<(), Fault>;

    /// Whether a run that made the calls so far may be over.
    ///
    /// Faults: `RB054` where a call that was agreed on was not made.
    fn complete(&self) -> Result<(), Fault>;
}
