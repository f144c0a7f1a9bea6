//! What the seam makes of calls to a cluster: journal, secrets, Ctrl-C.

use std::time::Duration;

use futures::StreamExt as _;
use runbook_core::primitive::NoScript;
use runbook_core::{Call, Code, Value};
use serde_json::json;

use super::{Fake, Reply, config_map};
use crate::bench::Bench;
use crate::kubectl::api::{Api, Scope};
use crate::kubectl::query::{Event, Listing};

#[test]
fn a_call_without_a_cluster_says_so() {
    let bench = Bench::new();
    let fault = bench.call(&crate::kubectl::get::GET, &[json!("ns"), json!("default")]).unwrap_err();
    assert_eq!(fault.code, Code::NoCluster);
}

#[test]
fn a_secret_reaches_the_script_and_not_the_record() {
    let fake = Fake::new(|_, _, _| {
        Reply::Json(
            200,
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": { "p": "aHVudGVyMjIy" } }),
        )
    });
    let answer = fake.call("kubectl::get", &[json!("secret"), json!("s")]).unwrap();
    assert_eq!(answer["data"]["p"], "aHVudGVyMjIy");
    let written = Value::from(fake.bench.written()).to_string();
    assert!(written.contains("withheld") && !written.contains("aHVudGVyMjIy"), "{written}");
}

#[test]
fn ctrl_c_ends_a_read_and_lets_a_write_finish() {
    let fake = Fake::new(|_, _, _| Reply::Json(200, config_map("1", &json!({}))));
    let world = fake.bench.world();
    world.interrupt.press();
    let call = Call { world, session: &fake.bench.session, script: &NoScript, step: String::new() };
    let slow = || async {
        world.clock.sleep(Duration::from_millis(30)).await;
        Ok(())
    };
    assert_eq!(call.read(slow()).unwrap_err().code, Code::Interrupted);
    assert!(call.write(slow()).is_ok());
    world.interrupt.press();
    assert_eq!(call.write(slow()).unwrap_err().code, Code::Interrupted);
}

#[test]
fn a_watch_tells_what_happened_and_when_it_is_too_late() {
    let fake = Fake::new(|_, path, _| {
        assert!(path.contains("watch=true&allowWatchBookmarks=true") && path.contains("resourceVersion=7"), "{path}");
        let object = |name: &str| json!({ "metadata": { "name": name, "resourceVersion": "8" } });
        Reply::Lines(vec![
            json!({ "type": "ADDED", "object": object("a") }),
            json!({ "type": "MODIFIED", "object": object("a") }),
            json!({ "type": "BOOKMARK", "object": object("") }),
            json!({ "type": "DELETED", "object": object("a") }),
            json!({ "type": "SOMETHING NEW", "object": object("a") }),
            json!({ "type": "ERROR", "object": { "kind": "Status", "code": 410, "message": "too old" } }),
        ])
    });
    let cluster = fake.bench.world().clusters.get(None).unwrap();
    let events = fake.bench.block_on(async {
        let api = Api::open(&cluster, "cm", &Scope::Namespace(None)).await.unwrap();
        let watch = api.watch(&Listing::default(), "7", Duration::from_mins(1)).await.unwrap();
        watch.map(Result::unwrap).collect::<Vec<_>>().await
    });
    let object =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "resourceVersion": "8" } });
    assert_eq!(
        events,
        [
            Event::Added(object.clone()),
            Event::Modified(object.clone()),
            Event::Bookmark("8".to_owned()),
            Event::Deleted(object),
            Event::Expired,
        ]
    );
}
