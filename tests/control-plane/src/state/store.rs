//! Where prepared states are kept, and under which key.

use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::{State, Step};
use crate::build::{Binaries, short};
use crate::chart::Charts;
use crate::fault::Fault;
use crate::notice::{in_words, say};
use crate::plane::{ControlPlane, ServiceRange};

/// A state that nobody started from for this long is removed when another one is made.
const KEPT: Duration = Duration::from_hours(7 * 24);

impl ControlPlane {
    /// Starts from a prepared state; prepares it first if it never was. The stand-in of istiod is *not* started: see
    /// [`StandIn`](crate::StandIn).
    ///
    /// Takes about five seconds, and once, for a whole ambient mesh, half a minute.
    pub fn from_state(state: &State) -> Result<Self, Fault> {
        let binaries = Binaries::find_or_build()?;
        let folder = binaries.folder().join("states");
        let key = state.key()?;
        let kept = |range| folder.join(format!("{}-{key}-{range}", state.name()));
        let range = ServiceRange::of_states(|range| kept(range).is_dir())?;
        let kept = kept(range.number());
        // Whoever holds the range is the only one who can be preparing states for it.
        if !kept.is_dir() {
            state.prepare_into(&range, &kept)?;
        }
        fs_err::write(kept.join(USED), "")?;
        Self::begin(range, Some(&kept.join(DATA)), state.nodes)
    }
}

/// etcd's data, in a state's folder.
const DATA: &str = "etcd";

/// The file in a state's folder whose time is that of its last use.
const USED: &str = "used";

impl State {
    fn prepare_into(&self, range: &ServiceRange, kept: &Path) -> Result<(), Fault> {
        let begun = Instant::now();
        say(&format!("preparing state `{}`, once", self.name()));
        let folder = kept.parent().expect("the folder was made by joining");
        fs_err::create_dir_all(folder)?;
        remove_unused(folder)?;
        let fresh = tempfile::Builder::new().prefix(".state-").tempdir_in(folder)?;
        self.prepare(range, &fresh.path().join(DATA))?;
        fs_err::rename(fresh.keep(), kept)?;
        say(&format!("state `{}` is prepared, in {}", self.name(), in_words(begun.elapsed())));
        Ok(())
    }

    /// Names the description, the content of its charts, and the code that carries it out.
    fn key(&self) -> Result<String, Fault> {
        let mut sum = Sha256::new();
        sum.update(serde_json::to_vec(self).map_err(|error| Fault::malformed("a state", error))?);
        let charts = self.steps.iter().filter_map(|step| match step {
            Step::Install(release) => Some((release.chart.as_str(), release.version.as_str())),
            Step::Tag { version, .. } => Some(("istiod", version.as_str())),
            _ => None,
        });
        for (chart, version) in charts {
            sum.update(Charts::open()?.digest(chart, version)?);
        }
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for sources in ["src/state", "src/kwok", "src/stand_in", "../../runtime/sim/src/actor"] {
            digest_folder(&mut sum, &here.join(sources))?;
        }
        Ok(short(&sum.finalize()))
    }
}

/// Digests the files below a folder, in order of their names.
fn digest_folder(sum: &mut Sha256, folder: &Path) -> Result<(), Fault> {
    let mut paths =
        fs_err::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            digest_folder(sum, &path)?;
        } else {
            sum.update(path.file_name().unwrap_or_default().as_encoded_bytes());
            sum.update(fs_err::read(path)?);
        }
    }
    Ok(())
}

/// Removes states that nobody uses any more, and what a killed preparation left.
fn remove_unused(folder: &Path) -> Result<(), Fault> {
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let used = fs_err::metadata(path.join(USED)).or_else(|_| fs_err::metadata(&path))?.modified()?;
        if used.elapsed().is_ok_and(|unused| unused > KEPT) {
            fs_err::remove_dir_all(&path)?;
        }
    }
    Ok(())
}
