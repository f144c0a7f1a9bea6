//! Who is told what is asked of the API server and what changes in it, each with who was behind it.
//!
//! Not known here: what is made of it. An onlooker must not ask the server while it is told.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::{Server, path::Place};
use crate::{kind::Kind, overlay::Aim, store::Stored};

/// Who is behind a request or a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// A client: whoever came in by the service or the listener.
    Client,
    /// A stand-in for something that lives in the cluster and acts over the API.
    Actor,
    /// A controller of the cluster itself.
    Controller,
}

tokio::task_local! {
    /// Who is behind the request in hand; nobody's request is a controller's doing.
    static AUTHOR: Author;
}

/// A resource, as discovery names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The group; empty for the core one.
    pub group: String,
    /// The version that it was asked in.
    pub version: String,
    /// The plural, such as `deployments`.
    pub plural: String,
    /// The kind, such as `Deployment`.
    pub kind: String,
    /// Empty for what lies in no namespace, and for a collection over all of them.
    pub namespace: String,
    /// Empty for a collection.
    pub name: String,
}

/// A request that is about a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Who asks.
    pub author: Author,
    /// The verb, as access rules name it: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// What about.
    pub subject: Subject,
    /// The subresource, such as `status`; empty for the object itself.
    pub subresource: String,
    /// Whether whatever it is about lies in namespaces.
    pub scope: Scope,
}

impl Asking {
    /// Whether it is meant to change something. A review is a question.
    pub fn is_write(&self) -> bool {
        crate::audit::changes(&self.verb, &self.subject.group)
    }
}

/// Whether objects of a kind lie in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// They do.
    Namespaced,
    /// They do not.
    Cluster,
}

/// A change that was kept.
#[derive(Clone, Debug)]
pub struct Change {
    /// Who made it.
    pub author: Author,
    /// When, by the cluster's clock.
    pub at: Timestamp,
    /// Of what.
    pub subject: Subject,
    before: Option<Arc<Stored>>,
    after: Option<Arc<Stored>>,
}

impl Change {
    /// The object before; `None` where it was not there.
    pub fn before(&self) -> Option<Value> {
        self.before.as_deref().map(Stored::value)
    }

    /// Whether the object is gone.
    pub fn is_deletion(&self) -> bool {
        self.after.is_none()
    }

    /// The object after; `None` where it is gone.
    pub fn after(&self) -> Option<Value> {
        self.after.as_deref().map(Stored::value)
    }
}

/// Who is told.
pub trait Onlooker: Send + Sync {
    /// Something is asked, before it is answered.
    fn asked(&self, asking: Asking);

    /// Something has changed.
    fn changed(&self, change: Change);

    /// It is asked whether this would be allowed.
    fn reviewed(&self, asking: Asking) {
        drop(asking);
    }

    /// A live API server has said of a client's write that it accepts it and makes the same of it.
    fn accepted(&self) {}
}

/// Lets a request be answered in the name of whoever is behind it.
pub(super) async fn in_the_name_of<T>(author: Author, request: impl Future<Output = T>) -> T {
    AUTHOR.scope(author, request).await
}

pub(super) fn author() -> Author {
    AUTHOR.try_with(|author| *author).unwrap_or(Author::Controller)
}

fn subject(kind: &Kind, namespace: &str, name: &str) -> Subject {
    Subject {
        group: kind.group.clone(),
        version: kind.version.clone(),
        plural: kind.plural.clone(),
        kind: kind.kind.clone(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

impl Server {
    /// Tells the onlooker that something is asked.
    pub(super) fn tell_asked(&self, verb: &'static str, place: &Place) {
        let Some(onlooker) = self.onlooker() else { return };
        onlooker.asked(Asking {
            author: author(),
            verb: verb.to_owned(),
            subject: subject(&place.kind, &place.namespace, &place.name),
            subresource: place.below.clone(),
            scope: if place.kind.namespaced { Scope::Namespaced } else { Scope::Cluster },
        });
    }

    /// Tells the onlooker of a read that is not answered here, but handed on.
    pub(crate) fn tell_passed(&self, verb: &str, aim: Aim) {
        let Some(onlooker) = self.onlooker() else { return };
        let scope = if aim.namespace.is_empty() { Scope::Cluster } else { Scope::Namespaced };
        let Aim { group, version, namespace, plural, name, below } = aim;
        let subject = Subject { group, version, plural, kind: String::new(), namespace, name };
        onlooker.asked(Asking { author: Author::Client, verb: verb.to_owned(), subject, subresource: below, scope });
    }

    /// Tells the onlooker what a review asks about.
    pub(crate) fn tell_reviewed(&self, author: Author, review: &Value) {
        let (Some(onlooker), attributes) = (self.onlooker(), &review["spec"]["resourceAttributes"]) else { return };
        if !attributes.is_object() {
            return;
        }
        let of = |field: &str| attributes[field].as_str().unwrap_or_default().to_owned();
        let (group, plural) = (of("group"), of("resource"));
        let kind = self.catalogue().versions(&group, &plural).into_iter().next();
        let namespaced = kind.as_ref().map_or_else(|| !of("namespace").is_empty(), |kind| kind.namespaced);
        onlooker.reviewed(Asking {
            author,
            verb: of("verb"),
            subject: Subject {
                version: of("version"),
                kind: kind.map(|kind| kind.kind.clone()).unwrap_or_default(),
                namespace: of("namespace"),
                name: of("name"),
                group,
                plural,
            },
            subresource: of("subresource"),
            scope: if namespaced { Scope::Namespaced } else { Scope::Cluster },
        });
    }

    /// Tells the onlooker that a live API server accepts a write.
    pub(crate) fn tell_accepted(&self) {
        if let Some(onlooker) = self.onlooker() {
            onlooker.accepted();
        }
    }

    /// Tells the onlooker that something has changed.
    pub(super) fn tell_changed(&self, kind: &Kind, before: Option<Arc<Stored>>, after: Option<Arc<Stored>>) {
        let (Some(onlooker), Some(one)) = (self.onlooker(), after.as_ref().or(before.as_ref())) else { return };
        let subject = subject(kind, one.namespace(), one.name());
        onlooker.changed(Change { author: author(), at: self.clock.now(), subject, before, after });
    }
}
