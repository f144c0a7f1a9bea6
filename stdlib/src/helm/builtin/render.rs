//! Renders charts for operations: with the cluster's own capabilities and lookups, or without any cluster.
//!
//! The renderer itself is pure and lives in a crate of its own. Does not know what becomes of the manifests.

use std::io::Read as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use runbook_chart as chart;
use runbook_chart::{Capabilities, Dialect, Order, Release};
use runbook_core::world::Cluster;
use runbook_core::{Value, World};
use serde_json::{Map, json};

use super::record::{Hook, Record};
use super::store::Store;
use super::trouble::Trouble;
use super::word::Words;
use super::{VERSION, source};
use crate::kubectl::kind;
use crate::kubectl::request::{self, Asked as About};

/// Where random values of templates come from.
const ENTROPY: &str = "/dev/urandom";

/// A chart that was read.
#[derive(Clone)]
pub(super) struct Chart(Arc<chart::Chart>);

/// Whether something is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Install,
    Upgrade,
}

/// What a rendering is for.
pub(super) struct Asked<'a> {
    pub(super) release: &'a str,
    pub(super) revision: u64,
    pub(super) moment: Moment,
    pub(super) skip_schema: bool,
}

/// What came of it.
pub(super) struct Rendering {
    /// The chart as a release keeps it.
    pub(super) chart: Value,
    pub(super) manifest: String,
    pub(super) hooks: Vec<Hook>,
    pub(super) notes: String,
}

impl From<chart::Fault> for Trouble {
    fn from(fault: chart::Fault) -> Self {
        if fault.beyond { Self::beyond(Self::Words(fault.words).into_fault()) } else { Self::Words(fault.words) }
    }
}

impl Chart {
    /// Out of a packed chart.
    pub(super) fn of_archive(bytes: &[u8]) -> Result<Self, Trouble> {
        Ok(Self(Arc::new(chart::Chart::from_archive(bytes)?)))
    }

    /// Out of the files of a folder.
    pub(super) fn of_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, Trouble> {
        Ok(Self(Arc::new(chart::Chart::from_files(files)?)))
    }

    /// The definitions in its `crds` folder: names and texts.
    pub(super) fn crds(&self) -> Vec<(String, String)> {
        self.0.crds().into_iter().map(|crd| (crd.name, crd.content)).collect()
    }

    /// Other default values than its own.
    pub(super) fn set_values(&mut self, values: &Value) -> Result<(), Trouble> {
        const FILE: &str = "values.yaml";
        let text = values.to_string().into_bytes();
        let files = self.0.raw().iter().filter(|file| file.name != FILE);
        let files = files.map(|file| (file.name.clone(), file.data.to_vec()));
        *self = Self::of_files(files.chain([(FILE.to_owned(), text)]))?;
        Ok(())
    }

    /// As a release keeps it: Chart.yaml, templates, default values and files, without subcharts.
    fn picture(&self) -> Value {
        let files = |files: &[chart::File]| -> Value {
            let told = files.iter().map(|file| json!({ "name": file.name, "data": STANDARD.encode(&file.data) }));
            Value::Array(told.collect())
        };
        json!({
            "metadata": self.0.metadata(),
            "lock": self.0.lock(),
            "templates": files(self.0.templates()),
            "values": written(self.0.values()),
            "schema": self.0.schema().map(|schema| STANDARD.encode(schema)),
            "schemamodtime": "0001-01-01T00:00:00Z",
            "files": files(self.0.files()),
        })
    }
}

/// Values as Go writes them: whole numbers without a fraction.
fn written(values: &Value) -> Value {
    serde_json::from_str(&chart::values::to_go_json(values)).unwrap_or_else(|_| values.clone())
}

/// The user values of a revision over its chart's own, as far as it keeps them: without those of subcharts.
pub(super) fn all_values(world: &World, record: &Record) -> Result<Value, Trouble> {
    let about =
        json!({ "apiVersion": "v2", "name": record.chart_text("name"), "version": record.chart_text("version") });
    let values = record.chart.get("values").filter(|values| values.is_object()).cloned().unwrap_or_else(|| json!({}));
    let files = [("Chart.yaml", about), ("values.yaml", values)];
    let chart = Chart::of_files(files.map(|(name, value)| (name.to_owned(), value.to_string().into_bytes())))?;
    let given = given(Some(record.config.clone()));
    let order = Order { skip_schema: true, ..Order::template("", "", given, dialect(world)) };
    Ok(written(&chart::computed_values(&chart.0, &order)?))
}

