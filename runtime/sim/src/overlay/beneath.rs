//! The live cluster beneath an overlay: read page by page when somebody first wants to know, and never twice.
//!
//! What was read lies in the store as it stands in the live cluster, resource versions included. Not known here: who wants to know,
//! and what is written above.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    book::{Book, Deed, Read, Subject},
    gate::{Gate, Shut},
    scope::{Base, Known, Place, Scope},
};
use crate::{
    actor::{api::escaped, json::text},
    kind::Kind,
    resource::GroupResource,
    server::{Answer, Server, arrange},
    status::Status,
    store::{Event, Stored, key},
};

/// How many objects one page of a list holds.
const PAGE: u32 = 500;
/// How often a list is begun anew whose pages became too old while it was read.
const RESTARTS: u32 = 3;
const JSON: &str = "application/json";
const DEFINITIONS: (&str, &str) = ("apiextensions.k8s.io", "customresourcedefinitions");

/// Why something of the live cluster is not known.
#[derive(Clone, Debug)]
pub(crate) enum Miss {
    /// The live API server says no, in these words.
    Refused { code: u16, body: Bytes },
    /// It does not answer.
    Lost(String),
}

impl From<Miss> for Answer {
    fn from(miss: Miss) -> Self {
        match miss {
            Miss::Refused { code, body } if body.starts_with(b"{") => Self::bytes(code, body),
            Miss::Refused { code, body } => {
                let mut answer = Self::bytes(code, body);
                answer.media = "text/plain; charset=utf-8";
                answer
            }
            Miss::Lost(why) => {
                Status::other(503, "ServiceUnavailable", format!("the live cluster cannot be read: {why}")).into()
            }
        }
    }
}

impl Miss {
    /// In words, for a note.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Refused { code, body } => {
                let said = serde_json::from_slice::<Value>(body).ok();
                let message = said.as_ref().and_then(|said| said["message"].as_str());
                message.map_or_else(|| format!("the live API server answers {code}"), str::to_owned)
            }
            Self::Lost(why) => format!("the live cluster cannot be read: {why}"),
        }
    }
}

impl From<Shut> for Miss {
    fn from(shut: Shut) -> Self {
        match shut {
            Shut::Refused(why) | Shut::Lost(why) => Self::Lost(why),
        }
    }
}

/// Changes an object before anybody sees it, and says why.
pub type Veil = Arc<dyn Fn(&Subject, &mut Value) -> Option<String> + Send + Sync>;

/// The live cluster.
pub(crate) struct Beneath {
    pub(crate) gate: Gate,
    pub(crate) book: Book,
    /// Is anything written?
    pub(crate) begun: tokio::sync::watch::Sender<bool>,
    veil: Option<Veil>,
    known: Mutex<Known>,
    touched: Mutex<HashSet<Place>>,
    turns: Mutex<HashMap<GroupResource, Arc<tokio::sync::Mutex<()>>>>,
}

impl Beneath {
    pub(crate) fn new(gate: Gate, veil: Option<Veil>) -> Self {
        let (known, touched, turns) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { gate, book: Book::default(), begun: tokio::sync::watch::Sender::new(false), veil, known, touched, turns }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in that something happened to an object. Cheap: it is called while the store is locked.
    pub(crate) fn touch(&self, resource: &GroupResource, event: &Event) {
        let place = (resource.clone(), event.new.key().into());
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
    }

    /// Has anything been written to it?
    pub(crate) fn is_touched(&self, place: &Place) -> bool {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).contains(place)
    }

    /// Everything that anything has been written to.
    pub(crate) fn touched(&self) -> Vec<Place> {
        let mut touched: Vec<_> = self.touched.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        touched.sort();
        touched
    }

    /// What the live cluster has at a place; none where nobody has asked.
    pub(crate) fn base(&self, place: &Place) -> Option<Base> {
        self.known().bases.get(place).cloned()
    }

    /// Is it an object of the live cluster that nothing has been written to?
    pub(crate) fn is_as_live(&self, place: &Place) -> bool {
        matches!(self.base(place), Some(Base::Live(_))) && !self.is_touched(place)
    }

    /// Everything that was asked for by name or found in a list.
    pub(crate) fn reads(&self) -> Vec<Read> {
        let known = self.known();
        let mut reads: Vec<Read> = known
            .bases
            .iter()
            .map(|(place, base)| Read {
                subject: subject(place),
                version: match base {
                    Base::Live(stored) => Some(stored.version.to_string()),
                    Base::Absent => None,
                },
            })
            .collect();
        drop(known);
        reads.sort();
        reads
    }

    /// Writes down what a simulated controller did.
    pub(crate) fn note(&self, at: Timestamp, by: &str, verb: &str, place: &Place) {
        let (by, verb) = (by.to_owned(), verb.to_owned());
        self.book.pages().deeds.push(Deed { at, by, verb, subject: subject(place) });
    }

    /// Writes down that nobody acts on a change, so that what comes of it cannot be known.
    pub(crate) fn undecided(&self, place: &Place, because: String) {
        self.book.unknown(format!("what comes of the change of {} {}", place.0.words(), place.1), because);
        self.book.pages().undecided.insert(subject(place));
    }

