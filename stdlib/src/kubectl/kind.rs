//! What kinds a cluster has, and which one a word means: `deploy`, `Deployment`, `deployments.apps`, `deployments.v1.apps`.
//!
//! Built-in kinds need no question to the cluster. Everything else is discovered once in a run, and once more where a word
//! finds nothing: a definition may just have been installed. Does not know objects.

use std::sync::Arc;

use runbook_core::param::nearest;
use runbook_core::world::Cluster;
use runbook_core::{Code, Fault};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{builtin, discovery};

/// A kind of object as a cluster serves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// API group; empty for the core.
    pub group: String,
    /// Version, such as `v1`.
    pub version: String,
    /// `Deployment`.
    pub kind: String,
    /// `deployments`.
    pub plural: String,
    /// `deployment`.
    pub singular: String,
    /// `deploy`.
    pub short: Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What may be asked of it; empty where it was not discovered.
    pub verbs: Vec<String>,
}

impl Resource {
    /// `apps/v1`, or `v1` for the core.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `deployments.apps`, or `pods` for the core.
    pub fn full_name(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// An object's name for people: `deployment/web`, with the group where the kind is not built in.
    pub fn title(&self, name: &str) -> String {
        if self.group.is_empty() || builtin::has(self) {
            format!("{}/{name}", self.singular)
        } else {
            format!("{}.{}/{name}", self.singular, self.group)
        }
    }

    /// Where its API lives: `/apis/apps/v1`, `/api/v1`.
    pub fn root(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }

    fn called(&self, word: &Word) -> bool {
        let name = &word.name;
        let same_name = *name == self.plural
            || *name == self.singular
            || *name == self.kind.to_ascii_lowercase()
            || self.short.iter().any(|short| short == name);
        same_name && word.version.as_ref().is_none_or(|version| *version == self.version)
    }
}

/// A word for a kind, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    name: String,
    version: Option<String>,
    group: Option<String>,
}

impl Word {
    fn parse(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let Some((name, rest)) = text.split_once('.') else { return Self { name: text, version: None, group: None } };
        let (first, further) = rest.split_once('.').map_or((rest, None), |(first, further)| (first, Some(further)));
        let (version, group) = if is_version(first) { (Some(first), further) } else { (None, Some(rest)) };
        Self { name: name.to_owned(), version: version.map(str::to_owned), group: group.map(str::to_owned) }
    }

    /// The first that it means. A group may be cut short where nothing has exactly that group, as in kubectl.
    fn choose<'a>(&self, resources: &'a [Arc<Resource>]) -> Option<&'a Arc<Resource>> {
        let find = |fits: &dyn Fn(&str) -> bool| resources.iter().find(|r| fits(&r.group) && r.called(self));
        match &self.group {
            None => find(&|_| true),
            Some(group) => {
                find(&|g| g == group).or_else(|| find(&|g| !group.is_empty() && g.starts_with(group.as_str())))
            }
        }
    }
}

fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        && part.chars().all(|c| c.is_ascii_alphanumeric())
}

type Resources = Arc<Vec<Arc<Resource>>>;

/// The kinds that were discovered, kept with the cluster for the run.
#[derive(Default)]
struct Known {
    discovered: Mutex<Option<Resources>>,
}

/// The kind that a word means.
///
/// Faults: `RB022` where the cluster has no such kind, with the nearest name; `RB015` where the word is none.
pub async fn resolve(cluster: &Cluster, text: &str) -> Result<Arc<Resource>, Fault> {
    super::name::check("kind", text)?;
    let word = Word::parse(text);
    match look_up(cluster, |resources| word.choose(resources).cloned()).await? {
        Some(found) => Ok(found),
        None => Err(unknown(&all(cluster).await?, text)),
    }
}

