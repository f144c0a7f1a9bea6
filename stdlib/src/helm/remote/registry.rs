//! Registries: charts as OCI artifacts, by the reading half of the distribution protocol.
//!
//! Does not know repositories with an index, and writes nothing.

use runbook_core::{Code, Fault, Value, World};

use super::super::repository::{self, Offer};
use super::index::{LARGEST_CHART, same};
use super::settings::Settings;
use super::web::{self, Access, Page};
use super::{Fetched, Wanted};
use crate::kubectl::name::encode;

/// How a chart in a registry begins.
pub(super) const SCHEME: &str = "oci://";

const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CHART: [&str; 2] = ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"];
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// A manifest or a list of tags is at most this large.
const LARGEST: usize = 8 << 20;

/// How many pages of tags are read.
const PAGES: usize = 100;

/// Where a chart is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spot {
    host: String,
    /// `charts/web`
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Spot {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(SCHEME)?;
        let (rest, digest) = rest.split_once('@').map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
        let (host, path) = rest.split_once('/')?;
        let (path, tag) = path.rsplit_once(':').map_or((path, None), |(path, tag)| (path, Some(tag)));
        let plain =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        (!host.is_empty() && plain(path)).then(|| Self {
            host: host.to_owned(),
            path: path.trim_end_matches('/').to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Registries are asked over TLS, but for those on this machine.
    fn url(&self, rest: &str) -> String {
        let name = self.host.rsplit_once(':').map_or(self.host.as_str(), |(name, _)| name);
        let scheme = if ["localhost", "127.0.0.1", "[::1]"].contains(&name) { "http" } else { "https" };
        format!("{scheme}://{}/v2/{}/{rest}", self.host, self.path)
    }
}

/// Fetches a chart.
pub(super) async fn fetch(world: &World, settings: &Settings, wanted: Wanted<'_>) -> Result<Fetched, Fault> {
    let spot = Spot::parse(wanted.chart)
        .ok_or_else(|| Fault::new(Code::WrongArgument, format!("`{}` names no chart in a registry", wanted.chart)))?;
    let mut asking = Asking { world, settings, spot: &spot, access: Access::default() };
    let (reference, version) = asking.settle(wanted.version).await?;
    let what = format!("chart `{}` {version}", spot.name());
    let manifest = asking.manifest(&reference, &what).await?;
    let layers = manifest.get("layers").and_then(Value::as_array);
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let layer = layers.into_iter().flatten().find(|layer| CHART.contains(&text(layer, "mediaType").as_str()));
    let Some(digest) = layer.map(|layer| text(layer, "digest")).filter(|digest| digest.starts_with("sha256:")) else {
        let message = format!("`{}` {version} in `{}` is no chart: it has no layer of one", spot.path, spot.host);
        return Err(Fault::new(Code::ChartNotFound, message));
    };
    let url = spot.url(&format!("blobs/{digest}"));
    let page = asking.get(&url, "*/*", LARGEST_CHART).await?.allowed(&url)?;
    let page = page.ok_or_else(|| Fault::new(Code::ChartNotFound, format!("{what} is listed, but is not there")))?;
    same(&what, Some(&digest), &page.body)?;
    Ok(Fetched { bytes: page.body, file: format!("{}-{version}.tgz", spot.name()) })
}

/// A chart's registry while it is asked.
struct Asking<'a> {
    world: &'a World,
    settings: &'a Settings,
    spot: &'a Spot,
    /// What we learnt to say of ourselves.
    access: Access,
}

impl Asking<'_> {
    /// What the registry calls the version that is wanted, and the version.
    async fn settle(&mut self, wanted: Option<&str>) -> Result<(String, String), Fault> {
        let version_of = |tag: &str| tag.replace('_', "+");
        if let Some(digest) = &self.spot.digest {
            let shown = self.spot.tag.as_deref().or(wanted).map_or_else(|| digest.clone(), version_of);
            return Ok((digest.clone(), shown));
        }
        let exact = |text: &str| semver::Version::parse(text.trim_start_matches('v')).is_ok();
        let named = self.spot.tag.clone().or_else(|| wanted.filter(|wanted| exact(wanted)).map(str::to_owned));
        if let Some(named) = named {
            return Ok((named.replace('+', "_"), version_of(&named)));
        }
        let offer = repository::choose(self.offers().await?, self.spot.name(), wanted, &self.shown())?;
        Ok((offer.place, offer.version))
    }

    fn shown(&self) -> String {
        let folder = self.spot.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{SCHEME}{}/{folder}", self.spot.host).trim_end_matches('/').to_owned()
    }

    /// All versions, by their tags.
    async fn offers(&mut self) -> Result<Vec<Offer>, Fault> {
        let mut offers = Vec::new();
        let mut next = Some(self.spot.url("tags/list?n=1000"));
        for _ in 0..PAGES {
            let Some(url) = next.take() else { break };
            let Some(page) = self.get(&url, "application/json", LARGEST).await?.allowed(&url)? else { break };
            let listed: Value = serde_json::from_slice(&page.body).unwrap_or_default();
            let tags = listed.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            offers.extend(tags.filter_map(|tag| {
                let version = tag.replace('_', "+");
                semver::Version::parse(version.trim_start_matches('v')).ok()?;
                Some(Offer { version, digest: None, place: tag.to_owned() })
            }));
            let link = page.headers.get(http::header::LINK).and_then(|link| link.to_str().ok());
            next = link.filter(|link| link.contains("rel=\"next\"")).and_then(|link| {
                let target = link.split_once('<')?.1.split_once('>')?.0;
                Some(web::resolve(&url, target))
            });
        }
        Ok(offers)
    }

    /// The manifest of a chart; out of an index, the one that is a chart's.
    async fn manifest(&mut self, reference: &str, what: &str) -> Result<Value, Fault> {
        let manifest = self.one_manifest(reference, what).await?;
        if manifest.get("mediaType").and_then(Value::as_str) != Some(INDEX) && manifest.get("manifests").is_none() {
            return Ok(manifest);
        }
        let several = manifest.get("manifests").and_then(Value::as_array).cloned().unwrap_or_default();
        let digests = several.iter().filter_map(|one| {
            let kind = one.get("artifactType").and_then(Value::as_str);
            kind.is_none_or(|kind| kind == CONFIG).then(|| one.get("digest")?.as_str())?
        });
        for digest in digests {
            let inner = self.one_manifest(digest, what).await?;
            if inner.pointer("/config/mediaType").and_then(Value::as_str) == Some(CONFIG) {
                return Ok(inner);
            }
        }
        Err(Fault::new(Code::ChartNotFound, format!("{what} in `{}` is no chart", self.shown())))
    }

    async fn one_manifest(&mut self, reference: &str, what: &str) -> Result<Value, Fault> {
        let url = self.spot.url(&format!("manifests/{reference}"));
        let Some(page) = self.get(&url, MANIFESTS, LARGEST).await?.allowed(&url)? else {
            return Err(self.absent(what).await);
        };
        if reference.starts_with("sha256:") {
            same(what, Some(reference), &page.body)?;
        }
        serde_json::from_slice(&page.body)
            .map_err(|error| Fault::new(Code::ChartNotFound, format!("the manifest of {what} cannot be read: {error}")))
    }

    /// The fault of a chart that is not there: it says what is.
    async fn absent(&mut self, what: &str) -> Fault {
        let offers = self.offers().await.unwrap_or_default();
        let version = what.rsplit(' ').next();
        match repository::choose(offers, self.spot.name(), version, &self.shown()) {
            Err(fault) => fault,
            Ok(_) => {
                Fault::new(Code::ChartNotFound, format!("{what} is a tag in `{}`, but has no manifest", self.shown()))
            }
        }
    }

    /// Gets a page; where the registry asks who we are, says so and tries once more.
    async fn get(&mut self, url: &str, accept: &str, largest: usize) -> Result<Page, Fault> {
        let page = web::get(self.world, url, &self.access, accept, largest).await?;
        if page.status != http::StatusCode::UNAUTHORIZED {
            return Ok(page);
        }
        let own = self.settings.registry(self.world, &self.spot.host);
        let challenge = page.headers.get(http::header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let (way, said) = challenge.unwrap_or_default().split_once(' ').unwrap_or((challenge.unwrap_or_default(), ""));
        let authorization = match (way.to_ascii_lowercase().as_str(), &own) {
            ("bearer", own) => Some(self.token(said, own.clone().ok().flatten()).await?),
            ("basic", Ok(own)) => own.clone(),
            _ => None,
        };
        let refused = || {
            let fault = Fault::new(Code::Forbidden, format!("registry `{}` does not let us in", self.spot.host));
            fault.hint(match &own {
                Err(helper) => format!(
                    "who we are is known to the credential helper `{helper}`, which the built-in helm does not ask: use the real helm"
                ),
                Ok(_) => format!("`helm registry login {}` makes us known to it", self.spot.host),
            })
        };
        let Some(authorization) = authorization.filter(|new| Some(new) != self.access.authorization.as_ref()) else {
            return Err(refused());
        };
        self.access.authorization = Some(authorization);
        let page = web::get(self.world, url, &self.access, accept, largest).await?;
        if matches!(page.status.as_u16(), 401 | 403) { Err(refused()) } else { Ok(page) }
    }

    /// A token for this chart, from where the registry's challenge says.
    async fn token(&self, challenge: &str, own: Option<String>) -> Result<String, Fault> {
        let field = |name: &str| {
            let fields = challenge.split(',').filter_map(|field| field.trim().split_once('='));
            fields.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"').to_owned())
        };
        let no_token = |reason: &str| {
            let message = format!("registry `{}` gives no token: {reason}", self.spot.host);
            Fault::new(Code::Forbidden, message)
        };
        let realm = field("realm").ok_or_else(|| no_token("it does not say where from"))?;
        let service = field("service").map(|service| format!("service={}&", encode(&service))).unwrap_or_default();
        let scope = encode(&format!("repository:{}:pull", self.spot.path));
        let joint = if realm.contains('?') { '&' } else { '?' };
        let url = format!("{realm}{joint}{service}scope={scope}");
        let access = Access { authorization: own, ..Access::default() };
        let page = web::get(self.world, &url, &access, "application/json", LARGEST).await?;
        if !page.status.is_success() {
            return Err(no_token(&format!("`{}` answered {}", web::shown(&url), page.status))
                .hint(format!("`helm registry login {}` makes us known to it", self.spot.host)));
        }
        let said: Value = serde_json::from_slice(&page.body).unwrap_or_default();
        let token = ["token", "access_token"].iter().find_map(|key| said.get(key)?.as_str());
        let token = token.ok_or_else(|| no_token("the answer holds none"))?;
        self.world.secrets.learn(token);
        Ok(format!("Bearer {token}"))
    }
}
