//! The stand-in of Istio's control plane, at work on a control plane.
//!
//! What it does is in `runbook_sim`, and the same in a simulation; here it gets a client, a clock, and webhooks that the API
//! server can reach.

mod clock;
mod door;
mod front;

use std::sync::Arc;

use runbook_sim::actor::istiod::Fleet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::fault::Fault;
use crate::plane::{ControlPlane, Identity};
use clock::RealClock;
use front::Front;

/// What istiod calls itself; also the field manager of its updates.
const AGENT: &str = "pilot-discovery";

/// Stands in for every istiod that is installed, now or later. Ends when dropped, as if all of them had died: what they
/// wrote stays, and their webhooks do not answer.
pub struct StandIn {
    _running: DropGuard,
}

impl StandIn {
    /// Starts it; a fault if the ports of webhooks may not be bound. Binding them needs root or its like.
    pub fn start(plane: &ControlPlane) -> Result<Self, Fault> {
        let client = plane.client_as(Identity::StandIn, AGENT)?;
        let authority = plane.mesh()?;
        let fleet = Arc::new(Fleet::new(client.clone(), authority.pem().to_owned(), Arc::new(RealClock)));
        let front = Front::new(client, authority, Arc::clone(&fleet));
        Front::try_port(plane.spare_address())?;
        let stop = CancellationToken::new();
        plane.runtime().spawn(front.run(stop.clone()));
        let running = stop.clone();
        plane.runtime().spawn(async move { fleet.run(running).await });
        Ok(Self { _running: stop.drop_guard() })
    }
}
