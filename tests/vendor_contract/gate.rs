//! The harness: a real layer over a small service, driven through tower.

use std::convert::Infallible;
use std::future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::GateBody;
use tower_api_key::attempts::FailedAttempts;
use tower_api_key::clock::ManualClock;
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::OnLimiterFailure;
use tower_api_key::rules::Routes;
use tower_api_key::store::{KeyStore, MemoryStore};
use tower_api_key::{ApiKeyLayerBuilder, Denial, Grant, Observer, refusal};

use super::broken::Broken;
use super::case::{Case, Edit, NOW, UNDOCUMENTED, World};

pub(crate) type Body = GateBody<Full<Bytes>>;

/// A layer over a service, with what a test may move.
#[derive(Clone)]
pub(crate) struct Gate {
    service: BoxCloneSyncService<Request<()>, Response<Body>, Infallible>,
    pub(crate) store: MemoryStore,
    pub(crate) clock: ManualClock,
    reached: Arc<AtomicUsize>,
    stalled: Arc<AtomicBool>,
    exposed: Exposed,
}

/// Collects the keys that came over plain HTTP.
#[derive(Clone, Default)]
struct Exposed(Arc<Mutex<Vec<KeyDigest>>>);

impl Observer for Exposed {
    fn key_exposed(&self, digest: &KeyDigest) {
        self.0.lock().unwrap().push(*digest);
    }
}

/// A whole response.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) denial: Option<Denial>,
}

impl Gate {
    pub(crate) fn of(case: &Case) -> Self {
        let store = MemoryStore::new();
        let clock = ManualClock::starting_at(NOW);
        let reached = Arc::new(AtomicUsize::new(0));
        let exposed = Exposed::default();
        let stalled = Arc::new(AtomicBool::new(case.world == World::ServiceStalls));
        let builder = match case.world {
            World::StoreFails => case.begin(Broken { later: false }),
            World::StoreFailsLater => case.begin(Broken { later: true }),
            _ => case.begin(store.clone()),
        };
        let builder = match case.world {
            World::LimiterFails(then) => builder.limits(Broken { later: false }, then),
            World::LimiterFailsLater(then) => builder.limits(Broken { later: true }, then),
            _ => builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny),
        };
        let builder = match case.world {
            World::FailedBefore => {
                builder.failed_attempts(FailedAttempts::new(1, Duration::from_secs(60)))
            }
            _ => builder,
        };
        let builder = builder.clock(clock.clone()).observer(exposed.clone());
        let builder = match case.environment {
            Some(environment) => builder.environment(environment),
            None => builder,
        };
        let layer = builder.build().unwrap();
        let gate = Self {
            service: BoxCloneSyncService::new(layer.layer(service_fn({
                let (reached, stalled) = (Arc::clone(&reached), Arc::clone(&stalled));
                let world = case.world;
                move |request| {
                    reached.fetch_add(1, Ordering::SeqCst);
                    serve(world, stalled.load(Ordering::SeqCst), request)
                }
            }))),
            store,
            clock,
            reached,
            stalled,
            exposed,
        };
        if let Some(edit) = case.record {
            gate.insert(case.key, "key_1", "acme", edit);
        }
        gate
    }

    /// Puts a key into the store.
    pub(crate) fn insert(&self, key: &str, id: &str, account: &str, edit: Edit) {
        let account = self.store.find_account_now(account).unwrap_or_else(|| {
            let account = Account::builder(account).build();
            Arc::new(account.unwrap())
        });
        let record = edit(KeyRecord::builder(id, account)).build().unwrap();
        self.store.add_now(digest(key), record);
    }

    /// Returns how often the service behind the gate was called.
    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    /// Lists the keys that count as exposed.
    pub(crate) fn exposed(&self) -> Vec<KeyDigest> {
        self.exposed.0.lock().unwrap().clone()
    }

    /// Makes the service behind the gate answer no further request.
    pub(crate) fn stall(&self) {
        self.stalled.store(true, Ordering::SeqCst);
    }

    /// Sends a request and leaves the response's body unread.
    pub(crate) async fn respond(&self, request: Request<()>) -> Response<Body> {
        let Ok(response) = self.service.clone().oneshot(request).await;
        response
    }

    pub(crate) async fn send(&self, request: Request<()>) -> Answered {
        let (head, body) = self.respond(request).await.into_parts();
        let Ok(body) = body.collect().await;
        Answered {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
            denial: head.extensions.get::<Denial>().cloned(),
        }
    }
}

impl Case {
    /// Begins a layer with the profile and the routes of the case.
    fn begin(&self, store: impl KeyStore) -> ApiKeyLayerBuilder {
        match self.source.begin_whole(&self.profile, store) {
            (builder, true) if self.routes != UNDOCUMENTED => builder,
            (builder, _) => builder.routes(Routes::new().rows(self.routes)),
        }
    }
}

async fn serve(
    world: World,
    stalled: bool,
    request: Request<()>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let Some(grant) = request.extensions().get::<Grant>() else {
        panic!("the service was reached without a grant")
    };
    if stalled {
        future::pending::<()>().await;
    }
    if let World::ServiceAsks(scope) = world
        && let Err(denial) = grant.require(scope)
    {
        return Ok(refusal(denial));
    }
    if world == World::ServiceFails {
        return Ok(refusal(Denial::InternalError));
    }
    let text = format!("{} {}", grant.account(), grant.key_id());
    Ok(Response::new(Full::from(text)))
}

impl Answered {
    /// Lists the header fields in alphabetical order.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut lines: Vec<String> = self.headers.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// Returns the one value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }

    /// Returns the name of the denial.
    pub(crate) fn denial(&self) -> Option<&'static str> {
        self.denial.as_ref().map(Denial::name)
    }
}

pub(crate) fn digest(key: &str) -> KeyDigest {
    KeyHasher::sha256().digest(key.as_bytes())
}