/// The kind of a manifest, by its `apiVersion` and `kind`.
///
/// Faults: `RB015` where it lacks one of them, `RB022` where the cluster does not serve that kind in that version.
pub async fn of_manifest(cluster: &Cluster, manifest: &Value) -> Result<Arc<Resource>, Fault> {
    let text = |key: &str| manifest.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        return Err(Fault::new(Code::WrongArgument, "a manifest needs `apiVersion` and `kind`"));
    };
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let exactly = |r: &&Arc<Resource>| r.kind == kind && r.group == group && r.version == version;
    match look_up(cluster, |resources| resources.iter().find(exactly).cloned()).await? {
        Some(found) => Ok(found),
        None => Err(unserved(&all(cluster).await?, api_version, kind)),
    }
}

/// A kind that every cluster has, by its plural name, such as `pods`.
///
/// Panics where our table does not have it: for names that stand in our own source.
pub fn builtin(plural: &str) -> Arc<Resource> {
    builtin::known(plural)
}

/// All kinds of a cluster, in the order in which words find them; discovered once in a run.
pub async fn all(cluster: &Cluster) -> Result<Resources, Fault> {
    let known = cluster.memory.of::<Known>();
    let mut discovered = known.discovered.lock().await;
    if let Some(resources) = &*discovered {
        return Ok(resources.clone());
    }
    let resources = Arc::new(discovery::discover(&cluster.client).await?);
    *discovered = Some(resources.clone());
    Ok(resources)
}

/// Forgets what was discovered: whoever asks next asks the cluster.
pub(crate) async fn forget(cluster: &Cluster) {
    *cluster.memory.of::<Known>().discovered.lock().await = None;
}

async fn look_up(
    cluster: &Cluster,
    choose: impl Fn(&[Arc<Resource>]) -> Option<Arc<Resource>>,
) -> Result<Option<Arc<Resource>>, Fault> {
    if let Some(found) = choose(builtin::all()) {
        return Ok(Some(found));
    }
    let known = cluster.memory.of::<Known>();
    let before = known.discovered.lock().await.clone();
    if let Some(found) = before.as_ref().and_then(|resources| choose(resources)) {
        return Ok(Some(found));
    }
    if before.is_some() {
        *known.discovered.lock().await = None;
    }
    if let Some(found) = choose(&all(cluster).await?) {
        return Ok(Some(found));
    }
    // What a server says of itself lags a moment behind a definition that was just installed.
    let defined = discovery::definitions(&cluster.client).await?;
    let found = choose(&defined);
    if found.is_some() {
        *known.discovered.lock().await = None;
    }
    Ok(found)
}

fn unknown(resources: &[Arc<Resource>], text: &str) -> Fault {
    let names = || resources.iter().flat_map(|r| [&r.plural, &r.singular, &r.kind].into_iter().chain(&r.short));
    let bare = text.split('.').next().unwrap_or(text);
    let fault = Fault::new(Code::NotFound, format!("the cluster has no kind `{text}`")).with("unknown_kind", text);
    match nearest(&bare.to_ascii_lowercase(), names().map(String::as_str)) {
        Some(near) if near == bare => {
            let groups: Vec<_> =
                resources.iter().filter(|r| r.called(&Word::parse(bare))).map(|r| r.full_name()).collect();
            fault.hint(format!("it has {}", groups.join(", ")))
        }
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault.hint("`kubectl::api_resources()` lists the kinds; is a definition (CRD) not installed yet?"),
    }
}

fn unserved(resources: &[Arc<Resource>], api_version: &str, kind: &str) -> Fault {
    let served: Vec<_> = resources.iter().filter(|r| r.kind == kind).map(|r| r.api_version()).collect();
    let fault = Fault::new(Code::NotFound, format!("the cluster has no kind `{kind}` in `{api_version}`"))
        .with("unknown_kind", format!("{api_version}/{kind}"));
    if served.is_empty() {
        fault.hint("is its definition (CRD) not installed yet?")
    } else {
        fault.hint(format!("it has it in {}", served.join(", ")))
    }
}
