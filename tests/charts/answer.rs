//! What helm and what we answer to one question, and whether that is the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::TryRngCore as _;
use runbook_chart::{Chart, Dialect, Order, render, values};
use runbook_control_plane::{Binaries, Tool};
use serde_json::{Value, json};

use crate::oracle::Oracle;

/// What was printed, or why nothing was.
pub(crate) type Answer = Result<String, String>;

/// How a helm is asked.
enum Way {
    /// Nothing was asked yet.
    Open,
    /// One process answers everything.
    One(Oracle),
    /// Each question is a process.
    Each,
}

/// A helm, and what it answered before.
pub(crate) struct Helm {
    binaries: Binaries,
    tool: Tool,
    way: Way,
    kept: PathBuf,
    known: BTreeMap<String, Value>,
    asked: usize,
}

impl Helm {
    /// A helm of the test bed. `topic` names the file in which its answers are kept.
    pub(crate) fn of(binaries: &Binaries, dialect: Dialect, topic: &str) -> Self {
        let (tool, name) = match dialect {
            Dialect::Helm3 => (Tool::Helm3, "helm3"),
            Dialect::Helm4 => (Tool::Helm4, "helm4"),
        };
        let kept = binaries.folder().join("charts").join(format!("{name}-{topic}.json"));
        let known = fs_err::read(&kept).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { binaries: binaries.clone(), tool, way: Way::Open, kept, known, asked: 0 }
    }

    /// `helm template` of a chart with values, out of memory if it was asked before.
    pub(crate) fn template(&mut self, key: &str, chart: &Path, given: &str) -> Answer {
        let key = format!("{key} {given}");
        if !self.known.contains_key(&key) {
            self.asked += 1;
            let answer = match self.ask(chart, given) {
                Ok(text) => json!({ "printed": text }),
                Err(words) => json!({ "refused": words }),
            };
            self.known.insert(key.clone(), answer);
        }
        let answer = &self.known[&key];
        match (answer["printed"].as_str(), answer["refused"].as_str()) {
            (Some(text), _) => Ok(text.to_owned()),
            (None, words) => Err(words.unwrap_or_default().to_owned()),
        }
    }

    /// The same without memory, for what is another answer each time. All in one process where that can be built, else each in its own.
    pub(crate) fn ask(&mut self, chart: &Path, given: &str) -> Answer {
        if matches!(self.way, Way::Open) {
            self.way = Oracle::of(&self.binaries, self.tool).map_or(Way::Each, Way::One);
        }
        let answer = match &mut self.way {
            Way::One(oracle) => oracle.ask(chart, given),
            Way::Open | Way::Each => self.spawn(chart, given),
        };
        // Only the last error of a chain is compared.
        answer.map_err(|said| {
            let at = said.rfind("Error: ").map_or(0, |at| at + "Error: ".len());
            said[at..].to_owned()
        })
    }

    fn spawn(&self, chart: &Path, given: &str) -> Answer {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("values.yaml");
        fs_err::write(&file, given).unwrap();
        let done = Command::new(self.binaries.path(self.tool))
            .args(["template", "shop", "--namespace", "mesh", "--include-crds", "--values"])
            .arg(&file)
            .arg(chart)
            .env("HELM_CACHE_HOME", folder.path())
            .env("HELM_CONFIG_HOME", folder.path())
            .env("HELM_DATA_HOME", folder.path())
            .env("KUBECONFIG", "/dev/null")
            .output()
            .unwrap();
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

impl Drop for Helm {
    fn drop(&mut self) {
        if self.asked > 0 {
            let folder = self.kept.parent().expect("answers lie in a folder");
            let written = fs_err::create_dir_all(folder)
                .and_then(|()| fs_err::write(&self.kept, serde_json::to_vec(&self.known).unwrap_or_default()));
            // Without a place to keep them, helm is asked again next time.
            drop(written);
        }
    }
}

/// What we answer to the same question.
pub(crate) fn ours(chart: &Result<Chart, runbook_chart::Fault>, given: &str, dialect: Dialect) -> Answer {
    let chart = chart.as_ref().map_err(ToString::to_string)?;
    let given = values::read(given).map_err(|fault| fault.to_string())?;
    let mut order = Order::template("shop", "mesh", given, dialect);
    order.include_crds = true;
    order.now = Some("2026-01-02T03:04:05Z".parse().unwrap());
    let entropy = |bytes: &mut [u8]| rand::rngs::OsRng.try_fill_bytes(bytes).unwrap();
    order.entropy = Some(&entropy);
    render(chart, &order).map(|rendered| rendered.printed()).map_err(|fault| fault.to_string())
}

/// How two answers compare.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) files: usize,
    pub(crate) same_bytes: usize,
    pub(crate) refused: usize,
    pub(crate) wrong: Vec<String>,
}

impl Tally {
    /// Holds our answer against helm's.
    pub(crate) fn hold(&mut self, what: &str, helm: &Answer, ours: &Answer) {
        match (helm, ours) {
            (Ok(helm), Ok(ours)) => self.files(what, helm, ours),
            (Err(helm), Err(ours)) => {
                self.refused += 1;
                let (helm, ours) = (reason(helm), reason(ours));
                if helm != ours {
                    self.wrong.push(format!("{what}: refused for another reason\n  helm: {helm}\n  ours: {ours}"));
                }
            }
            (Ok(_), Err(ours)) => self.wrong.push(format!("{what}: only we refuse: {ours}")),
            (Err(helm), Ok(_)) => self.wrong.push(format!("{what}: only helm refuses: {helm}")),
        }
    }

