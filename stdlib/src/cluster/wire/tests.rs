//! What is sent again and what is not, how fast, and how much at once: over a faked server and a clock that costs nothing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

/// A clock in which sleeping takes no time, and is remembered.
#[derive(Default)]
struct Idle {
    elapsed: Mutex<Duration>,
    slept: Mutex<Vec<Duration>>,
}

impl Idle {
    fn pass(&self, time: Duration) {
        *self.elapsed.lock().unwrap() += time;
    }
}

impl Clock for Idle {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // The timeout of a try must lose against an answer that is there.
        if duration >= Duration::from_mins(1) {
            return std::future::pending().boxed();
        }
        self.pass(duration);
        self.slept.lock().unwrap().push(duration);
        std::future::ready(()).boxed()
    }
}

/// One answer of the faked server.
#[derive(Debug, Clone)]
enum Answer {
    Status(u16),
    StatusAfter(u16, u32),
    Reset,
}

struct Server {
    wire: Wire<tower::util::BoxCloneService<Request<Body>, Response<Body>, BoxError>>,
    clock: Arc<Idle>,
    asked: Arc<AtomicUsize>,
    retried: Arc<Mutex<Vec<Retry>>>,
}

fn server(answers: Vec<Answer>) -> Server {
    let (clock, asked, retried) =
        (Arc::<Idle>::default(), Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<Retry>>>::default());
    let (left, count) = (Arc::new(Mutex::new(VecDeque::from(answers))), asked.clone());
    let service = tower::service_fn(move |_: Request<Body>| {
        count.fetch_add(1, Ordering::SeqCst);
        let answer = left.lock().unwrap().pop_front().unwrap_or(Answer::Status(200));
        std::future::ready(match answer {
            Answer::Status(status) => Ok(Response::builder().status(status).body(Body::empty()).unwrap()),
            Answer::StatusAfter(status, seconds) => {
                Ok(Response::builder().status(status).header("retry-after", seconds).body(Body::empty()).unwrap())
            }
            Answer::Reset => Err(BoxError::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset))),
        })
    });
    let noted = retried.clone();
    let on_retry = Arc::new(move |retry: &Retry| noted.lock().unwrap().push(retry.clone()));
    let wire = Wire::new(service.boxed_clone(), Limits::default(), clock.clone(), on_retry, Arc::default());
    Server { wire, clock, asked, retried }
}

impl Server {
    /// The status of the answer, or the error, and how often the server was asked.
    fn ask(&mut self, method: &str, path: &str) -> (Result<u16, WireError>, usize) {
        let request = Request::builder().method(method).uri(path).body(Body::from(b"{}".to_vec())).unwrap();
        let before = self.asked.load(Ordering::SeqCst);
        let answer = futures::executor::block_on(self.wire.call(request));
        let answer =
            answer.map(|reply| reply.status().as_u16()).map_err(|error| *error.downcast::<WireError>().unwrap());
        (answer, self.asked.load(Ordering::SeqCst) - before)
    }
}

const POD: &str = "/api/v1/namespaces/shop/pods/web";

#[test]
fn a_read_is_asked_again_until_it_is_answered() {
    for trouble in
        [Answer::Reset, Answer::Status(429), Answer::Status(500), Answer::Status(503), Answer::StatusAfter(429, 2)]
    {
        let mut server = server(vec![trouble.clone(), trouble.clone()]);
        let (answer, asked) = server.ask("GET", POD);
        assert_eq!((answer.unwrap(), asked), (200, 3), "{trouble:?}");
        let retried = server.retried.lock().unwrap().clone();
        assert_eq!(retried.iter().map(|retry| retry.attempt).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(retried[0].request, format!("GET {POD}"));
    }
}

#[test]
fn tries_are_bounded_and_the_last_answer_is_given() {
    let (answer, asked) = server(vec![Answer::Status(503); 20]).ask("GET", POD);
    assert_eq!((answer.unwrap(), asked), (503, 6));
    let mut gone = server(vec![Answer::Reset; 20]);
    let (answer, asked) = gone.ask("GET", POD);
    assert_eq!((answer.unwrap_err().tries, asked), (6, 6));
    let waited: Duration = gone.clock.slept.lock().unwrap().iter().sum();
    assert!(waited > Duration::from_secs(6) && waited < Duration::from_secs(12), "{waited:?}");
}

#[test]
fn a_no_is_a_no() {
    for status in [400, 401, 403, 404, 405, 409, 410, 413, 415, 422] {
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            let (answer, asked) = server(vec![Answer::Status(status)]).ask(method, POD);
            assert_eq!((answer.unwrap(), asked), (status, 1), "{method}");
        }
    }
}

