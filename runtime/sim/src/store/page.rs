//! Pages of a list that all show the same moment, however much happens between them.
//!
//! A page of a moment gone by is the present with the log undone. Not known here: how a continue token is spelt.

use std::{ops::Bound, sync::Arc};

use super::{Store, Stored, as_ref, bounds};
use crate::resource::GroupResource;

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span<'a> {
    /// One namespace, or all.
    pub(crate) namespace: Option<&'a str>,
    /// The moment, or now.
    pub(crate) version: Option<u64>,
    /// The last key of the page before.
    pub(crate) after: Option<&'a str>,
    /// How many at most; zero stands for all.
    pub(crate) limit: usize,
}

/// A part of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Arc<Stored>>,
    /// The moment that it shows.
    pub(crate) version: u64,
    /// How many matching objects follow, as far as they were counted; zero where the list is at its end.
    pub(crate) remaining: usize,
}

/// The moment that was asked for is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forgotten;

impl Store {
    /// One page of the objects that `wanted` lets through.
    pub(crate) fn page(
        &self,
        resource: &GroupResource,
        span: Span,
        wanted: impl Fn(&Stored) -> bool,
    ) -> Result<Page, Forgotten> {
        let inner = self.read();
        let version = span.version.unwrap_or(inner.version);
        let mut page = Page { objects: Vec::new(), version, remaining: 0 };
        let Some(rack) = inner.racks.get(resource) else { return Ok(page) };
        let then = match span.version {
            Some(version) if version < inner.version => rack.log.undone(version).ok_or(Forgotten)?,
            _ => std::collections::BTreeMap::new(),
        };
        let (mut from, to) = bounds(span.namespace);
        if let Some(after) = span.after {
            from = Bound::Excluded(after.to_owned());
        }
        let range = (as_ref(&from), as_ref(&to));
        let mut past = then.range::<str, _>(range).peekable();
        let mut take = |object: &Arc<Stored>| {
            if !wanted(object) {
            } else if span.limit > 0 && page.objects.len() == span.limit {
                page.remaining += 1;
            } else {
                page.objects.push(object.clone());
            }
        };
        for (key, object) in rack.objects.range::<str, _>(range) {
            while let Some((_, was)) = past.next_if(|(changed, _)| ***changed < **key) {
                if let Some(was) = was {
                    take(was);
                }
            }
            match past.next_if(|(changed, _)| ***changed == **key) {
                Some((_, was)) => was.iter().for_each(|was| take(was)),
                None => take(object),
            }
        }
        for (_, was) in past {
            if let Some(was) = was {
                take(was);
            }
        }
        Ok(page)
    }
}
