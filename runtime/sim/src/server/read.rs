//! Getting one object, and listing many.
//!
//! Not known here: how objects are changed.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Server,
    accept::Shape,
    answer::Answer,
    path::Place,
    query::Query,
    render::{self, Dress},
    table,
};
use crate::{
    actor::json::text,
    kind::Source,
    selector::{Fields, Labels},
    status::Status,
    store::{Page, Span, Stored},
};

/// How many bytes of a list are sent at once.
const CHUNK: usize = 256 * 1024;

/// Which objects of a place are wanted.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) place: Place,
    pub(crate) labels: Labels,
    pub(crate) fields: Fields,
    resource: crate::resource::GroupResource,
}

impl Wanted {
    /// Reads the selectors of a query.
    pub(crate) fn of(place: &Place, query: &Query) -> Result<Self, Status> {
        let labels = Labels::parse(query.get("labelSelector").unwrap_or_default())?;
        let fields = Fields::parse(query.get("fieldSelector").unwrap_or_default())?;
        let resource = place.resource();
        for path in fields.paths() {
            let is_known = path == "metadata.name"
                || path == "metadata.namespace"
                || crate::store::indexed(&resource).iter().any(|field| field.path == path)
                || selectable(place, path);
            if !is_known {
                let message = if place.kind.is_custom() || !crate::store::indexed(&resource).is_empty() {
                    format!("field label not supported: {path}")
                } else {
                    format!("\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
                };
                return Err(Status::bad_request(message));
            }
        }
        let mut place = place.clone();
        if place.namespace.is_empty()
            && place.kind.namespaced
            && let Some(namespace) = fields.exact("metadata.namespace")
        {
            namespace.clone_into(&mut place.namespace);
        }
        Ok(Self { place, labels, fields, resource })
    }

    /// Does it let an object through?
    pub(crate) fn holds(&self, object: &Stored) -> bool {
        let place = &self.place;
        let is_here = place.namespace.is_empty() || object.namespace() == place.namespace;
        is_here
            && (place.name.is_empty() || object.name() == place.name)
            && (self.labels.is_empty() || self.labels.matches(|key| object.label(key)))
            && (self.fields.is_empty()
                || self.fields.matches(&self.resource, object, |path| {
                    let pointer = format!("/{}", path.replace('.', "/"));
                    object.value().pointer(&pointer).map(|value| match value {
                        Value::String(text) => text.clone(),
                        other => other.to_string(),
                    })
                }))
    }
}

/// Does the definition of a custom resource let selectors name this field?
fn selectable(place: &Place, path: &str) -> bool {
    let Source::Custom(custom) = &place.kind.source else { return false };
    let declared = custom.version()["selectableFields"].as_array().into_iter().flatten();
    declared
        .into_iter()
        .any(|field| field["jsonPath"].as_str().is_some_and(|held| held.trim_start_matches('.') == path))
}

impl Server {
    /// Answers a GET of one object.
    pub(crate) fn get(&self, place: &Place, query: &Query, shape: Shape) -> Result<Answer, Status> {
        if let Some(version) = query.get("resourceVersion") {
            self.not_ahead(version)?;
        }
        let stored = self.stored(place)?;
        let dress = Dress::of(&place.kind);
        Ok(match shape {
            Shape::Whole => Answer::bytes(200, dress.whole(&stored)),
            Shape::Metadata => Answer::of(200, &render::metadata(&stored.value())),
            Shape::Table => Answer::of(
                200,
                &table::of(
                    self,
                    place,
                    query,
                    std::slice::from_ref(&stored),
                    &json!({
                        "resourceVersion": stored.version.to_string(),
                    }),
                ),
            ),
        })
    }

    /// The object at a place.
    pub(crate) fn stored(&self, place: &Place) -> Result<Arc<Stored>, Status> {
        let resource = place.resource();
        let found = self.store.get(&resource, &place.namespace, &place.name);
        found.ok_or_else(|| Status::not_found(&resource, &place.name))
    }

    /// A version that is not known yet cannot be waited for: nothing else writes here.
    fn not_ahead(&self, version: &str) -> Result<u64, Status> {
        let number: u64 = version.parse().map_err(|_| {
            Status::bad_request(format!("invalid resource version: resourceVersion: Invalid value: \"{version}\": strconv.ParseUint: parsing \"{version}\": invalid syntax"))
        })?;
        let present = self.store.version();
        if number > present {
            let mut status = Status::timeout(format!("Too large resource version: {number}, current: {present}"));
            status.details = Some(json!({
                "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
                "retryAfterSeconds": 1,
            }));
            status.retry_after = Some(1);
            return Err(status);
        }
        Ok(number)
    }

    /// Answers a list.
    pub(crate) fn list(&self, place: &Place, query: &Query, shape: Shape) -> Result<Answer, Status> {
        let wanted = Wanted::of(place, query)?;
        let page = self.page(&wanted, query)?;
        let mut about = json!({ "resourceVersion": page.version.to_string() });
        if page.remaining > 0
            && let Some(last) = page.objects.last()
        {
            about["continue"] = token(page.version, last.key()).into();
            if wanted.labels.is_empty() && wanted.fields.is_empty() {
                about["remainingItemCount"] = page.remaining.into();
            }
        }
        if shape == Shape::Whole && place.kind.is_custom() && about["continue"].is_null() {
            about["continue"] = "".into();
        }
        Ok(match shape {
            Shape::Whole => whole(place, &about, page.objects),
            Shape::Metadata => {
                let items: Vec<_> = page.objects.iter().map(|stored| render::bare_metadata(&stored.value())).collect();
                Answer::of(
                    200,
                    &json!({
                        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": about, "items": items,
                    }),
                )
            }
            Shape::Table => Answer::of(200, &table::of(self, place, query, &page.objects, &about)),
        })
    }