    fn files(&mut self, what: &str, helm: &str, ours: &str) {
        let (theirs, mine) = (by_file(helm), by_file(ours));
        let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
        if names(&theirs) != names(&mine) {
            self.wrong.push(format!("{what}: other files: {:?} instead of {:?}", names(&mine), names(&theirs)));
            return;
        }
        for (name, theirs) in theirs {
            self.files += 1;
            let mine = &mine[&name];
            if *mine == theirs {
                self.same_bytes += 1;
            } else if parsed(mine) != parsed(&theirs) {
                self.wrong.push(format!("{what}: {name} differs: {}", first_difference(&theirs, mine)));
            }
        }
        // The order of the documents counts as well.
        let order = |text: &str| {
            text.lines().filter(|line| line.starts_with("# Source: ")).map(str::to_owned).collect::<Vec<_>>()
        };
        if order(helm) != order(ours) {
            self.wrong.push(format!("{what}: another order of manifests"));
        }
    }

    /// Fails unless everything agreed.
    pub(crate) fn agree(&self) {
        let shown: Vec<&String> = self.wrong.iter().take(25).collect();
        assert!(
            self.wrong.is_empty(),
            "{} differ, among them:\n{}",
            self.wrong.len(),
            shown.iter().map(|one| one.as_str()).collect::<Vec<_>>().join("\n")
        );
    }

    /// Fails unless everything agreed, and at least that share of the files to the byte.
    pub(crate) fn demand(&self, share: f64) {
        self.agree();
        #[expect(clippy::cast_precision_loss, reason = "a share of some thousand files")]
        let reached = self.same_bytes as f64 / self.files.max(1) as f64;
        assert!(reached >= share, "only {:.2} % of {} files are the same to the byte", reached * 100.0, self.files);
    }
}

/// Why, without what only a terminal needs, and without the parser's own words where YAML cannot be read.
fn reason(words: &str) -> String {
    let words = words.split("\n\nUse --debug").next().unwrap_or_default().trim();
    let words = match words.find(": yaml: ") {
        Some(at) => &words[..at],
        None => words,
    };
    // Which leaf of a schema is named first is the validator's; that it is the schema, and whose, is what counts.
    if let Some(at) = words.find("values don't meet the specifications of the schema(s)") {
        return words[at..].lines().take(2).collect::<Vec<_>>().join("\n");
    }
    let lines: Vec<&str> = words.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    // The validator groups what it found; what it found is what counts.
    let grouped = |line: &&str| line.ends_with("failed") || line.ends_with("matched");
    let mut found: Vec<&str> = lines.iter().copied().filter(|line| !grouped(line)).map(str::trim_start).collect();
    if words.contains("\n- at '") {
        found.sort_unstable();
    }
    found.join("\n")
}

fn by_file(text: &str) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines() {
        if let Some(source) = line.strip_prefix("# Source: ") {
            source.clone_into(&mut name);
        } else {
            let file = files.entry(name.clone()).or_default();
            file.push_str(line);
            file.push('\n');
        }
    }
    files.retain(|name, _| !name.is_empty());
    files
}

fn parsed(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple::<Value>(text).unwrap_or_else(|_| vec![Value::from(text)])
}

fn first_difference(helm: &str, ours: &str) -> String {
    let found = helm.lines().zip(ours.lines()).find(|(helm, ours)| helm != ours);
    found.map_or_else(|| "one is longer".to_owned(), |(helm, ours)| format!("`{ours}` instead of `{helm}`"))
}
