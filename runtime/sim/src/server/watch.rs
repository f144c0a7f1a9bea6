//! Watches: what happens to the objects that somebody wants to know of, from a version on.
//!
//! The bytes of an object are shared by all who watch; what each watch does is to put them behind one word. Not known
//! here: who changes what.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use futures::stream;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;

use super::{
    Server,
    accept::Shape,
    answer::Answer,
    path::Place,
    query::Query,
    read::Wanted,
    render::{self, Dress},
    table,
};
use crate::{
    actor::json::map_at,
    status::Status,
    store::{Event, Span, Stored},
};

/// How many events are looked at in one go.
const BATCH: usize = 512;
/// How many bytes are gathered before they are sent.
const CHUNK: usize = 64 * 1024;
/// How often a watch is told how far it is.
const BOOKMARK: Duration = Duration::from_mins(1);

/// One watch.
struct Watch {
    server: Arc<Server>,
    wanted: Wanted,
    query: Query,
    shape: Shape,
    dress: Dress,
    bell: Receiver<u64>,
    /// Everything up to this version has been told.
    told: u64,
    /// What is sent before anything that happens.
    first: Vec<u8>,
    bookmark: Option<Timestamp>,
    end: Option<Timestamp>,
    is_over: bool,
    has_columns: bool,
}

impl Server {
    /// Answers a watch.
    pub(crate) fn watch(self: &Arc<Self>, place: &Place, query: &Query, shape: Shape) -> Result<Answer, Status> {
        let wanted = Wanted::of(place, query)?;
        let resource = place.resource();
        let initial = query.get("sendInitialEvents");
        check(query)?;
        let version: Option<u64> = match query.get("resourceVersion") {
            None | Some("0") => None,
            Some(text) => Some(text.parse().map_err(|_| {
                let why = format!("strconv.ParseUint: parsing \"{text}\": invalid syntax");
                Status::other(500, "", format!("resourceVersion: Invalid value: \"{text}\": {why}"))
            })?),
        };
        let now = self.clock.now();
        let seconds = query.number("timeoutSeconds")?.map(Duration::from_secs);
        let mut watch = Watch {
            server: self.clone(),
            query: query.clone(),
            shape,
            dress: Dress::of(&place.kind),
            bell: self.store.bell(&resource),
            told: version.unwrap_or(0),
            first: Vec::new(),
            bookmark: query.flag("allowWatchBookmarks").then(|| now + BOOKMARK),
            end: seconds.filter(|span| !span.is_zero()).map(|span| now + span.min(Duration::from_hours(24))),
            is_over: false,
            has_columns: false,
            wanted,
        };
        let from_start = match initial {
            Some(_) => query.flag("sendInitialEvents"),
            None => version.is_none(),
        };
        if from_start {
            watch.begin(initial.is_some());
        } else if version.is_none() {
            watch.told = self.store.version();
        }
        let chunks = stream::unfold(watch, |mut watch| async move {
            let chunk = watch.next().await?;
            Some((Ok::<_, Infallible>(chunk), watch))
        });
        Ok(Answer::stream(Body::from_stream(chunks)))
    }
}

