//! A write: what it is about is made known, the live API server is asked where that is wanted, the plan takes it in, and the book
//! keeps it.
//!
//! Not known here: what the write does.

use axum::{body::Bytes, response::Response};
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::{
    around,
    beneath::subject,
    book::{Check, Deed, Write},
    door::{Asker, Door, Visit},
    judge::{self, Verdict},
    scope::{Base, Place as Spot, Scope},
};
use crate::{
    actor::{
        api::{ACTING, BECAUSE},
        json::name,
    },
    resource::{GroupResource, Resource},
    server::{Answer, body_of, media},
    store::key,
};

impl Door {
    /// Answers a write.
    pub(crate) async fn write(&self, visit: Visit<'_>) -> Result<Response, Answer> {
        let spot = self.aim(&visit);
        self.prepare(&visit, &spot).await?;
        if self.asker == Asker::Run {
            self.beneath().begun.send_replace(true);
        }
        if visit.asked.query.get("dryRun").is_some() {
            return Ok(self.inner(visit.head, &visit.asked).await);
        }
        if self.asker == Asker::Actor && !self.concerns_actors(&visit, &spot) {
            // As if it had been written: nothing of it is kept.
            let uri = visit.head.uri.to_string();
            let joint = if uri.contains('?') { '&' } else { '?' };
            let mut head = visit.head.clone();
            head.uri = format!("{uri}{joint}dryRun=All").parse().unwrap_or(head.uri);
            return Ok(self.inner(&head, &visit.asked).await);
        }
        let before = self.present(&spot);
        let verdict = match self.asker {
            Asker::Actor => Verdict::unasked("a stand-in wrote it"),
            Asker::Run => judge::judge(self, &visit, &spot).await?,
        };
        let (check, answer) = match verdict {
            Verdict::Goes(check, answer) => (check, answer),
            Verdict::Stops(code, body) => {
                self.keep(&visit, &spot, Kept { check: Check::Refused, code, before, after: None });
                return Err(Answer::bytes(code, body));
            }
        };
        let (head, body) = self.inner(visit.head, &visit.asked).await.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let after = if head.status.is_success() { self.after(&visit, &spot, &body) } else { None };
        let check = answer.map_or(check, |answer| judge::compared(self, &visit, &spot, &answer, after.as_ref()));
        if check == Check::Accepted {
            self.server.tell_accepted();
        }
        self.keep(&visit, &spot, Kept { check, code: head.status.as_u16(), before, after });
        Ok(Response::from_parts(head, body.into()))
    }

    /// The place of what is written; its key is empty where the server makes the name, or where it is a collection.
    fn aim(&self, visit: &Visit<'_>) -> Spot {
        let place = &visit.place;
        let mut named = place.name.clone();
        if named.is_empty() && visit.verb == "create" {
            let sent = body_of(media(&visit.asked.headers), &visit.asked.body).ok().flatten();
            sent.as_ref().map(name).unwrap_or_default().clone_into(&mut named);
        }
        let key = if named.is_empty() { String::new() } else { key(&place.namespace, &named) };
        (place.resource(), key.into())
    }

    async fn prepare(&self, visit: &Visit<'_>, spot: &Spot) -> Result<(), Answer> {
        let (server, place) = (&self.server, &visit.place);
        around::admission(server, if place.kind.namespaced { &place.namespace } else { "" }).await?;
        if spot.1.is_empty() {
            let query = &visit.asked.query;
            let selector = |word: &str| query.get(word).unwrap_or_default().to_owned();
            if visit.verb == "deletecollection" {
                let scope =
                    Scope::of(&place.kind, &place.namespace, &selector("labelSelector"), &selector("fieldSelector"));
                self.beneath().load(server, &place.kind, scope).await?;
            }
        } else {
            let named = subject(spot).name;
            self.beneath().load(server, &place.kind, Scope::one(&place.kind, &place.namespace, &named)).await?;
        }
        let core = |plural: &'static str| GroupResource::from(Resource::core(plural));
        if *spot.0.plural == *"pods" && spot.0.group.is_empty() {
            for needed in [core("serviceaccounts"), Resource::of("policy", "v1", "poddisruptionbudgets").into()] {
                around::all(server, &needed, &place.namespace).await?;
            }
            for needed in [core("nodes"), Resource::of("scheduling.k8s.io", "v1", "priorityclasses").into()] {
                around::all(server, &needed, "").await?;
            }
        }
        Ok(())
    }

