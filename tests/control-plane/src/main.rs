//! The test bed by hand: builds the binaries, or runs a control plane to try things on.

#![expect(clippy::print_stdout, reason = "a command line tool says on standard output what it was asked for")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use runbook_control_plane::{Binaries, ControlPlane, Fault, Helm, Nodes};

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
    /// Run a control plane until Ctrl-C.
    Up {
        /// How many nodes.
        #[arg(long, default_value_t = 3)]
        nodes: u8,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Build => Binaries::find_or_build().map(|binaries| println!("{}", binaries.digest())),
        Command::Up { nodes } => up(nodes),
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

fn up(nodes: u8) -> Result<(), Fault> {
    let plane = ControlPlane::with_nodes(Nodes { count: nodes, ..Nodes::default() })?;
    println!("export KUBECONFIG={}", plane.kubeconfig().display());
    println!("alias kubectl={}", plane.kubectl().display());
    println!("alias helm3={}", plane.helm(Helm::V3).display());
    println!("alias helm4={}", plane.helm(Helm::V4).display());
    println!("# Ctrl-C ends it");
    plane.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}
