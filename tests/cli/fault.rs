//! Surroundings that are not as they should be: journal, kubeconfig, context, API server, nobody to ask.

use snapbox::str;

use crate::bench::{Bench, says};

const READS: &str = "//! Read.\nstep \"Look\" {\n    kubectl::get(\"configmap\", \"a\");\n}\n";

const KUBECONFIG: &str = r#"
apiVersion: v1
kind: Config
current-context: eu
clusters: [{ name: c, cluster: { server: "http://127.0.0.1:1" } }]
contexts: [{ name: eu, context: { cluster: c, user: u } }]
users: [{ name: u, user: {} }]
"#;

#[test]
fn nothing_is_run_without_a_journal() {
    let bench = Bench::new().script("//! x.\nprint(\"never\");\n").file("taken", "");
    says!(
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

#[test]
fn a_run_needs_a_folder_for_its_journal() {
    let bench = Bench::new().script("//! x.\nprint(\"never\");\n").variable("HOME", "");
    says!(
        bench.run(&["it.rhai"]),
        str![[r#"
-- stderr
RB050  there is no folder for the journal: neither `XDG_STATE_HOME` nor   exit 1
       `HOME` is set

Next: name one with `--journal DIR`
-- exit 1

"#]]
    );
}

#[test]
fn a_call_without_a_kubeconfig_says_where_one_was_looked_for() {
    says!(
        Bench::new().script(READS).run(&["it.rhai"]),
        str![[r#"
-- stdout
it   Read                                                           run [RUN]
  script   it.rhai   sha256 10341580

[TIME]  run  1  Look
[TIME]  xx  1  Look  [TOOK]
-- stderr

RB020  no kubeconfig: `KUBECONFIG` is not set, there is no                exit 1
       `~/.kube/config`, and this is not a pod

  it.rhai:3
   3 |     kubectl::get("configmap", "a");
     |     ^^^^^^^^^^^^

Now:  nothing was changed
Next: name one with `--kubeconfig FILE`
Report: runbook report [RUN]
-- exit 1

"#]]
    );
}

#[test]
fn a_context_that_is_not_there_finds_its_neighbour() {
    let bench = Bench::new().script(READS).file("kubeconfig", KUBECONFIG);
    says!(
        bench.run(&["it.rhai", "--kubeconfig", "kubeconfig", "--context", "eo"]),
        str![[r#"
-- stdout
it   Read                                                           run [RUN]
  script   it.rhai   sha256 10341580

[TIME]  run  1  Look
[TIME]  xx  1  Look  [TOOK]
-- stderr

RB020  context `eo` is not in `kubeconfig`                                exit 1

  it.rhai:3
   3 |     kubectl::get("configmap", "a");
     |     ^^^^^^^^^^^^

Now:  nothing was changed
Next: did you mean `eu`?
Report: runbook report [RUN]
-- exit 1

"#]]
    );
}

#[test]
fn a_cluster_that_does_not_answer_is_given_up_after_a_while() {
    let bench = Bench::new().script(READS).file("kubeconfig", KUBECONFIG);
    says!(
        bench.run(&["it.rhai", "--kubeconfig", "kubeconfig"]),
        str![[r#"
-- stdout
it   Read                                                           run [RUN]
  script   it.rhai   sha256 10341580

[TIME]  run  1  Look
[TIME]  !!      GET /api/v1/namespaces/default/configmaps/a: try 1 failed: client error (Connect): tcp connect error: Connection refused (os error 111)
[TIME]  !!      GET /api/v1/namespaces/default/configmaps/a: try 2 failed: client error (Connect): tcp connect error: Connection refused (os error 111)
[TIME]  !!      GET /api/v1/namespaces/default/configmaps/a: try 3 failed: client error (Connect): tcp connect error: Connection refused (os error 111)
[TIME]  !!      GET /api/v1/namespaces/default/configmaps/a: try 4 failed: client error (Connect): tcp connect error: Connection refused (os error 111)
[TIME]  !!      GET /api/v1/namespaces/default/configmaps/a: try 5 failed: client error (Connect): tcp connect error: Connection refused (os error 111)
[TIME]  xx  1  Look  [TOOK]
-- stderr

RB025  cannot get configmap/a in namespace `default` after 6 tries:       exit 3
       client error (Connect): tcp connect error: Connection refused (os
       error 111)

  it.rhai:3
   3 |     kubectl::get("configmap", "a");
     |     ^^^^^^^^^^^^

Now:  nothing was changed
Report: runbook report [RUN]
-- exit 3

"#]]
    );
}

#[test]
fn without_helm_a_helm_call_says_what_it_needs() {
    let script = "//! List.\nstep \"Look\" {\n    helm::list(#{ namespace: \"a\" });\n}\n";
    let bench = Bench::new().script(script).file("kubeconfig", KUBECONFIG);
    says!(
        bench.run(&["it.rhai", "--kubeconfig", "kubeconfig"]),
        str![[r#"
-- stdout
it   List                                                           run [RUN]
  script   it.rhai   sha256 3a499334

[TIME]  run  1  Look
[TIME]  xx  1  Look  [TOOK]
-- stderr

RB040  no helm was found; helm 3.14 or newer, or helm 4, is needed        exit 1

  it.rhai:3
   3 |     helm::list(#{ namespace: "a" });
     |     ^^^^^^^^^^

Now:  nothing was changed
Next: put `helm` on the PATH, or name it with `--helm PATH`
Report: runbook report [RUN]
-- exit 1

"#]]
    );
}
