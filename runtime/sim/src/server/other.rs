//! What is asked for beside objects: discovery, schemas, the version, health.
//!
//! Not known here: which kinds there are.

use http::Method;
use serde_json::{Value, json};

use super::{Server, answer::Answer, door::Asked};
use crate::{
    kind::{self, Root},
    status::Status,
};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const ADDRESS: &str = "127.0.0.1:6443";

impl Server {
    /// Answers a request for anything that is no object.
    pub(crate) fn other(&self, asked: &Asked, parts: &[String]) -> Result<Answer, Status> {
        if asked.method != Method::GET && asked.method != Method::HEAD {
            return Err(Status::no_such_path());
        }
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        let catalogue = self.catalogue();
        let found = |document: Option<Value>| {
            document.map(|document| Answer::of(200, &document)).ok_or_else(Status::no_such_path)
        };
        let root = |root: Root| {
            if is_aggregated(asked) {
                let mut answer = Answer::bytes(200, catalogue.aggregated(root));
                answer.media = AGGREGATED;
                return Ok(answer);
            }
            Ok(match root {
                Root::Core => Answer::of(200, &kind::core_versions(ADDRESS)),
                Root::Groups => Answer::of(200, &catalogue.group_list()),
            })
        };
        match words.as_slice() {
            [] => Ok(Answer::of(200, &json!({ "paths": kind::paths().collect::<Vec<_>>() }))),
            ["version"] => Ok(Answer::of(200, kind::version())),
            ["healthz" | "livez" | "readyz", ..] => {
                let mut answer = Answer::bytes(200, "ok".into());
                answer.media = "text/plain; charset=utf-8";
                Ok(answer)
            }
            ["api"] => root(Root::Core),
            ["apis"] => root(Root::Groups),
            ["api", version] => found(catalogue.resource_list("", version)),
            ["apis", group] => found(catalogue.group(group)),
            ["apis", group, version] => {
                found(catalogue.resource_list(group, version)).map_err(|_| super::path::missing(&catalogue, group))
            }
            ["openapi", "v3"] => Ok(Answer::of(200, &catalogue.openapi_index())),
            ["openapi", "v3", rest @ ..] => found(catalogue.openapi(&rest.join("/"))),
            ["openapi", "v2"] => Err(Status::beyond_simulation("schemas are served as OpenAPI v3 alone")),
            ["metrics" | "logs" | "debug", ..] => Err(Status::beyond_simulation("there is no process to look into")),
            _ => Err(Status::no_such_path()),
        }
    }
}

fn is_aggregated(asked: &Asked) -> bool {
    let accept = asked.header(http::header::ACCEPT).unwrap_or_default();
    accept.split(',').any(|entry| {
        let parts: Vec<_> = entry.split(';').map(str::trim).collect();
        parts.contains(&"as=APIGroupDiscoveryList") && parts.contains(&"v=v2")
    })
}
