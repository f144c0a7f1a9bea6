//! Ctrl-C, in two strengths.

use tokio_util::sync::CancellationToken;

use crate::fault::{Code, Fault};

/// The first Ctrl-C finishes the call in hand and stops cleanly, the second stops now.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    /// Stop before the next call; reads and waits in hand end.
    pub soft: CancellationToken,
    /// Stop now; writes in hand end too.
    pub hard: CancellationToken,
}

impl Interrupt {
    /// One more Ctrl-C.
    pub fn press(&self) {
        if self.soft.is_cancelled() {
            self.hard.cancel();
        }
        self.soft.cancel();
    }

    /// The fault for whatever was interrupted.
    pub fn fault() -> Fault {
        Fault::new(Code::Interrupted, "interrupted")
    }
}
