//! A program that runs, and the lines it prints, each with the moment at which it arrived.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Fallible;

/// How long anything may take before the benchmark gives it up.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

/// How a program ended.
pub(crate) struct Ended {
    /// How long it took.
    pub(crate) took: Duration,
    /// Whether it succeeded.
    pub(crate) success: bool,
}

/// A program that runs; ended when dropped.
pub(crate) struct Running {
    child: Child,
    /// When it was started.
    pub(crate) begun: Instant,
    lines: Receiver<(Instant, String)>,
    complaint: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Fallible<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let begun = Instant::now();
        let mut child = command.spawn()?;
        let (out, mut err) = (child.stdout.take().ok_or("no output")?, child.stderr.take().ok_or("no errors")?);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::with_capacity(1 << 20, out).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        let complaint = thread::spawn(move || {
            let mut text = String::new();
            drop(err.read_to_string(&mut text));
            text
        });
        Ok(Self { child, begun, lines, complaint: Some(complaint) })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that holds a text, and when it came.
    pub(crate) fn line(&mut self, part: &str) -> Fallible<(Instant, String)> {
        match self.line_within(part, PATIENCE)? {
            Some(found) => Ok(found),
            None => Err(format!("no line with `{part}` within {} s", PATIENCE.as_secs()).into()),
        }
    }

    /// The same; `None` where none comes in time.
    pub(crate) fn line_within(&mut self, part: &str, patience: Duration) -> Fallible<Option<(Instant, String)>> {
        let until = Instant::now() + patience;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(found) if found.1.contains(part) => return Ok(Some(found)),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("it ended before it said `{part}`: {}", self.complaint()).into());
                }
            }
        }
    }

    /// Waits until it has ended; it must have succeeded. Gives when that was, and the lines that had not been read.
    pub(crate) fn end(mut self) -> Fallible<(Instant, Vec<String>)> {
        let (status, rest) = self.outcome()?;
        let over = Instant::now();
        if status {
            Ok((over, rest))
        } else {
            Err(format!("it failed: {} {}", rest.join("; "), self.complaint()).into())
        }
    }

    /// Waits until it has ended: whether it succeeded, and the lines that had not been read.
    pub(crate) fn outcome(&mut self) -> Fallible<(bool, Vec<String>)> {
        let mut rest = Vec::new();
        while let Ok((_, line)) = self.lines.recv_timeout(PATIENCE) {
            rest.push(line);
        }
        Ok((self.child.wait()?.success(), rest))
    }

    /// Waits until it has ended, but only so long: how it ended, or `None`; and what it said.
    pub(crate) fn end_within(mut self, patience: Duration) -> Fallible<(Option<Ended>, Vec<String>)> {
        let mut said = Vec::new();
        let until = self.begun + patience;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok((_, line)) => said.push(line),
                Err(RecvTimeoutError::Timeout) => return Ok((None, said)),
                Err(RecvTimeoutError::Disconnected) => {
                    let success = self.child.wait()?.success();
                    return Ok((Some(Ended { took: self.begun.elapsed(), success }), said));
                }
            }
        }
    }

    /// What it said on standard error.
    fn complaint(&mut self) -> String {
        drop(self.child.kill());
        self.complaint.take().and_then(|thread| thread.join().ok()).unwrap_or_default().trim().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