#[test]
fn a_write_that_may_have_been_processed_is_never_sent_again() {
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let (answer, asked) = server(vec![Answer::Reset]).ask(method, POD);
        assert_eq!((answer.unwrap_err().sent, asked), (Sent::Perhaps, 1), "{method}");
        for status in [429, 500, 502, 503, 504] {
            let (answer, asked) = server(vec![Answer::Status(status)]).ask(method, POD);
            assert_eq!((answer.unwrap(), asked), (status, 1), "{method}");
        }
    }
}

#[test]
fn a_write_that_was_turned_away_is_sent_when_the_server_says() {
    let mut server = server(vec![Answer::StatusAfter(429, 3)]);
    let (answer, asked) = server.ask("PATCH", POD);
    assert_eq!((answer.unwrap(), asked), (200, 2));
    assert_eq!(server.retried.lock().unwrap()[0].after, Duration::from_secs(3));
}

#[test]
fn a_budget_that_says_no_to_an_eviction_is_an_answer() {
    let (answer, asked) = server(vec![Answer::StatusAfter(429, 1)]).ask("POST", &format!("{POD}/eviction"));
    assert_eq!((answer.unwrap(), asked), (429, 1));
}

#[test]
fn what_only_asks_or_only_tries_is_a_read_whatever_its_method() {
    for (method, path) in [
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned()),
        ("PATCH", format!("{POD}?dryRun=All&fieldManager=x")),
    ] {
        let (answer, asked) = server(vec![Answer::Reset]).ask(method, &path);
        assert_eq!((answer.unwrap(), asked), (200, 2), "{method} {path}");
    }
}

#[test]
fn a_kubelets_failure_is_not_asked_for_again() {
    let (answer, asked) = server(vec![Answer::Status(500)]).ask("GET", &format!("{POD}/log?container=a"));
    assert_eq!((answer.unwrap(), asked), (500, 1));
}

#[test]
fn a_server_that_cannot_be_reached_was_sent_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // A port that was free a moment ago refuses.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut config = kube::Config::new(format!("http://127.0.0.1:{port}").parse().unwrap());
        config.default_retry = false;
        let transport = super::super::transport::open(&config).unwrap();
        let clock = Arc::<Idle>::default();
        let mut wire = Wire::new(transport, Limits::default(), clock, Arc::new(|_: &Retry| {}), Arc::default());
        let request = Request::patch(POD).body(Body::from(b"{}".to_vec())).unwrap();
        let error = *wire.call(request).await.unwrap_err().downcast::<WireError>().unwrap();
        assert_eq!((error.sent, error.tries), (Sent::No, 6), "{}", error.reason);
    });
}

#[test]
fn writes_keep_to_their_rate() {
    let mut server = server(Vec::new());
    for _ in 0..200 {
        server.ask("PATCH", POD).0.unwrap();
    }
    // Ten may go at once, then fifty a second.
    let took = server.clock.elapsed();
    assert!(took > Duration::from_millis(3700) && took < Duration::from_millis(3900), "{took:?}");
}

#[test]
fn fewer_are_in_flight_while_the_server_pushes_back_or_slows_down() {
    let mut pace = Pace::new(&Limits::default());
    let at_once = |pace: &mut Pace| {
        let entered = std::iter::repeat_with(|| pace.enter()).take_while(|entered| *entered).count();
        pace.in_flight = 0;
        entered
    };
    assert_eq!(at_once(&mut pace), 16);
    pace.learn(None, true);
    assert_eq!(at_once(&mut pace), 8);
    for _ in 0..500 {
        pace.learn(Some(Duration::from_millis(5)), false);
    }
    assert_eq!(at_once(&mut pace), 16, "it recovers");
    for _ in 0..60 {
        pace.learn(Some(Duration::from_millis(400)), false);
    }
    assert!(at_once(&mut pace) < 5, "rising latency");
    let mut unlimited = Pace::new(&Limits::off());
    unlimited.learn(None, true);
    assert!((0..1000).all(|_| unlimited.enter()));
}

proptest! {
    #[test]
    fn one_request_may_always_go_and_never_more_than_the_limit(
        answers in prop::collection::vec((0u64..2000, any::<bool>()), 0..200)
    ) {
        let mut pace = Pace::new(&Limits::default());
        for (ms, pushed_back) in answers {
            pace.learn(Some(Duration::from_millis(ms)), pushed_back);
            let entered = std::iter::repeat_with(|| pace.enter()).take_while(|entered| *entered).count();
            prop_assert!((1..=16).contains(&entered));
            pace.in_flight = 0;
        }
    }
}
