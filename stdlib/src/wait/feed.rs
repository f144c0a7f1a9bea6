//! One list and one watch of objects, as a stream of what is seen.
//!
//! Goes on where a watch was closed, lists again where its version has expired, and asks at intervals where the server
//! refuses watches. Does not know what is waited for; of each object it keeps what it is told to keep.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use runbook_core::world::Clock;
use runbook_core::{Code, Fault};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::kubectl::api::Api;
use crate::kubectl::query::{Event, Listing};
use crate::kubectl::refusal;
use crate::readiness::Origin;

/// Objects on a page.
const PAGE: usize = 500;

/// How long a watch may last before it is opened again.
const WATCH: Duration = Duration::from_mins(5);

/// How long the server may be out of reach before a wait gives up; each request is tried several times within that.
const OUTAGE: Duration = Duration::from_mins(1);

/// How often a list may expire while it is read.
const RESTARTS: u32 = 3;

/// What is kept of an object.
pub(super) type Keep<T> = Arc<dyn Fn(Value, Origin) -> T + Send + Sync>;

/// What is seen.
#[derive(Debug)]
pub(super) enum Delta<T> {
    /// A list begins: what is not in it is gone.
    Anew,
    /// Objects of the list.
    Listed(Vec<T>),
    /// The list is complete.
    Complete,
    /// An object came.
    Added(T),
    /// An object changed.
    Modified(T),
    /// An object went.
    Gone(T),
    /// Nothing more can be seen.
    Failed(Box<Fault>),
}

/// Where to look, and how.
pub(super) struct Feed<T> {
    /// The objects.
    pub(super) api: Api,
    /// Which of them.
    pub(super) listing: Listing,
    /// The one that is waited for, where it is one: it is then asked for directly.
    pub(super) single: Option<String>,
    /// How often to ask where watches are refused.
    pub(super) interval: Duration,
    /// Time.
    pub(super) clock: Arc<dyn Clock>,
    /// What is kept.
    pub(super) keep: Keep<T>,
    /// Once cancelled, what was listed is watched. Until then it may turn out that nothing has to be.
    pub(super) gate: CancellationToken,
}

impl<T: Send + 'static> Feed<T> {
    /// Begins when first polled. Ends only after [`Delta::Failed`].
    pub(super) fn open(self) -> BoxStream<'static, Delta<T>> {
        let direct = self.single.is_some();
        let reader = Reader {
            feed: self,
            place: Place::Begin,
            size: PAGE,
            direct,
            polled: false,
            restarts: 0,
            trouble: None,
            empty_watches: 0,
        };
        stream::unfold(reader, Reader::next).boxed()
    }
}

type Events = BoxStream<'static, Result<Event, Fault>>;

/// Where a feed is.
enum Place {
    Begin,
    Page(Option<String>),
    Listed(String),
    Watch(String),
    Watching(Events, String, Duration),
    Over,
}

struct Reader<T> {
    feed: Feed<T>,
    place: Place,
    size: usize,
    /// Whether the one object is asked for itself, not as a list of one.
    direct: bool,
    polled: bool,
    restarts: u32,
    /// Since when nothing has worked.
    trouble: Option<Duration>,
    empty_watches: u32,
}

