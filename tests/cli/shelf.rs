//! The bundled runbooks: listed, shown, forked.

use snapbox::str;

use crate::bench::{Bench, says};

#[test]
fn every_bundled_runbook_has_a_line_and_none_is_broken() {
    says!(
        Bench::new().run(&["list"]),
        str![[r#"
-- stdout
ambient-upgrade   Upgrade an ambient mesh, in place or by a new revision and its
                  tags
canary-upgrade    Move a sidecar mesh to a new revision beside the old one, some
                  namespaces at a time
gateway-upgrade   Upgrade one gateway, where it is or by a canary beside it
in-place-upgrade  Upgrade a sidecar mesh in place, one minor at a time
precheck          Look whether a mesh may be upgraded, and change nothing
remove-revision   Remove a revision of istiod that nothing uses, and prove it
                  beforehand
revision-tag      List, create, move, roll back or remove a revision tag
rolling-restart   Restart a workload and prove that it came back
-- exit 0

"#]]
    );
}

#[test]
fn a_fork_is_the_text_that_is_shown_and_runs_as_it_is() {
    let bench = Bench::new();
    says!(
        bench.run(&["fork", "rolling-restart"]),
        str![[r#"
-- stdout
rolling-restart is now in rolling-restart.rhai; run it with runbook
rolling-restart.rhai
-- exit 0

"#]]
    );
    let forked = fs_err::read_to_string(bench.folder().join("rolling-restart.rhai")).unwrap();
    let shown = String::from_utf8(bench.raw(&["show", "rolling-restart.rhai"]).stdout).unwrap();
    assert_eq!(forked, shown);
    let help = bench.run(&["rolling-restart.rhai", "--help"]);
    assert_eq!(help, Bench::new().run(&["rolling-restart.rhai", "--help"]));
    assert!(help.ends_with("-- exit 0\n"), "{help}");
}

#[test]
fn a_fork_never_writes_over_a_file() {
    let bench = Bench::new().file("mine.rhai", "//! Mine.\n");
    says!(
        bench.run(&["fork", "rolling-restart", "mine.rhai"]),
        str![[r#"
-- stderr
RB002  `mine.rhai` exists already, and a fork never writes over a file    exit 1

Next: name another file: `runbook fork rolling-restart FILE`
-- exit 1

"#]]
    );
    assert_eq!(fs_err::read_to_string(bench.folder().join("mine.rhai")).unwrap(), "//! Mine.\n");
}

#[test]
fn a_runbook_that_is_not_in_the_box_finds_its_neighbour() {
    says!(
        Bench::new().run(&["show", "rolling-restrat"]),
        str![[r#"
-- stderr
RB002  there is no bundled runbook `rolling-restrat`                      exit 1

Next: did you mean `rolling-restart`?
-- exit 1

"#]]
    );
}
