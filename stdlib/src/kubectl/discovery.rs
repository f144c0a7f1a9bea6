//! Asks a cluster for its kinds: all at once where the server can, group by group where not, and from definitions.
//!
//! Does not know what a word means, nor what was asked before.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use kube::Client;
use runbook_core::{Code, Fault};
use serde_json::Value;

use super::kind::Resource;
use super::request::{self, Asked};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// All kinds, in the server's order of preference, every served version of each.
///
/// Faults where the server does not answer; an extension group whose own server is gone is left out.
pub(super) async fn discover(client: &Client) -> Result<Vec<Arc<Resource>>, Fault> {
    let (core, groups) = futures::try_join!(ask(client, "/api"), ask(client, "/apis"))?;
    if is_aggregated(&core) && is_aggregated(&groups) {
        return Ok([core, groups].iter().flat_map(aggregated).map(Arc::new).collect());
    }
    plain(client, &core, &groups).await
}

async fn ask(client: &Client, path: &str) -> Result<Value, Fault> {
    let request = request::get(path).header(http::header::ACCEPT, AGGREGATED);
    request::answer(client, request, Vec::new(), &Asked::about("discover", "the kinds of the cluster")).await
}

/// A server that does not know the aggregated form answers in the old one, without an error.
fn is_aggregated(answer: &Value) -> bool {
    answer["kind"] == "APIGroupDiscoveryList"
}

fn aggregated(answer: &Value) -> Vec<Resource> {
    let mut found = Vec::new();
    for group in list(&answer["items"]) {
        for version in list(&group["versions"]) {
            for resource in list(&version["resources"]) {
                found.push(Resource {
                    group: text(&group["metadata"]["name"]),
                    version: text(&version["version"]),
                    kind: text(&resource["responseKind"]["kind"]),
                    plural: text(&resource["resource"]),
                    singular: singular(&resource["singularResource"], &resource["responseKind"]["kind"]),
                    short: texts(&resource["shortNames"]),
                    namespaced: resource["scope"] == "Namespaced",
                    verbs: texts(&resource["verbs"]),
                });
            }
        }
    }
    found
}

async fn plain(client: &Client, core: &Value, groups: &Value) -> Result<Vec<Arc<Resource>>, Fault> {
    let mut wanted: Vec<(String, String)> = texts(&core["versions"]).into_iter().map(|v| (String::new(), v)).collect();
    for group in list(&groups["groups"]) {
        let preferred = text(&group["preferredVersion"]["version"]);
        let mut versions: Vec<String> = list(&group["versions"]).iter().map(|v| text(&v["version"])).collect();
        versions.sort_by_key(|version| *version != preferred);
        wanted.extend(versions.into_iter().map(|version| (text(&group["name"]), version)));
    }
    let answers: Vec<Vec<Arc<Resource>>> = futures::stream::iter(wanted)
        .map(|(group, version)| async move { one_version(client, &group, &version).await })
        .buffered(8)
        .try_collect()
        .await?;
    Ok(answers.concat())
}

async fn one_version(client: &Client, group: &str, version: &str) -> Result<Vec<Arc<Resource>>, Fault> {
    let path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let asked = Asked::about("discover", "the kinds of the cluster");
    let answer = match request::answer(client, request::get(&path), Vec::new(), &asked).await {
        Ok(answer) => answer,
        // The group's own server is gone, which must not hide all others.
        Err(fault) if matches!(fault.code, Code::Network | Code::NotFound) && fault.detail.contains_key("status") => {
            return Ok(Vec::new());
        }
        Err(fault) => return Err(fault),
    };
    let whole = list(&answer["resources"]).iter().filter(|resource| !text(&resource["name"]).contains('/'));
    Ok(whole
        .map(|resource| {
            Arc::new(Resource {
                group: group.to_owned(),
                version: version.to_owned(),
                kind: text(&resource["kind"]),
                plural: text(&resource["name"]),
                singular: singular(&resource["singularName"], &resource["kind"]),
                short: texts(&resource["shortNames"]),
                namespaced: resource["namespaced"] == true,
                verbs: texts(&resource["verbs"]),
            })
        })
        .collect())
}

/// The kinds of all definitions (CRDs), which may be ahead of what the server says of itself; none where we may not read them.
pub(super) async fn definitions(client: &Client) -> Result<Vec<Arc<Resource>>, Fault> {
    let asked = Asked::about("list", "definitions");
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let page = format!("{path}?limit=100{next}");
        let answer = match request::answer(client, request::get(&page), Vec::new(), &asked).await {
            Err(fault) if matches!(fault.code, Code::Forbidden | Code::NotFound) => return Ok(found),
            other => other?,
        };
        found.extend(list(&answer["items"]).iter().flat_map(defined).map(Arc::new));
        match answer["metadata"]["continue"].as_str() {
            Some(token) if !token.is_empty() => next = format!("&continue={}", super::name::encode(token)),
            _ => return Ok(found),
        }
    }
}

fn defined(definition: &Value) -> Vec<Resource> {
    let spec = &definition["spec"];
    let mut versions: Vec<&Value> =
        list(&spec["versions"]).iter().filter(|version| version["served"] == true).collect();
    versions.sort_by_key(|version| version["storage"] != true);
    let of = |version: &Value| Resource {
        group: text(&spec["group"]),
        version: text(&version["name"]),
        kind: text(&spec["names"]["kind"]),
        plural: text(&spec["names"]["plural"]),
        singular: singular(&spec["names"]["singular"], &spec["names"]["kind"]),
        short: texts(&spec["names"]["shortNames"]),
        namespaced: spec["scope"] == "Namespaced",
        verbs: Vec::new(),
    };
    versions.into_iter().map(of).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(text).collect()
}

fn singular(value: &Value, kind: &Value) -> String {
    let given = text(value);
    if given.is_empty() { text(kind).to_ascii_lowercase() } else { given }
}