impl<T: Send + 'static> Reader<T> {
    async fn next(mut self) -> Option<(Delta<T>, Self)> {
        loop {
            let delta = match std::mem::replace(&mut self.place, Place::Over) {
                Place::Begin => {
                    self.place = Place::Page(None);
                    Some(Delta::Anew)
                }
                Place::Page(_) if self.direct => self.ask().await,
                Place::Page(next) => self.page(next).await,
                Place::Listed(version) => {
                    self.place = Place::Watch(version);
                    Some(Delta::Complete)
                }
                Place::Watch(version) if !self.feed.gate.is_cancelled() => {
                    self.place = Place::Watch(version);
                    self.feed.gate.cancelled().await;
                    None
                }
                Place::Watch(_) if self.polled => {
                    self.feed.clock.sleep(self.feed.interval).await;
                    self.place = Place::Begin;
                    None
                }
                Place::Watch(version) => self.watch(version).await,
                Place::Watching(events, version, opened) => self.watched(events, version, opened).await,
                Place::Over => return None,
            };
            if let Some(delta) = delta {
                return Some((delta, self));
            }
        }
    }

    /// The one object, as it is: the cheapest look there is, and the freshest.
    async fn ask(&mut self) -> Option<Delta<T>> {
        let name = self.feed.single.clone().expect("only one object is asked for directly");
        match self.feed.api.find(&name).await {
            Ok(found) => {
                self.trouble = None;
                self.place = Place::Listed(found.as_ref().map(version_of).unwrap_or_default());
                let keep = &self.feed.keep;
                Some(Delta::Listed(found.into_iter().map(|object| keep(object, Origin::Listed)).collect()))
            }
            Err(fault) => self.stumble(fault, Place::Page(None)).await,
        }
    }

    async fn page(&mut self, next: Option<String>) -> Option<Delta<T>> {
        let mut items = Vec::new();
        let keep = self.feed.keep.clone();
        let mut take = |object| items.push(keep(object, Origin::Listed));
        match self.feed.api.page(&self.feed.listing, self.size, next.as_deref(), &mut take).await {
            Ok(page) => {
                self.trouble = None;
                self.place = if page.next.is_some() { Place::Page(page.next) } else { Place::Listed(page.version) };
                if let Place::Listed(_) = self.place {
                    self.restarts = 0;
                }
                Some(Delta::Listed(items))
            }
            Err(fault) if fault.code == Code::TooLarge && self.size > 1 => {
                self.size = (self.size / 10).max(1);
                self.place = Place::Page(next);
                None
            }
            Err(fault) if expired(&fault) && self.restarts < RESTARTS => {
                self.restarts += 1;
                self.place = Place::Begin;
                None
            }
            // Someone who may read one object may not be allowed to list them.
            Err(fault) if fault.code == Code::Forbidden && self.feed.single.is_some() => {
                (self.direct, self.polled) = (true, true);
                self.place = Place::Begin;
                None
            }
            Err(fault) => self.stumble(fault, Place::Page(next)).await,
        }
    }

    async fn watch(&mut self, version: String) -> Option<Delta<T>> {
        match self.feed.api.watch(&self.feed.listing, &version, WATCH).await {
            Ok(events) => {
                let opened = self.feed.clock.elapsed();
                self.place = Place::Watching(events.boxed(), version, opened);
                None
            }
            Err(fault) if refused(&fault) => {
                tracing::info!(target: "runbook::wait", reason = %fault.message, "no watch: asked at intervals");
                self.polled = true;
                self.place = Place::Watch(version);
                None
            }
            Err(fault) => self.stumble(fault, Place::Watch(version)).await,
        }
    }

    async fn watched(&mut self, mut events: Events, version: String, opened: Duration) -> Option<Delta<T>> {
        let Some(event) = events.next().await else { return self.closed(version, opened).await };
        let keep = self.feed.keep.clone();
        let (version, delta) = match event {
            Ok(Event::Bookmark(version)) => (version, None),
            Ok(Event::Added(object)) => (version_of(&object), Some(Delta::Added(keep(object, Origin::Watched)))),
            Ok(Event::Modified(object)) => (version_of(&object), Some(Delta::Modified(keep(object, Origin::Watched)))),
            Ok(Event::Deleted(object)) => (version_of(&object), Some(Delta::Gone(keep(object, Origin::Watched)))),
            Ok(Event::Expired) => {
                self.direct = false;
                self.place = Place::Begin;
                return None;
            }
            Err(fault) if refused(&fault) => {
                self.polled = true;
                self.place = Place::Watch(version);
                return None;
            }
            Err(fault) => return self.stumble(fault, Place::Watch(version)).await,
        };
        (self.trouble, self.empty_watches) = (None, 0);
        self.place = Place::Watching(events, version, opened);
        delta
    }

    /// Servers close watches every few minutes. One that closes them at once is not asked again at once.
    async fn closed(&mut self, version: String, opened: Duration) -> Option<Delta<T>> {
        let lasted = self.feed.clock.elapsed().saturating_sub(opened);
        self.empty_watches = if lasted < Duration::from_secs(1) { self.empty_watches + 1 } else { 0 };
        if self.empty_watches > 1 {
            self.feed.clock.sleep(Duration::from_millis(200) * self.empty_watches.min(10)).await;
        }
        self.place = Place::Watch(version);
        None
    }

    /// Tries again what may pass, for a while; anything else ends the feed.
    async fn stumble(&mut self, fault: Fault, again: Place) -> Option<Delta<T>> {
        let now = self.feed.clock.elapsed();
        let since = *self.trouble.get_or_insert(now);
        if fault.code != Code::Network || !fault.retryable || now.saturating_sub(since) > OUTAGE {
            self.place = Place::Over;
            return Some(Delta::Failed(Box::new(fault)));
        }
        tracing::warn!(target: "runbook::wait", reason = %fault.message, "looked at again in a moment");
        self.feed.clock.sleep(Duration::from_millis(500)).await;
        self.place = again;
        None
    }
}

fn version_of(object: &Value) -> String {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn expired(fault: &Fault) -> bool {
    fault.detail.contains_key("expired")
}

/// Whether the server does not let us watch, as opposed to not being able to at the moment.
fn refused(fault: &Fault) -> bool {
    fault.code == Code::Forbidden || matches!(refusal::status(fault), Some(400 | 404 | 405 | 406 | 415 | 501))
}
