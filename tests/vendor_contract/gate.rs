//! The harness: a real layer over a small service, driven through tower.

use std::convert::Infallible;
use std::future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::task::yield_now;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::ManualClock;
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord};
use tower_api_key::limits::{
    Charge, Limiter, LimiterError, MemoryLimiter, OnLimiterFailure, Verdict,
};
use tower_api_key::request::Connection;
use tower_api_key::rules::Routes;
use tower_api_key::service::GateBody;
use tower_api_key::store::{Found, KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Denial, Eventually, Grant, refusal};

use crate::case::{Case, Edit, NOW, Transport, World};

/// The peer of every connection.
pub(crate) const PEER: &str = "192.0.2.1:4711";

pub(crate) type Body = GateBody<Full<Bytes>>;

/// A layer over a service, with what a test may move.
#[derive(Clone)]
pub(crate) struct Gate {
    service: BoxCloneSyncService<Request<()>, Response<Body>, Infallible>,
    pub(crate) store: MemoryStore,
    pub(crate) clock: ManualClock,
    reached: Arc<AtomicUsize>,
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
        Self::configured(case, |builder| builder)
    }

    pub(crate) fn configured(
        case: &Case,
        configure: impl FnOnce(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder,
    ) -> Self {
        let store = MemoryStore::new();
        let clock = ManualClock::starting_at(NOW);
        let reached = Arc::new(AtomicUsize::new(0));
        let builder = match case.world {
            World::StoreFails => ApiKeyLayer::builder(case.profile, Broken { later: false }),
            World::StoreFailsLater => ApiKeyLayer::builder(case.profile, Broken { later: true }),
            _ => ApiKeyLayer::builder(case.profile, store.clone()),
        };
        let builder = match case.world {
            World::LimiterFails(then) => builder.limits(Broken { later: false }, then),
            World::LimiterFailsLater(then) => builder.limits(Broken { later: true }, then),
            _ => builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny),
        };
        let builder = builder
            .clock(clock.clone())
            .routes(Routes::new().rows(case.routes));
        let builder = match case.environment {
            Some(environment) => builder.environment(environment),
            None => builder,
        };
        let layer = configure(builder).build().unwrap();
        let gate = Self {
            service: BoxCloneSyncService::new(layer.layer(service_fn({
                let (reached, world) = (Arc::clone(&reached), case.world);
                move |request| {
                    reached.fetch_add(1, Ordering::SeqCst);
                    serve(world, request)
                }
            }))),
            store,
            clock,
            reached,
        };
        if let Some(edit) = case.record {
            gate.insert(case.key, "key_1", "acme", edit);
        }
        gate
    }

    /// Puts a key into the store.
    pub(crate) fn insert(&self, key: &str, id: &str, account: &str, edit: Edit) {
        let account = self.store.account(account).unwrap_or_else(|| {
            let account = Account::builder(account).build();
            Arc::new(account.unwrap())
        });
        let record = edit(KeyRecord::builder(id, account)).build().unwrap();
        self.store.insert(digest(key), record);
    }

    /// Returns how often the service behind the gate was called.
    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
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

async fn serve(world: World, request: Request<()>) -> Result<Response<Full<Bytes>>, Infallible> {
    let Some(grant) = request.extensions().get::<Grant>() else {
        panic!("the service was reached without a grant")
    };
    match world {
        World::ServiceStalls => future::pending().await,
        World::ServiceAsks(scope) => match grant.require(scope) {
            Err(denial) => return Ok(refusal(denial)),
            Ok(()) => {}
        },
        _ => {}
    }
    let text = format!("{} {}", grant.account(), grant.key_id());
    Ok(Response::new(Full::from(text)))
}

