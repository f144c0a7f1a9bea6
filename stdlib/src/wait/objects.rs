//! Waiting for objects on behalf of another part of the library: the same rules and the same engine as for scripts.
//!
//! Does not know why they are waited for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use runbook_core::world::Cluster;
use runbook_core::{Fault, World};

use super::engine::{Engine, Limits, Mode, OnDoom, Turn, Watchful};
use super::goal::{Aim, Goal, Names};
use crate::kubectl::api::{Api, Scope};
use crate::kubectl::kind::Resource;
use crate::kubectl::query::Listing;
use crate::readiness::Rule;

/// What shall be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Each is ready by the rule of its kind.
    Ready,
    /// Each is gone.
    Gone,
}

/// An object that is waited for.
pub(crate) type Wanted = (Arc<Resource>, String, String);

/// Waits until objects (kind, namespace, name) are as wished.
///
/// Faults: `RB030`, `RB031`, `RB032` with the reason of the object that is not; `RB080`.
pub(crate) async fn wait(
    world: &World,
    cluster: &Arc<Cluster>,
    objects: &[Wanted],
    wish: Wish,
    timeout: Duration,
) -> Result<(), Fault> {
    let mut places: BTreeMap<(String, String), Vec<&Wanted>> = BTreeMap::new();
    for wanted in objects {
        let kind = format!("{}/{}", wanted.0.root(), wanted.0.plural);
        places.entry((kind, wanted.1.clone())).or_default().push(wanted);
    }
    let goals: Result<Vec<_>, Fault> = places.into_values().map(|wanted| goal(cluster, &wanted, wish)).collect();
    let goals = goals?;
    if goals.is_empty() {
        return Ok(());
    }
    let limits = Limits {
        timeout,
        no_activity: timeout,
        on_doom: OnDoom::Stop,
        allow_restarts: 1,
        interval: Duration::from_secs(2),
    };
    let stop = &world.interrupt.hard;
    let mut engine = Engine::new(cluster, &world.clock, stop, limits, Mode::All, goals, Watchful::No)?;
    loop {
        if let Turn::Reached(_) = engine.turn(&|_| ()).await? {
            return Ok(());
        }
    }
}

fn goal(cluster: &Arc<Cluster>, wanted: &[&Wanted], wish: Wish) -> Result<Goal, Fault> {
    let (resource, namespace, first) = wanted[0];
    let rule = Rule::of(&resource.group, &resource.kind);
    let aim = match wish {
        Wish::Ready => Aim::Ready(rule),
        Wish::Gone => Aim::Deleted(rule),
    };
    let scope = if namespace.is_empty() { Scope::All } else { Scope::Namespace(Some(namespace.clone())) };
    let api = Api::of(cluster, resource.clone(), &scope)?;
    let (names, listing) = match wanted {
        [_] => (Names::One(first.clone()), Listing::named(first)),
        several => (Names::Several(several.iter().map(|(_, _, name)| name.clone()).collect()), Listing::default()),
    };
    let listing = Listing { objects: aim.detail(), ..listing };
    Ok(Goal { api, names, listing, aim, at_least: 1, hold: Duration::ZERO })
}
