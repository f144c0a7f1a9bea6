//! Ctrl-C and SIGTERM: the first stops after the call in hand, the second stops now, the third does not wait for that.
//!
//! Does not know what a call does about it.

use std::sync::Arc;

use runbook_core::world::Interrupt;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;
use crate::text::{Line, Sign};
use crate::writer::{Channel, Writer};

/// What each press says.
const WORDS: [&str; 2] = [
    "interrupted: finishing the call in hand, then stopping; Ctrl-C again stops now",
    "interrupted again: stopping now; what was sent last may or may not have happened",
];

/// Listens from now on, on a task of its own.
pub(crate) fn listen(runtime: &tokio::runtime::Handle, interrupt: Interrupt, writer: Arc<Writer>) {
    runtime.spawn(async move {
        let (Ok(mut typed), Ok(mut asked)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            tracing::warn!("signals cannot be listened to; Ctrl-C ends the program at once");
            return;
        };
        for words in WORDS {
            tokio::select! { _ = typed.recv() => {}, _ = asked.recv() => {} }
            let theme = writer.theme(Channel::Err);
            let sign = theme.sign(Sign::Warning);
            writer
                .line(Channel::Err, &Line::new().spans([sign]).plain(format!(" {words}")).hang(theme.sign_width() + 1));
            interrupt.press();
        }
        tokio::select! { _ = typed.recv() => {}, _ = asked.recv() => {} }
        writer.live(Vec::new());
        Exit::Stopped.at_once();
    });
}
