//! The simulated cluster: what answers as a Kubernetes API server would, and who acts on it.
//!
//! Not known here: scripts, journals, modes. Whether the API server behind a `kube::Client` is real or simulated is not
//! known either: the actors run unchanged against both.

pub mod actor;
