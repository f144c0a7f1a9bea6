//! Any bytes in a journal are read, or are a fault: a disk may hold anything.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let runs = tempfile::tempdir_in("/dev/shm").expect("a machine that fuzzes has a disk in memory");
    let folder = runs.path().join("run");
    std::fs::create_dir(&folder).expect("the folder is new");
    std::fs::write(folder.join("journal.jsonl"), bytes).expect("the folder can be written");
    if let Ok(reading) = runbook_core::journal::read(runs.path(), "run") {
        // What was understood once is understood again.
        let again: Vec<u8> = reading.records.iter().flat_map(line).collect();
        std::fs::write(folder.join("journal.jsonl"), again).expect("the folder can be written");
        let reread = runbook_core::journal::read(runs.path(), "run").expect("our own lines can be read");
        assert_eq!(reread.records, reading.records);
    }
});

fn line(record: &runbook_core::record::Record) -> Vec<u8> {
    let mut line = serde_json::to_vec(record).expect("a record is plain data");
    line.push(b'\n');
    line
}
