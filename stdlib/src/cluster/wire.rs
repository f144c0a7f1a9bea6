//! A request leaving for a live cluster: how many at once, how fast, how often again, and how many there were.
//!
//! What may be sent again is decided by what the request does: a read may, a write only where the server provably has not
//! processed it. Does not know kinds, objects or scripts.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body as HttpBody, Bytes};
use kube::client::Body;
use runbook_core::world::Clock;
use tokio::sync::Notify;
use tower::{BoxError, Service, ServiceExt as _};

use super::transport::{distrusted, in_words, never_connected};

/// How the program names itself.
const USER_AGENT: &str = concat!("runbook/", env!("CARGO_PKG_VERSION"));

/// An answer that is larger than this is not taken in.
const LARGEST: usize = 128 * 1024 * 1024;

/// How long a server that asks for patience is given at most, before one try.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much at once, how fast, how often again.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Requests in flight at once; fewer while the server is slow or pushes back. Watches do not count. 0: no limit.
    pub in_flight: usize,
    /// Writes in a second. 0: no limit.
    pub writes_per_second: u32,
    /// How long one try may take, watches and followed logs apart.
    pub timeout: Duration,
    /// Tries in all of what may be tried again, at least 1.
    pub tries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { in_flight: 16, writes_per_second: 50, timeout: Duration::from_mins(1), tries: 6 }
    }
}

impl Limits {
    /// As fast as the server answers; timeout and retries as ever.
    pub fn off() -> Self {
        Self { in_flight: 0, writes_per_second: 0, ..Self::default() }
    }
}

/// A failed try that is not the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Method and path.
    pub request: String,
    /// The how-manieth try failed, from 1.
    pub attempt: u32,
    /// Why.
    pub reason: String,
    /// When the next one follows.
    pub after: Duration,
}

/// What was sent to clusters.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests that only read, tries counted one by one.
    pub reads: AtomicU64,
    /// Requests that change something, tries counted one by one.
    pub writes: AtomicU64,
    /// Tries that were followed by another.
    pub retries: AtomicU64,
}

/// Whether a request without an answer has reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It has not: nothing was done.
    No,
    /// It may have: what was done is not known.
    Perhaps,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No connection, a broken one, or none in time. May pass.
    Lost,
    /// The answer was there, but is larger than we take in.
    TooLarge,
    /// Certificates or credentials: who does not trust now does not in a second either.
    Trust,
}

/// No answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct WireError {
    /// Whether the request may have reached the server.
    pub sent: Sent,
    /// Why.
    pub cause: Cause,
    /// Tries made.
    pub tries: u32,
    /// In words.
    pub reason: String,
}

/// What a request does, as far as sending it again goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Read,
    /// A read that the server passes on to a kubelet: its failures are the kubelet's, and stay.
    Relayed,
    /// A read that goes on: a watch, a followed log. No timeout, no place in flight once it has begun.
    Stream,
    /// A switched protocol: a command runs in a pod, and what it does nobody knows.
    Switch,
    Write,
    /// A write whose 429 is an answer: a disruption budget says no.
    Eviction,
}

impl Sort {
    fn of<B>(request: &Request<B>) -> Self {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let says = |flag: &str| query.split('&').any(|part| part == flag);
        let asks = path.ends_with("accessreviews") || path.ends_with("rulesreviews");
        match *request.method() {
            _ if request.headers().contains_key(header::UPGRADE) => Self::Switch,
            Method::GET | Method::HEAD if says("watch=true") || says("watch=1") || says("follow=true") => Self::Stream,
            Method::GET if path.ends_with("/log") => Self::Relayed,
            Method::GET | Method::HEAD => Self::Read,
            _ if says("dryRun=All") => Self::Read,
            Method::POST if asks => Self::Read,
            Method::POST if path.ends_with("/eviction") => Self::Eviction,
            _ => Self::Write,
        }
    }

    fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Eviction)
    }

    fn may_repeat(self) -> bool {
        matches!(self, Self::Read | Self::Relayed | Self::Stream)
    }

    fn goes_on(self) -> bool {
        matches!(self, Self::Stream | Self::Switch)
    }
}

/// How fast we may go, learnt from how the server answers.
#[derive(Debug)]
struct Pace {
    most: usize,
    rate: u32,
    in_flight: usize,
    window: f64,
    /// The latency of an idle server, and that of late, in seconds.
    usual: Option<f64>,
    recent: f64,
    calm: u32,
    tokens: f64,
    refilled: Duration,
}

impl Pace {
    /// Answers since the window last shrank, before it may shrink again: one slow spell counts once.
    const CALM: u32 = 8;

