//! Any text as a template, and any as values: parsed and executed, it answers or is a fault.

#![no_main]

use libfuzzer_sys::fuzz_target;
use runbook_chart::{Bounds, Chart, Dialect, Order, render, values};

fuzz_target!(|given: (&str, &str, bool)| {
    let (template, under, new) = given;
    let files = [
        ("Chart.yaml".to_owned(), b"apiVersion: v2\nname: any\nversion: 1.0.0\n".to_vec()),
        ("values.yaml".to_owned(), under.as_bytes().to_vec()),
        ("templates/any.yaml".to_owned(), template.as_bytes().to_vec()),
    ];
    let Ok(chart) = Chart::from_files(files) else { return };
    let dialect = if new { Dialect::Helm4 } else { Dialect::Helm3 };
    let given = values::read("a: 1\nb: [x, y]\nc: {d: e}\n").unwrap_or_default();
    let mut order = Order::template("any", "any", given, dialect);
    order.bounds = Bounds { steps: 50_000, bytes: 4 << 20, depth: 2_000 };
    if let Err(fault) = render(&chart, &order) {
        assert!(!fault.words.is_empty());
    }
});
