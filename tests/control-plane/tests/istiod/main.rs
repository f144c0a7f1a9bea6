//! The stand-in for istiod on a real API server, with the real charts: it does what was seen of real istiods.

#![expect(clippy::unwrap_used, reason = "a test that finds something else than it expects has failed")]
#![expect(clippy::disallowed_methods, reason = "what is watched here is a real cluster, by a real clock")]

mod canary;
mod helm;
mod mesh;
mod truth;
mod version;
