//! Why something could not be applied, in the API server's words.
//!
//! Not known here: the `Status` that carries them.

use std::fmt;

use super::element::Element;

/// Why something could not be applied.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// Others own what would change: 409, reason `Conflict`, a cause `FieldManagerConflict` for each.
    Conflicts(Vec<Conflict>),
    /// 400, reason `BadRequest`.
    BadRequest(String),
    /// 500, reason `InternalError`: also what the server answers where a field is none of the kind's.
    Internal(String),
}

/// One field that somebody else owns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Conflict {
    /// As it is shown: quoted, with subresource and version.
    pub(crate) manager: String,
    /// `.spec.replicas`
    pub(crate) field: String,
    pub(super) path: Vec<Element>,
}

impl Conflict {
    /// What stands as `message` among the causes.
    pub(crate) fn message(&self) -> String {
        format!("conflict with {}", self.manager)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conflicts = match self {
            Self::BadRequest(words) | Self::Internal(words) => return f.write_str(words),
            Self::Conflicts(conflicts) => conflicts,
        };
        if let [conflict] = conflicts.as_slice() {
            return write!(f, "Apply failed with 1 conflict: {}: {}", conflict.message(), conflict.field);
        }
        write!(f, "Apply failed with {} conflicts:", conflicts.len())?;
        let mut manager = "";
        for (at, conflict) in conflicts.iter().enumerate() {
            if conflict.manager != manager || at == 0 {
                let before = if at == 0 { " " } else { "\n" };
                write!(f, "{before}conflicts with {}:", conflict.manager)?;
                manager = &conflict.manager;
            }
            write!(f, "\n- {}", conflict.field)?;
        }
        Ok(())
    }
}
