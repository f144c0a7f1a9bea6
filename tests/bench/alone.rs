//! A benchmark of one measure: whether it is wanted, and what is said of it.

use std::fmt::Display;
use std::process::ExitCode;

use crate::table::{self, Row};

/// Measures, and shows the table; does neither where `cargo test` only looks whether it can be built.
pub(crate) fn run<E: Display>(name: &str, measure: fn() -> Result<Vec<Row>, E>) -> ExitCode {
    if !std::env::args().any(|word| word == "--bench") {
        println!("a benchmark: `cargo bench --bench {name}` runs it");
        return ExitCode::SUCCESS;
    }
    match measure() {
        Ok(rows) => {
            println!("{}", table::text(&rows));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
