//! The webhooks' front: listens where the API server calls, and hands on what it is asked.
//!
//! The API server calls a webhook at the `ClusterIP` of its Service, an address of this machine. For every Service that
//! selects istiod pods this listens on `<ClusterIP>:443`, with a certificate for the Service's name. Not known here: what the
//! answer is, or whether any istiod is there to give one.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::Service;
use kube::Client;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use runbook_sim::actor::istiod::Fleet;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::door::{self, Behind};
use crate::fault::Fault;
use crate::notice::say;
use crate::plane::Authority;

/// The port of a webhook's Service, unless its configuration says otherwise.
const PORT: u16 = 443;

/// The listeners, by namespace and name of their Service.
pub(crate) struct Front {
    client: Client,
    authority: Authority,
    fleet: Arc<Fleet>,
    doors: BTreeMap<(String, String), Door>,
}

/// One listener, closed when dropped.
struct Door {
    address: Ipv4Addr,
    _serving: AbortOnDropHandle<Infallible>,
}

impl Front {
    pub(crate) fn new(client: Client, authority: Authority, fleet: Arc<Fleet>) -> Self {
        Self { client, authority, fleet, doors: BTreeMap::new() }
    }

    /// Faults where a webhook's port may not be bound at all. `address` is one that no Service has.
    pub(crate) fn try_port(address: Ipv4Addr) -> Result<(), Fault> {
        let address = SocketAddr::from((address, PORT));
        std::net::TcpListener::bind(address)
            .map(drop)
            .map_err(|source| Fault::Port { address: address.to_string(), source })
    }

    /// Keeps the listeners as the Services are, until told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let following = async {
            loop {
                if let Err(error) = self.follow().await {
                    tracing::debug!(%error, "the Services are listed again");
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::select! { () = stop.cancelled() => {}, () = following => {} }
    }

    /// One list and one watch, until the watch ends.
    async fn follow(&mut self) -> Result<(), kube::Error> {
        let services: Api<Service> = Api::all(self.client.clone());
        let list = services.list(&ListParams::default()).await?;
        let from = list.metadata.resource_version.clone().unwrap_or_default();
        let there: Vec<_> = list.iter().map(key).collect();
        self.doors.retain(|key, _| there.contains(key));
        for service in &list {
            self.follow_one(service).await;
        }
        let mut events = Box::pin(services.watch(&WatchParams::default(), &from).await?);
        while let Some(event) = events.try_next().await? {
            match event {
                WatchEvent::Added(service) | WatchEvent::Modified(service) => self.follow_one(&service).await,
                WatchEvent::Deleted(service) => drop(self.doors.remove(&key(&service))),
                WatchEvent::Bookmark(_) => {}
                WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
            }
        }
        Ok(())
    }

    async fn follow_one(&mut self, service: &Service) {
        let key = key(service);
        let Some(address) = webhook_address(service) else {
            self.doors.remove(&key);
            return;
        };
        if self.doors.get(&key).is_some_and(|door| door.address == address) {
            return;
        }
        match self.open(&key, address).await {
            Ok(door) => drop(self.doors.insert(key, door)),
            Err(fault) => say(&fault.to_string()),
        }
    }

    async fn open(&self, (namespace, name): &(String, String), address: Ipv4Addr) -> Result<Door, Fault> {
        let names = ["", ".cluster.local"].map(|suffix| format!("{name}.{namespace}.svc{suffix}"));
        let tls = door::tls(&self.authority.serving(&names)?)?;
        let listener = bind(SocketAddr::from((address, PORT))).await?;
        let behind = Behind { fleet: Arc::clone(&self.fleet), namespace: namespace.clone(), service: name.clone() };
        let serving = tokio::spawn(door::serve(listener, tls, Arc::new(behind)));
        Ok(Door { address, _serving: AbortOnDropHandle::new(serving) })
    }
}

/// Binds an address that whoever had it before may be about to leave.
async fn bind(address: SocketAddr) -> Result<TcpListener, Fault> {
    let mut attempts = 0;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && attempts < 50 => attempts += 1,
            Err(source) => return Err(Fault::Port { address: address.to_string(), source }),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn key(service: &Service) -> (String, String) {
    let of = |field: &Option<String>| field.clone().unwrap_or_default();
    (of(&service.metadata.namespace), of(&service.metadata.name))
}

/// The loopback address at which a Service of istiod is called. A Service selects pods of any istiod if it asks for
/// `app: istiod`: that is how all charts and tags write it.
fn webhook_address(service: &Service) -> Option<Ipv4Addr> {
    let spec = service.spec.as_ref()?;
    let selects = spec.selector.as_ref()?.get("app").is_some_and(|app| app == "istiod");
    let serves = spec.ports.iter().flatten().any(|port| port.port == i32::from(PORT));
    let address: Ipv4Addr = spec.cluster_ip.as_ref()?.parse().ok()?;
    (selects && serves && address.is_loopback()).then_some(address)
}
