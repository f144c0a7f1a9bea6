//! One simulated cluster, as those who start it hold it.
//!
//! Not known here: what it is good for.

use std::sync::Arc;

use axum::{Router, body::Body};
use http::{Request, Response};
use jiff::Timestamp;
use kube::Client;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, ServiceExt as _, util::BoxCloneSyncService};

use crate::{
    admission::Answerer,
    audit::Witness,
    controller::{ALL, Habits, Hand},
    listen::{Listening, listen},
    scenario::Trouble,
    server::{
        Server,
        onlooker::{Author, Onlooker},
    },
    time::Clock,
};

/// A way to a simulated API server.
pub type Service = BoxCloneSyncService<Request<kube::client::Body>, Response<Body>, BoxError>;

/// What a simulated cluster begins with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where uids and generated names come from: the same seed, the same names.
    pub seed: u64,
    /// What its clock shows at first.
    pub start: Timestamp,
    /// How its machines behave.
    pub habits: Habits,
}

impl Default for Options {
    fn default() -> Self {
        let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
        Self { seed: 1, start, habits: Habits::default() }
    }
}

/// A simulated cluster.
pub struct Simulation {
    server: Arc<Server>,
}

impl Simulation {
    /// A cluster that answers. Its controllers rest until [`Simulation::run`].
    pub fn new(options: Options) -> Self {
        let clock = Clock::new(options.start);
        Self { server: Server::new(clock, options.seed, options.habits) }
    }

    /// The cluster that a server makes up.
    pub(crate) fn of(server: Arc<Server>) -> Self {
        Self { server }
    }

    #[cfg(test)]
    pub(crate) fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// A client whose requests do not leave the process, for what lives in the cluster.
    pub fn client(&self) -> Client {
        let named = self.router().map_request(|mut request: Request<kube::client::Body>| {
            request.extensions_mut().insert(Author::Actor);
            request.map(Body::new)
        });
        Client::new(named, "default")
    }

    /// The API server, as a tower service for `kube::Client` and whatever lies between.
    pub fn service(&self) -> Service {
        let service = self.router().map_request(|request: Request<kube::client::Body>| request.map(Body::new));
        BoxCloneSyncService::new(service.map_err(BoxError::from))
    }

    /// The API server, as a router.
    pub fn router(&self) -> Router {
        self.server.router()
    }

    /// The clock that everything in the cluster goes by.
    pub fn clock(&self) -> &Clock {
        &self.server.clock
    }

    /// Has webhooks answered by `answerer` from now on.
    pub fn set_answerer(&self, answerer: Answerer) {
        self.server.set_answerer(answerer);
    }

    /// Forgets what happened so far, as etcd's compaction does: watches and pages from before are answered with 410.
    pub fn compact(&self) {
        self.server.store.compact();
    }

    /// Changes how machines behave from now on.
    pub fn set_habits(&self, habits: Habits) {
        self.server.set_habits(habits);
    }

    /// Has `onlooker` told of requests and changes from now on.
    pub fn set_onlooker(&self, onlooker: Arc<dyn Onlooker>) {
        self.server.set_onlooker(onlooker);
    }

    /// Lets things go wrong with requests from now on.
    pub fn set_troubles(&self, troubles: Vec<Trouble>) {
        self.server.set_troubles(troubles);
    }

    /// Tells `witness` of every request for a resource from now on, once it is answered.
    pub fn set_witness(&self, witness: Witness) {
        self.server.set_witness(witness);
    }

    /// Every object as it is now, with its uid, owners and status: what [`Simulation::restore`] takes.
    pub fn objects(&self) -> Vec<Value> {
        self.server.everything()
    }

    /// Puts objects in their places exactly as they were kept: nothing is completed, checked or asked about. For before
    /// [`Simulation::run`]; an error names the object that has no place.
    pub fn restore(&self, objects: Vec<Value>) -> Result<(), String> {
        self.server.restore(objects)
    }

    /// Serves the API server on the loopback address too, until `stop` is cancelled.
    pub async fn listen(&self, stop: CancellationToken) -> std::io::Result<Listening> {
        listen(self.router(), stop).await
    }

    /// Lets the controllers act until `stop` is cancelled.
    pub fn run(&self, stop: CancellationToken) -> impl Future<Output = ()> + Send + use<> {
        let server = self.server.clone();
        async move {
            let hand = Hand::new(server.clone(), "kube-controller-manager");
            tokio::select! {
                () = stop.cancelled() => {}
                () = server.queue.work(&hand, ALL, &server.clock) => {}
            }
        }
    }
}
