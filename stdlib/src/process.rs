//! Programs: the only file that spawns one.
//!
//! A program gets a list of arguments, never a shell line; an environment that is all it sees; and a process group of its
//! own, so that the terminal's Ctrl-C reaches it only through us. Does not know what any program does or prints.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use runbook_core::World;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What a program that changes something may take to tidy up before its group is killed.
const GRACE: Duration = Duration::from_secs(10);

/// The same for one that only reads: there is nothing to tidy up.
const GRACE_OF_READS: Duration = Duration::from_secs(1);

/// What whoever else still holds the output of an ended program may take to let go.
const LINGER: Duration = Duration::from_secs(1);

/// As much as a pipe holds of what was written before the program ended, and more.
const PIPE: usize = 1024 * 1024;

/// How much of the error output is kept: its end.
const ERRORS: usize = 256 * 1024;

/// The number of the signal that Ctrl-C sends.
const SIGINT: i32 = 2;

/// A program to run.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// The file.
    pub(crate) path: &'a Path,
    /// Its arguments.
    pub(crate) args: &'a [String],
    /// All of its environment.
    pub(crate) environment: &'a [(String, String)],
    /// The folder it runs in.
    pub(crate) folder: &'a Path,
    /// What it reads from standard input; nothing where absent.
    pub(crate) input: Option<String>,
}

/// How much a program may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Time, of the world's clock.
    pub(crate) time: Duration,
    /// Bytes of standard output that are kept; the rest is read and thrown away.
    pub(crate) output: usize,
    /// What Ctrl-C does to it.
    pub(crate) interruption: Interruption,
}

/// What Ctrl-C does to a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// The first ends it: it only reads.
    Ends,
    /// It may finish what it began; only the second ends it.
    Finishes,
    /// It is short, and needed to say what an interrupted one has left.
    Ignores,
}

impl Interruption {
    fn grace(self) -> Duration {
        match self {
            Self::Finishes => GRACE,
            Self::Ends | Self::Ignores => GRACE_OF_READS,
        }
    }
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How.
    pub(crate) ended: Ended,
    /// Its standard output from the start; broken UTF-8 replaced, control characters as they came.
    pub(crate) output: String,
    /// Whether there was more of it.
    pub(crate) cut: bool,
    /// The end of its error output, likewise.
    pub(crate) errors: String,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with that exit code.
    Exited(i32),
    /// By a signal from elsewhere.
    Killed,
    /// Its time was up.
    TimedOut,
    /// By Ctrl-C.
    Interrupted,
}

/// Runs a program to its end. The error is that it cannot be started.
pub(crate) async fn run(world: &World, program: Program<'_>, limits: Limits) -> std::io::Result<Finished> {
    let mut child = spawn(&program)?;
    let output = Collected::of(child.stdout().take(), Keep::Start(limits.output));
    let errors = Collected::of(child.stderr().take(), Keep::End(ERRORS));
    let input = child.stdin().take().zip(program.input).map(|(mut pipe, text)| {
        // A program that does not read its input to the end is no fault of ours.
        tokio::spawn(async move { pipe.write_all(text.as_bytes()).await.ok() })
    });
    let ended = watch(world, child.as_mut(), limits).await?;
    // Whatever of the group outlives its leader would keep the pipes open. It may be gone already.
    child.start_kill().ok();
    let (output, cut) = output.finish(world).await;
    let (errors, _) = errors.finish(world).await;
    if let Some(input) = input {
        input.abort();
    }
    Ok(Finished { ended, output, cut, errors })
}

