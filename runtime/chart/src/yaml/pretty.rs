//! YAML as `toYamlPretty` writes it: version 3 of `go-yaml` with lists indented by two.

use super::emit;
use crate::value::Value;

/// The YAML of a value with its lists indented.
pub(crate) fn pretty(value: &Value) -> Result<String, String> {
    emit::emit_with(value, emit::Layout::Indented)
}