    fn new(limits: &Limits) -> Self {
        let most = if limits.in_flight == 0 { usize::MAX } else { limits.in_flight };
        Self {
            most,
            rate: limits.writes_per_second,
            in_flight: 0,
            #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
            window: most as f64,
            usual: None,
            recent: 0.0,
            calm: Self::CALM,
            tokens: Self::burst(limits.writes_per_second),
            refilled: Duration::ZERO,
        }
    }

    /// A fifth of a second's writes may go at once.
    fn burst(rate: u32) -> f64 {
        (f64::from(rate) / 5.0).max(1.0)
    }

    fn enter(&mut self) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
        let free = self.most == usize::MAX || (self.in_flight as f64) < self.window.floor().max(1.0);
        self.in_flight += usize::from(free);
        free
    }

    /// Takes a token for a write, or says how long to wait for one.
    fn token(&mut self, now: Duration) -> Option<Duration> {
        if self.rate == 0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
        let share = if self.most == usize::MAX { 1.0 } else { self.window / self.most as f64 };
        let rate = f64::from(self.rate) * share;
        self.tokens =
            (self.tokens + now.saturating_sub(self.refilled).as_secs_f64() * rate).min(Self::burst(self.rate));
        self.refilled = now;
        self.tokens -= 1.0;
        (self.tokens < 0.0).then(|| Duration::from_secs_f64(-self.tokens / rate))
    }

    /// Learns from an answer: pushed back or slow, we take less; else slowly more again.
    fn learn(&mut self, latency: Option<Duration>, pushed_back: bool) {
        self.calm = self.calm.saturating_add(1);
        let mut slow = false;
        if let Some(sample) = latency.map(|latency| latency.as_secs_f64()) {
            let usual =
                self.usual.map_or(sample, |usual| if sample < usual { sample } else { usual * 0.999 + sample * 0.001 });
            self.usual = Some(usual);
            self.recent = if self.recent == 0.0 { sample } else { self.recent * 0.8 + sample * 0.2 };
            slow = self.recent > (usual * 4.0).max(usual + 0.1);
        }
        if self.most == usize::MAX {
            return;
        }
        if (pushed_back || slow) && self.calm >= Self::CALM {
            self.window = (self.window * if pushed_back { 0.5 } else { 0.8 }).max(1.0);
            self.calm = 0;
        } else if !pushed_back && !slow {
            #[expect(clippy::cast_precision_loss, reason = "a handful of requests")]
            let most = self.most as f64;
            self.window = (self.window + 1.0 / self.window).min(most);
        }
    }
}

/// What all requests to one cluster share.
struct Shared {
    limits: Limits,
    clock: Arc<dyn Clock>,
    on_retry: Arc<dyn Fn(&Retry) + Send + Sync>,
    counters: Arc<Counters>,
    pace: Mutex<Pace>,
    freed: Notify,
}

impl Shared {
    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn place(self: &Arc<Self>) -> Place {
        loop {
            let freed = self.freed.notified();
            if self.pace().enter() {
                return Place(self.clone());
            }
            freed.await;
        }
    }

    /// 0.1, 0.3, 0.9, 2.7 and then 5 seconds, give or take a fifth so that many clients do not come back together.
    fn backoff(&self, attempt: u32) -> Duration {
        let base = (0.1 * 3_f64.powi(i32::try_from(attempt).unwrap_or(i32::MAX) - 1)).min(5.0);
        let noise = f64::from(self.clock.elapsed().subsec_nanos() % 1000) / 1000.0;
        Duration::from_secs_f64(base * (0.8 + 0.4 * noise))
    }
}

/// A place in flight, given back when dropped.
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.pace().in_flight -= 1;
        self.0.freed.notify_one();
    }
}

/// The layer. One for each cluster.
pub(super) struct Wire<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// What the layer answers with: whole, or as it comes.
type Reply<B> = Response<Either<Full<Bytes>, B>>;

impl<S> Wire<S> {
    pub(super) fn new(
        inner: S,
        limits: Limits,
        clock: Arc<dyn Clock>,
        on_retry: Arc<dyn Fn(&Retry) + Send + Sync>,
        counters: Arc<Counters>,
    ) -> Self {
        let pace = Mutex::new(Pace::new(&limits));
        Self { inner, shared: Arc::new(Shared { limits, clock, on_retry, counters, pace, freed: Notify::new() }) }
    }
}

impl<S, B> Service<Request<Body>> for Wire<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Reply<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request.headers_mut().entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
        let (inner, shared) = (self.inner.clone(), self.shared.clone());
        Box::pin(async move { carry(inner, shared, request).await })
    }
}

