//! The way to an API server: TLS, HTTP/2 over one connection, credentials, proxies.
//!
//! Does not know limits or retries: those are the wire's.

use std::error::Error as StdError;
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::Config;
use kube::client::{Body, ConfigExt as _};
use tower::util::BoxCloneService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How often a quiet connection is tested, and how long the answer may take: a dead peer must not hold a watch for ever.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(20));

/// A way to a server.
pub(crate) type Transport = BoxCloneService<Request<Body>, Response<Incoming>, BoxError>;

/// Prepares the way to the server of a configuration. Connects with the first request.
pub(crate) fn open(config: &Config) -> Result<Transport, kube::Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    match &config.proxy_url {
        None => over(config, &tcp),
        Some(proxy) => match proxy.scheme_str() {
            Some("socks5" | "socks5h") => over(config, &SocksV5::new(proxy.clone(), tcp)),
            Some("http") => over(config, &tunnel(proxy, tcp)),
            _ => Err(kube::Error::ProxyProtocolUnsupported { proxy_url: Box::new(proxy.clone()) }),
        },
    }
}

fn tunnel(proxy: &Uri, tcp: HttpConnector) -> Tunnel<HttpConnector> {
    use base64::Engine as _;
    let user = proxy.authority().and_then(|authority| authority.as_str().split_once('@')).map(|(user, _)| user);
    let credentials = user.map(|user| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(user)));
    let tunnel = Tunnel::new(proxy.clone(), tcp);
    match credentials.and_then(|credentials| http::HeaderValue::from_str(&credentials).ok()) {
        Some(header) => tunnel.with_auth(header),
        None => tunnel,
    }
}

fn over<C>(config: &Config, connector: &C) -> Result<Transport, kube::Error>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let tls = config.rustls_client_config()?;
    let secure = |versions: Versions| -> Result<HttpsConnector<C>, kube::Error> {
        let mut builder = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        if let Some(name) = &config.tls_server_name {
            let name = name.clone().try_into().map_err(|error| kube::Error::Service(BoxError::from(error)))?;
            builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name));
        }
        Ok(match versions {
            Versions::All => builder.enable_http1().enable_http2().wrap_connector(connector.clone()),
            Versions::One => builder.enable_http1().wrap_connector(connector.clone()),
        })
    };
    let common: Client<_, Body> = client_builder().build(secure(Versions::All)?);
    // What switches protocols, as `exec` does, cannot share a connection.
    let switching: Client<_, Body> = client_builder().build(secure(Versions::One)?);
    let chosen = tower::service_fn(move |request: Request<Body>| {
        if request.headers().contains_key(http::header::UPGRADE) {
            switching.request(request)
        } else {
            common.request(request)
        }
    });
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(chosen);
    Ok(service.map_err(BoxError::from).boxed_clone())
}

#[derive(Clone, Copy)]
enum Versions {
    All,
    One,
}

fn client_builder() -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_keep_alive_interval(KEEP_ALIVE.0)
        .http2_keep_alive_timeout(KEEP_ALIVE.1);
    builder
}

/// Whether a request that ended with this error never left: no connection came about.
pub(super) fn never_connected(error: &BoxError) -> bool {
    error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(hyper_util::client::legacy::Error::is_connect)
}

/// Whether the peer is there but is not who it should be, or does not accept us: another try changes nothing.
pub(crate) fn distrusted(error: &BoxError) -> bool {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error.as_ref());
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if error.to_string().contains("certificate")
            || inner.is_some_and(|inner| inner.to_string().contains("certificate"))
        {
            return true;
        }
        next = error.source();
    }
    false
}

/// An error with its causes, each said once.
pub(crate) fn in_words(error: &(dyn StdError + 'static)) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_words = cause.to_string();
        if !words.contains(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        next = cause.source();
    }
    words
}
