//! What a run is given: cluster, helm, clock, operator, files. Nothing here says whether any of it is real.
//!
//! The binary builds one for each mode; primitives use it and cannot tell the modes apart.

mod clock;
mod cluster;
mod files;
mod helm;
mod interrupt;
mod operator;

use std::sync::Arc;

pub use clock::Clock;
pub use cluster::{Cluster, Clusters, Connect, Memory};
pub use files::Files;
pub use helm::{Helm, Program, Reads};
pub use interrupt::Interrupt;
pub use operator::{Answer, Operator, Question, Style};

use crate::secret::Vault;

/// What a run is given.
pub struct World {
    /// The clusters, connected when first used.
    pub clusters: Clusters,
    /// Which helm, and what it is told about the cluster.
    pub helm: Helm,
    /// The clock: all time comes from here.
    pub clock: Arc<dyn Clock>,
    /// Who answers questions.
    pub operator: Arc<dyn Operator>,
    /// The files a script may read.
    pub files: Files,
    /// Where futures run.
    pub tokio: tokio::runtime::Handle,
    /// Ctrl-C.
    pub interrupt: Interrupt,
    /// Secret values, and the tokens that stand for them.
    pub secrets: Arc<Vault>,
}