async fn carry<S, B>(inner: S, shared: Arc<Shared>, request: Request<Body>) -> Result<Reply<B>, BoxError>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone,
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let sort = Sort::of(&request);
    let what = format!("{} {}", request.method(), request.uri().path());
    let (parts, body) = request.into_parts();
    let mut attempt = 0;
    loop {
        attempt += 1;
        // A body that cannot be had twice is sent once.
        let copy = body.try_clone();
        let last = attempt >= shared.limits.tries || copy.is_none();
        let once = Request::from_parts(parts.clone(), copy.unwrap_or_else(Body::empty));
        let outcome = send(inner.clone(), &shared, once, sort, &what).await;
        let again = if last { None } else { again(sort, &outcome, shared.backoff(attempt)) };
        match (again, outcome) {
            (Some((reason, after)), _) => {
                shared.counters.retries.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(target: "runbook::wire", request = %what, attempt, reason = %reason, "tried again");
                (shared.on_retry)(&Retry { request: what.clone(), attempt, reason, after });
                shared.clock.sleep(after).await;
            }
            (None, Ok(reply)) => return Ok(reply),
            (None, Err(error)) => return Err(Box::new(WireError { tries: attempt, ..error })),
        }
    }
}

/// Whether to try again, why and when.
fn again<B>(sort: Sort, outcome: &Result<Reply<B>, WireError>, backoff: Duration) -> Option<(String, Duration)> {
    match outcome {
        Err(error) if error.cause != Cause::Lost => None,
        Err(error) => (sort.may_repeat() || error.sent == Sent::No).then(|| (error.reason.clone(), backoff)),
        Ok(reply) => {
            let status = reply.status();
            let asked = reply.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let asked = asked.map(|seconds| Duration::from_secs(seconds).min(PATIENCE));
            let pushed_back = status == StatusCode::TOO_MANY_REQUESTS && sort != Sort::Eviction;
            let again = match sort {
                Sort::Read | Sort::Stream => pushed_back || status.is_server_error(),
                _ => pushed_back && asked.is_some(),
            };
            again.then(|| (format!("the server answers {status}"), asked.unwrap_or(backoff).max(backoff)))
        }
    }
}

async fn send<S, B>(
    inner: S,
    shared: &Arc<Shared>,
    request: Request<Body>,
    sort: Sort,
    what: &str,
) -> Result<Reply<B>, WireError>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone,
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if sort.writes() {
        let pause = shared.pace().token(shared.clock.elapsed());
        if let Some(pause) = pause {
            shared.clock.sleep(pause).await;
        }
        shared.counters.writes.fetch_add(1, Ordering::Relaxed);
    } else {
        shared.counters.reads.fetch_add(1, Ordering::Relaxed);
    }
    let place = shared.place().await;
    // A page of many objects takes its time on an idle server too.
    let telling = !sort.goes_on() && !request.uri().query().unwrap_or_default().contains("limit=");
    let started = shared.clock.elapsed();
    let answer = async {
        let response = inner.oneshot(request).await.map_err(|error| lost(&error))?;
        if sort.goes_on() && response.status().as_u16() < 300 {
            return Ok(response.map(Either::Right));
        }
        let (parts, body) = response.into_parts();
        let whole = Limited::new(body, LARGEST).collect().await.map_err(|error| cut_off(&error))?;
        Ok(Response::from_parts(parts, Either::Left(Full::new(whole.to_bytes()))))
    };
    let outcome = tokio::select! {
        outcome = answer => outcome,
        // Nobody waits for it: where time is simulated, it must not pass because an answer is on its way.
        () = shared.clock.alarm(shared.limits.timeout) => Err(WireError {
            sent: Sent::Perhaps,
            cause: Cause::Lost,
            tries: 1,
            reason: format!("no answer within {} s", shared.limits.timeout.as_secs()),
        }),
    };
    let took = shared.clock.elapsed().saturating_sub(started);
    let status = outcome.as_ref().map_or(0, |reply| reply.status().as_u16());
    tracing::debug!(target: "runbook::wire", request = %what, status, ms = took.as_secs_f64() * 1000.0, "answered");
    let latency = (telling && outcome.is_ok()).then_some(took);
    shared.pace().learn(latency, status == 429 && sort != Sort::Eviction);
    drop(place);
    outcome
}

fn lost(error: &BoxError) -> WireError {
    let credentials = matches!(error.downcast_ref(), Some(kube::Error::Auth(_)))
        || error.downcast_ref::<kube::client::AuthError>().is_some();
    let sent = if credentials || never_connected(error) { Sent::No } else { Sent::Perhaps };
    let cause = if credentials || distrusted(error) { Cause::Trust } else { Cause::Lost };
    WireError { sent, cause, tries: 1, reason: in_words(error.as_ref()) }
}

fn cut_off(error: &BoxError) -> WireError {
    let (cause, reason) = if error.is::<LengthLimitError>() {
        (Cause::TooLarge, format!("the answer is larger than {} MiB", LARGEST / 1024 / 1024))
    } else {
        (Cause::Lost, format!("the answer was cut off: {}", in_words(error.as_ref())))
    };
    WireError { sent: Sent::Perhaps, cause, tries: 1, reason }
}

#[cfg(test)]
mod tests;