fn spawn(program: &Program<'_>) -> std::io::Result<Box<dyn ChildWrapper>> {
    CommandWrap::with_new(program.path, |command| {
        command
            .args(program.args)
            .env_clear()
            .envs(program.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(program.folder)
            .stdin(if program.input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    })
    .wrap(KillOnDrop)
    .wrap(ProcessGroup::leader())
    .spawn()
}

async fn watch(world: &World, child: &mut dyn ChildWrapper, limits: Limits) -> std::io::Result<Ended> {
    let interrupted = async {
        match limits.interruption {
            Interruption::Ends => world.interrupt.soft.cancelled().await,
            Interruption::Finishes => world.interrupt.hard.cancelled().await,
            Interruption::Ignores => std::future::pending().await,
        }
    };
    let why = tokio::select! {
        status = child.wait() => return status.map(ended),
        () = world.clock.patience(limits.time) => Ended::TimedOut,
        () = interrupted => Ended::Interrupted,
    };
    // It may be gone at this very moment.
    child.signal(SIGINT).ok();
    tokio::select! {
        status = child.wait() => { status?; }
        () = world.clock.patience(limits.interruption.grace()) => {
            child.start_kill().ok();
            child.wait().await?;
        }
    }
    Ok(why)
}

fn ended(status: ExitStatus) -> Ended {
    status.code().map_or(Ended::Killed, Ended::Exited)
}

#[derive(Debug, Clone, Copy)]
enum Keep {
    Start(usize),
    End(usize),
}

/// Output as it arrives.
struct Collected {
    bytes: Arc<Mutex<(Vec<u8>, bool)>>,
    reader: Option<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Collected {
    fn of(pipe: Option<impl AsyncRead + Unpin + Send + 'static>, keep: Keep) -> Self {
        let bytes = Arc::<Mutex<(Vec<u8>, bool)>>::default();
        let (into, stop) = (bytes.clone(), CancellationToken::new());
        let over = stop.clone();
        let reader = pipe.map(|mut pipe| {
            tokio::spawn(async move {
                let (mut chunk, mut late) = (vec![0; 32 * 1024], 0);
                while late < PIPE {
                    // What lies in the pipe comes first, however late it is when anybody gets to look.
                    let read = tokio::select! {
                        biased;
                        read = pipe.read(&mut chunk) => read,
                        () = over.cancelled() => break,
                    };
                    let Ok(count @ 1..) = read else { break };
                    keep.add(&mut into.lock().expect("no thread panics while it holds this lock"), &chunk[..count]);
                    late += if over.is_cancelled() { count } else { 0 };
                }
            })
        });
        Self { bytes, reader, stop }
    }

    /// All of it, and whether some is missing.
    async fn finish(self, world: &World) -> (String, bool) {
        if let Some(mut reader) = self.reader {
            tokio::select! {
                _ = &mut reader => {}
                () = world.clock.patience(LINGER) => {
                    self.stop.cancel();
                    // It reads what is there already, and ends.
                    (&mut reader).await.ok();
                }
            }
        }
        let bytes = std::mem::take(&mut *self.bytes.lock().expect("no thread panics while it holds this lock"));
        (String::from_utf8_lossy(&bytes.0).into_owned(), bytes.1)
    }
}

impl Keep {
    fn add(self, (kept, cut): &mut (Vec<u8>, bool), chunk: &[u8]) {
        match self {
            Self::Start(most) => {
                let room = most.saturating_sub(kept.len()).min(chunk.len());
                kept.extend_from_slice(&chunk[..room]);
                *cut |= room < chunk.len();
            }
            Self::End(most) => {
                kept.extend_from_slice(chunk);
                if kept.len() > 2 * most {
                    kept.drain(..kept.len() - most);
                    *cut = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Bench;

    const LIMITS: Limits = Limits { time: Duration::from_secs(20), output: 1024, interruption: Interruption::Finishes };

    fn sh(bench: &Bench, script: &str, limits: Limits) -> Finished {
        let args = ["-c".to_owned(), script.to_owned()];
        let environment = [("PATH".to_owned(), "/usr/bin:/bin".to_owned()), ("GREETING".to_owned(), "hi".to_owned())];
        let program = Program {
            path: Path::new("/bin/sh"),
            args: &args,
            environment: &environment,
            folder: Path::new("/"),
            input: Some("typed".to_owned()),
        };
        bench.block_on(run(bench.world(), program, limits)).unwrap()
    }

    #[test]
    fn a_program_gets_what_it_is_given_and_nothing_else() {
        let finished =
            sh(&Bench::new(), "env -u PWD -u _ -u SHLVL -u OLDPWD | sort; pwd; cat; echo oops >&2; exit 3", LIMITS);
        assert_eq!(finished.output, "GREETING=hi\nPATH=/usr/bin:/bin\n/\ntyped");
        assert_eq!((finished.errors.as_str(), finished.ended, finished.cut), ("oops\n", Ended::Exited(3), false));
    }

    #[test]
    fn output_beyond_the_limit_is_thrown_away_and_said_so() {
        let finished = sh(&Bench::new(), "head -c 100000 /dev/zero | tr '\\0' x", LIMITS);
        assert_eq!((finished.output.len(), finished.cut, finished.ended), (1024, true, Ended::Exited(0)));
    }

    #[test]
    fn a_program_over_its_time_ends_with_its_whole_group() {
        let limits = Limits { time: Duration::from_millis(300), ..LIMITS };
        let finished = sh(&Bench::new(), "sleep 1000 & echo $!; wait", limits);
        assert_eq!(finished.ended, Ended::TimedOut);
        let stat = format!("/proc/{}/stat", finished.output.trim());
        let alive = fs_err::read_to_string(stat).is_ok_and(|stat| !stat.contains(") Z "));
        assert!(!alive, "process {} lives on", finished.output.trim());
    }

    #[test]
    fn the_first_ctrl_c_lets_a_write_finish_and_ends_a_read() {
        let bench = Bench::new();
        bench.world().interrupt.press();
        assert_eq!(sh(&bench, "sleep 0.2; echo done", LIMITS).output, "done\n");
        let reading = Limits { interruption: Interruption::Ends, ..LIMITS };
        assert_eq!(sh(&bench, "exec sleep 10", reading).ended, Ended::Interrupted);
    }

    #[test]
    fn the_second_ctrl_c_reaches_the_program_so_that_it_can_tidy_up() {
        let bench = Bench::new();
        let (interrupt, clock) = (bench.world().interrupt.clone(), bench.world().clock.clone());
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready");
        let script = format!("trap 'echo tidied; exit 1' INT; : > {}; while :; do sleep 0.05; done", ready.display());
        bench.world().tokio.spawn(async move {
            // A busy machine may take its time until the trap is set.
            while !ready.exists() {
                clock.sleep(Duration::from_millis(10)).await;
            }
            interrupt.press();
            interrupt.press();
        });
        let finished = sh(&bench, &script, LIMITS);
        assert_eq!((finished.ended, finished.output.as_str()), (Ended::Interrupted, "tidied\n"));
    }

    #[test]
    fn what_a_program_has_said_is_read_however_late_anybody_looks() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let said = runtime.block_on(async {
            // Somebody else holds the other end, and nothing is read before the time is over.
            let (mut held, output) = tokio::io::duplex(64);
            held.write_all(b"said").await.unwrap();
            let collected = Collected::of(Some(output), Keep::Start(10));
            collected.stop.cancel();
            collected.reader.unwrap().await.unwrap();
            collected.bytes.lock().unwrap().0.clone()
        });
        assert_eq!(said, b"said");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let bench = Bench::new();
        let program =
            Program { path: Path::new("/no/helm"), args: &[], environment: &[], folder: Path::new("/"), input: None };
        let error = bench.block_on(run(bench.world(), program, LIMITS)).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }
}
