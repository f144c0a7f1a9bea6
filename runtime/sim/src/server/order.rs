//! How a write is to be done: by whom, whether for good, and how strictly it is read.
//!
//! Not known here: what is written.

use http::HeaderMap;

use super::{body, door::Asked, double, path::Place, query::Query};
use crate::status::{Cause, Status};

/// What is done about fields that a kind does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checking {
    /// They go without a word.
    Ignore,
    /// They go, and the answer carries a warning.
    Warn,
    /// The request is refused.
    Strict,
}

/// Whether anything is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earnest {
    /// The write is for good.
    Real,
    /// Everything is checked and nothing is kept.
    DryRun,
}

/// How a write is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) place: Place,
    /// The field manager.
    pub(crate) manager: String,
    /// Was the manager named, or guessed from the user agent?
    pub(crate) is_named: bool,
    pub(crate) earnest: Earnest,
    pub(crate) checking: Checking,
    /// Paths of the fields that what was sent has twice.
    pub(crate) doubled: Vec<String>,
    /// Does an apply take over what others own?
    pub(crate) is_forced: Option<bool>,
    /// The part of the object that managed fields name where that is not the path: `scale`, `binding`, `finalize`.
    pub(crate) part: &'static str,
    /// Does it come from one of the cluster's own controllers?
    pub(crate) is_own: bool,
}

impl Order {
    /// Does it write into an object wherever it has to, and not into one part of it? A binding does, and the end of a namespace.
    pub(crate) fn is_of_no_part(&self) -> bool {
        matches!(self.part, "binding" | "finalize")
    }

    /// Reads how an object, or a patch of one, is to be written.
    pub(crate) fn sent(asked: &Asked, place: &Place, options: &str) -> Result<Self, Status> {
        let mut order = Self::read(place, &asked.query, &asked.headers, options)?;
        if order.checking != Checking::Ignore && body::is_json(asked.media()) {
            order.doubled = double::of(&asked.body);
        }
        Ok(order)
    }

    /// Reads the query and the headers of a request.
    pub(crate) fn read(place: &Place, query: &Query, headers: &HeaderMap, options: &str) -> Result<Self, Status> {
        let agent = headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let guessed = agent.split('/').next().filter(|agent| !agent.is_empty()).unwrap_or("unknown");
        let named = query.get("fieldManager");
        if let Some(named) = named {
            check_manager(named, options)?;
        }
        let checking = match query.get("fieldValidation") {
            None | Some("Warn") => Checking::Warn,
            Some("Ignore") => Checking::Ignore,
            Some("Strict") => Checking::Strict,
            Some(other) => {
                let message =
                    format!("Unsupported value: \"{other}\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"");
                return Err(option(options, "fieldValidation", "FieldValueNotSupported", message));
            }
        };
        Ok(Self {
            place: place.clone(),
            manager: named.unwrap_or(guessed).to_owned(),
            is_named: named.is_some(),
            earnest: if query.dry_run(options)? { Earnest::DryRun } else { Earnest::Real },
            checking,
            doubled: Vec::new(),
            is_forced: query.get("force").map(|force| force != "false"),
            part: "",
            is_own: false,
        })
    }

    /// An order of one of the cluster's own controllers.
    pub(crate) fn own(place: Place, manager: &str) -> Self {
        Self {
            place,
            manager: manager.to_owned(),
            is_named: true,
            earnest: Earnest::Real,
            checking: Checking::Ignore,
            doubled: Vec::new(),
            is_forced: None,
            part: "",
            is_own: true,
        }
    }

    /// Is nothing kept?
    pub(crate) fn is_dry(&self) -> bool {
        self.earnest == Earnest::DryRun
    }
}

/// A refusal of one of the options of a write.
pub(crate) fn option(options: &str, field: &str, reason: &str, message: String) -> Status {
    let cause = Cause { reason: reason.to_owned(), message, field: field.to_owned() };
    Status::invalid("meta.k8s.io", options, "", &[cause])
}

fn check_manager(named: &str, options: &str) -> Result<(), Status> {
    if named.len() > 128 {
        return Err(option(
            options,
            "fieldManager",
            "FieldValueTooLong",
            "Too long: may not be more than 128 bytes".to_owned(),
        ));
    }
    if named.chars().any(char::is_control) {
        let message = format!("Invalid value: {named:?}: should only contain printable characters");
        return Err(option(options, "fieldManager", "FieldValueInvalid", message));
    }
    Ok(())
}
