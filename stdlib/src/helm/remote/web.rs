//! Gets one page over HTTP: redirects followed, proxies asked, size and time bounded, credentials kept from strangers.
//!
//! Does not know what is on the page.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper_util::client::proxy::matcher::Matcher;
use kube::Config;
use kube::client::Body;
use runbook_core::{Code, Fault, World};
use tower::ServiceExt as _;

use crate::cluster::transport;

/// How many redirects are followed.
const REDIRECTS: usize = 10;

/// How long one page may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Who we are to a server, and whom we take for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Access {
    /// The value of `Authorization`.
    pub(super) authorization: Option<String>,
    /// Certificates of authorities that are trusted in the place of the machine's own.
    pub(super) ca_file: Option<PathBuf>,
    /// Our own certificate and its key.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
    /// Whom we take for the server.
    pub(super) trust: Trust,
    /// Who learns who we are.
    pub(super) told: Told,
}

/// Whom we take for a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Trust {
    /// Whoever proves it by a certificate.
    #[default]
    Proven,
    /// Anybody: the person's own setting says so.
    Anybody,
}

/// Who learns our credentials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Told {
    /// The server that they are for.
    #[default]
    Server,
    /// Every server that the index leads to: the person's own setting says so.
    Everybody,
}

impl Access {
    /// By name and password.
    pub(super) fn basic(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    /// What another URL may learn, where these credentials are for `own`.
    pub(super) fn towards(&self, own: &str, other: &str) -> Self {
        let mut access = self.clone();
        if self.told == Told::Server && origin(own) != origin(other) {
            access.authorization = None;
            access.identity = None;
        }
        access
    }
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Page {
    /// The page, where there is one. Faults: `RB021` where we are not let in, `RB025` for any other refusal.
    pub(super) fn allowed(self, url: &str) -> Result<Option<Self>, Fault> {
        match self.status.as_u16() {
            200..=299 => Ok(Some(self)),
            404 | 410 => Ok(None),
            401 | 403 => {
                Err(Fault::new(Code::Forbidden, format!("`{}` does not let us in: {}", shown(url), self.status)))
            }
            _ => Err(Fault::new(Code::Network, format!("`{}` answered {}", shown(url), self.status)).retryable()),
        }
    }
}

/// Gets a page of at most that many bytes.
///
/// Faults: `RB025` where the server cannot be reached or trusted, or takes too long; `RB028` where the page is too large.
pub(super) async fn get(
    world: &World,
    url: &str,
    access: &Access,
    accept: &str,
    largest: usize,
) -> Result<Page, Fault> {
    let mut url = url.to_owned();
    let mut access = access.clone();
    for _ in 0..=REDIRECTS {
        let page = tokio::select! {
            page = once(world, &url, &access, accept, largest) => page?,
            () = world.clock.patience(PATIENCE) => {
                let message = format!("`{}` takes longer than {} s to answer", shown(&url), PATIENCE.as_secs());
                return Err(Fault::new(Code::Network, message).retryable());
            }
        };
        let Some(location) = page.headers.get(LOCATION).filter(|_| page.status.is_redirection()) else {
            return Ok(page);
        };
        let next = resolve(&url, &String::from_utf8_lossy(location.as_bytes()));
        access = access.towards(&url, &next);
        url = next;
    }
    Err(Fault::new(Code::Network, format!("`{}` leads on and on: more than {REDIRECTS} redirects", shown(&url))))
}

async fn once(world: &World, url: &str, access: &Access, accept: &str, largest: usize) -> Result<Page, Fault> {
    let wrong = |reason: String| Fault::new(Code::WrongArgument, format!("`{}` is no URL: {reason}", shown(url)));
    let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| wrong(error.to_string()))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
        return Err(wrong("it names neither `http` nor `https`, or no host".to_owned()));
    }
    let mut request = Request::get(uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str));
    request = request.header(ACCEPT, accept).header(USER_AGENT, concat!("runbook/", env!("CARGO_PKG_VERSION")));
    if let Some(authorization) = &access.authorization {
        let mut value = HeaderValue::from_str(authorization).map_err(|error| wrong(error.to_string()))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let request = request.body(Body::empty()).map_err(|error| wrong(error.to_string()))?;
    let unreachable = |reason: String, retryable: bool| {
        let fault = Fault::new(Code::Network, format!("`{}` cannot be reached: {reason}", shown(url)));
        if retryable { fault.retryable() } else { fault.hint(CERTIFICATE) }
    };
    let transport =
        transport::open(&config(world, &uri, access)).map_err(|error| unreachable(error.to_string(), false))?;
    let answer = transport
        .oneshot(request)
        .await
        .map_err(|error| unreachable(transport::in_words(error.as_ref()), !transport::distrusted(&error)))?;
    let (head, mut body) = answer.into_parts();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unreachable(transport::in_words(&error), true))?;
        let Ok(data) = frame.into_data() else { continue };
        bytes.extend_from_slice(&data);
        if bytes.len() > largest {
            let message = format!("`{}` is too large: more than {} MiB", shown(url), largest >> 20);
            return Err(Fault::new(Code::TooLarge, message));
        }
    }
    Ok(Page { status: head.status, headers: head.headers, body: bytes })
}

