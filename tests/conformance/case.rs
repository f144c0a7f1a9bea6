//! Cases: sequences of requests, read from `cases/*.yaml`.
//!
//! Not known here: who answers them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// Requests that belong together, in a namespace of their own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What it shows; with the file's name it is the name of the case.
    #[serde(rename = "case")]
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
    /// The stem of the file that it stands in.
    #[serde(skip)]
    pub(crate) file: String,
    /// The namespace that is its own.
    #[serde(skip)]
    pub(crate) namespace: String,
}

/// One request, and what of its answer is compared.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// A verb and a path: `GET /api/v1/pods?limit=1`. Besides HTTP's own verbs: `MERGE`, `STRATEGIC`, `JSON-PATCH` and `APPLY`
    /// for the kinds of `PATCH`, `WATCH`, and `UNTIL`, which gets again and again until the answer holds what `has` says.
    #[serde(rename = "do")]
    pub(crate) request: String,
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// A body that is no JSON.
    #[serde(default)]
    pub(crate) raw: Option<String>,
    #[serde(default)]
    pub(crate) accept: Option<String>,
    #[serde(default, rename = "type")]
    pub(crate) content_type: Option<String>,
    /// Values of the answer that later steps may use as `$name`, by JSON pointer.
    #[serde(default)]
    pub(crate) keep: BTreeMap<String, String>,
    /// JSON pointers whose values are not compared; `*` stands for any one key or index.
    #[serde(default)]
    pub(crate) ignore: Vec<String>,
    /// JSON pointers outside of which nothing is compared.
    #[serde(default)]
    pub(crate) only: Vec<String>,
    /// How many events a `WATCH` waits for.
    #[serde(default)]
    pub(crate) events: Option<usize>,
    /// What an `UNTIL` waits for: values by JSON pointer; `null` for what is not there.
    #[serde(default)]
    pub(crate) has: BTreeMap<String, Value>,
    /// Lists are compared in the order of these values of their elements, by JSON pointer within the element.
    #[serde(default)]
    pub(crate) sort: BTreeMap<String, String>,
}

impl Case {
    /// File and name, as `differences.yaml` and failures name it.
    pub(crate) fn title(&self) -> String {
        format!("{}: {}", self.file, self.name)
    }
}

impl Step {
    /// The verb and the path.
    pub(crate) fn parts(&self) -> (&str, &str) {
        self.request.split_once(' ').unwrap_or_else(|| panic!("`{}` is no verb and path", self.request))
    }
}

/// All cases in the order of their files, or those whose title contains what `CONFORMANCE_ONLY` says.
pub(crate) fn read_all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases");
    let mut files: Vec<_> = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let only = std::env::var("CONFORMANCE_ONLY").unwrap_or_default();
    let mut cases = Vec::new();
    for file in files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs_err::read_to_string(&file).unwrap();
        let read: Vec<Case> =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for (index, mut case) in read.into_iter().enumerate() {
            case.file.clone_from(&stem);
            case.namespace = format!("{stem}-{index}");
            cases.push(case);
        }
    }
    cases.retain(|case| case.title().contains(&only));
    cases
}
