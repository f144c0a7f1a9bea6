//! A stand-in for istiod: what Istio's control plane does to the Kubernetes API, for each revision that is installed.
//!
//! Held to recordings of a real istiod. It does what can be seen through the API server and nothing else: no proxy is
//! configured, no certificate is issued, no traffic flows.

mod claim;
mod fleet;
mod gateway;
mod injection;
mod instance;
mod leadership;
mod load_balancer;
mod overlay;
mod proxy_config;
mod release;
mod review;
mod root_certificate;
mod settings;
mod template;
mod validation;
mod view;
mod webhook;

pub use fleet::Fleet;

/// The field manager under which istiod writes, except for what it makes for Gateways.
const MANAGER: &str = "pilot-discovery";

#[cfg(test)]
mod truth;
