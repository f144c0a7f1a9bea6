//! The test bed by hand: builds the binaries, or runs a control plane to try things on.

#![expect(clippy::print_stdout, reason = "a command line tool says on standard output what it was asked for")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use runbook_control_plane::{Binaries, ControlPlane, Fault, Helm, Nodes, StandIn, State, record_to_file};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

#[derive(Parser)]
#[command(about = "A real Kubernetes control plane on loopback")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the binaries that are not there yet, and no more.
    Build,
    /// Ask an API server what it is and write it down for the simulation.
    Record,
    /// Run a control plane until Ctrl-C.
    Up {
        /// How many nodes.
        #[arg(long, default_value_t = 3, conflicts_with = "state")]
        nodes: u8,
        /// Start from a prepared state, with the stand-in of istiod at work: `bare`, `ambient-1.29.6-helm3`,
        /// `ambient-revisioned-1.29.6-helm4`; any version whose charts `ISTIO_CHARTS` has.
        #[arg(long, value_parser = state)]
        state: Option<State>,
    },
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().with_default_directive(LevelFilter::OFF.into()).from_env_lossy())
        .with_writer(std::io::stderr)
        .init();
    let done = match Arguments::parse().command {
        Command::Build => Binaries::find_or_build().map(|binaries| println!("{}", binaries.digest())),
        Command::Record => record_to_file().map(|file| println!("{}", file.display())),
        Command::Up { nodes, state } => up(nodes, state.as_ref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln_fault(&fault);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command line tool says on standard error what went wrong")]
fn eprintln_fault(fault: &Fault) {
    eprintln!("{fault}");
}

fn state(name: &str) -> Result<State, String> {
    State::by_name(name).ok_or_else(|| format!("no state is called `{name}`"))
}

fn up(nodes: u8, state: Option<&State>) -> Result<(), Fault> {
    let plane = match state {
        Some(state) => ControlPlane::from_state(state)?,
        None => ControlPlane::with_nodes(Nodes { count: nodes, ..Nodes::default() })?,
    };
    let stand_in = state.map(|_| StandIn::start(&plane)).transpose()?;
    println!("export KUBECONFIG={}", plane.kubeconfig().display());
    println!("alias kubectl={}", plane.kubectl().display());
    println!("alias helm3={}", plane.helm(Helm::V3).display());
    println!("alias helm4={}", plane.helm(Helm::V4).display());
    println!("# Ctrl-C ends it");
    plane.block_on(tokio::signal::ctrl_c())?;
    drop(stand_in);
    Ok(())
}
