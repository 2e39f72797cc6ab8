//! The gate of each vendor, and all that clients, operators and the service behind it can print.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::clock::Timestamp;
use tower_api_key::concurrency::{Acquire, Concurrency, ConcurrencyLimiter, Permit};
use tower_api_key::key::{KeyDigest, KeyRecord, KeyRecordBuilder, SharedRecord};
use tower_api_key::limits::{Charge, Limiter, LimiterError, LimiterFallback, MemoryLimiter};
use tower_api_key::profile::{Expected, RequiredHeader};
use tower_api_key::quota::{OnLimiterFailure, Quota, Verdict};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::telemetry::{MetricsObserver, TracingObserver};
use tower_api_key::{ApiKeyLayer, Denial, Grant, Observer, Profile, Reply, refusal, vendors};

use crate::canary::{Canary, basic, printed, told};
use crate::support::{account, anonymous, reason, text, tls};

/// Writes down whatever anybody prints.
#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Arc<Mutex<String>>);

impl Log {
    fn add(&self, text: impl AsRef<str>) {
        *self.0.lock().unwrap() += text.as_ref();
    }
}

impl Observer for Log {
    fn refused(&self, denial: &Denial, record: Option<&KeyRecord>) {
        self.add(told(denial) + &printed(&record));
    }

    fn would_refuse(&self, record: &KeyRecord, quota: &str) {
        self.add(format!("in shadow: {quota} {}", printed(record)));
    }

    fn key_exposed(&self, digest: &KeyDigest) {
        self.add(format!("exposed: {}", printed(digest)));
    }

    fn key_used_elsewhere(&self, record: &KeyRecord, client: Option<IpAddr>) {
        self.add(format!("elsewhere: {client:?} {}", printed(record)));
    }

    fn network_refused(&self, client: IpAddr, retry_after: Duration) {
        self.add(format!("a network is refused: {client} {retry_after:?}\n"));
    }

    fn store_failed(&self, error: &StoreError) {
        self.add(format!("the store failed: {}", told(error)));
    }

    fn concurrency_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        self.add(format!("permits failed: {}{}", told(error), printed(&fallback)));
    }

    fn limiter_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        self.add(format!("the limiter failed: {}{}", told(error), printed(&fallback)));
    }
}

/// A store, a limiter and permits that are down.
struct Down;

impl KeyStore for Down {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::now(Err(StoreError::new(io::Error::other("down"))))
    }
}

impl Limiter for Down {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let seen = printed(&charge);
        Reply::now(Err(LimiterError::new(io::Error::other(seen))))
    }
}

impl ConcurrencyLimiter for Down {
    fn acquire(&self, entry: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>> {
        Reply::now(Err(LimiterError::new(io::Error::other(printed(&entry)))))
    }
}

/// A vendor, a canary of its form, and where it reads keys.
pub(crate) struct Vendor {
    pub(crate) profile: Profile<'static>,
    pub(crate) canary: Canary,
    kind: &'static str,
    /// The credential as it should be.
    pub(crate) line: String,
}

/// Makes a vendor of each profile that ships.
pub(crate) fn all() -> Vec<Vendor> {
    let bearer = |profile: Profile<'static>, prefix: &str, digits: u16, kind| {
        let canary = Canary::new(prefix, digits);
        let line = format!("Bearer {}", canary.key);
        let profile = Profile { required_headers: &[], ..profile };
        Vendor { profile, canary, kind, line }
    };
    let by_basic = |vendor: Vendor, user: &str| {
        let line = basic(user, &vendor.canary.key);
        Vendor { line, ..vendor }
    };
    vec![
        by_basic(bearer(vendors::PERSONYZE, "", 40, "any"), "api"),
        bearer(vendors::REST_INTEGRATIONS, "canary_", 40, "any"),
        bearer(vendors::POLYTEIA, "canary_", 40, "any"),
        bearer(vendors::PERSONA, "persona_sandbox_", 40, "any"),
        bearer(vendors::POLYTOMIC, "pk_live_", 32, "organization"),
        by_basic(bearer(vendors::POLYTOMIC_ON_PREMISES, "pk_live_", 32, "deployment"), "whoever"),
    ]
}

/// What is the matter, besides the request.
#[derive(Clone, Copy)]
pub(crate) enum World {
    Record(fn(KeyRecordBuilder) -> KeyRecordBuilder),
    Unknown,
    StoreDown,
    LimiterDown(OnLimiterFailure),
    PlacesDown(OnLimiterFailure),
    /// The key is unknown, and one more attempt is one too many.
    FewAttempts,
    HeaderMissing,
    Pinned,
}