/// Renders what an operation on a cluster would apply.
pub(super) async fn on_cluster(
    store: &Store<'_>,
    chart: &Chart,
    values: Option<Map<String, Value>>,
    asked: Asked<'_>,
) -> Result<Rendering, Trouble> {
    let cluster = store.wire.cluster.clone();
    let capabilities = capabilities(store.world, &cluster).await?;
    let dialect = dialect(store.world);
    let release = Release {
        name: asked.release.to_owned(),
        namespace: store.wire.namespace.clone(),
        revision: i64::try_from(asked.revision).unwrap_or(i64::MAX),
        is_install: asked.moment == Moment::Install,
        is_upgrade: asked.moment == Moment::Upgrade,
        service: "Helm".to_owned(),
    };
    let (chart, now, handle) = (chart.clone(), store.world.clock.now(), store.world.tokio.clone());
    let wire = store.wire.clone();
    let work = move || {
        let lookup = |version: &str, kind: &str, namespace: &str, name: &str| {
            handle.block_on(wire.look_up(version, kind, namespace, name)).map_err(|trouble| trouble.in_words())
        };
        let order = Order {
            release,
            capabilities,
            lookup: Some(&lookup),
            entropy: Some(&fill),
            now: Some(now),
            skip_schema: asked.skip_schema,
            ..Order::template("", "", given(values), dialect)
        };
        chart::render(&chart.0, &order).map(|rendered| (chart.picture(), rendered))
    };
    // Templates take their time, and lookups wait for the cluster: not on a thread that drives others.
    let (picture, rendered) = blocking(store.world, work).await??;
    Ok(Rendering {
        chart: picture,
        manifest: rendered.manifest(),
        hooks: rendered.hooks.into_iter().map(Hook::from).collect(),
        notes: rendered.notes,
    })
}

async fn blocking<T: Send + 'static>(world: &World, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
    world.tokio.spawn_blocking(work).await.map_err(|error| Trouble::words(format!("the renderer gave up: {error}")))
}

/// `template`: rendered without a cluster, as it is printed.
pub(super) async fn template(
    world: &World,
    words: &Words,
    values: Option<Map<String, Value>>,
) -> Result<String, Trouble> {
    let dialect = dialect(world);
    let chart = source::chart(world, words.place(1), words).await?;
    let mut order =
        Order::template(words.place(0), words.flag("namespace").unwrap_or("default"), given(values), dialect);
    order.capabilities.helm_version = helm_version(world);
    order.release.is_upgrade = words.on("is-upgrade");
    order.release.is_install = !order.release.is_upgrade;
    order.capabilities.api_versions.extend(words.all("api-versions"));
    if let Some(version) = words.flag("kube-version") {
        order.capabilities.kube_version = kube_version(version, dialect)?;
    }
    order.skip_schema = words.on("skip-schema-validation");
    order.include_crds = words.on("include-crds") && !words.on("skip-crds");
    order.show_only = words.all("show-only");
    order.now = Some(world.clock.now());
    let work = move || chart::render(&chart.0, &Order { entropy: Some(&fill), ..order });
    Ok(blocking(world, work).await??.printed())
}

/// Whose ways are followed: those of the helm that the run drives.
pub(super) fn dialect(world: &World) -> Dialect {
    match world.helm.version.get() {
        Some(version) if version.major < 4 => Dialect::Helm3,
        _ => Dialect::Helm4,
    }
}

/// Two numbers or more; helm 3 forgets what stands behind them.
fn kube_version(text: &str, dialect: Dialect) -> Result<String, Trouble> {
    let invalid = |reason: String| Trouble::words(format!("invalid kube version '{text}': {reason}"));
    let plain = text.trim().trim_start_matches('v');
    let end = plain.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(plain.len());
    let numbers = plain[..end].trim_end_matches('.');
    if !plain.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(invalid(format!("could not parse {text:?} as version")));
    }
    if !numbers.contains('.') {
        return Err(invalid(format!("illegal version string {text:?}")));
    }
    Ok(match dialect {
        Dialect::Helm3 => format!("v{numbers}"),
        Dialect::Helm4 => format!("v{plain}"),
    })
}

