//! What a panic tells when it happens with a key at hand.

use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::{Mutex, Once};
use std::task::{Context, Waker};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::{Clock, Timestamp};
use tower_api_key::key::{KeyDigest, KeyRecord, SharedRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError, MemoryLimiter};
use tower_api_key::quota::{OnLimiterFailure, Quota, Verdict};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, Denial, Grant, Observer, Reply};

use crate::canary::{Canary, printed};
use crate::support::{PROFILE, account, anonymous};

/// Every message of every panic of this program.
static MESSAGES: Mutex<String> = Mutex::new(String::new());

fn collect_messages() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            *MESSAGES.lock().unwrap() += &format!("{info}\n{}", printed(info));
            before(info);
        }));
    });
}

/// Panics with all that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Careless {
    Store,
    Limiter,
    Observer,
    Clock,
    Service,
}

#[derive(Clone)]
struct Or<T>(Option<Careless>, T);

impl KeyStore for Or<MemoryStore> {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        assert!(self.0.is_none(), "{digest:?} {:?}", self.1);
        self.1.find(digest)
    }
}

impl Limiter for Or<std::sync::Arc<MemoryLimiter>> {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        assert!(self.0.is_none(), "{charge:?} {:?}", self.1);
        self.1.charge(charge)
    }
}

impl Observer for Or<()> {
    fn refused(&self, denial: &Denial, record: Option<&KeyRecord>) {
        assert!(self.0.is_none(), "{denial:?} {record:?}");
    }
}

impl Clock for Or<()> {
    fn now(&self) -> Timestamp {
        assert!(self.0.is_none(), "no time");
        Timestamp::from_unix_seconds(1_800_000_000)
    }
}

#[test]
fn no_panic_tells_of_a_key() {
    collect_messages();
    let canary = Canary::new("canary_", 40);
    for careless in
        [Careless::Store, Careless::Limiter, Careless::Observer, Careless::Clock, Careless::Service]
    {
        let so = |which| (careless == which).then_some(which);
        let minute = Quota::new("minute", 5, std::time::Duration::from_secs(60));
        let record = KeyRecord::builder("key_1", account("acme")).quotas([minute]);
        let store = MemoryStore::new();
        // An observer hears of refusals only.
        let record = record.revoked(careless == Careless::Observer).build().unwrap();
        store.add_now(canary.digest(), record);
        let limiter = Or(so(Careless::Limiter), std::sync::Arc::new(MemoryLimiter::new()));
        let layer = ApiKeyLayer::builder(PROFILE, Or(so(Careless::Store), store))
            .limits(limiter, OnLimiterFailure::Deny)
            .observer(Or(so(Careless::Observer), ()))
            .clock(Or(so(Careless::Clock), ()))
            .build()
            .unwrap();
        let gate = layer.layer(service_fn(move |request: Request<()>| {
            let grant = request.extensions().get::<Grant>();
            assert!(careless != Careless::Service, "{grant:?} {request:?}");
            async { Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default())) }
        }));
        let mut request = anonymous(Method::GET, "/");
        let line = format!("Bearer {}", canary.key);
        request.headers_mut().insert("authorization", line.parse().unwrap());
        let before = MESSAGES.lock().unwrap().len();
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
            let mut serving = pin!(gate.oneshot(request));
            let mut context = Context::from_waker(Waker::noop());
            std::future::Future::poll(serving.as_mut(), &mut context).is_ready()
        }));
        let payload = panicked.expect_err("it panicked");
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        canary.is_not_in(&text.unwrap(), "a panic");
        let messages = MESSAGES.lock().unwrap().clone();
        assert!(messages.len() > before, "{careless:?} was heard of");
        canary.is_not_in(&messages, "a panic's message");
    }
}
