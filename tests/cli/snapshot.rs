//! `snapshot`: the file that it makes and what it says, of a simulated cluster.

use http::Request;
use runbook_sim::{Options, Simulation};
use serde_json::{Value, json};
use snapbox::str;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, says};

/// A bench whose kubeconfig leads to a simulated cluster with a Secret in it. It answers as long as the runtime lives.
fn bench() -> (Bench, Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let simulation = Simulation::new(Options::default());
    let kubeconfig = runtime.block_on(async {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db" }, "stringData": { "password": "C0rrect-Horse!" },
        });
        let path = "/api/v1/namespaces/default/secrets";
        let request = Request::post(path).body(serde_json::to_vec(&secret).unwrap()).unwrap();
        simulation.client().request::<Value>(request).await.unwrap();
        simulation.listen(CancellationToken::new()).await.unwrap().kubeconfig()
    });
    (Bench::new().file("kube.yaml", &kubeconfig).variable("KUBECONFIG", "kube.yaml"), runtime)
}

#[test]
fn a_snapshot_is_a_file_for_its_owner_alone_without_secrets() {
    use std::os::unix::fs::PermissionsExt as _;
    let (bench, _runtime) = bench();
    let said = bench.run(&["snapshot", "--out", "shop.yaml"]);
    // How much a cluster begins with is its own affair.
    let (before, rest) = said.split_once("shop.yaml: ").unwrap();
    let (size, after) = rest.split_once(", ").unwrap();
    assert!(size.contains("objects of"), "{size}");
    says!(
        format!("{before}shop.yaml: [SIZE], {after}"),
        str![[r#"
-- stdout
simulation is now in shop.yaml: [SIZE], 0 releases; 1 secret
value replaced by tokens
look through it before you hand it to anybody; to rehearse on it:
  runbook SCRIPT --rehearse shop.yaml
-- exit 0

"#]]
    );
    let file = bench.folder().join("shop.yaml");
    assert_eq!(fs_err::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs_err::read_to_string(file).unwrap();
    assert!(text.contains("name: db") && !text.contains("C0rrect-Horse!"), "{text}");
    let names = fs_err::read_dir(bench.folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().ends_with(".part")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_snapshot_never_writes_over_a_file() {
    let (bench, _runtime) = bench();
    let bench = bench.file("snapshot.yaml", "mine\n");
    says!(
        bench.run(&["snapshot"]),
        str![[r#"
-- stderr
RB002  `snapshot.yaml` exists already, and a snapshot never writes over   exit 1
       a file

Next: name another file with `--out FILE`
-- exit 1

"#]]
    );
    assert_eq!(fs_err::read_to_string(bench.folder().join("snapshot.yaml")).unwrap(), "mine\n");
}

#[test]
fn without_a_cluster_there_is_no_snapshot() {
    let bench = Bench::new();
    let said = bench.run(&["snapshot"]);
    assert!(said.contains("RB020") && said.ends_with("-- exit 1\n"), "{said}");
    assert!(!bench.folder().join("snapshot.yaml").exists());
}
