//! The thread that keeps the processes.
//!
//! The kernel ends a child when the *thread* that spawned it ends, not the process. So one thread spawns them all, lives as
//! long as the control plane does, and ends them in reverse order when it is told to, or when nobody holds it any more.

use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Launch, tail};
use crate::fault::Fault;

/// How long a process may take to end when asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(1);

/// How often a process that is asked to end is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Keeps processes; ends them when dropped.
pub(crate) struct Keeper {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

enum Order {
    Start(Launch, Sender<Result<(), Fault>>),
    Check(Sender<Result<(), Fault>>),
    Signal(&'static str, Signal, Sender<Result<(), Fault>>),
}

/// A process that runs.
struct Kept {
    launch: Launch,
    child: Child,
}

impl Keeper {
    /// A keeper of nothing yet.
    pub(crate) fn new() -> Self {
        let (orders, received) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("control-plane-keeper".to_owned())
            .spawn(move || keep(&received))
            .expect("a machine that runs a control plane has room for a thread");
        Self { orders: Some(orders), thread: Some(thread) }
    }

    /// Starts a process.
    pub(crate) fn start(&self, launch: Launch) -> Result<(), Fault> {
        self.ask(|answer| Order::Start(launch, answer))
    }

    /// Faults if a process has ended by itself.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        self.ask(Order::Check)
    }

    /// Sends a signal to the process of that name.
    pub(crate) fn signal(&self, name: &'static str, signal: Signal) -> Result<(), Fault> {
        self.ask(|answer| Order::Signal(name, signal, answer))
    }

    /// Ends all processes, the last one started first, and waits until they have.
    pub(crate) fn stop_all(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    fn ask(&self, order: impl FnOnce(Sender<Result<(), Fault>>) -> Order) -> Result<(), Fault> {
        let (answer, answered) = mpsc::channel();
        let orders = self.orders.as_ref().expect("nothing is asked of a keeper that was stopped");
        orders.send(order(answer)).expect("the keeper's thread lives as long as its sender");
        answered.recv().expect("the keeper answers every order")
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop_all();
    }
}

/// The keeper's thread: carries out orders until nobody can give any.
fn keep(orders: &Receiver<Order>) {
    let mut kept: Vec<Kept> = Vec::new();
    for order in orders {
        match order {
            Order::Start(launch, answer) => {
                let started = launch.spawn().map(|child| kept.push(Kept { launch, child }));
                let _ = answer.send(started);
            }
            Order::Check(answer) => {
                let fallen = kept.iter_mut().find_map(Kept::ended);
                let _ = answer.send(fallen.map_or(Ok(()), Err));
            }
            Order::Signal(name, signal, answer) => {
                let mut named = kept.iter().filter(|kept| kept.launch.name == name);
                let sent = named.try_for_each(|kept| kept.signal(signal));
                let _ = answer.send(sent);
            }
        }
    }
    while let Some(last) = kept.pop() {
        last.end();
    }
}

impl Kept {
    /// The fault of a process that is no more.
    fn ended(&mut self) -> Option<Fault> {
        let status = self.child.try_wait().ok().flatten()?;
        let log = fs_err::read(&self.launch.log).unwrap_or_default();
        Some(Fault::Ended {
            process: self.launch.name.to_owned(),
            status,
            log: tail(&String::from_utf8_lossy(&log), 20),
        })
    }

    /// Asks the process to end, and kills it when it does not.
    fn end(mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = self.signal(Signal::TERM);
        if self.await_end(GRACE).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), Fault> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let sent = pid.map_or(Ok(()), |pid| kill_process(pid, signal));
        sent.map_err(|error| std::io::Error::from(error).into())
    }

    fn await_end(&mut self, within: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < within {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(LOOK);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &std::path::Path) -> Launch {
        Launch {
            name: "sleeper",
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), "echo $$; exec sleep 300".into()],
            log: folder.join("log"),
        }
    }

    /// The process id that the sleeper wrote into its log.
    fn pid_in(log: &std::path::Path) -> String {
        for _ in 0..1000 {
            let text = fs_err::read_to_string(log).unwrap_or_default();
            if text.ends_with('\n') {
                return text.trim().to_owned();
            }
            thread::sleep(LOOK);
        }
        panic!("the sleeper did not say its process id");
    }

    fn is_running(pid: &str) -> bool {
        std::path::Path::new("/proc").join(pid).exists()
    }

    #[test]
    fn a_dropped_keeper_leaves_no_process() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::new();
        keeper.start(sleeper(folder.path())).unwrap();
        let pid = pid_in(&folder.path().join("log"));
        assert!(is_running(&pid));
        drop(keeper);
        assert!(!is_running(&pid));
    }

    #[test]
    fn a_process_that_ends_by_itself_is_a_fault_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::new();
        let mut launch = sleeper(folder.path());
        launch.arguments = vec!["-c".into(), "echo no such flag; exit 3".into()];
        keeper.start(launch).unwrap();
        let fault = (0..1000).find_map(|_| {
            thread::sleep(LOOK);
            keeper.check().err()
        });
        let words = fault.unwrap().to_string();
        assert!(words.contains("sleeper") && words.contains("no such flag"), "{words}");
    }
}