    fn present(&self, spot: &Spot) -> Option<Value> {
        let about = subject(spot);
        self.server.store.get(&spot.0, &about.namespace, &about.name).map(|stored| stored.value())
    }

    /// The object as the write left it, before anybody reacts to it.
    fn after(&self, visit: &Visit<'_>, spot: &Spot, body: &Bytes) -> Option<Value> {
        let answer: Option<Value> = serde_json::from_slice(body).ok();
        if visit.verb == "delete" {
            return self.present(spot);
        }
        answer.filter(|answer| answer["kind"] == visit.place.kind.kind).or_else(|| self.present(spot))
    }

    fn keep(&self, visit: &Visit<'_>, spot: &Spot, kept: Kept) {
        let (asked, place) = (&visit.asked, &visit.place);
        let mut about = subject(spot);
        about.namespace.clone_from(&place.namespace);
        if let Some(after) = &kept.after {
            name(after).clone_into(&mut about.name);
        }
        let at = self.server.clock.now();
        if self.asker == Asker::Actor {
            let deed = Deed { at, by: self.writer(asked), verb: visit.verb.to_owned(), subject: about };
            if kept.code < 300 {
                self.beneath().book.pages().deeds.push(deed);
            }
            return;
        }
        self.beneath().book.pages().writes.push(Write {
            at,
            verb: visit.verb.to_owned(),
            subject: about,
            version: place.kind.version.clone(),
            kind: place.kind.kind.clone(),
            subresource: place.below.clone(),
            query: visit.head.uri.query().unwrap_or_default().to_owned(),
            media: media(&asked.headers).to_owned(),
            body: String::from_utf8_lossy(&asked.body).into_owned(),
            code: kept.code,
            before: kept.before,
            after: kept.after,
            check: kept.check,
        });
    }

    /// May a stand-in write here? Those whose own Deployment the run has written to do what the new one does, wherever that is.
    /// So do those whose deed rests on something that the run has written. The others leave alone what is live and has nothing to do with
    /// the run, and everything before the run has written at all.
    fn concerns_actors(&self, visit: &Visit<'_>, spot: &Spot) -> bool {
        let beneath = self.beneath();
        if beneath.touched().is_empty() {
            return false;
        }
        let acting = visit.asked.headers.get(ACTING).and_then(|acting| acting.to_str().ok());
        let deployments = GroupResource::new("apps", "deployments");
        if acting.is_some_and(|acting| beneath.is_touched(&(deployments, acting.into()))) {
            return true;
        }
        let because = visit.asked.headers.get(BECAUSE).and_then(|because| because.to_str().ok()).unwrap_or_default();
        if because.split(',').filter_map(cause).any(|cause| beneath.is_touched(&cause)) {
            return true;
        }
        match beneath.base(spot) {
            Some(Base::Live(_)) => self.server.concerns(spot),
            _ => true,
        }
    }
}

/// An object on which a deed rests, as a request names it.
fn cause(words: &str) -> Option<Spot> {
    let [group, resource, namespace, name] = words.split('/').collect::<Vec<_>>().try_into().ok()?;
    Some((GroupResource::new(group, resource), key(namespace, name).into()))
}

/// What came of a write.
struct Kept {
    check: Check,
    code: u16,
    before: Option<Value>,
    after: Option<Value>,
}
