//! Surroundings that are not as they should be: journal, kubeconfig, context, terminal.

use snapbox::{assert_data_eq, str};

use crate::bench::Bench;

const READS: &str = "//! Read.\nstep \"Look\" {\n    kubectl::get(\"configmap\", \"a\");\n}\n";

const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: eu\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\ncontexts: [{name: eu, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n";

#[test]
fn nothing_is_run_without_a_journal() {
    let bench = Bench::new().script("//! x.\nprint(\"never\");\n").file("taken", "");
    assert_data_eq!(
        bench.run(&["it.rhai", "--journal", "taken"]),
        str![[r#"
-- stderr
RB050  the journal in `taken` cannot be written: failed to create         exit 1
       directory `taken`: File exists (os error 17)

Next: nothing is done without a record; name another folder with `--journal DIR`
-- exit 1

"#]]
    );
}

#[test]
fn a_script_that_needs_no_cluster_runs_without_a_kubeconfig() {
    let text = Bench::new().script("//! Count.\n`${1 + 1}`\n").run(&["it.rhai"]);
    assert!(text.ends_with("-- exit 0\n") && text.contains(": 2\n"), "{text}");
}
