//! The three kinds of patch that change what is there: JSON patch, merge patch, strategic merge patch.
//!
//! Not known here: the object's kind beyond its schema, and what becomes of the result.

mod directive;
mod json;
mod list;
mod merge;
mod order;
mod strategic;
mod words;

#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;

pub(crate) use json::json;
pub(crate) use merge::merge;
pub(crate) use strategic::strategic;

/// Why a patch could not be applied, as the API server divides it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatchError {
    /// The patch itself is not well-formed: 400, reason `BadRequest`.
    #[error("{0}")]
    Malformed(String),
    /// It does not fit the object: 422. The server's answer carries none of these words, only that it was an error.
    #[error("{0}")]
    Unprocessable(String),
    /// It asks for too much: 413, reason `RequestEntityTooLarge`.
    #[error("{0}")]
    TooLarge(String),
    /// What the server did not expect: 500, reason `InternalError`.
    #[error("{0}")]
    Internal(String),
}
