//! The benchmark of the renderer: how long istiod takes, beside `helm template` as a process.
//!
//! Both render the same chart with the same values and must agree; a time that misses its aim is shown and does not make it
//! fail. Does not know how templates are rendered.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark measures real processes by a real clock, and says what it found"
)]

mod alone;
#[expect(dead_code, reason = "another benchmark shows more in its table")]
mod table;
#[expect(dead_code, reason = "another benchmark measures many times over")]
mod times;

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use runbook_chart::{Chart, Dialect, Order, render};
use runbook_control_plane::{Binaries, Charts, Tool};
use serde_json::json;
use table::Row;

/// That of the program, whose renderer this measures.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whatever went wrong, in words.
type Fallible<T> = Result<T, Box<dyn Error>>;

const VERSION: &str = "1.30.3";

fn main() -> ExitCode {
    alone::run("charts", measure)
}

/// The middle of several runs, in milliseconds.
fn middle(runs: usize, mut work: impl FnMut() -> Fallible<()>) -> Fallible<f64> {
    let mut took = Vec::new();
    for _ in 0..runs {
        let begun = Instant::now();
        work()?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    took.sort_by(f64::total_cmp);
    Ok(took[took.len() / 2])
}

fn helm(binary: &Path, package: &Path) -> Fallible<String> {
    let done = Command::new(binary).args(["template", "istiod", "-n", "istio-system"]).arg(package).output()?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

fn measure() -> Fallible<Vec<Row>> {
    let binaries = Binaries::find_or_build()?;
    let charts = Charts::open()?;
    let mut rows = Vec::new();
    for name in ["istiod", "base", "cni", "ztunnel", "gateway"] {
        let package = charts.package(name, VERSION)?;
        let bytes = fs_err::read(&package)?;
        let chart = Chart::from_archive(&bytes)?;
        let order = Order::template("istiod", "istio-system", json!({}), Dialect::Helm4);
        let ours = render(&chart, &order)?.printed();
        let binary = binaries.path(Tool::Helm4);
        if helm(binary, &package)? != ours {
            return Err(format!("{name} is not rendered as helm renders it").into());
        }
        let whole = middle(15, || {
            let chart = Chart::from_archive(&bytes)?;
            render(&chart, &order).map(drop).map_err(Into::into)
        })?;
        let spawned = middle(9, || helm(binary, &package).map(drop))?;
        let least = if name == "istiod" { 20.0 } else { 0.0 };
        rows.push(
            Row::fact(format!("{name} {VERSION}: read and render"), times::shown(whole))
                .beside("helm", spawned, whole, least),
        );
        let again = middle(15, || render(&chart, &order).map(drop).map_err(Into::into))?;
        rows.push(Row::fact(format!("{name} {VERSION}: render again"), times::shown(again)));
    }
    Ok(rows)
}
