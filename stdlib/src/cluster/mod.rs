//! Connects to live clusters: finds the kubeconfig, chooses the context, and hands out a client with manners in it.
//!
//! Does not know what is asked of a cluster, nor when: a connection costs nothing until its first request.

mod kubeconfig;
pub(crate) mod transport;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use futures::executor::block_on;
use http::{Request, Response};
use hyper::body::{Body as HttpBody, Bytes};
use kube::Config;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use runbook_core::world::{Clock, Cluster, Connect, Memory};
use runbook_core::{Code, Fault};
use tokio::runtime::Handle;
use tower::{BoxError, Service};

pub use wire::{Cause, Counters, Limits, Retry, Sent, WireError};

/// The context where the program runs in a pod and there is no kubeconfig.
pub(crate) const IN_CLUSTER: &str = "in-cluster";

/// Where and how to connect.
pub struct Options {
    /// `--kubeconfig`.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`; the kubeconfig's current one where absent.
    pub context: Option<String>,
    /// `--namespace`; the context's where absent, else `default`.
    pub namespace: Option<String>,
    /// The environment: `KUBECONFIG`, `HOME`, `KUBERNETES_SERVICE_HOST`, proxies.
    pub environment: Vec<(String, String)>,
    /// How much at once, how fast, how often again.
    pub limits: Limits,
    /// Who is told of each failed try that is not the last, on the thread that made the call.
    pub on_retry: Arc<dyn Fn(&Retry) + Send + Sync>,
    /// What was sent, for the summary.
    pub counters: Arc<Counters>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where connections live.
    pub tokio: Handle,
}

impl Options {
    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

/// Makes connections as the options say. Nothing is read or sent before it is called.
///
/// Its faults: `RB020` where no kubeconfig, no such context or unusable credentials are found, naming file and context.
pub fn connector(options: Options) -> Connect {
    Box::new(move |context| connect(&options, context))
}

fn connect(options: &Options, context: Option<&str>) -> Result<Cluster, Fault> {
    let Some(found) = kubeconfig::find(options)? else { return connect_from_pod(options, context) };
    let context = found.choose(context.or(options.context.as_deref()))?;
    let unusable = |reason: String| {
        let reason = redact(&found.content, reason);
        Fault::new(Code::NoCluster, format!("context `{context}` in {} cannot be used: {reason}", found.place()))
            .about(format!("context {context}"))
    };
    let wanted = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    let config = block_on(Config::from_custom_kubeconfig(found.content.clone(), &wanted));
    let mut config = config.map_err(|error| unusable(transport::in_words(&error)))?;
    config.proxy_url = kubeconfig::proxy(options, &found, &context, &config.cluster_url).map_err(&unusable)?;
    build(options, config, context.clone()).map_err(|error| unusable(transport::in_words(&error)))
}

fn connect_from_pod(options: &Options, context: Option<&str>) -> Result<Cluster, Fault> {
    if let Some(context) = context.or(options.context.as_deref()).filter(|name| *name != IN_CLUSTER) {
        return Err(Fault::new(Code::NoCluster, format!("there is no kubeconfig to look up context `{context}` in"))
            .hint("name one with `--kubeconfig FILE` or `KUBECONFIG`"));
    }
    let failed = |reason: String| {
        Fault::new(Code::NoCluster, format!("the pod's service account cannot be used: {reason}"))
            .hint("name a kubeconfig with `--kubeconfig FILE` or `KUBECONFIG`")
    };
    let config = Config::incluster().map_err(|error| failed(transport::in_words(&error)))?;
    build(options, config, IN_CLUSTER.to_owned()).map_err(|error| failed(transport::in_words(&error)))
}

fn build(options: &Options, mut config: Config, context: String) -> Result<Cluster, kube::Error> {
    let _inside = options.tokio.enter();
    config.default_retry = false;
    if let Some(namespace) = &options.namespace {
        config.default_namespace.clone_from(namespace);
    }
    let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    Ok(over(options, transport::open(&config)?, context, server, config.default_namespace))
}

/// Makes connections to one cluster that is reached through a tower service, by the name of the context that it has.
///
/// Limits, retries and counters are those of every cluster. Its faults: `RB020` where another context is asked for.
pub fn through<S, B>(options: Options, context: &str, server: &str, service: S) -> Connect
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (only, server) = (context.to_owned(), server.to_owned());
    Box::new(move |asked| {
        if let Some(asked) = asked.or(options.context.as_deref()).filter(|asked| *asked != only) {
            return Err(Fault::new(Code::NoCluster, format!("there is no context `{asked}` here, only `{only}`"))
                .about(format!("context {asked}")));
        }
        let _inside = options.tokio.enter();
        let namespace = options.namespace.clone().unwrap_or_else(|| "default".to_owned());
        Ok(over(&options, service.clone(), only.clone(), server.clone(), namespace))
    })
}

fn over<S, B>(options: &Options, service: S, context: String, server: String, namespace: String) -> Cluster
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let wire = wire::Wire::new(
        service,
        options.limits.clone(),
        options.clock.clone(),
        options.on_retry.clone(),
        options.counters.clone(),
    );
    Cluster {
        client: kube::Client::new(wire, namespace.clone()),
        context,
        server,
        namespace,
        memory: Memory::default(),
    }
}

/// Errors about credentials may quote them.
fn redact(content: &Kubeconfig, text: String) -> String {
    use kube::config::AuthInfo;
    let secrets = |auth: &AuthInfo| [auth.token.clone(), auth.password.clone(), auth.client_key_data.clone()];
    let known = content.auth_infos.iter().filter_map(|named| named.auth_info.as_ref()).flat_map(secrets).flatten();
    known.fold(text, |text, secret| {
        let secret = secrecy::ExposeSecret::expose_secret(&secret);
        if secret.is_empty() { text } else { text.replace(secret, "<secret>") }
    })
}

#[cfg(test)]
mod tests;
