//! One object before and after, as a person reads it: which fields differ, who owned them, how much is left out.
//!
//! Values of Secrets leave here as tokens. Does not know which call changed it.

use runbook_core::Value;
use runbook_stdlib::difference::{self, Difference};
use runbook_stdlib::kubectl;
use serde::Serialize;

use super::change::{Object, title};
use super::disguise::Disguise;

/// The type of the Secrets in which helm keeps what it did.
const RECORD: &str = "helm.sh/release.v1";

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fate {
    /// It was not there before.
    Created,
    /// It differs.
    Changed,
    /// It is gone.
    Deleted,
    /// It was deleted and made again.
    Replaced,
}

/// One object that a call changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct View {
    /// `deployment/istiod`.
    pub(crate) object: String,
    pub(crate) group: String,
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) namespace: String,
    pub(crate) fate: Fate,
    /// The fields that differ; none for what comes or goes.
    pub(crate) fields: Vec<Field>,
    /// The whole object where it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) whole: Option<Value>,
    /// How many fields differ that only the server writes.
    pub(crate) hidden: usize,
    /// Fields taken from others who owned them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) taken: Vec<Taken>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Field {
    pub(crate) path: String,
    pub(crate) old: Option<Value>,
    pub(crate) new: Option<Value>,
    /// The lines that differ, of long texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lines: Option<String>,
}

/// Fields that somebody else owned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Taken {
    pub(crate) from: String,
    pub(crate) by: String,
    pub(crate) fields: Vec<String>,
}

/// What a change of an object is.
#[derive(Debug)]
pub(super) enum Seen {
    /// Something to be shown.
    View(Box<View>),
    /// Book-keeping of helm.
    Record,
    /// Nothing but what the server writes of its own: so many fields.
    Noise(usize),
}

impl View {
    /// How an object changed.
    pub(super) fn of(object: &Object, disguise: &mut Disguise<'_>) -> Seen {
        let (before, after) = (object.before(), object.after());
        let either = after.as_ref().or(before.as_ref());
        if either.is_some_and(|object| object["type"] == RECORD && object["kind"] == "Secret") {
            return Seen::Record;
        }
        let fate = match (&before, &after) {
            (None, None) => return Seen::Noise(0),
            (None, Some(_)) => Fate::Created,
            (Some(_), None) => Fate::Deleted,
            (Some(_), Some(after)) if is_going(after) => Fate::Deleted,
            (Some(before), Some(after)) if before["metadata"]["uid"] != after["metadata"]["uid"] => Fate::Replaced,
            _ => Fate::Changed,
        };
        let old = before.map(|object| disguise.object(object)).unwrap_or_default();
        let new = after.map(|object| disguise.object(object)).unwrap_or_default();
        let mut view = Self {
            object: title(&object.subject),
            group: object.subject.group.clone(),
            kind: object.subject.kind.clone(),
            namespace: object.subject.namespace.clone(),
            fate,
            fields: Vec::new(),
            whole: None,
            hidden: 0,
            taken: Vec::new(),
        };
        match fate {
            Fate::Created => view.whole = Some(difference::without_servers_own(new)),
            Fate::Deleted => {}
            Fate::Changed | Fate::Replaced => {
                let compared = difference::compared(&old, &new);
                if compared.fields.is_empty() && fate == Fate::Changed {
                    return Seen::Noise(compared.hidden);
                }
                view.hidden = compared.hidden;
                view.taken = taken(&compared.fields, &old, &new);
                view.fields = compared.fields.into_iter().map(Field::of).collect();
            }
        }
        Seen::View(Box::new(view))
    }
}

impl Field {
    fn of(difference: Difference) -> Self {
        let lines = difference.lines();
        Self { path: difference.path, old: difference.old, new: difference.new, lines }
    }
}

/// Whether an object is on its way out.
fn is_going(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Fields that another manager owned before.
fn taken(fields: &[Difference], old: &Value, new: &Value) -> Vec<Taken> {
    let mut found: Vec<Taken> = Vec::new();
    for field in fields {
        let (Some(from), Some(by)) = (kubectl::owner(old, field), kubectl::owner(new, field)) else { continue };
        // What helm or a client-side apply did before is helm's or the client's all the same.
        if from == by || field.old.is_none() {
            continue;
        }
        match found.iter_mut().find(|taken| taken.from == from && taken.by == by) {
            Some(taken) => taken.fields.push(field.path.clone()),
            None => found.push(Taken { from, by, fields: vec![field.path.clone()] }),
        }
    }
    found
}
