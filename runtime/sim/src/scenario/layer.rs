//! One scenario over another: the same cluster, and what is different this time.
//!
//! Not known here: where the other one is found.

use super::{Scenario, Timing};

impl Scenario {
    /// This scenario over the one that it begins with. Lists go on where those of `base` end; of parameters and times it names those
    /// that are different; nodes, the clock and answers are its own where it has any.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        let mut params = base.params;
        params.extend(self.params);
        Self {
            about: if self.about.is_empty() { base.about } else { self.about },
            from: base.from,
            nodes: self.nodes.or(base.nodes),
            at: self.at.or(base.at),
            state: joined(base.state, self.state),
            objects: joined(base.objects, self.objects),
            releases: joined(base.releases, self.releases),
            workloads: joined(base.workloads, self.workloads),
            timing: self.timing.over(&base.timing),
            failures: joined(base.failures, self.failures),
            trouble: joined(base.trouble, self.trouble),
            params,
            answers: self.answers.or(base.answers),
        }
    }
}

impl Timing {
    fn over(&self, base: &Self) -> Self {
        Self {
            image_pull: self.image_pull.or(base.image_pull),
            start: self.start.or(base.start),
            ready: self.ready.or(base.ready),
            stop: self.stop.or(base.stop),
        }
    }
}

fn joined<T>(mut before: Vec<T>, after: Vec<T>) -> Vec<T> {
    before.extend(after);
    before
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_different_lies_over_what_is_the_same() {
        let base = Scenario::read(
            "about: All is well.\nnodes: 2\ntiming: { ready: 5s, stop: 1s }\nfailures: [{ how: crash-loop }]\n\
             params: { target: 1.30.3, restart: [all] }\nanswers: { approve: [all] }\n",
        );
        let other = Scenario::read(
            "about: One is not.\nfrom: well\ntiming: { ready: 9s }\nfailures: [{ how: never-ready }]\n\
             params: { target: 1.29.6 }\nanswers: {}\n",
        );
        let both = other.unwrap().over(base.unwrap());
        assert_eq!((both.about.as_str(), both.nodes().len(), both.from.as_deref()), ("One is not.", 2, None));
        assert_eq!((both.calm().ready, both.calm().stop), (Duration::from_secs(9), Duration::from_secs(1)));
        assert_eq!(both.failures.len(), 2);
        assert_eq!(serde_json::json!(both.params), serde_json::json!({ "target": "1.29.6", "restart": ["all"] }));
        assert!(both.answers.unwrap().approve.is_empty());
    }
}