/// User values as they would come out of a file.
fn given(values: Option<Map<String, Value>>) -> Value {
    chart::values::from_json(&Value::Object(values.unwrap_or_default()))
}

fn fill(bytes: &mut [u8]) {
    let filled = fs_err::File::open(ENTROPY).and_then(|mut source| source.read_exact(bytes));
    if let Err(error) = filled {
        tracing::error!("templates get no random values: {error}");
    }
}

/// What the cluster is and serves, asked anew: a chart that was installed just now may have changed it.
async fn capabilities(world: &World, cluster: &Arc<Cluster>) -> Result<Capabilities, Trouble> {
    kind::forget(cluster).await;
    let about = About::about("read", "the cluster's version");
    let version = request::answer(&cluster.client, request::get("/version"), Vec::new(), &about).await?;
    let kube_version = version.get("gitVersion").and_then(Value::as_str).unwrap_or("v1.20.0").to_owned();
    let mut api_versions = Vec::new();
    for resource in kind::all(cluster).await?.iter() {
        let group = resource.api_version();
        if !api_versions.contains(&group) {
            api_versions.push(group.clone());
        }
        api_versions.push(format!("{group}/{}", resource.kind));
    }
    Ok(Capabilities { kube_version, api_versions, helm_version: helm_version(world) })
}

/// The helm that templates see: the one that the run drives.
fn helm_version(world: &World) -> String {
    let driven = world.helm.version.get().cloned().unwrap_or(VERSION);
    format!("v{}.{}.{}", driven.major, driven.minor, driven.patch)
}

impl From<chart::Hook> for Hook {
    fn from(hook: chart::Hook) -> Self {
        Self {
            name: hook.name,
            kind: hook.kind,
            path: hook.path,
            manifest: hook.manifest,
            events: hook.events,
            weight: hook.weight,
            delete_policies: hook.delete_policies,
            output_log_policies: hook.output_log_policies,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart {
        let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        Chart::of_files([
            file("Chart.yaml", "apiVersion: v2\nname: tiny\nversion: 1.0.0\nappVersion: \"9\"\n"),
            file("values.yaml", "color: red\n"),
            file("crds/a.yaml", "kind: A\n"),
            file("README.md", "words"),
            file("templates/a.yaml", "kind: ConfigMap\ndata: {color: {{ .Values.color }}}\n"),
        ])
        .unwrap()
    }

    #[test]
    fn a_release_keeps_the_chart_without_its_subcharts() {
        let picture = chart().picture();
        assert_eq!(
            picture["metadata"],
            json!({ "apiVersion": "v2", "name": "tiny", "version": "1.0.0", "appVersion": "9" })
        );
        assert_eq!(picture["values"], json!({ "color": "red" }));
        assert_eq!(picture["templates"][0]["name"], "templates/a.yaml");
        let names: Vec<_> = picture["files"].as_array().unwrap().iter().map(|file| file["name"].clone()).collect();
        assert!(names.contains(&json!("README.md")) && !names.contains(&json!("Chart.yaml")), "{names:?}");
    }

    #[test]
    fn other_defaults_take_the_place_of_the_charts_own() {
        let mut chart = chart();
        chart.set_values(&json!({ "color": "blue" })).unwrap();
        assert_eq!(chart.0.values(), &json!({ "color": "blue" }));
        assert_eq!(chart.crds(), [("crds/a.yaml".to_owned(), "kind: A\n".to_owned())]);
    }

    #[test]
    fn versions_of_kubernetes_are_read_as_helm_reads_them() {
        let read = |text: &str, dialect| kube_version(text, dialect).map_err(|trouble| trouble.in_words());
        assert_eq!(read("1.30", Dialect::Helm3).unwrap(), "v1.30");
        assert_eq!(read("v1.33.4-gke.1", Dialect::Helm3).unwrap(), "v1.33.4");
        assert_eq!(read("v1.33.4-gke.1", Dialect::Helm4).unwrap(), "v1.33.4-gke.1");
        let words = "invalid kube version 'new': could not parse \"new\" as version";
        assert_eq!(read("new", Dialect::Helm4).unwrap_err(), words);
        assert!(read("1", Dialect::Helm4).is_err());
    }
}
