//! Webhook configurations: whom to ask in which order, and what their answers do.
//!
//! Not known here: which of them is concerned, and who answers.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Act, Call, Operation, rule};
use crate::{
    actor::json::{items, name, text},
    resource::Resource,
    server::Server,
    status::Status,
};

const MUTATING: Resource = Resource::of("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations");
const VALIDATING: Resource = Resource::of("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations");
const SERVICES: Resource = Resource::core("services");

/// A webhook that is concerned, with the version it wants to see.
struct Concerned {
    webhook: Value,
    version: String,
}

/// Lets webhooks change the object.
pub(super) async fn mutate(server: &Arc<Server>, act: &Act<'_>, object: &mut Value) -> Result<Vec<String>, Status> {
    let all = concerned(server, act, MUTATING)?;
    let mut warnings = Vec::new();
    let mut seen: Vec<Value> = Vec::new();
    for one in &all {
        warnings.extend(change(server, act, one, object).await?);
        seen.push(object.clone());
    }
    // Those who want to see what came after them are asked once more.
    for (one, was) in all.iter().zip(seen) {
        if one.webhook["reinvocationPolicy"] == "IfNeeded" && was != *object {
            warnings.extend(change(server, act, one, object).await?);
        }
    }
    Ok(warnings)
}

/// Asks webhooks whether the object may be kept.
pub(super) async fn validate(server: &Arc<Server>, act: &Act<'_>, object: &Value) -> Result<Vec<String>, Status> {
    let mut warnings = Vec::new();
    for one in concerned(server, act, VALIDATING)? {
        if let Some(response) = ask(server, act, &one, object).await? {
            warnings.extend(spoken(&response));
            judge(text(&one.webhook, "/name"), &response)?;
        }
    }
    Ok(warnings)
}

fn concerned(server: &Server, act: &Act, resource: Resource) -> Result<Vec<Concerned>, Status> {
    let mut found = Vec::new();
    for stored in server.store.all(&resource.into(), None) {
        for webhook in items(stored.tree(), "/webhooks") {
            let Some(version) = rule::concerned(server, act, webhook) else { continue };
            if !items(webhook, "/matchConditions").is_empty() && server.beneath().is_none() {
                let what =
                    format!("`matchConditions` of the webhook `{}` would have to be evaluated", text(webhook, "/name"));
                return Err(Status::beyond_simulation(what));
            }
            found.push(Concerned { webhook: webhook.clone(), version });
        }
    }
    Ok(found)
}

async fn change(
    server: &Arc<Server>,
    act: &Act<'_>,
    one: &Concerned,
    object: &mut Value,
) -> Result<Vec<String>, Status> {
    let named = text(&one.webhook, "/name");
    let Some(response) = ask(server, act, one, object).await? else { return Ok(Vec::new()) };
    judge(named, &response)?;
    if let Some(patch) = response["patch"].as_str() {
        let broken = |why: String| Status::internal(format!("failed calling webhook \"{named}\": {why}"));
        let bytes = STANDARD.decode(patch).map_err(|why| broken(why.to_string()))?;
        let patch: json_patch::Patch = serde_json::from_slice(&bytes).map_err(|why| broken(why.to_string()))?;
        json_patch::patch(object, &patch).map_err(|why| broken(why.to_string()))?;
        crate::server::reread(server, &act.order.place.kind, object);
    }
    Ok(spoken(&response))
}

fn spoken(response: &Value) -> Vec<String> {
    items(response, "/warnings").iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What a webhook that says no makes of the request.
fn judge(named: &str, response: &Value) -> Result<(), Status> {
    if response["allowed"] == true {
        return Ok(());
    }
    let result = &response["status"];
    let denied = format!("admission webhook \"{named}\" denied the request");
    let message = match (text(result, "/message"), text(result, "/reason")) {
        ("", "") => format!("{denied} without explanation"),
        ("", why) | (why, _) => format!("{denied}: {why}"),
    };
    let code = result["code"].as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| *code >= 400);
    let reason = match text(result, "/reason") {
        "BadRequest" => "BadRequest",
        "Forbidden" => "Forbidden",
        "Invalid" => "Invalid",
        "NotFound" => "NotFound",
        "Conflict" => "Conflict",
        _ => "",
    };
    Err(Status::other(code.unwrap_or(400), reason, message))
}

/// Sends a review. None where the webhook failed and its policy is to ignore that.
async fn ask(server: &Arc<Server>, act: &Act<'_>, one: &Concerned, object: &Value) -> Result<Option<Value>, Status> {
    let named = text(&one.webhook, "/name");
    let has_effects = !matches!(text(&one.webhook, "/sideEffects"), "None" | "NoneOnDryRun");
    if act.order.is_dry() && has_effects {
        return Err(Status::bad_request(format!("admission webhook \"{named}\" does not support dry run")));
    }
    match send(server, act, one, object).await {
        Ok(response) => Ok(Some(response)),
        Err(why) if one.webhook["failurePolicy"] == "Ignore" => {
            tracing::debug!(webhook = named, why, "a webhook failed open");
            Ok(None)
        }
        Err(why) => Err(Status::internal(format!("failed calling webhook \"{named}\": failed to call webhook: {why}"))),
    }
}

