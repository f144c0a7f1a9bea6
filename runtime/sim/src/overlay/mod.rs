//! A copy-on-write API server over a live one: reads fall through to the live cluster, writes stay here.
//!
//! Objects are read when somebody first wants to know of them, and keep their resource versions until something is planned for
//! them; lists and watches show what is live and what is planned as one. Controllers and stand-ins act on what was written here,
//! and leave everything else as it is. Not known here: scripts, and who tells of what was planned.

mod around;
mod beneath;
mod book;
mod discovery;
mod door;
mod gate;
mod judge;
mod scope;
#[cfg(test)]
mod tests;
mod write;

use std::{collections::BTreeMap, sync::Arc};

use axum::body::Body;
use http::Request;
use jiff::Timestamp;
use kube::Client;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, ServiceExt as _, util::BoxCloneSyncService};

pub(crate) use self::{
    around::{has_endpoints, surround},
    beneath::Beneath,
    gate::Aim,
};
pub use self::{
    beneath::Veil,
    book::{Change, Check, Deed, Grade, Read, Subject, Unknown, Write},
    gate::{Passage, Validation},
};
use self::{
    beneath::subject,
    book::RUN,
    door::{Asker, Door},
    gate::Gate,
    scope::Base,
};
use crate::{Listening, Service, Simulation, controller::Habits, listen::listen, server::Server, time::Clock};

/// How an overlay is laid.
pub struct Options {
    /// Where uids and generated names come from.
    pub seed: u64,
    /// What the clock shows at first.
    pub start: Timestamp,
    /// How machines behave on which planned pods run.
    pub habits: Habits,
    /// Whether the live API server judges writes.
    pub validation: Validation,
    /// Changes objects before anybody sees them; what it says about each is a note.
    pub veil: Option<Veil>,
}

/// An overlay.
pub struct Overlay {
    server: Arc<Server>,
    simulation: Simulation,
}

impl Overlay {
    /// Lays an overlay over the cluster that `live` leads to. Nothing is read before somebody asks.
    pub fn over(live: Client, options: Options) -> Self {
        let beneath = Arc::new(Beneath::new(Gate::new(live, options.validation), options.veil));
        let server = Server::over(beneath, Clock::new(options.start), options.seed, options.habits);
        Self { simulation: Simulation::of(server.clone()), server }
    }

    /// The simulated cluster that answers: its clock, its controllers, who answers its webhooks.
    pub fn simulation(&self) -> &Simulation {
        &self.simulation
    }

    /// The way in for the run's own client, as a tower service.
    pub fn service(&self) -> Service {
        let router = self.door(Asker::Run).router();
        let service = router.map_request(|request: Request<kube::client::Body>| request.map(Body::new));
        BoxCloneSyncService::new(service.map_err(BoxError::from))
    }

    /// A client for stand-ins of what acts in the cluster: what they write to objects that the run has nothing to do with is
    /// answered as if it had been written, and not kept.
    pub fn actor(&self) -> Client {
        let named = self.door(Asker::Actor).router().map_request(|mut request: Request<kube::client::Body>| {
            request.extensions_mut().insert(crate::server::onlooker::Author::Actor);
            request.map(Body::new)
        });
        Client::new(named, "default")
    }

    /// Serves the run's way in on the loopback address too, until `stop` is cancelled.
    pub async fn listen(&self, stop: CancellationToken) -> std::io::Result<Listening> {
        listen(self.door(Asker::Run).router(), stop).await
    }

    /// Completes once something is about to be written: before that, nobody acts.
    pub fn first_write(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut begun = self.beneath().begun.subscribe();
        async move {
            // The sender lives as long as the overlay.
            let _ = begun.wait_for(|begun| *begun).await;
        }
    }

    fn door(&self, asker: Asker) -> Door {
        Door { server: self.server.clone(), asker }
    }

    fn beneath(&self) -> &Beneath {
        self.server.beneath().expect("an overlay has something beneath it")
    }

