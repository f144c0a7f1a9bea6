//! Reads what a person types, and stops reading on Ctrl-C.
//!
//! Does not know what is asked, nor whether an answer will do.

use std::io::IsTerminal as _;
use std::sync::Arc;

use runbook_core::fault::{Code, Fault};
use runbook_core::world::Interrupt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::text::Line;
use crate::writer::{Channel, Writer};

/// A terminal at which somebody sits.
#[derive(Clone)]
pub(crate) struct Prompt {
    writer: Arc<Writer>,
    runtime: Handle,
    interrupt: Interrupt,
}

impl Prompt {
    /// A prompt, where both standard input and standard error are a terminal.
    pub(crate) fn open(writer: Arc<Writer>, runtime: Handle, interrupt: Interrupt) -> Option<Self> {
        let attended = std::io::stdin().is_terminal() && writer.is_terminal(Channel::Err);
        attended.then_some(Self { writer, runtime, interrupt })
    }

    /// Asks, and reads a line; `None` at the end of input.
    ///
    /// Faults: `RB080` on Ctrl-C.
    pub(crate) fn line(&self, question: &Line) -> Result<Option<String>, Fault> {
        self.ask(question, || {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|bytes| (bytes > 0).then_some(line))
        })
    }

    /// Asks, and reads a line that does not appear on the screen.
    ///
    /// Faults: `RB080` on Ctrl-C.
    pub(crate) fn secret(&self, question: &Line) -> Result<Option<String>, Fault> {
        self.ask(question, || console::Term::stderr().read_secure_line().map(Some))
    }

    fn ask(
        &self,
        question: &Line,
        read: impl FnOnce() -> std::io::Result<Option<String>> + Send + 'static,
    ) -> Result<Option<String>, Fault> {
        self.writer.question(question);
        let (sender, receiver) = oneshot::channel();
        // A thread of its own: nothing can call it back from the terminal, so on Ctrl-C it is left there.
        std::thread::spawn(move || drop(sender.send(read())));
        let typed = self.runtime.block_on(async {
            tokio::select! {
                typed = receiver => Some(typed),
                () = self.interrupt.soft.cancelled() => None,
            }
        });
        self.writer.resume();
        match typed {
            Some(Ok(Ok(typed))) => Ok(typed),
            Some(Ok(Err(error))) if error.kind() == std::io::ErrorKind::Interrupted => Err(Interrupt::fault()),
            Some(Ok(Err(error))) => Err(Fault::new(Code::Usage, format!("the terminal cannot be read: {error}"))),
            Some(Err(_)) | None => Err(Interrupt::fault()),
        }
    }
}