async fn send(server: &Arc<Server>, act: &Act<'_>, one: &Concerned, object: &Value) -> Result<Value, String> {
    let client = &one.webhook["clientConfig"];
    let seconds = one.webhook["timeoutSeconds"].as_u64().unwrap_or(10);
    let (space, service) = (text(client, "/service/namespace"), text(client, "/service/name"));
    if service.is_empty() {
        let url = text(client, "/url");
        if let Some(beneath) = server.beneath() {
            return Ok(unheard(beneath, act, text(&one.webhook, "/name"), url));
        }
        return Err(format!("Post \"{url}?timeout={seconds}s\": no such host"));
    }
    let path = client["service"]["path"].as_str().unwrap_or("/").to_owned();
    let port = client["service"]["port"].as_u64().unwrap_or(443);
    let posted = |why: &str| format!("Post \"https://{service}.{space}.svc:{port}{path}?timeout={seconds}s\": {why}");
    if server.store.get(&SERVICES.into(), space, service).is_none() {
        return Err(posted(&format!("service \"{service}\" not found")));
    }
    let call = Call {
        namespace: space.to_owned(),
        service: service.to_owned(),
        path: path.clone(),
        review: review(server, act, &one.version, object),
    };
    let answer = match server.answerer() {
        Some(answerer) => answerer(call).await,
        None => None,
    };
    if answer.is_none()
        && let Some(beneath) = server.beneath()
        && crate::overlay::has_endpoints(server, space, service).await
    {
        return Ok(unheard(beneath, act, text(&one.webhook, "/name"), &format!("service {space}/{service}")));
    }
    let answer = answer.ok_or_else(|| posted(&format!("no endpoints available for service \"{service}\"")))?;
    match answer.get("response") {
        Some(response) if response.is_object() => Ok(response.clone()),
        _ => Err("expected response.uid, got \"\"".to_owned()),
    }
}

/// What is assumed of a webhook of a live cluster that nobody stands in for: it lets everything through as it is.
fn unheard(beneath: &crate::overlay::Beneath, act: &Act, named: &str, place: &str) -> Value {
    let what = format!("what the webhook `{named}` says to {}", act.order.place.resource().words());
    beneath.book.unknown(what, format!("nobody stands in for {place}: it is taken to let everything through as it is"));
    json!({ "allowed": true })
}

fn review(server: &Server, act: &Act, version: &str, object: &Value) -> Value {
    let (order, place) = (act.order, &act.order.place);
    let kind = &place.kind;
    let group_version = |version: &str| match kind.group.as_str() {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    let seen = |object: &Value| -> Value {
        let mut object = object.clone();
        if !object.is_null() {
            object["apiVersion"] = group_version(version).into();
        }
        object
    };
    let of_kind = |version: &str| json!({ "group": kind.group, "version": version, "kind": kind.kind });
    let of_resource = |version: &str| json!({ "group": kind.group, "version": version, "resource": kind.plural });
    let options = match act.operation {
        Operation::Create => "CreateOptions",
        Operation::Update => "UpdateOptions",
        Operation::Delete => "DeleteOptions",
    };
    let mut request = json!({
        "uid": server.uid(),
        "kind": of_kind(version), "resource": of_resource(version),
        "requestKind": of_kind(&kind.version), "requestResource": of_resource(&kind.version),
        "operation": act.operation.word(),
        "userInfo": crate::server::user(order),
        "object": if act.operation == Operation::Delete { Value::Null } else { seen(object) },
        "oldObject": act.old.map_or(Value::Null, seen),
        "dryRun": order.is_dry(),
        "options": { "kind": options, "apiVersion": "meta.k8s.io/v1" },
    });
    let name = if act.name.is_empty() { name(object) } else { &act.name };
    for (key, value) in [("name", name), ("namespace", &place.namespace), ("subResource", &place.below)] {
        if !value.is_empty() {
            request[key] = value.into();
        }
    }
    if !place.below.is_empty() {
        request["requestSubResource"] = place.below.as_str().into();
    }
    json!({ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_api_server() {
        let refused = judge("v.io", &json!({ "allowed": false, "status": { "message": "no" } })).unwrap_err();
        assert_eq!(
            (refused.code, refused.message.as_str()),
            (400, "admission webhook \"v.io\" denied the request: no")
        );
        let silent = judge("v.io", &json!({ "allowed": false })).unwrap_err();
        assert_eq!(silent.message, "admission webhook \"v.io\" denied the request without explanation");
        assert!(judge("v.io", &json!({ "allowed": true })).is_ok());
    }
}