impl Case {
    pub(crate) fn to_request(self) -> Request<()> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.target)
            .body(())
            .unwrap();
        for line in self.authorization {
            let line = line.parse().unwrap();
            request.headers_mut().append("authorization", line);
        }
        for (name, value) in self.headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let peer = PEER.parse().unwrap();
        match self.transport {
            Transport::Tls => request.extensions_mut().insert(Connection::tls(peer)),
            Transport::Plain => request.extensions_mut().insert(Connection::plain(peer)),
            Transport::Unmarked => None,
        };
        request
    }

    /// Brings the case about and returns what the client gets.
    pub(crate) async fn run(self) -> Answered {
        let gate = Gate::of(&self);
        let mut earlier = None;
        if matches!(self.world, World::ServedBefore | World::InFlight) {
            let response = gate.respond(self.to_request()).await;
            assert_eq!(response.status(), 200, "{}: the request before", self.name);
            earlier = (self.world == World::InFlight).then_some(response);
        }
        let reached = gate.reached();
        let answered = gate.send(self.to_request()).await;
        let passes = match self.world {
            World::ServiceStalls | World::ServiceAsks(_) => true,
            _ => self.reply.denial.is_none(),
        };
        let times = gate.reached() - reached;
        assert_eq!(times, usize::from(passes), "{}: calls", self.name);
        drop(earlier);
        answered
    }

    /// Runs the case and lists what is not as it should be.
    pub(crate) async fn differences(self) -> Vec<String> {
        let answered = self.run().await;
        let mut found = Vec::new();
        let mut compare = |what: &str, got: String, wanted: String| {
            if got != wanted {
                found.push(format!("{}: {what}\n  {got}\n  {wanted}", self.name));
            }
        };
        let text = |value: u16| value.to_string();
        compare(
            "status",
            text(answered.status.as_u16()),
            text(self.reply.status),
        );
        let body = String::from_utf8(answered.body.to_vec()).unwrap();
        compare("body", body, self.reply.body.to_owned());
        let denial = answered.denial.as_ref().map(Denial::name);
        compare(
            "denial",
            format!("{denial:?}"),
            format!("{:?}", self.reply.denial),
        );
        let (got, wanted) = self.headers_of(&answered);
        compare("headers", format!("{got:?}"), format!("{wanted:?}"));
        found
    }

    /// Lists all headers, as they are and as they should be.
    fn headers_of(self, answered: &Answered) -> (Vec<String>, Vec<String>) {
        let mut wanted: Vec<String> = Vec::new();
        let mut want = |name: &str, value: &str| wanted.push(format!("{name}: {value}"));
        if self.reply.denial.is_some() {
            want("content-type", self.content_type);
            want("content-length", &self.reply.body.len().to_string());
            want("cache-control", "no-store");
        }
        for challenge in self.reply.challenges {
            want("www-authenticate", challenge);
        }
        for (name, value) in self.reply.headers {
            want(name, value);
        }
        let mut got = answered.lines();
        for line in &mut got {
            let prefix = |wanted: &&String| {
                let prefix = wanted.strip_suffix('…');
                prefix.is_some_and(|prefix| line.starts_with(prefix))
            };
            if let Some(pattern) = wanted.iter().find(prefix) {
                *line = pattern.clone();
            }
        }
        wanted.sort();
        (got, wanted)
    }
}

impl Answered {
    /// Lists the header fields in alphabetical order.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
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

/// A store and a limiter that cannot answer, and say so at once or later.
#[derive(Clone, Copy)]
struct Broken {
    later: bool,
}

impl Broken {
    fn fail<T: Send + 'static>(self, answer: impl FnOnce() -> T + Send + 'static) -> Eventually<T> {
        if !self.later {
            return Eventually::now(answer());
        }
        Eventually::later(async move {
            yield_now().await;
            answer()
        })
    }
}

impl KeyStore for Broken {
    fn find(&self, _: &KeyDigest) -> Eventually<Found> {
        self.fail(|| Err(StoreError::new("connection reset")))
    }
}

impl Limiter for Broken {
    fn charge(&self, _: Charge<'_>) -> Eventually<Result<Verdict, LimiterError>> {
        self.fail(|| Err(LimiterError::new("connection reset")))
    }
}
