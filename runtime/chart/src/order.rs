//! What a rendering is asked for, and what it is handed.

use serde_json::Value;

/// Which helm's ways are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As helm 3 does it.
    Helm3,
    /// As helm 4 does it.
    #[default]
    Helm4,
}

/// The release that templates see as `.Release`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Which revision this becomes.
    pub revision: i64,
    /// Whether it is installed.
    pub is_install: bool,
    /// Whether it is upgraded.
    pub is_upgrade: bool,
    /// Who renders: `Helm`.
    pub service: String,
}

impl Release {
    /// A release that is installed for the first time.
    pub fn installed(name: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespace: namespace.into(),
            revision: 1,
            is_install: true,
            is_upgrade: false,
            service: "Helm".to_owned(),
        }
    }
}

/// The cluster that templates see as `.Capabilities`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The version of Kubernetes, such as `v1.36.3`.
    pub kube_version: String,
    /// What it serves, such as `apps/v1` and `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
    /// The version of helm, such as `v4.3.1`.
    pub helm_version: String,
}

impl Capabilities {
    /// Those that `helm template` assumes where there is no cluster.
    pub fn assumed(dialect: Dialect) -> Self {
        let (kube, helm) = match dialect {
            Dialect::Helm3 => ("v1.37.0", "v3.22.0"),
            Dialect::Helm4 => ("v1.37.0", "v4.3.1"),
        };
        let api_versions = crate::known::API_VERSIONS.iter().map(|version| (*version).to_owned()).collect();
        Self { kube_version: kube.to_owned(), api_versions, helm_version: helm.to_owned() }
    }
}

/// Looks objects of the cluster up: API version, kind, namespace and name. Without a name it answers a list; what is not
/// there is null.
pub type Lookup<'o> = dyn Fn(&str, &str, &str, &str) -> Result<Value, String> + Sync + 'o;

/// Fills bytes that nobody can guess.
pub type Entropy<'o> = dyn Fn(&mut [u8]) + Sync + 'o;

/// How much one rendering may take before it is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Nodes walked, functions called and elements looped over.
    pub steps: u64,
    /// Text and lists produced, all together.
    pub bytes: usize,
    /// Templates, loops and parentheses inside each other.
    pub depth: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { steps: 2_000_000, bytes: 512 << 20, depth: 12_000 }
    }
}

/// One rendering.
#[derive(Clone)]
pub struct Order<'o> {
    /// The values given on top of the chart's own. Whole numbers are those of `--set`; those of a file are floats, as
    /// [`crate::values::read`] makes them.
    pub values: Value,
    /// `.Release`.
    pub release: Release,
    /// `.Capabilities`.
    pub capabilities: Capabilities,
    /// What `lookup` asks. Without it nothing is found.
    pub lookup: Option<&'o Lookup<'o>>,
    /// Where random values come from. Without it they are a fault.
    pub entropy: Option<&'o Entropy<'o>>,
    /// What time it is. Without it `now` is a fault.
    pub now: Option<jiff::Timestamp>,
    /// Whether the values are left unchecked against `values.schema.json`.
    pub skip_schema: bool,
    /// Whether what lies in `crds/` is part of the manifests.
    pub include_crds: bool,
    /// Only what these templates render, by paths below the chart; all if empty.
    pub show_only: Vec<String>,
    /// Whether an absent key is a fault.
    pub strict: bool,
    /// Whether the notes of subcharts are added to those of the chart.
    pub sub_notes: bool,
    /// Whose ways are followed.
    pub dialect: Dialect,
    /// How much it may take.
    pub bounds: Bounds,
}

impl Order<'_> {
    /// A first installation as `helm template` would render it.
    pub fn template(name: &str, namespace: &str, values: Value, dialect: Dialect) -> Self {
        Self {
            values,
            release: Release::installed(name, namespace),
            capabilities: Capabilities::assumed(dialect),
            lookup: None,
            entropy: None,
            now: None,
            skip_schema: false,
            include_crds: false,
            show_only: Vec::new(),
            strict: false,
            sub_notes: false,
            dialect,
            bounds: Bounds::default(),
        }
    }
}
