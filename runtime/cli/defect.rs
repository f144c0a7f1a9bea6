//! What happens on a panic: it is kept, to be told as a fault in ordinary words once the terminal is in order again.
//!
//! Does not print.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Mutex;

use runbook_core::fault::{Code, Fault};

/// What the last panic said. A panic hook is of the process, so this is too.
static SAID: Mutex<Option<String>> = Mutex::new(None);

/// Runs the program; a panic anywhere below becomes the fault `RB001`.
pub(crate) fn guarded<T>(program: impl FnOnce() -> T) -> Result<T, Fault> {
    set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
        let said = format!("{}{place}", info.payload_as_str().unwrap_or("a panic without words"));
        *SAID.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(said);
    }));
    catch_unwind(AssertUnwindSafe(program)).map_err(|_| fault())
}

/// The fault for what the last panic said.
pub(crate) fn fault() -> Fault {
    let said = SAID.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    Fault::new(Code::Internal, "a defect in runbook itself")
        .seen(said.unwrap_or_else(|| "a panic without words".to_owned()))
        .hint("what was sent is in the journal: `runbook report` shows it; please report this defect")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_fault_that_names_its_place() {
        let fault = guarded(|| panic!("the roof is on fire")).unwrap_err();
        assert_eq!(fault.code, Code::Internal);
        assert!(fault.evidence[0].starts_with("the roof is on fire at runtime/cli/defect.rs:"), "{:?}", fault.evidence);
    }
}
