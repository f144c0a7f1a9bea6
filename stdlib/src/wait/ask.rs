//! What a script asks to wait for, and the goal that it means on a cluster.
//!
//! Does not know primitives: each fills one of these, and so does each entry of `wait::all` and `wait::any`.

use std::sync::Arc;
use std::time::Duration;

use runbook_core::world::Cluster;
use runbook_core::{Args, Code, Fault, Value};

use super::goal::{Aim, Goal, Names};
use super::option;
use crate::kubectl::api::{Api, Scope};
use crate::kubectl::kind;
use crate::kubectl::query::Listing;
use crate::path::Path;
use crate::readiness::Rule;
use crate::readiness::webhook::Asked;

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// Kind, by any name.
    pub(super) kind: String,
    /// Which objects.
    pub(super) names: Names,
    /// Where.
    pub(super) place: Place,
    /// What must hold of each.
    pub(super) what: What,
    /// How many there must be.
    pub(super) at_least: Option<i64>,
    /// For how long it must hold.
    pub(super) hold: Duration,
}

/// Where objects are, and which of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) namespace: Option<String>,
    pub(super) all_namespaces: bool,
    pub(super) selector: Option<String>,
    pub(super) field_selector: Option<String>,
}

/// What must hold.
#[derive(Debug, Clone)]
pub(super) enum What {
    Ready,
    Rollout,
    Exists,
    Deleted,
    Condition { kind: String, status: String },
    Field { path: String, expected: Value },
    Endpoints(i64),
    Crd(Vec<String>),
    Webhook(Asked),
}

impl Place {
    /// As the options of a call say it, of whatever it declares of them.
    pub(super) fn of(args: &Args) -> Self {
        Self {
            namespace: args.get(&option::NAMESPACE),
            all_namespaces: args.get(&option::ALL_NAMESPACES) == Some(true),
            selector: args.get(&option::SELECTOR),
            field_selector: args.get(&option::FIELD_SELECTOR),
        }
    }

    fn scope(&self) -> Result<Scope, Fault> {
        match (self.all_namespaces, &self.namespace) {
            (true, Some(_)) => {
                Err(Fault::new(Code::WrongArgument, "`namespace` and `all_namespaces` contradict each other"))
            }
            (true, None) => Ok(Scope::All),
            (false, namespace) => Ok(Scope::Namespace(namespace.clone())),
        }
    }
}

impl Ask {
    /// One object.
    pub(super) fn one(kind: &str, name: String, place: Place, what: What) -> Self {
        Self { kind: kind.to_owned(), names: Names::One(name), place, what, at_least: None, hold: Duration::ZERO }
    }

    /// What a call of `kind`, `name` and the shared options asks for.
    pub(super) fn of(args: &Args, what: What) -> Self {
        Self {
            kind: args.get(&option::KIND),
            names: args.get(&option::NAMES),
            place: Place::of(args),
            what,
            at_least: args.get(&option::AT_LEAST),
            hold: Duration::ZERO,
        }
    }

    /// The goal on a cluster.
    ///
    /// Faults: `RB022` where it has no such kind, `RB015` where what is asked makes no sense together.
    pub(super) async fn goal(&self, cluster: &Arc<Cluster>) -> Result<Goal, Fault> {
        let resource = kind::resolve(cluster, &self.kind).await?;
        let rule = Rule::of(&resource.group, &resource.kind);
        let aim = self.aim(rule)?;
        let one = matches!(self.names, Names::One(_) | Names::Several(_));
        if one && (self.place.selector.is_some() || self.place.field_selector.is_some()) {
            return Err(contradiction("a name and a selector", "give `\"*\"` as the name to select by labels"));
        }
        if one && self.place.all_namespaces && resource.namespaced {
            return Err(contradiction("a name and `all_namespaces`", "say in which `namespace` it is"));
        }
        let api = Api::of(cluster, resource, &self.place.scope()?)?;
        let listing = match &self.names {
            Names::One(name) => Listing::named(name),
            _ => Listing {
                selector: self.place.selector.clone(),
                field_selector: self.place.field_selector.clone(),
                ..Listing::default()
            },
        };
        let listing = Listing { objects: aim.detail(), ..listing };
        Ok(Goal { api, names: self.names.clone(), listing, aim, at_least: self.at_least()?, hold: self.hold })
    }

    fn at_least(&self) -> Result<usize, Fault> {
        usize::try_from(self.at_least.unwrap_or(1))
            .map_err(|_| Fault::new(Code::WrongArgument, "`at_least` is negative"))
    }

    fn aim(&self, rule: Rule) -> Result<Aim, Fault> {
        let kind = &self.kind;
        Ok(match &self.what {
            What::Ready => Aim::Ready(rule),
            What::Rollout if rule.rolls_out() => Aim::Ready(rule),
            What::Rollout => {
                return Err(Fault::new(Code::WrongArgument, format!("`{kind}` is nothing that rolls out"))
                    .hint("deployments, daemonsets and statefulsets do; `wait::ready` takes any kind"));
            }
            What::Exists => Aim::Exists,
            What::Deleted => Aim::Deleted(rule),
            What::Condition { kind, status } => Aim::Condition { kind: kind.clone(), status: status.clone() },
            What::Field { path, expected } => {
                let path = Path::parse(path).map_err(|reason| Fault::new(Code::WrongArgument, reason))?;
                Aim::Field { path, expected: expected.clone() }
            }
            What::Endpoints(at_least) => Aim::Endpoints(
                usize::try_from(*at_least).map_err(|_| Fault::new(Code::WrongArgument, "`at_least` is negative"))?,
            ),
            What::Crd(versions) => Aim::Crd(versions.clone()),
            What::Webhook(asked) if rule == Rule::Webhook => Aim::Webhook(asked.clone()),
            What::Webhook(_) => {
                return Err(Fault::new(Code::WrongArgument, format!("`{kind}` is no webhook configuration"))
                    .hint("`mutatingwebhookconfiguration` and `validatingwebhookconfiguration` are"));
            }
        })
    }
}

fn contradiction(what: &str, hint: &str) -> Fault {
    Fault::new(Code::WrongArgument, format!("{what} contradict each other")).hint(hint)
}