impl Vendor {
    pub(crate) fn layer(&self, world: World, log: &Log) -> ApiKeyLayer {
        const VERSION: RequiredHeader =
            RequiredHeader { name: "x-missing", expected: Expected::Present };
        let hour = Quota::new("hour", 1, Duration::from_secs(3_600));
        let record = KeyRecord::builder("key_1", account("acme")).kind(self.kind);
        let record = record.environment("sandbox").quotas([hour]);
        let record = match world {
            World::Record(change) => change(record),
            _ => record,
        };
        let store = MemoryStore::new();
        if !matches!(world, World::Unknown | World::FewAttempts) {
            store.add_now(self.canary.digest(), record.build().unwrap());
        }
        log.add(printed(&store));
        let profile = match world {
            World::HeaderMissing => Profile { required_headers: &[VERSION], ..self.profile },
            _ => self.profile,
        };
        let builder = match world {
            World::StoreDown => ApiKeyLayer::builder(profile, Down),
            _ => ApiKeyLayer::builder(profile, store),
        };
        let routes = Routes::new()
            .on(&[], "/", Route::new())
            .on(&[], "/kind", Route::new().kinds(&["other"]))
            .on(&[], "/of/{account}", Route::new().account_parameter("account"))
            .on(&[], "/scope", Route::new().all_of(&["lacking"]))
            .on(&[], "/permit", Route::new().concurrency(Concurrency::new(1)))
            .on(&[], "/budget", Route::new().budget(Duration::from_millis(1)));
        let builder = builder.routes(routes).observer(log.clone());
        let builder = builder.observer(TracingObserver::new()).observer(MetricsObserver::new());
        let builder = match world {
            World::LimiterDown(choice) => builder.limits(Down, choice),
            _ => builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny),
        };
        let builder = match world {
            World::PlacesDown(choice) => builder.concurrency(Down, choice),
            World::FewAttempts => {
                builder.failed_attempts(FailedAttempts::new(1, Duration::from_secs(3_600)))
            }
            _ => builder,
        };
        match world {
            World::Pinned => builder.environment("production").build().unwrap(),
            _ => builder.build().unwrap(),
        }
    }

    pub(crate) fn request(&self, path: &str) -> Request<()> {
        let mut request = anonymous(Method::GET, path);
        request.headers_mut().insert("authorization", self.line.parse().unwrap());
        request
    }

    /// Sends requests, one after another, through one gate, and prints all there is to print.
    /// Returns the names of the denials, `admitted` for none.
    pub(crate) async fn send(
        &self,
        world: World,
        requests: Vec<Request<()>>,
        log: &Log,
    ) -> Vec<&'static str> {
        let layer = self.layer(world, log);
        let behind = log.clone();
        let gate = layer.layer(service_fn(move |request: Request<()>| {
            behind.add(printed(&request.headers()) + &printed(request.extensions()));
            let grant = request.extensions().get::<Grant>();
            behind.add(printed(&grant) + &printed(&grant.map(Grant::record)));
            async move {
                if request.uri().path() == "/budget" {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                let asked = request.headers().get("denial").map(HeaderValue::as_bytes);
                let asked = denials().into_iter().find(|it| asked == Some(it.name().as_bytes()));
                let served = Response::new(Full::new(Bytes::from_static(b"served")));
                Ok::<_, std::convert::Infallible>(asked.map_or(served, refusal))
            }
        }));
        log.add(printed(&layer) + &printed(&layer.clone()));
        let record = KeyRecord::builder("key_1", account("acme")).kind(self.kind);
        let record = record.revoked(true).build().unwrap();
        let mut seen = Vec::new();
        let mut unread = Vec::new();
        for request in requests {
            for known in [None, Some(&record)] {
                let explained = layer.explain(&request, tls(), known, Timestamp::default());
                log.add(format!("{explained}\n{}", printed(&explained)));
                log.add(printed(&explained.answer()));
            }
            let future = gate.clone().oneshot(request);
            let response = future.await.unwrap();
            seen.push(reason(&response));
            log.add(printed(&response) + &printed(&response.extensions().get::<Denial>()));
            unread.push(response);
        }
        for response in unread {
            log.add(text(response).await);
        }
        log.add(printed(&layer.limiter_failures()));
        seen
    }
}

/// One of every kind of denial that a service can ask for, with facts of its own.
pub(crate) fn denials() -> Vec<Denial> {
    vec![
        Denial::InternalError,
        Denial::ScopeMissing { needed: "dataset.write".into() },
        Denial::ConcurrencyExceeded,
        Denial::AccountMismatch,
    ]
}