    fn page(&self, wanted: &Wanted, query: &Query) -> Result<Page, Status> {
        let limit = usize::try_from(query.number("limit")?.unwrap_or(0)).unwrap_or(usize::MAX);
        let matching = query.get("resourceVersionMatch");
        let version = query.get("resourceVersion");
        let more = query.get("continue");
        if let Some(how) = matching {
            check_match(how, version, more)?;
        }
        let (at, after) = if let Some(more) = more {
            if version.is_some_and(|version| version != "0") {
                return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
            }
            let broken = || Status::bad_request("invalid continue token: continue key is not valid: it cannot be read");
            let (at, after) = read_token(more).ok_or_else(broken)?;
            (Some(at), Some(after))
        } else {
            let version = version.map(|version| self.not_ahead(version)).transpose()?;
            (version.filter(|_| matching == Some("Exact")), None)
        };
        let namespace = Some(wanted.place.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let span = Span { namespace, version: at, after: after.as_deref(), limit };
        self.store.page(&wanted.place.resource(), span, |object| wanted.holds(object)).map_err(|_| match after {
            Some(_) => {
                let mut status = Status::expired(
                    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
                );
                let fresh = token(self.store.version(), after.as_deref().unwrap_or_default());
                status.details = None;
                status.go_on = Some(fresh);
                status
            }
            None => Status::expired(format!(
                "The provided resource version is no longer available: too old resource version: {}",
                at.unwrap_or_default()
            )),
        })
    }
}

fn check_match(how: &str, version: Option<&str>, more: Option<&str>) -> Result<(), Status> {
    let refused = |why: String| {
        Err(Status::invalid(
            "meta.k8s.io",
            "ListOptions",
            "",
            &[crate::status::Cause {
                reason: "FieldValueForbidden".to_owned(),
                message: why,
                field: "resourceVersionMatch".to_owned(),
            }],
        ))
    };
    match (how, version, more) {
        ("Exact" | "NotOlderThan", _, Some(_)) => {
            refused("Forbidden: resourceVersionMatch is forbidden when continue is provided".to_owned())
        }
        ("Exact" | "NotOlderThan", None, _) => {
            refused("Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided".to_owned())
        }
        ("Exact", Some("0"), _) => {
            refused("Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"".to_owned())
        }
        ("Exact" | "NotOlderThan", Some(_), _) => Ok(()),
        (other, _, _) => {
            refused(format!("Unsupported value: \"{other}\": supported values: \"Exact\", \"NotOlderThan\", \"\""))
        }
    }
}

fn token(version: u64, after: &str) -> String {
    let token = json!({ "v": "meta.k8s.io/v1", "rv": version, "start": after });
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn read_token(token: &str) -> Option<(u64, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).ok()?;
    let token: Value = serde_json::from_slice(&bytes).ok()?;
    (text(&token, "/v") == "meta.k8s.io/v1").then_some(())?;
    Some((token["rv"].as_u64()?, token["start"].as_str()?.to_owned()))
}

/// A list of whole objects, sent as it is put together.
fn whole(place: &Place, about: &Value, objects: Vec<Arc<Stored>>) -> Answer {
    let dress = Dress::of(&place.kind);
    let begin = format!(
        "{{\"kind\":{},\"apiVersion\":{},\"metadata\":{about},\"items\":[",
        Value::from(place.kind.list_kind.as_str()),
        Value::from(place.kind.api_version())
    );
    if objects.len() < 200 {
        let mut body = begin.into_bytes();
        for (at, object) in objects.iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            dress.in_list(object, &mut body);
        }
        body.extend_from_slice(b"]}\n");
        return Answer::bytes(200, body.into());
    }
    let mut rest = objects.into_iter().enumerate();
    let mut begin = Some(begin);
    let chunks = std::iter::from_fn(move || {
        if begin.is_none() && rest.len() == 0 {
            return None;
        }
        let mut chunk = begin.take().map_or_else(|| Vec::with_capacity(CHUNK + CHUNK / 8), String::into_bytes);
        while chunk.len() < CHUNK {
            let Some((at, object)) = rest.next() else { break };
            if at > 0 {
                chunk.push(b',');
            }
            dress.in_list(&object, &mut chunk);
            if rest.len() == 0 {
                chunk.extend_from_slice(b"]}\n");
            }
        }
        Some(Ok::<_, std::convert::Infallible>(Bytes::from(chunk)))
    });
    Answer::stream(Body::from_stream(futures::stream::iter(chunks)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_nonsense_is_not() {
        assert_eq!(read_token(&token(7, "shop/web")), Some((7, "shop/web".to_owned())));
        assert_eq!(read_token("nonsense"), None);
        assert_eq!(read_token(&URL_SAFE_NO_PAD.encode("{}")), None);
    }
}
