//! The stand-in for istiod on a real API server, with the real charts: it does what was seen of real istiods.

mod canary;
mod helm;
mod mesh;
mod truth;
mod version;
