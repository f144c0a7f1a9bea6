//! How nodes and pods behave: kwok's stages, and how a pod asks for a failure.
//!
//! A stage is data, one transition per file in `stages/`. What several stages say alike stands in `parts/` and is pasted
//! where a line says `#include NAME`.

use std::fmt::Write as _;
use std::path::Path;

use crate::fault::Fault;

/// Annotation of a pod (so of a pod template) that makes it fail: the value is one of [`Failure`]'s.
pub const FAIL: &str = "control-plane.test/fail";

/// Annotation that confines the failure to one node, by its name. Elsewhere the pod is well.
pub const FAIL_ON_NODE: &str = "control-plane.test/fail-on-node";

/// Annotation that confines the failure to pods one of whose images contains this text, such as `:1.30.3`: the release is
/// well as installed and fails as upgraded.
pub const FAIL_ON_IMAGE: &str = "control-plane.test/fail-on-image";

/// Annotation of a pod that becomes ready late: how long after its containers run, such as `20s`.
pub const READY_AFTER: &str = "control-plane.test/ready-after";

/// How a pod fails. Removing [`FAIL`] from the pod itself heals it at once; its successors read the pod template again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// `ErrImagePull`, a second later `ImagePullBackOff`; the pod stays `Pending`.
    ImagePull,
    /// The first container runs for a second, ends with exit code 1, waits in `CrashLoopBackOff` and runs again: the restart
    /// count rises by one every three seconds.
    CrashLoop,
    /// The containers run and are never ready.
    NeverReady,
}

impl Failure {
    /// The value of the annotation [`FAIL`].
    pub fn value(self) -> &'static str {
        match self {
            Self::ImagePull => "image-pull",
            Self::CrashLoop => "crash-loop",
            Self::NeverReady => "never-ready",
        }
    }
}

const STAGES: [&str; 13] = [
    include_str!("stages/node-initialize.yaml"),
    include_str!("stages/node-heartbeat.yaml"),
    include_str!("stages/pod-ready.yaml"),
    include_str!("stages/pod-run-unready.yaml"),
    include_str!("stages/pod-ready-late.yaml"),
    include_str!("stages/pod-complete.yaml"),
    include_str!("stages/pod-delete.yaml"),
    include_str!("stages/pod-image-pull-error.yaml"),
    include_str!("stages/pod-image-pull-back-off.yaml"),
    include_str!("stages/pod-unhealthy.yaml"),
    include_str!("stages/pod-crash-first-run.yaml"),
    include_str!("stages/pod-crash.yaml"),
    include_str!("stages/pod-crash-restart.yaml"),
];

const PARTS: [(&str, &str); 7] = [
    ("failure", include_str!("parts/failure.jq")),
    ("addresses", include_str!("parts/addresses.tpl")),
    ("conditions-ready", include_str!("parts/conditions-ready.tpl")),
    ("conditions-unready", include_str!("parts/conditions-unready.tpl")),
    ("init-containers", include_str!("parts/init-containers.tpl")),
    ("container", include_str!("parts/container.tpl")),
    ("container-unpulled", include_str!("parts/container-unpulled.tpl")),
];

/// Writes kwok's configuration.
pub(crate) fn write_stages(file: &Path) -> Result<(), Fault> {
    let mut all = include_str!("configuration.yaml").to_owned();
    for stage in STAGES {
        let _ = writeln!(all, "---\n{}", assemble(stage)?);
    }
    fs_err::write(file, all)?;
    Ok(())
}

/// Pastes the parts, indented as the line that asks for them.
fn assemble(stage: &str) -> Result<String, Fault> {
    let mut text = String::new();
    for line in stage.lines() {
        let Some((indent, name)) = line.split_once("#include ") else {
            let _ = writeln!(text, "{line}");
            continue;
        };
        let part = PARTS
            .iter()
            .find(|(known, _)| *known == name.trim())
            .ok_or_else(|| Fault::malformed("a stage", format!("no part `{name}`")))?;
        for part_line in part.1.lines() {
            let _ = writeln!(text, "{indent}{part_line}");
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_yaml_and_names_itself() {
        for stage in STAGES {
            let text = assemble(stage).unwrap();
            let value: serde_json::Value =
                serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert!(value["metadata"]["name"].is_string(), "{text}");
            assert!(!text.contains("#include"), "{text}");
        }
    }

    #[test]
    fn every_annotation_is_one_that_a_stage_reads() {
        let all: String = STAGES.iter().map(|stage| assemble(stage).unwrap()).collect();
        for name in [FAIL, FAIL_ON_NODE, FAIL_ON_IMAGE, READY_AFTER] {
            assert!(all.contains(name), "{name}");
        }
        for failure in [Failure::ImagePull, Failure::CrashLoop, Failure::NeverReady] {
            assert!(all.contains(failure.value()), "{failure:?}");
        }
    }
}