fn check(query: &Query) -> Result<(), Status> {
    let refused = |field: &str, why: &str| {
        Err(Status::invalid(
            "meta.k8s.io",
            "ListOptions",
            "",
            &[crate::status::Cause {
                reason: "FieldValueForbidden".to_owned(),
                message: why.to_owned(),
                field: field.to_owned(),
            }],
        ))
    };
    match (query.get("sendInitialEvents"), query.get("resourceVersionMatch")) {
        (Some(_), None) => refused(
            "resourceVersionMatch",
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (None, Some(_)) => refused(
            "resourceVersionMatch",
            "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
        _ => Ok(()),
    }
}

impl Watch {
    /// Tells of everything that is there, as if it had just been made.
    fn begin(&mut self, is_marked: bool) {
        let place = self.wanted.place.clone();
        let namespace = Some(place.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let span = Span { namespace, ..Span::default() };
        let wanted = self.wanted.clone();
        let Ok(page) = self.server.store.page(&place.resource(), span, |object| wanted.holds(object)) else { return };
        let mut first = Vec::new();
        for object in &page.objects {
            self.tell("ADDED", object, &mut first);
        }
        self.told = page.version;
        if is_marked {
            self.mark(&mut first, json!({ "k8s.io/initial-events-end": "true" }));
        }
        self.first = first;
    }

    async fn next(&mut self) -> Option<Bytes> {
        if !self.first.is_empty() {
            return Some(std::mem::take(&mut self.first).into());
        }
        while !self.is_over {
            self.bell.borrow_and_update();
            let chunk = self.gather();
            if !chunk.is_empty() {
                return Some(chunk.into());
            }
            let wake = [self.end, self.bookmark].into_iter().flatten().min();
            let clock = self.server.clock.clone();
            tokio::select! {
                changed = self.bell.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                }
                () = async {
                    match wake {
                        Some(at) => clock.alarm_at(at).await,
                        None => std::future::pending().await,
                    }
                } => {
                    let now = self.server.clock.now();
                    if self.end.is_some_and(|end| end <= now) {
                        self.is_over = true;
                    } else {
                        self.bookmark = Some(now + BOOKMARK);
                        let mut chunk = Vec::new();
                        self.mark(&mut chunk, json!({}));
                        return Some(chunk.into());
                    }
                }
            }
        }
        None
    }

    /// What has happened since, as far as it fits in one chunk.
    fn gather(&mut self) -> Vec<u8> {
        let mut chunk = Vec::new();
        loop {
            let resource = self.wanted.place.resource();
            let news = match self.server.store.events(&resource, self.told, BATCH) {
                Ok(news) => news,
                Err(oldest) => {
                    self.is_over = true;
                    let status = Status::expired(format!("too old resource version: {} ({oldest})", self.told));
                    let event = json!({ "type": "ERROR", "object": status.body() });
                    chunk.extend_from_slice(format!("{event}\n").as_bytes());
                    return chunk;
                }
            };
            let is_all = news.events.len() < BATCH;
            for event in &news.events {
                self.pass_on(event, &mut chunk);
                self.told = event.version;
                if chunk.len() >= CHUNK {
                    return chunk;
                }
            }
            if is_all {
                self.told = self.told.max(news.present);
                return chunk;
            }
        }
    }

    fn pass_on(&mut self, event: &Event, chunk: &mut Vec<u8>) {
        let was = event.old.as_deref().is_some_and(|old| self.wanted.holds(old));
        let is = !event.is_deletion && self.wanted.holds(&event.new);
        match (was, is) {
            (true, true) => self.tell("MODIFIED", &event.new, chunk),
            (false, true) => self.tell("ADDED", &event.new, chunk),
            (true, false) if event.is_deletion => self.tell("DELETED", &event.new, chunk),
            (true, false) => {
                // It is no longer among the wanted: its last state that was, under the version of the change.
                let Some(old) = &event.old else { return };
                let mut last = old.value();
                map_at(&mut last, "metadata").insert("resourceVersion".to_owned(), event.version.to_string().into());
                let last = Arc::new(Stored::of(&self.wanted.place.resource(), &last, event.version));
                self.tell("DELETED", &last, chunk);
            }
            (false, false) => {}
        }
    }

    fn tell(&mut self, word: &str, object: &Arc<Stored>, chunk: &mut Vec<u8>) {
        chunk.extend_from_slice(b"{\"type\":\"");
        chunk.extend_from_slice(word.as_bytes());
        chunk.extend_from_slice(b"\",\"object\":");
        match self.shape {
            Shape::Whole => self.dress.append(object, chunk),
            Shape::Metadata => chunk.extend_from_slice(render::metadata(&object.value()).to_string().as_bytes()),
            Shape::Table => {
                let about = json!({ "resourceVersion": object.version.to_string() });
                let mut rows =
                    table::of(&self.server, &self.wanted.place, &self.query, std::slice::from_ref(object), &about);
                if self.has_columns {
                    rows["columnDefinitions"] = Value::Null;
                }
                self.has_columns = true;
                chunk.extend_from_slice(rows.to_string().as_bytes());
            }
        }
        chunk.extend_from_slice(b"}\n");
    }

    /// A bookmark: how far the watch is.
    fn mark(&self, chunk: &mut Vec<u8>, annotations: Value) {
        let kind = &self.wanted.place.kind;
        let mut metadata = json!({ "resourceVersion": self.told.to_string() });
        if annotations.as_object().is_some_and(|annotations| !annotations.is_empty()) {
            metadata["annotations"] = annotations;
        }
        let (named, version) = match self.shape {
            Shape::Whole => (kind.kind.clone(), kind.api_version()),
            Shape::Metadata => ("PartialObjectMetadata".to_owned(), "meta.k8s.io/v1".to_owned()),
            Shape::Table => ("Table".to_owned(), "meta.k8s.io/v1".to_owned()),
        };
        let event = json!({
            "type": "BOOKMARK", "object": { "kind": named, "apiVersion": version, "metadata": metadata },
        });
        chunk.extend_from_slice(format!("{event}\n").as_bytes());
    }
}
