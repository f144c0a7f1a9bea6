//! The clusters a run may talk to, connected when first used.
//!
//! Does not know how a connection is made, nor limits and retries: a client arrives with all of that in it.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use crate::fault::Fault;

/// A connected cluster.
#[derive(Clone)]
pub struct Cluster {
    /// The client, over TLS or over a simulation.
    pub client: kube::Client,
    /// Name of the kubeconfig context.
    pub context: String,
    /// URL of the API server.
    pub server: String,
    /// The namespace where none is named.
    pub namespace: String,
    /// What the run has learnt about it.
    pub memory: Memory,
}

/// What a run has learnt about a cluster, such as its kinds: one value per type, private to whoever owns the type.
#[derive(Clone, Default)]
pub struct Memory {
    known: Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>,
}

impl Memory {
    /// The value of that type, made empty where there is none yet.
    pub fn of<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut known = self.known.lock().expect("no thread panics while it holds this lock");
        let value = known.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        value.clone().downcast().expect("each value is kept under its own type")
    }
}

/// Makes a connection: to the context of that name, or to the run's own.
pub type Connect = Box<dyn Fn(Option<&str>) -> Result<Cluster, Fault> + Send + Sync>;

/// The clusters a run may talk to.
pub struct Clusters {
    connect: Connect,
    connected: Mutex<BTreeMap<Option<String>, Arc<Cluster>>>,
}

impl Clusters {
    /// Nothing is connected yet.
    pub fn new(connect: Connect) -> Self {
        Self { connect, connected: Mutex::default() }
    }

    /// The cluster of a context, or the run's own.
    ///
    /// Faults: `RB020` where no kubeconfig or no such context is found.
    pub fn get(&self, context: Option<&str>) -> Result<Arc<Cluster>, Fault> {
        let mut connected = self.connected.lock().expect("no thread panics while it holds this lock");
        let key = context.map(str::to_owned);
        if let Some(cluster) = connected.get(&key) {
            return Ok(cluster.clone());
        }
        let cluster = Arc::new((self.connect)(context)?);
        connected.insert(key, cluster.clone());
        Ok(cluster)
    }
}
