//! Discovery and schemas: as the live API server tells them, but for the groups of kinds that the plan makes or takes away.
//!
//! Not known here: how the live cluster is read, and what a kind is.

use std::collections::BTreeSet;

use axum::response::Response;
use http::{Method, header, request::Parts};
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::{around, door::Door};
use crate::{
    resource::{GroupResource, Resource},
    server::{Answer, Asked},
};

const DEFINITIONS: Resource = Resource::of("apiextensions.k8s.io", "v1", "customresourcedefinitions");

impl Door {
    /// Answers what is asked beside objects.
    pub(super) async fn beside(&self, head: &Parts, asked: Asked) -> Result<Response, Answer> {
        let planned = self.planned_groups();
        if planned.is_empty() || !matches!(head.method, Method::GET | Method::HEAD) {
            return self.through(head, asked).await;
        }
        let words: Vec<&str> = head.uri.path().split('/').filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            ["apis"] | ["openapi", "v3"] => {
                // Which kinds a group has besides the planned ones, its definitions say.
                around::all(&self.server, &DEFINITIONS.into(), "").await?;
                self.merged(&planned, head, asked).await
            }
            ["apis", group, ..] | ["openapi", "v3", "apis", group, ..] if planned.contains(*group) => {
                around::all(&self.server, &DEFINITIONS.into(), "").await?;
                Ok(self.inner(head, &asked).await)
            }
            _ => self.through(head, asked).await,
        }
    }

    /// The groups of definitions that something has been written to.
    fn planned_groups(&self) -> BTreeSet<String> {
        let definitions = GroupResource::from(DEFINITIONS);
        let touched = self.beneath().touched().into_iter().filter(|(resource, _)| *resource == definitions);
        touched.filter_map(|(_, name)| Some(name.split_once('.')?.1.to_owned())).collect()
    }

    /// The live API server's groups, with the planned ones in the place of its own.
    async fn merged(&self, planned: &BTreeSet<String>, head: &Parts, asked: Asked) -> Result<Response, Answer> {
        let ours = json(self.inner(head, &asked).await).await;
        let live = self.through(head, asked).await?;
        let media = live.headers().get(header::CONTENT_TYPE).cloned();
        let mut live = json(live).await;
        for list in ["items", "groups"] {
            let Some(groups) = live.get_mut(list).and_then(Value::as_array_mut) else { continue };
            let is_planned = |group: &Value| named(group).is_some_and(|name| planned.contains(name));
            groups.retain(|group| !is_planned(group));
            groups.extend(ours[list].as_array().into_iter().flatten().filter(|group| is_planned(group)).cloned());
        }
        if let Some(paths) = live.get_mut("paths").and_then(Value::as_object_mut) {
            let is_planned = |path: &str| path.split('/').nth(1).is_some_and(|group| planned.contains(group));
            paths.retain(|path, _| !is_planned(path));
            let more = ours["paths"].as_object().into_iter().flatten().filter(|(path, _)| is_planned(path));
            paths.extend(more.map(|(path, entry)| (path.clone(), entry.clone())));
        }
        let mut response = Answer::of(200, &live).response();
        if let Some(media) = media {
            response.headers_mut().insert(header::CONTENT_TYPE, media);
        }
        Ok(response)
    }
}

/// The name of a group, in either form of discovery.
fn named(group: &Value) -> Option<&str> {
    group["metadata"]["name"].as_str().or_else(|| group["name"].as_str())
}

async fn json(response: Response) -> Value {
    let body = response.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    serde_json::from_slice(&body).unwrap_or_default()
}
