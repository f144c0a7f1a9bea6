//! What each template sees: its chart, its values, the release and the cluster.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Map as Plain;

use crate::chart::{Chart, Metadata};
use crate::order::{Dialect, Order};
use crate::value::{Field, List, Map, Of, Struct, Value, from_plain};

/// A template's text and its root.
pub(super) struct Template {
    pub(super) source: String,
    pub(super) values: Rc<Map>,
    folder: String,
}

impl Template {
    /// `.Template`
    pub(super) fn see_itself(&self, name: &str) {
        let entries = [(Rc::from("Name"), Value::text(name)), (Rc::from("BasePath"), Value::text(&self.folder))];
        let itself = Map::new(entries.into(), self.values.of.get());
        self.values.set("Template", Value::Map(itself));
    }
}

/// All templates of a chart and its subcharts, by path.
pub(super) fn templates(
    chart: &Chart,
    values: Plain<String, serde_json::Value>,
    order: &Order<'_>,
) -> BTreeMap<String, Template> {
    let named = table_name(order.dialect);
    let root = match from_plain(&serde_json::Value::Object(values)) {
        Value::Map(map) => {
            map.of.set(Of::Named(named));
            map
        }
        _ => Map::new(BTreeMap::new(), Of::Named(named)),
    };
    let shared = Shared { release: release(order), capabilities: capabilities(order), dialect: order.dialect };
    let mut found = BTreeMap::new();
    shared.collect(chart, chart.name(), &root, true, &mut found);
    found
}

fn table_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Helm3 => "chartutil.Values",
        Dialect::Helm4 => "common.Values",
    }
}

struct Shared {
    release: Value,
    capabilities: Value,
    dialect: Dialect,
}

impl Shared {
    fn collect(
        &self,
        chart: &Chart,
        path: &str,
        values: &Rc<Map>,
        root: bool,
        found: &mut BTreeMap<String, Template>,
    ) -> Rc<Map> {
        let subcharts = Map::new(BTreeMap::new(), Of::Any);
        let entries: [(Rc<str>, Value); 6] = [
            (Rc::from("Chart"), metadata(&chart.metadata, root, self.dialect)),
            (Rc::from("Files"), Value::Files(chart.visible_files())),
            (Rc::from("Release"), self.release.clone()),
            (Rc::from("Capabilities"), self.capabilities.clone()),
            (Rc::from("Values"), Value::Map(values.clone())),
            (Rc::from("Subcharts"), Value::Map(subcharts.clone())),
        ];
        let sees = Map::new(entries.into(), Of::Named(table_name(self.dialect)));
        for child in &chart.dependencies {
            let values = match values.get(child.name()) {
                Some(Value::Map(map)) => map,
                _ => Map::new(BTreeMap::new(), Of::Named(table_name(self.dialect))),
            };
            let path = format!("{path}/charts/{}", child.name());
            let child_sees = self.collect(child, &path, &values, false, found);
            subcharts.set(child.name(), Value::Map(child_sees));
        }
        for file in &chart.templates {
            let partial = file.name.rsplit('/').next().is_some_and(|base| base.starts_with('_'));
            if chart.is_library() && !partial {
                continue;
            }
            let template = Template {
                source: String::from_utf8_lossy(&file.data).into_owned(),
                values: sees.clone(),
                folder: format!("{path}/templates"),
            };
            found.insert(format!("{path}/{}", file.name), template);
        }
        sees
    }
}

fn field(name: &'static str, json: &'static str, value: Value) -> Field {
    Field { name, json, value }
}

