//! The built-in renderer equals helm: the same charts and values given to both, and what they answer compared.
//!
//! Helm's answers are kept beside the test bed's binaries, keyed by chart, values and helm, so that a second run asks it
//! nothing. Does not know how templates are rendered.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests run the real helm against a real clock, and what is wrong in them may panic"
)]

mod answer;
mod certificate;
mod expression;
mod hostile;
mod istio;
mod oracle;
mod own;
