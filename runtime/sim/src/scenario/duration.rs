//! Durations as scenarios write them: `20s`, `1m30s`.
//!
//! Not known here: what lasts that long.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error};

/// Reads one.
pub(super) fn read<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(source)?;
    let parsed: Option<Duration> = text.parse::<SignedDuration>().ok().and_then(|span| span.try_into().ok());
    match parsed {
        Some(span) => Ok(Some(span)),
        None => Err(D::Error::custom(format!("`{text}` is no duration; write one such as `20s` or `1m30s`"))),
    }
}