    /// Sees to it that a part of a collection is known.
    pub(crate) async fn load(&self, server: &Server, kind: &Kind, scope: Scope) -> Result<(), Miss> {
        if let Some(known) = self.known().of(&scope, kind) {
            return known;
        }
        let turn = self.turn(&scope.resource);
        let _turn = turn.lock().await;
        // Whoever had the turn before may have asked for the same.
        if let Some(known) = self.known().of(&scope, kind) {
            return known;
        }
        let outcome = match scope.name() {
            Some(name) if !kind.namespaced || !scope.namespace.is_empty() => {
                self.fetch_one(server, kind, &scope.namespace, name).await
            }
            _ => self.fetch_all(server, kind, &scope).await,
        };
        self.known().settle(scope, &outcome);
        outcome
    }

    fn turn(&self, resource: &GroupResource) -> Arc<tokio::sync::Mutex<()>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(resource.clone()).or_default().clone()
    }

    async fn fetch_one(&self, server: &Server, kind: &Kind, namespace: &str, name: &str) -> Result<(), Miss> {
        let reply = self.gate.read(&path(kind, namespace, name), JSON).await?;
        match reply.code {
            200 => {
                self.lay(server, kind, &self.kept(kind, parsed(&reply.body)?));
                Ok(())
            }
            404 if reply.body.starts_with(b"{") => {
                let place = (GroupResource::new(&kind.group, &kind.plural), key(namespace, name).into());
                self.known().bases.entry(place).or_insert(Base::Absent);
                Ok(())
            }
            code => Err(Miss::Refused { code, body: reply.body }),
        }
    }

    /// Reads all pages, and begins anew where the live server has forgotten the moment that they show.
    async fn fetch_all(&self, server: &Server, kind: &Kind, scope: &Scope) -> Result<(), Miss> {
        let mut restarts = 0;
        loop {
            match self.pages(kind, scope).await {
                Err(Miss::Refused { code: 410, .. }) if restarts < RESTARTS => restarts += 1,
                Err(miss) => return Err(miss),
                Ok(objects) => {
                    for object in &objects {
                        self.lay(server, kind, object);
                    }
                    return Ok(());
                }
            }
        }
    }

    async fn pages(&self, kind: &Kind, scope: &Scope) -> Result<Vec<Arc<Stored>>, Miss> {
        let mut objects = Vec::new();
        let mut more = String::new();
        loop {
            let mut uri = format!("{}?limit={PAGE}", path(kind, &scope.namespace, ""));
            for (word, text) in
                [("labelSelector", &*scope.labels), ("fieldSelector", &*scope.fields), ("continue", &more)]
            {
                if !text.is_empty() {
                    uri = format!("{uri}&{word}={}", escaped(text));
                }
            }
            let reply = self.gate.read(&uri, JSON).await?;
            if reply.code != 200 {
                return Err(Miss::Refused { code: reply.code, body: reply.body });
            }
            let mut page = parsed(&reply.body)?;
            if let Value::Array(items) = page["items"].take() {
                objects.extend(items.into_iter().map(|item| self.kept(kind, item)));
            }
            text(&page, "/metadata/continue").clone_into(&mut more);
            if more.is_empty() {
                return Ok(objects);
            }
        }
    }

    /// An object as it is kept.
    fn kept(&self, kind: &Kind, object: Value) -> Arc<Stored> {
        let mut object = arrange(&kind.kind, &kind.api_version(), object);
        let resource = GroupResource::new(&kind.group, &kind.plural);
        let version = text(&object, "/metadata/resourceVersion").parse().unwrap_or(0);
        if let Some(veil) = &self.veil {
            let named = key(text(&object, "/metadata/namespace"), text(&object, "/metadata/name"));
            let about = subject(&(resource.clone(), named.into()));
            if let Some(note) = veil(&about, &mut object) {
                self.book.pages().notes.insert((about, note));
            }
        }
        Arc::new(Stored::of(&resource, &object, version))
    }

    /// Lays an object into the store, unless something is known of its place already: then what was first read stays.
    fn lay(&self, server: &Server, kind: &Kind, object: &Arc<Stored>) {
        let resource = GroupResource::new(&kind.group, &kind.plural);
        let place: Place = (resource.clone(), object.key().into());
        if let Some(known) = self.base(&place) {
            if !matches!(&known, Base::Live(before) if before.version == object.version) {
                let what = format!("{} {}", resource.words(), place.1);
                self.book.unknown(what, "it was changed in the live cluster while the dry run read it");
            }
            return;
        }
        self.known().bases.insert(place, Base::Live(object.clone()));
        server.store.lay(&resource, object);
        if (kind.group.as_str(), kind.plural.as_str()) == DEFINITIONS {
            server.take_in(&object.value());
        }
    }
}

/// The name of the object at a place.
pub(crate) fn subject((resource, key): &Place) -> Subject {
    let (namespace, name) = key.split_once('/').unwrap_or(("", key));
    Subject {
        group: resource.group.to_string(),
        resource: resource.plural.to_string(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn parsed(body: &Bytes) -> Result<Value, Miss> {
    serde_json::from_slice(body).map_err(|why| Miss::Lost(format!("the answer is no JSON: {why}")))
}

fn path(kind: &Kind, namespace: &str, name: &str) -> String {
    let mut path = format!("/{}", kind.root());
    if !namespace.is_empty() && kind.namespaced {
        path = format!("{path}/namespaces/{namespace}");
    }
    path = format!("{path}/{}", kind.plural);
    if name.is_empty() { path } else { format!("{path}/{}", escaped(name)) }
}
