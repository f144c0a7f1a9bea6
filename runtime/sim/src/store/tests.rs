//! What the store promises: one order, consistent pages, indices that follow.

use serde_json::json;

use super::*;

fn pods() -> GroupResource {
    GroupResource::new("", "pods")
}

fn pod(namespace: &str, name: &str, node: &str) -> Value {
    json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "namespace": namespace, "name": name }, "spec": { "nodeName": node } })
}

fn names(page: &Page) -> Vec<&str> {
    page.objects.iter().map(|object| object.name()).collect()
}

#[test]
fn a_write_needs_the_version_that_was_read() {
    let store = Store::new(None);
    let first = store.put(&pods(), &mut pod("a", "x", "n"), Expect::Absent).unwrap();
    assert_eq!(store.put(&pods(), &mut pod("a", "x", "n"), Expect::Absent).unwrap_err(), Miss::Exists);
    let second = store.put(&pods(), &mut pod("a", "x", "m"), Expect::Version(first.version)).unwrap();
    assert!(second.version > first.version);
    assert_eq!(store.put(&pods(), &mut pod("a", "x", "n"), Expect::Version(first.version)).unwrap_err(), Miss::Moved);
    assert_eq!(store.remove(&pods(), "a", "x", first.version).unwrap_err(), Miss::Moved);
    store.remove(&pods(), "a", "x", second.version).unwrap();
    assert_eq!(store.remove(&pods(), "a", "x", second.version).unwrap_err(), Miss::Gone);
}

#[test]
fn pages_show_the_moment_of_the_first() {
    let store = Store::new(None);
    for name in ["a", "b", "c", "d"] {
        store.put(&pods(), &mut pod("shop", name, "n"), Expect::Absent).unwrap();
    }
    store.put(&pods(), &mut pod("shop-2", "z", "n"), Expect::Absent).unwrap();
    let all = Span { namespace: Some("shop"), limit: 2, ..Span::default() };
    let first = store.page(&pods(), all, |_| true).unwrap();
    assert_eq!((names(&first), first.remaining), (vec!["a", "b"], 2));

    let c = store.get(&pods(), "shop", "c").unwrap();
    store.remove(&pods(), "shop", "c", c.version).unwrap();
    store.put(&pods(), &mut pod("shop", "bb", "n"), Expect::Absent).unwrap();
    store.put(&pods(), &mut pod("shop", "e", "n"), Expect::Absent).unwrap();
    let rest = Span { version: Some(first.version), after: Some("shop/b"), limit: 5, ..all };
    assert_eq!(names(&store.page(&pods(), rest, |_| true).unwrap()), ["c", "d"]);
    let now = Span { version: None, ..rest };
    assert_eq!(names(&store.page(&pods(), now, |_| true).unwrap()), ["bb", "d", "e"]);

    store.compact();
    assert!(store.page(&pods(), rest, |_| true).is_err());
    assert!(store.events(&pods(), first.version, 10).is_err());
}

#[test]
fn indices_follow_what_happens() {
    let store = Store::new(None);
    let mut owned = pod("a", "x", "n1");
    owned["metadata"]["ownerReferences"] =
        json!([{ "uid": "u1", "kind": "ReplicaSet", "name": "r", "apiVersion": "apps/v1" }]);
    let first = store.put(&pods(), &mut owned, Expect::Absent).unwrap();
    assert_eq!(store.owned("u1").len(), 1);
    assert_eq!(store.by_field(&pods(), "n1").len(), 1);
    assert_eq!(store.within("a"), [pods()]);
    let second = store.put(&pods(), &mut pod("a", "x", "n2"), Expect::Version(first.version)).unwrap();
    assert_eq!((store.owned("u1").len(), store.by_field(&pods(), "n1").len()), (0, 0));
    assert_eq!(store.by_field(&pods(), "n2").len(), 1);
    store.remove(&pods(), "a", "x", second.version).unwrap();
    assert_eq!(store.by_field(&pods(), "n2").len(), 0);
    assert_eq!(store.events(&pods(), 0, 10).unwrap().events.len(), 3);
}

#[test]
fn what_is_laid_beneath_has_been_there_all_along() {
    let store = Store::new(None);
    store.put(&pods(), &mut pod("a", "x", "n1"), Expect::Absent).unwrap();
    let before = store.version();
    let mut old = pod("a", "w", "n1");
    old["metadata"]["resourceVersion"] = "900".into();
    let laid = Arc::new(Stored::of(&pods(), &old, 900));
    assert!(store.lay(&pods(), &laid));
    assert!(!store.lay(&pods(), &laid), "it is there already");
    assert!(store.events(&pods(), before, 10).unwrap().events.is_empty(), "nothing has happened");
    assert_eq!(names(&store.page(&pods(), Span::default(), |_| true).unwrap()), ["w", "x"]);
    assert_eq!(store.by_field(&pods(), "n1").len(), 2);
    let next = store.put(&pods(), &mut pod("a", "w", "n2"), Expect::Version(900)).unwrap();
    assert!(next.version > 900);
}
