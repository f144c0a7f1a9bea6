//! Kubeconfig files, one per identity, and clients made from them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;

use super::certificate::{Certificates, Identity};
use crate::fault::Fault;

/// The name of context, cluster and user in every kubeconfig of the test bed.
pub(crate) const CONTEXT: &str = "control-plane";

/// Writes the kubeconfig of one identity.
pub(crate) fn write(file: &Path, port: u16, certificates: &Certificates, identity: Identity) -> Result<(), Fault> {
    let encoded = |path: &Path| Ok::<_, Fault>(STANDARD.encode(fs_err::read(path)?));
    let (certificate, key) = certificates.of(identity);
    let content = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{ "name": CONTEXT, "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority-data": encoded(&certificates.authority())?,
        }}],
        "users": [{ "name": CONTEXT, "user": {
            "client-certificate-data": encoded(&certificate)?,
            "client-key-data": encoded(&key)?,
        }}],
        "contexts": [{ "name": CONTEXT, "context": { "cluster": CONTEXT, "user": CONTEXT } }],
    });
    // JSON is YAML: every client reads it.
    fs_err::write(file, format!("{content:#}\n"))?;
    Ok(())
}

/// The client configuration of a kubeconfig, calling itself `agent`, with no retries of kube's own.
pub(crate) async fn config(file: &Path, agent: &str) -> Result<Config, Fault> {
    let kubeconfig =
        Kubeconfig::read_from(file).map_err(|error| Fault::malformed(file.display().to_string(), error))?;
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|error| Fault::malformed(file.display().to_string(), error))?;
    config.default_retry = false;
    let agent = agent.parse().map_err(|error| Fault::malformed("a user agent", error))?;
    config.headers.push((http::header::USER_AGENT, agent));
    Ok(config)
}