const CERTIFICATE: &str = "name its authority as `caFile` of the repository in helm's `repositories.yaml`";

fn config(world: &World, uri: &Uri, access: &Access) -> Config {
    let origin = Uri::builder()
        .scheme(uri.scheme_str().unwrap_or("https"))
        .authority(uri.authority().map_or("", http::uri::Authority::as_str))
        .path_and_query("/")
        .build();
    let mut config = Config::new(origin.unwrap_or_else(|_| uri.clone()));
    if let Some(file) = &access.ca_file {
        // The file decides alone; the list only keeps the machine's own authorities from being asked for.
        config.root_cert = Some(Vec::new());
        config.root_cert_file = Some(file.clone());
    }
    config.accept_invalid_certs = access.trust == Trust::Anybody;
    if let Some((certificate, key)) = &access.identity {
        config.auth_info.client_certificate = Some(certificate.display().to_string());
        config.auth_info.client_key = Some(key.display().to_string());
    }
    config.proxy_url = proxy(world, uri);
    config
}

/// The proxy that the environment names for an `https` URL. What is not encrypted goes straight.
fn proxy(world: &World, uri: &Uri) -> Option<Uri> {
    if uri.scheme_str() != Some("https") {
        return None;
    }
    let variable = |names: [&str; 2]| {
        let found = names
            .iter()
            .find_map(|wanted| world.helm.environment.iter().find(|(name, value)| name == wanted && !value.is_empty()));
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    let matcher = Matcher::builder()
        .all(variable(["ALL_PROXY", "all_proxy"]))
        .https(variable(["HTTPS_PROXY", "https_proxy"]))
        .no(variable(["NO_PROXY", "no_proxy"]))
        .build();
    let found = matcher.intercept(uri)?;
    let (scheme, host) = (found.uri().scheme_str()?.to_owned(), found.uri().authority()?.as_str().to_owned());
    let host = match found.raw_auth() {
        Some((user, password)) => format!("{user}:{password}@{host}"),
        None => host,
    };
    format!("{scheme}://{host}").parse().ok()
}

/// `scheme://host:port`: who a server is.
fn origin(url: &str) -> Option<(String, String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_owned();
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    Some((scheme, uri.host()?.to_ascii_lowercase(), port))
}

/// Where a link leads that stands on the page of a URL.
pub(super) fn resolve(base: &str, link: &str) -> String {
    if link.contains("://") {
        return link.to_owned();
    }
    let plain = base.split(['?', '#']).next().unwrap_or(base);
    let (scheme, rest) = plain.split_once("://").unwrap_or(("https", plain));
    if let Some(rest) = link.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if link.starts_with('/') {
        return format!("{scheme}://{host}{link}");
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let mut pieces = link.split('/').peekable();
    while let Some(&piece) = pieces.peek().filter(|piece| [".", ".."].contains(*piece)) {
        if piece == ".." {
            parts.pop();
        }
        pieces.next();
    }
    parts.extend(pieces);
    format!("{scheme}://{host}/{}", parts.join("/"))
}

/// A URL for people: without what stands before the host, and without what stands behind a question mark.
pub(super) fn shown(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or(url);
    match plain.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
        }
        None => plain.to_owned(),
    }
}
