//! A scenario: what a simulation begins with, how fast things become ready, and what fails. Read from YAML.
//!
//! Not known here: runbooks. What a run is given and which answers it gets stand in a scenario too, and are handed on as they
//! are written.

mod duration;
mod layer;
mod node;
mod trouble;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

pub use self::{
    node::{Node, Nodes},
    trouble::{Ailment, Trouble},
};
use crate::controller::{Failing, Failure, Habits};

/// What a simulation begins with, and how it behaves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is about, in a sentence.
    #[serde(default)]
    pub about: String,
    /// Another scenario that this one begins with: its file, beside this one, or its name in the box.
    #[serde(default)]
    pub from: Option<String>,
    /// The nodes: a number, or a list. Three where absent, and none where there is a state.
    #[serde(default)]
    pub nodes: Option<Nodes>,
    /// What the clock shows at first.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Objects exactly as they were kept, with uids, owners and statuses: what a snapshot holds.
    #[serde(default)]
    pub state: Vec<Value>,
    /// Objects that are there from the beginning, before any release: maps as in a manifest.
    #[serde(default)]
    pub objects: Vec<Value>,
    /// Releases that helm installs before the run begins, in this order.
    #[serde(default)]
    pub releases: Vec<Release>,
    /// Objects that come after the releases, such as workloads to be injected.
    #[serde(default)]
    pub workloads: Vec<Value>,
    /// How long things take, in simulated time.
    #[serde(default)]
    pub timing: Timing,
    /// Pods that fail once the run has begun.
    #[serde(default)]
    pub failures: Vec<Fails>,
    /// What goes wrong with requests once the run has begun.
    #[serde(default)]
    pub trouble: Vec<Trouble>,
    /// Parameters that the run is given where the command line does not give them.
    #[serde(default)]
    pub params: serde_json::Map<String, Value>,
    /// Answers to what the run asks.
    #[serde(default)]
    pub answers: Option<Answers>,
}

/// A release, installed as `helm install` would.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// The chart's name in the repository of charts.
    pub chart: String,
    /// The chart's version.
    pub version: String,
    /// The namespace, made where it does not exist.
    pub namespace: String,
    /// The user's own values.
    #[serde(default)]
    pub values: serde_json::Map<String, Value>,
    /// Whether helm must not hold the values against the chart's schema.
    #[serde(default)]
    pub skip_schema_validation: bool,
    /// Whether the server merges its objects, as for helm 4, or helm itself does, as helm 3; as the helm at hand does where absent.
    #[serde(default)]
    pub server_side: Option<bool>,
}

/// How long things take.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// Until a pod's images are there.
    #[serde(default, deserialize_with = "duration::read")]
    pub image_pull: Option<Duration>,
    /// From then until its containers run.
    #[serde(default, deserialize_with = "duration::read")]
    pub start: Option<Duration>,
    /// From then until they are ready.
    #[serde(default, deserialize_with = "duration::read")]
    pub ready: Option<Duration>,
    /// From a pod's deletion until its containers have ended.
    #[serde(default, deserialize_with = "duration::read")]
    pub stop: Option<Duration>,
}

/// Pods that fail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fails {
    /// How.
    pub how: How,
    /// Only those one of whose images contains this text.
    pub image: Option<String>,
    /// Only those on this node.
    pub node: Option<String>,
    /// Only those in this namespace.
    pub namespace: Option<String>,
    /// Only those with all of these labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// How a pod fails.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Its image cannot be pulled.
    ImagePull,
    /// Its first container ends again and again.
    CrashLoop,
    /// It runs and is never ready.
    NeverReady,
}

/// Answers to what a run asks.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Steps whose approval is given; `all` gives every one.
    #[serde(default)]
    pub approve: Vec<String>,
    /// What is chosen or typed, by the id of the question.
    #[serde(default)]
    pub text: BTreeMap<String, String>,
}

impl Scenario {
    /// Reads a scenario. An error names the line and what is wrong there.
    pub fn read(text: &str) -> Result<Self, String> {
        let scenario: Self = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        match scenario.nodes {
            Some(Nodes::Count(count)) if count > Nodes::MOST => {
                Err(format!("`nodes: {count}` is more than a simulation holds; {} are the most", Nodes::MOST))
            }
            _ => Ok(scenario),
        }
    }

    /// The nodes that are made.
    pub fn nodes(&self) -> Vec<Value> {
        match &self.nodes {
            Some(nodes) => nodes.all(),
            None if self.state.is_empty() => Nodes::default().all(),
            None => Vec::new(),
        }
    }

    /// How machines behave while the cluster is prepared: everything is well.
    pub fn calm(&self) -> Habits {
        let (timing, usual) = (&self.timing, Habits::default());
        Habits {
            image_pull: timing.image_pull.unwrap_or(usual.image_pull),
            start: timing.start.unwrap_or(usual.start),
            ready: timing.ready.unwrap_or(usual.ready),
            stop: timing.stop.unwrap_or(usual.stop),
            begins: true,
            ..usual
        }
    }

    /// How machines behave while the run goes on.
    pub fn habits(&self) -> Habits {
        Habits { failures: self.failures.iter().map(Fails::failing).collect(), begins: false, ..self.calm() }
    }
}

impl Fails {
    fn failing(&self) -> Failing {
        Failing {
            image: self.image.clone(),
            node: self.node.clone(),
            namespace: self.namespace.clone(),
            labels: self.labels.clone(),
            failure: match self.how {
                How::ImagePull => Failure::ImagePull,
                How::CrashLoop => Failure::CrashLoop,
                How::NeverReady => Failure::NeverReady,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_says_what_there_is_and_what_fails() {
        let scenario = Scenario::read(
            "about: A node that cannot pull.\n\
             nodes: 2\n\
             releases:\n- { name: istiod, chart: istiod, version: 1.29.6, namespace: istio-system, values: { profile: ambient } }\n\
             timing: { image_pull: 20s }\n\
             failures:\n- { how: image-pull, node: node-1, image: ':1.30.3' }\n\
             trouble:\n- { verb: patch, resource: deployments, call: 2, answer: 500 }\n\
             answers: { approve: [all] }\n",
        )
        .unwrap();
        assert_eq!(scenario.nodes().len(), 2);
        assert_eq!(scenario.calm().image_pull, Duration::from_secs(20));
        assert_eq!(scenario.habits().failures[0].failure, Failure::ImagePull);
        assert_eq!(scenario.trouble[0].call, 2);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let unknown = Scenario::read("nodes: 3\nreleasses: []\n").unwrap_err();
        assert!(unknown.contains("releasses") && unknown.contains('2'), "{unknown}");
        let malformed = Scenario::read("timing:\n  ready: soon\n").unwrap_err();
        assert!(malformed.contains("soon") && malformed.contains('2'), "{malformed}");
        let mistyped = Scenario::read("nodes: 3000000\n").unwrap_err();
        assert!(mistyped.contains("nodes: 3000000") && mistyped.contains("100000"), "{mistyped}");
    }
}
