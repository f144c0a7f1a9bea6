//! Reads the answer of a watch: one event a line, for as long as the server goes on.
//!
//! Does not know who watches what, nor when to begin anew.

use futures::io::AsyncBufReadExt as _;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use http::Response;
use http_body_util::BodyExt as _;
use kube::client::Body;
use runbook_core::{Code, Fault};
use serde_json::Value;

use super::query::Event;
use super::refusal;
use super::request::Asked;

/// The lines of a body, as they come; what is no UTF-8 is replaced.
pub(super) fn lines(body: Body) -> impl Stream<Item = std::io::Result<String>> + Send {
    let reader = Box::pin(body.into_data_stream().map_err(std::io::Error::other).into_async_read());
    futures::stream::try_unfold(reader, |mut reader| async move {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
        Ok(Some((line, reader)))
    })
}

/// The events of a watch.
pub(super) fn events(response: Response<Body>, asked: Asked) -> impl Stream<Item = Result<Event, Fault>> + Send {
    lines(response.into_body()).filter_map(move |line| {
        let event = match line {
            Ok(line) if line.trim().is_empty() => None,
            Ok(line) => event(&line, &asked).transpose(),
            Err(error) => Some(Err(cut_off(&error, &asked))),
        };
        std::future::ready(event)
    })
}

/// The fault for an answer that broke off.
pub(super) fn cut_off(error: &std::io::Error, asked: &Asked) -> Fault {
    Fault::new(
        Code::Network,
        format!("the connection broke off while it was asked to {} {}: {error}", asked.verb, asked.object),
    )
    .about(asked.object.clone())
    .retryable()
}

/// One line; `None` for a sort of event that we do not know.
fn event(line: &str, asked: &Asked) -> Result<Option<Event>, Fault> {
    let unreadable = |error: String| {
        Fault::new(Code::Network, format!("an event of the watch on {} makes no sense: {error}", asked.object))
            .retryable()
    };
    let mut event: Value = serde_json::from_str(line).map_err(|error| unreadable(error.to_string()))?;
    let object = event.get_mut("object").map(Value::take).ok_or_else(|| unreadable("it has no object".to_owned()))?;
    Ok(match event["type"].as_str() {
        Some("ADDED") => Some(Event::Added(object)),
        Some("MODIFIED") => Some(Event::Modified(object)),
        Some("DELETED") => Some(Event::Deleted(object)),
        Some("BOOKMARK") => {
            let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
            Some(Event::Bookmark(version.to_owned()))
        }
        Some("ERROR") if object["code"] == 410 => Some(Event::Expired),
        Some("ERROR") => {
            let code = object["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
            return Err(refusal::refused(code, object.to_string().as_bytes(), asked));
        }
        _ => None,
    })
}
