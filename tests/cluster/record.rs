//! The simulation's record of built-in kinds is what a real API server says today.

use runbook_control_plane::{ControlPlane, record, record_file, required_or_skip};

#[test]
fn the_record_is_what_the_api_server_says() {
    let Some(_) = required_or_skip("the_record_is_what_the_api_server_says") else { return };
    // One of its own: in the shared one, other tests' CRDs would be recorded with it.
    let plane = ControlPlane::start().unwrap();
    let client = plane.client();
    let fresh = plane.block_on(async { record(&client).await }).unwrap();
    let kept = fs_err::read(record_file()).unwrap();
    assert!(fresh == kept, "run `cargo run -p runbook-control-plane -- record` and review the difference");
}
