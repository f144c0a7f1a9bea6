//! Who drives a release: helm 3, helm 4, the built-in one, or two of them together; and a namespace in which one of them, or several in turn, do it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use runbook_control_plane::{ControlPlane, Helm, required_or_skip};
use runbook_core::world::Reads;
use runbook_core::{Outcome, Value, world};
use serde_json::json;

use crate::bench::Bench;
use crate::chart;

/// Who drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// Helm 3, asked for everything.
    Three,
    /// Helm 4, asked for everything.
    Four,
    /// The built-in one.
    Ours,
    /// Helm 3 as a live run drives it: it writes, the built-in one reads and renders.
    LiveThree,
    /// The same with helm 4.
    LiveFour,
}

/// The control plane of these tests, or nothing where it cannot be had.
pub(crate) fn plane(test: &str) -> Option<&'static ControlPlane> {
    required_or_skip(test)?;
    Some(ControlPlane::shared().unwrap_or_else(|fault| panic!("{fault}")))
}

/// A namespace of its own, and every driver at hand.
pub(crate) struct Stage {
    benches: [Bench; 5],
    pub(crate) plane: &'static ControlPlane,
    pub(crate) namespace: String,
    folder: PathBuf,
}

impl Stage {
    pub(crate) fn new(plane: &'static ControlPlane, name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("{name}-{number}");
        let folder = plane.folder().unwrap().join(&namespace);
        fs_err::create_dir_all(&folder).unwrap();
        let bench = |program: world::Program, reads: Reads, helm: Helm| {
            let environment = plane.environment(helm).unwrap();
            let environment = environment.into_iter().map(|(k, v)| (k.to_owned(), v.into_string().unwrap())).collect();
            let driven = world::Helm { program: Some(program), reads, environment, ..world::Helm::default() };
            Bench::driving(&plane.kubeconfig(), &[plane.folder().unwrap()], driven)
        };
        let real = |helm: Helm, reads: Reads| bench(world::Program::File(plane.helm(helm).to_owned()), reads, helm);
        let benches = [
            real(Helm::V3, Reads::Program),
            real(Helm::V4, Reads::Program),
            bench(world::Program::Builtin, Reads::Builtin, Helm::V4),
            real(Helm::V3, Reads::Builtin),
            real(Helm::V4, Reads::Builtin),
        ];
        plane.run_kubectl(&["create", "namespace", &namespace]).unwrap();
        Self { benches, plane, namespace, folder }
    }

    /// A chart in this stage's own folder.
    pub(crate) fn chart(&self, version: &str) -> Value {
        chart::write(&self.folder, version)
    }

    /// A call of a primitive: the positional arguments, and options beside the namespace.
    pub(crate) fn call(&self, driver: Driver, call: &str, positional: Value, options: &Value) -> Outcome {
        let Value::Array(mut arguments) = positional else { panic!("positional arguments are a list") };
        let mut all = json!({ "namespace": self.namespace });
        all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        arguments.push(all);
        self.benches[driver as usize].call(call, Value::Array(arguments))
    }

    pub(crate) fn ok(&self, driver: Driver, call: &str, positional: Value, options: &Value) -> Value {
        self.call(driver, call, positional, options)
            .unwrap_or_else(|fault| panic!("{driver:?} {call}: {fault}\n{fault:#?}"))
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.plane.run_kubectl(&[arguments, &["-n", &self.namespace]].concat()).unwrap()
    }
}
