//! Any bytes as a chart's archive, and as the tar inside one: read, it is a chart or a fault.

#![no_main]

use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use runbook_chart::Chart;

fuzz_target!(|bytes: &[u8]| {
    let _ = Chart::from_archive(bytes);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    if packed.write_all(bytes).is_ok() {
        if let Ok(packed) = packed.finish() {
            if let Ok(chart) = Chart::from_archive(&packed) {
                assert!(chart.raw().iter().all(|file| !file.name.starts_with("..") && !file.name.starts_with('/')));
            }
        }
    }
});