    /// The run's own writes, in order.
    pub fn writes(&self) -> Vec<Write> {
        self.beneath().book.pages().writes.clone()
    }

    /// The run's own writes from `first` on: for those who tell of them as they come.
    pub fn writes_from(&self, first: usize) -> Vec<Write> {
        self.beneath().book.pages().writes.get(first..).unwrap_or_default().to_vec()
    }

    /// The writes of simulated controllers and stand-ins, in order.
    pub fn deeds(&self) -> Vec<Deed> {
        self.beneath().book.pages().deeds.clone()
    }

    /// What passed the door to the live cluster, and how often.
    pub fn requests(&self) -> Vec<(Passage, u64)> {
        self.beneath().gate.passed()
    }

    /// What was read from the live cluster, with resource versions.
    pub fn reads(&self) -> Vec<Read> {
        self.beneath().reads()
    }

    /// What could not be known.
    pub fn unknowns(&self) -> Vec<Unknown> {
        self.beneath().book.pages().unknowns.iter().cloned().collect()
    }

    /// Objects that the run wrote and on which nobody acts here, since what they would look at cannot be read: what becomes of them is not
    /// known.
    pub fn undecided(&self) -> Vec<Subject> {
        self.beneath().book.pages().undecided.iter().cloned().collect()
    }

    /// What the veil said about objects that it changed.
    pub fn notes(&self) -> Vec<(Subject, String)> {
        self.beneath().book.pages().notes.iter().cloned().collect()
    }

    /// Everything that is not as it stands in the live cluster, by resource, namespace and name.
    pub fn changes(&self) -> Vec<Change> {
        let beneath = self.beneath();
        let authors = self.authors();
        let changed = beneath.touched().into_iter().map(|place| {
            let about = subject(&place);
            let before = match beneath.base(&place) {
                Some(Base::Live(stored)) => Some(stored.value()),
                _ => None,
            };
            let after = self.server.store.get(&place.0, &about.namespace, &about.name).map(|stored| stored.value());
            let author = authors.get(&about).cloned().unwrap_or_default();
            let is_checked = author.is_checked && author.by.iter().all(|by| by == RUN);
            let grade = if is_checked { Grade::Checked } else { Grade::Simulated };
            Change { subject: about, before, after, by: author.by, grade }
        });
        // What was made and is gone again has never been.
        changed.filter(|change| change.before.is_some() || change.after.is_some()).collect()
    }

    /// How far what is said of one object can be trusted.
    pub fn grade(&self, about: &Subject) -> Grade {
        let place = place(about);
        if !self.beneath().is_touched(&place) {
            return Grade::Exact;
        }
        let author = self.authors().remove(about).unwrap_or_default();
        let is_checked = author.is_checked && author.by.iter().all(|by| by == RUN);
        if is_checked { Grade::Checked } else { Grade::Simulated }
    }

    /// Who wrote what.
    fn authors(&self) -> BTreeMap<Subject, Author> {
        let pages = self.beneath().book.pages();
        let mut authors: BTreeMap<Subject, Author> = BTreeMap::new();
        for write in pages.writes.iter().filter(|write| write.code < 300) {
            let author = authors
                .entry(write.subject.clone())
                .or_insert_with(|| Author { is_checked: true, ..Author::default() });
            author.by.insert(RUN.to_owned());
            author.is_checked &= write.check == Check::Accepted;
        }
        for deed in &pages.deeds {
            authors.entry(deed.subject.clone()).or_default().by.insert(deed.by.clone());
        }
        authors
    }
}

/// Who wrote an object, and whether the live API server accepted all that the run wrote of it.
#[derive(Clone, Default)]
struct Author {
    by: std::collections::BTreeSet<String>,
    is_checked: bool,
}

fn place(about: &Subject) -> scope::Place {
    let resource = crate::resource::GroupResource::new(&about.group, &about.resource);
    (resource, crate::store::key(&about.namespace, &about.name).into())
}
