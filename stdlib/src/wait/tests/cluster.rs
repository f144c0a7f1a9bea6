//! A cluster behind the wire: it answers gets, lists in pages and watches from memory, and misbehaves when told to.
//!
//! Knows no kind; nothing in it happens by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use kube::client::Body;
use runbook_core::world::{Cluster, Memory};
use serde_json::{Value, json};

use super::clock::SimClock;

type Reply = UnsyncBoxBody<Bytes, Infallible>;

fn whole(text: String) -> Reply {
    Full::new(Bytes::from(text)).boxed_unsync()
}

/// The cluster.
#[derive(Clone)]
pub(super) struct Fake {
    state: Arc<Mutex<State>>,
    clock: SimClock,
}

#[derive(Default)]
struct State {
    version: u64,
    objects: BTreeMap<(String, String, String), Value>,
    /// Everything that happened, for watches that begin in the past.
    past: Vec<(u64, Happened)>,
    watchers: Vec<(Asked, UnboundedSender<String>)>,
    requests: Vec<String>,
    /// Answers given in place of real ones, by what the request's line contains.
    instead: Vec<(String, u16, u32)>,
    /// Collections whose next watch finds its version expired.
    expired: BTreeSet<String>,
    page: Option<usize>,
}

#[derive(Clone)]
struct Happened {
    sort: &'static str,
    collection: String,
    object: Value,
}

/// What a request asks for.
#[derive(Debug, Clone, Default)]
struct Asked {
    collection: String,
    namespace: Option<String>,
    name: Option<String>,
    part: Option<String>,
    query: BTreeMap<String, String>,
}

impl Fake {
    pub(super) fn new(clock: &SimClock) -> Self {
        Self { state: Arc::default(), clock: clock.clone() }
    }

    /// A connection to it.
    pub(super) fn connect(&self) -> Cluster {
        let fake = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let answer = fake.answer(&request);
            fake.clock.stir();
            async move { Ok::<_, Infallible>(answer) }
        });
        Cluster {
            client: kube::Client::new(service, "default"),
            context: "fake".to_owned(),
            server: "https://fake".to_owned(),
            namespace: "default".to_owned(),
            memory: Memory::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.clock.stir();
        self.state.lock().unwrap()
    }

    /// Creates or replaces an object.
    pub(super) fn put(&self, mut object: Value) {
        let mut state = self.lock();
        state.version += 1;
        object["metadata"]["resourceVersion"] = state.version.to_string().into();
        let key = key(&object);
        let sort = if state.objects.contains_key(&key) { "MODIFIED" } else { "ADDED" };
        state.objects.insert(key.clone(), object.clone());
        state.happen(Happened { sort, collection: key.0, object });
    }

    /// Deletes an object.
    pub(super) fn delete(&self, object: &Value) {
        let mut state = self.lock();
        state.version += 1;
        let key = key(object);
        let mut gone = state.objects.remove(&key).expect("only what is there is deleted");
        gone["metadata"]["resourceVersion"] = state.version.to_string().into();
        state.happen(Happened { sort: "DELETED", collection: key.0, object: gone });
    }

    /// Ends all watches, as servers do every few minutes.
    pub(super) fn close_watches(&self) {
        self.lock().watchers.clear();
    }

    /// Ends all watches; the next on a collection finds its version expired.
    pub(super) fn expire(&self, collection: &str) {
        let mut state = self.lock();
        state.watchers.clear();
        state.expired.insert(collection.to_owned());
    }

    /// Answers with a status in place of the real answer, so many times, where a request's line contains a text.
    pub(super) fn refuse(&self, line: &str, status: u16, times: u32) {
        self.lock().instead.push((line.to_owned(), status, times));
    }

    /// Lists come in pages of that size, whatever is asked for.
    pub(super) fn pages_of(&self, size: usize) {
        self.lock().page = Some(size);
    }

    /// Every request so far: `GET apps/v1/deployments/web`, `WATCH v1/pods from 7`.
    pub(super) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    fn answer(&self, request: &Request<Body>) -> Response<Reply> {
        let asked = Asked::of(request);
        let mut state = self.lock();
        state.requests.push(asked.line());
        if let Some(status) = state.instead_of(&asked.line()) {
            return refused(status, "told to");
        }
        if asked.part.as_deref() == Some("log") {
            return Response::new(whole("starting\ncannot open /etc/shop.yaml\n".to_owned()));
        }
        match (&asked.name, asked.query.contains_key("watch")) {
            (Some(_), _) => match state.objects.get(&asked.key()) {
                Some(object) => Response::new(whole(object.to_string())),
                None => absent(&asked),
            },
            (None, true) => state.watch(asked),
            (None, false) => state.list(&asked),
        }
    }
}

impl State {
    fn happen(&mut self, happened: Happened) {
        self.watchers.retain(|(asked, to)| {
            !asked.wants(&happened.collection, &happened.object) || to.unbounded_send(line(&happened)).is_ok()
        });
        self.past.push((self.version, happened));
    }

    fn instead_of(&mut self, line: &str) -> Option<u16> {
        let (_, status, times) =
            self.instead.iter_mut().find(|(part, _, times)| line.contains(part.as_str()) && *times > 0)?;
        *times -= 1;
        Some(*status)
    }