fn metadata(of: &Metadata, root: bool, dialect: Dialect) -> Value {
    let annotations = of.annotations.iter().map(|(key, value)| (Rc::from(key.as_str()), Value::text(value)));
    let annotations = Value::Map(Map::new(annotations.collect(), Of::Text));
    let part = |fields: Vec<Field>, name: &'static str| match dialect {
        Dialect::Helm3 => Value::Struct(Rc::new(Struct { name, fields })),
        Dialect::Helm4 => as_map(fields),
    };
    let maintainers = of.maintainers.iter().map(|one| {
        let fields = vec![
            field("Name", "name", Value::text(&one.name)),
            field("Email", "email", Value::text(&one.email)),
            field("URL", "url", Value::text(&one.url)),
        ];
        part(fields, "*chart.Maintainer")
    });
    let dependencies = of.dependencies.iter().map(|one| {
        let fields = vec![
            field("Name", "name", Value::text(&one.name)),
            field("Version", "version", Value::text(&one.version)),
            field("Repository", "repository", Value::text(&one.repository)),
            field("Condition", "condition", Value::text(&one.condition)),
            field("Tags", "tags", Value::texts(&one.tags)),
            field("Enabled", "enabled", Value::Bool(one.enabled)),
            field("ImportValues", "import-values", Value::list(one.import_values.iter().map(from_plain).collect())),
            field("Alias", "alias", Value::text(&one.alias)),
        ];
        part(fields, "*chart.Dependency")
    });
    let list = |items: Vec<Value>, name: &'static str| match dialect {
        Dialect::Helm3 => Value::List(Rc::new(List { items, of: Of::Named(name) })),
        Dialect::Helm4 => Value::list(items),
    };
    let mut fields = vec![
        field("Name", "name", Value::text(&of.name)),
        field("Home", "home", Value::text(&of.home)),
        field("Sources", "sources", Value::texts(&of.sources)),
        field("Version", "version", Value::text(&of.version)),
        field("Description", "description", Value::text(&of.description)),
        field("Keywords", "keywords", Value::texts(&of.keywords)),
        field("Maintainers", "maintainers", list(maintainers.collect(), "[]*chart.Maintainer")),
        field("Icon", "icon", Value::text(&of.icon)),
        field("APIVersion", "apiVersion", Value::text(&of.api_version)),
        field("Condition", "condition", Value::text(&of.condition)),
        field("Tags", "tags", Value::text(&of.tags)),
        field("AppVersion", "appVersion", Value::text(&of.app_version)),
        field("Deprecated", "deprecated", Value::Bool(of.deprecated)),
        field("Annotations", "annotations", annotations),
        field("KubeVersion", "kubeVersion", Value::text(&of.kube_version)),
        field("Dependencies", "dependencies", list(dependencies.collect(), "[]*chart.Dependency")),
        field("Type", "type", Value::text(&of.kind)),
    ];
    fields.push(field("IsRoot", "IsRoot", Value::Bool(root)));
    part(fields, "struct { chart.Metadata; IsRoot bool }")
}

fn as_map(fields: Vec<Field>) -> Value {
    Value::map(fields.into_iter().map(|field| (Rc::from(field.name), field.value)).collect())
}

fn release(order: &Order<'_>) -> Value {
    let release = &order.release;
    let entries: [(Rc<str>, Value); 6] = [
        (Rc::from("Name"), Value::text(&release.name)),
        (Rc::from("Namespace"), Value::text(&release.namespace)),
        (Rc::from("IsUpgrade"), Value::Bool(release.is_upgrade)),
        (Rc::from("IsInstall"), Value::Bool(release.is_install)),
        (Rc::from("Revision"), Value::Int(release.revision)),
        (Rc::from("Service"), Value::text(&release.service)),
    ];
    Value::map(entries.into())
}

/// The version that constraints are held against: helm 4 drops what a vendor appended.
pub(super) fn normal(version: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Helm3 => version.to_owned(),
        Dialect::Helm4 => {
            let end = version.find(['-', '+']).unwrap_or(version.len());
            version[..end].to_owned()
        }
    }
}

fn capabilities(order: &Order<'_>) -> Value {
    let (package, given) = match order.dialect {
        Dialect::Helm3 => ("chartutil", &order.capabilities),
        Dialect::Helm4 => ("common", &order.capabilities),
    };
    let version = given.kube_version.as_str();
    let mut numbers = version.trim_start_matches('v').split('.');
    let major = numbers.next().unwrap_or_default().to_owned();
    let minor: String = numbers.next().unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    let shown = normal(version, order.dialect);
    let (kube, all, versions, built) = match package {
        "chartutil" => ("chartutil.KubeVersion", "*chartutil.Capabilities", "chartutil.VersionSet", Dialect::Helm3),
        _ => ("common.KubeVersion", "*common.Capabilities", "common.VersionSet", Dialect::Helm4),
    };
    let kube = Struct {
        name: kube,
        fields: vec![
            field("\u{0}string", "", Value::text(shown)),
            field("\u{0}git", "", Value::text(version)),
            field("Version", "Version", Value::text(version)),
            field("Major", "Major", Value::text(major)),
            field("Minor", "Minor", Value::text(minor)),
        ],
    };
    let mut helm = vec![
        field("Version", "version", Value::text(&given.helm_version)),
        field("GitCommit", "git_commit", Value::text("")),
        field("GitTreeState", "git_tree_state", Value::text("")),
        field("GoVersion", "go_version", Value::text("go1.26.8")),
    ];
    if built == Dialect::Helm4 {
        helm.push(field("KubeClientVersion", "kube_client_version", Value::text("v1.37")));
    }
    let helm = Struct { name: "version.BuildInfo", fields: helm };
    let apis = given.api_versions.iter().map(Value::text).collect();
    let fields = vec![
        field("KubeVersion", "KubeVersion", Value::Struct(Rc::new(kube))),
        field("APIVersions", "APIVersions", Value::List(Rc::new(List { items: apis, of: Of::Named(versions) }))),
        field("HelmVersion", "HelmVersion", Value::Struct(Rc::new(helm))),
    ];
    Value::Struct(Rc::new(Struct { name: all, fields }))
}