    fn list(&self, asked: &Asked) -> Response<Reply> {
        let fitting = self.objects.iter().filter(|((collection, ..), object)| asked.wants(collection, object));
        let from: usize = asked.query.get("continue").map_or(0, |token| token.parse().unwrap());
        let limit: usize = asked.query["limit"].parse().unwrap();
        let limit = self.page.unwrap_or(limit);
        let all: Vec<&Value> = fitting.map(|(_, object)| object).collect();
        let items: Vec<&Value> = all.iter().skip(from).take(limit).copied().collect();
        let mut metadata = json!({ "resourceVersion": self.version.to_string() });
        if from + items.len() < all.len() {
            metadata["continue"] = (from + items.len()).to_string().into();
        }
        let list = json!({ "kind": "List", "metadata": metadata, "items": items });
        Response::new(whole(list.to_string()))
    }

    fn watch(&mut self, asked: Asked) -> Response<Reply> {
        if self.expired.remove(&asked.collection) {
            return refused(410, "too old resource version");
        }
        let (to, lines) = unbounded();
        match asked.query["resourceVersion"].parse::<u64>() {
            Ok(from) => {
                let missed = self.past.iter().filter(|(version, _)| *version > from).map(|(_, happened)| happened);
                for happened in missed.filter(|happened| asked.wants(&happened.collection, &happened.object)) {
                    to.unbounded_send(line(happened)).unwrap();
                }
            }
            Err(_) => {
                for ((collection, ..), object) in &self.objects {
                    if asked.wants(collection, object) {
                        let happened =
                            Happened { sort: "ADDED", collection: collection.clone(), object: object.clone() };
                        to.unbounded_send(line(&happened)).unwrap();
                    }
                }
            }
        }
        let bookmark = json!({ "type": "BOOKMARK", "object": {
            "metadata": { "resourceVersion": self.version.to_string() },
        } });
        to.unbounded_send(format!("{bookmark}\n")).unwrap();
        self.watchers.push((asked, to));
        let frames = lines.map(|line| Ok::<_, Infallible>(Frame::data(Bytes::from(line))));
        Response::new(StreamBody::new(frames).boxed_unsync())
    }
}

impl Asked {
    fn of(request: &Request<Body>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(key, value)| (key.to_owned(), decoded(value))).collect();
        let parts: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
        let roots = if parts[0] == "api" { 2 } else { 3 };
        let (root, rest) = (parts[1..roots].join("/"), &parts[roots..]);
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
            rest => (None, rest),
        };
        let at = |index: usize| rest.get(index).map(|part| (*part).to_owned());
        Self { collection: format!("{root}/{}", rest[0]), namespace, name: at(1), part: at(2), query }
    }

    fn key(&self) -> (String, String, String) {
        (self.collection.clone(), self.namespace.clone().unwrap_or_default(), self.name.clone().unwrap_or_default())
    }

    fn line(&self) -> String {
        let part = self.part.as_ref().map(|part| format!("/{part}")).unwrap_or_default();
        match (&self.name, self.query.get("watch")) {
            (Some(name), _) => format!("GET {}/{name}{part}", self.collection),
            (None, Some(_)) => format!("WATCH {} from {}", self.collection, self.query["resourceVersion"]),
            (None, None) => format!("LIST {}", self.collection),
        }
    }

    fn wants(&self, collection: &str, object: &Value) -> bool {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let selected = |key: &str, of: &dyn Fn(&str) -> String| {
            let terms = self.query.get(key).map(String::as_str).unwrap_or_default();
            terms.split(',').filter_map(|term| term.split_once('=')).all(|(key, value)| of(key) == value)
        };
        self.collection == collection
            && self.namespace.as_ref().is_none_or(|namespace| text("/metadata/namespace") == namespace)
            && selected("labelSelector", &|key| {
                text(&format!("/metadata/labels/{}", key.replace('/', "~1"))).to_owned()
            })
            && selected("fieldSelector", &|key| text(&format!("/{}", key.replace('.', "/"))).to_owned())
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn line(happened: &Happened) -> String {
    format!("{}\n", json!({ "type": happened.sort, "object": happened.object }))
}

fn key(object: &Value) -> (String, String, String) {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let collection = format!("{}/{}s", text("/apiVersion"), text("/kind").to_lowercase());
    (collection, text("/metadata/namespace").to_owned(), text("/metadata/name").to_owned())
}

fn refused(status: u16, message: &str) -> Response<Reply> {
    let reason = if status == 403 { "Forbidden" } else { "" };
    let message =
        if status == 403 { "pods is forbidden: User \"tester\" cannot do that".to_owned() } else { message.to_owned() };
    let body = json!({ "kind": "Status", "code": status, "reason": reason, "message": message });
    Response::builder().status(status).body(whole(body.to_string())).unwrap()
}

fn absent(asked: &Asked) -> Response<Reply> {
    let name = asked.name.clone().unwrap();
    let details = json!({ "name": name, "kind": asked.collection.rsplit('/').next() });
    let body =
        json!({ "kind": "Status", "code": 404, "reason": "NotFound", "message": "not found", "details": details });
    Response::builder().status(404).body(whole(body.to_string())).unwrap()
}
