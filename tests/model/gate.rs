//! The real layer, with the model's keys in its store and the model's configuration.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{
    Account, Alphabet, KeyDigest, KeyFormat, KeyHasher, KeyRecord, Networks, SharedRecord,
};
use tower_api_key::limits::{AnonymousQuotas, MemoryLimiter};
use tower_api_key::profile::{
    Answer, Answers, BasicKey, Challenge, CredentialSource, ErrorBody, PathAnswers,
    RequestIdHeader, ResponseHeader, SchemeChallenge,
};
use tower_api_key::quota::{OnLimiterFailure, Quota};
use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
use tower_api_key::rules::{Route, RouteRow, Routes};
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{
    ApiKeyLayer, ApiKeyLayerBuilder, Denial, GateBody, Grant, Profile, Reply, vendors,
};

use super::client::Believed;
use super::grpc::GRPC_SERVICES;
use super::holder::{ACCOUNT_SCOPES, ACCOUNTS, DISABLED_ACCOUNT, HOLDERS, Holder, OFFICE};
use super::judge::Setting;
use super::question::Question;
use super::vendor::{VENDORS, Vendor};
use super::window::QUOTAS;

pub(crate) static PROFILES: [(Profile, &[RouteRow]); 11] = [
    (vendors::PERSONYZE, vendors::personyze::ROUTES),
    (vendors::REST_INTEGRATIONS, vendors::rest_integrations::ROUTES),
    (vendors::POLYTEIA, vendors::polyteia::ROUTES),
    (vendors::PERSONA, vendors::persona::ROUTES),
    (vendors::POLYTOMIC, vendors::polytomic::ROUTES),
    (vendors::POLYTOMIC_ON_PREMISES, vendors::polytomic::ROUTES),
    (IMPORTS_ONCE, IMPORTED),
    (IMPORTS, IMPORTED),
    (PAIRS, IMPORTED),
    (FAMILIES, IMPORTED),
    (SOCKETS, &[row(&[http::Method::GET], "/api", Route::new().all_of(&["users.read"]))]),
];

const IMPORTED: &[RouteRow] = &[row(&[], "/api", Route::new().all_of(&["users.read"]))];

const SOURCES: [CredentialSource; 5] = [
    CredentialSource::wide_bearer(),
    CredentialSource::scheme("Token"),
    CredentialSource::basic(BasicKey::UserName),
    CredentialSource::header("x-api-key"),
    CredentialSource::insecure_query("key"),
];
const IMPORTS_ONCE: Profile = Profile {
    credentials: &SOURCES,
    formats: &[KeyFormat::new().literal("imp|").characters(Alphabet::Hex, 20)],
    ..vendors::POLYTEIA
};
const IMPORTS: Profile = Profile {
    credentials: &[
        SOURCES[0].allow_equal(),
        SOURCES[1].allow_equal(),
        SOURCES[2].allow_equal(),
        SOURCES[3].allow_equal(),
        SOURCES[4].allow_equal(),
    ],
    ..IMPORTS_ONCE
};
const SOCKETS: Profile = Profile {
    credentials: &[
        SOURCES[0].allow_equal(),
        CredentialSource::websocket_protocol("api-key.").allow_equal(),
        CredentialSource::websocket_protocol("token.").allow_equal(),
    ],
    required_headers: &[],
    ..IMPORTS_ONCE
};
/// The answers of Polyteia, with facts as texts.
const FACTS: Answers = {
    const fn told(status: StatusCode) -> Answer<'static> {
        Answer::new(status, ErrorBody::Text("{status} {method} {path}"))
    }
    const BAD: Answer = told(StatusCode::BAD_REQUEST).challenge(Challenge::InvalidRequest);
    const MISSING: Answer = told(StatusCode::UNAUTHORIZED).challenge(Challenge::Bare);
    const INVALID: Answer = told(StatusCode::UNAUTHORIZED).challenge(Challenge::InvalidToken);
    let of_account = ErrorBody::Text("{status} {method} {path} {account} {key_id}");
    Answers {
        insecure_transport: BAD,
        credentials_ambiguous: BAD,
        credentials_malformed: INVALID,
        header_refused: BAD,
        rate_limited: Answer::new(StatusCode::TOO_MANY_REQUESTS, of_account),
        store_unavailable: told(StatusCode::SERVICE_UNAVAILABLE).retry_after(5),
        ..vendors::POLYTEIA.answers
    }
    .with_unauthorized(MISSING, INVALID)
    .with_forbidden(Answer::new(StatusCode::FORBIDDEN, of_account))
};
const PAIRS: Profile = Profile {
    answers: FACTS,
    request_id: Some(RequestIdHeader::new("x-request-id")),
    credentials: &[
        CredentialSource::basic(BasicKey::SecretOfId).allow_equal(),
        CredentialSource::pair("ApiKey", BasicKey::SecretOfId).allow_equal(),
        CredentialSource::id_and_secret("x-key-id", "x-key-secret").allow_equal(),
    ],
    ..vendors::POLYTEIA
};

const FAMILIES: Profile = Profile {
    challenges: &[
        SchemeChallenge::new("Bearer").parameters(&[("resource_metadata", "https://example.com")]),
        SchemeChallenge::new("ApiKey").without_realm(),
    ],
    response_headers: &[ResponseHeader { name: "x-api-version", value: "7" }],
    answers_by_path: &[
        family("/scopes", Answer::insecure_success(DENIED), Answer::insecure_success(DENIED)),
        family(
            "/accounts",
            Answer::of_code(403, ErrorBody::Empty),
            Answer::of_code(403, ErrorBody::Empty),
        ),
        family("/accounts/acme/data", Answer::of_code(456, NO), Answer::of_code(529, NO)),
    ],
    ..vendors::POLYTEIA
};
const DENIED: ErrorBody = ErrorBody::Error("REQUEST_DENIED");
const NO: ErrorBody = ErrorBody::Text("No.");

const fn family(
    prefix: &'static str,
    row: Answer<'static>,
    outage: Answer<'static>,
) -> PathAnswers<'static> {
    let store_unavailable = outage.retry_after(5);
    PathAnswers { prefix, answers: Answers { store_unavailable, ..Answers::all(row) } }
}

const EXTRA: &[RouteRow] = &[
    row(&[], "/accounts/{account}/data", Route::new().account_parameter("account")),
    row(
        &[http::Method::GET, http::Method::PUT],
        "/scopes/all",
        Route::new().all_of(&["users.read", "inquiry.read"]),
    ),
    row(&[], "/scopes/any", Route::new().any_of(&["users.write", "dataset.write"])),
    row(&[], "/kinds", Route::new().kinds(&["partner", "organization"])),
    row(&[], "/cost/two", Route::new().cost(2)),
    row(&[], "/cost/none", Route::new().cost(0)),
];

const fn row(
    methods: &'static [http::Method],
    path: &'static str,
    route: Route<'static>,
) -> RouteRow<'static> {
    RouteRow { methods, path, route }
}

/// When the clock of every gate starts, in seconds; keys that have expired did so before.
const START: u64 = 2_000_000_000;

type Service = BoxCloneSyncService<Request<()>, Response<GateBody<Full<Bytes>>>, Infallible>;

pub(crate) struct Gate {
    service: Service,
    clock: ManualClock,
    store_answers: Arc<AtomicBool>,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) denial: Option<&'static str>,
    /// The query that the inner service saw.
    pub(crate) seen: Option<String>,
    /// The protocols that the inner service saw, without empty ones.
    pub(crate) offered: Vec<Vec<u8>>,
}

/// The query and the offered protocols that the inner service sees.
#[derive(Clone, Default)]
struct Seen(Option<String>, Vec<Vec<u8>>);

/// A store that can be switched off.
pub(crate) struct Switched(MemoryStore, Arc<AtomicBool>);

impl KeyStore for Switched {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        if self.1.load(Ordering::Relaxed) {
            return self.0.find(digest);
        }
        Reply::now(Err(StoreError::new("switched off")))
    }
}

/// Begins a layer with the profile of a vendor, by the vendor's place.
pub(crate) type Begin = fn(usize, Switched) -> ApiKeyLayerBuilder;

pub(crate) fn of_constant(vendor: usize, store: Switched) -> ApiKeyLayerBuilder {
    ApiKeyLayer::builder(PROFILES[vendor].0, store)
}

impl Gate {
    pub(crate) fn of(setting: &Setting, begin: Begin) -> Self {
        let (_, rows) = PROFILES[setting.vendor];
        let store_answers = Arc::new(AtomicBool::new(true));
        let store = Switched(store(&VENDORS[setting.vendor]), Arc::clone(&store_answers));
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(START));
        let mut builder = begin(setting.vendor, store)
            .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
            .grpc_services(GRPC_SERVICES)
            .clock(clock.clone());
        if setting.table {
            builder = builder.routes(Routes::new().rows(rows).rows(EXTRA));
        }
        if setting.pinned {
            builder = builder.environment("production");
        }
        if setting.assume_https {
            builder = builder.assume_https();
        }
        if setting.optional {
            builder = builder.optional();
        }
        if setting.anonymous {
            builder = builder.anonymous_quotas(AnonymousQuotas::new(quotas()));
        }
        if setting.preflight {
            builder = builder.allow_preflight();
        }
        let fields = match setting.believed {
            Believed::Nobody => None,
            Believed::Forwarded => Some(ProxyHeaders::Forwarded),
            Believed::XForwarded => Some(ProxyHeaders::XForwarded),
            Believed::Either => Some(ProxyHeaders::Either),
        };
        if let Some(fields) = fields {
            let networks = Networks::new(["10.0.0.0/8", "fd00::/8"]).unwrap();
            let proxies = TrustedProxies::new(networks, fields);
            let always = setting.always_proxies;
            let proxies = if always { proxies.always_proxies() } else { proxies };
            builder = builder.trusted_proxies(proxies);
        }
        let layer = builder.build().unwrap();
        let service = layer.layer(service_fn(|request: Request<()>| async move {
            let grant = request.extensions().get::<Grant>();
            let text = grant.map(|grant| format!("{} {}", grant.account(), grant.key_id()));
            let text = text.unwrap_or_else(|| "stranger".to_owned());
            let mut response = Response::new(Full::from(text));
            let lines = request.headers().get_all("sec-websocket-protocol").iter();
            let offered = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
            let offered = offered.map(|name| name.trim_ascii().to_vec());
            let offered = offered.filter(|name| !name.is_empty()).collect();
            response
                .extensions_mut()
                .insert(Seen(request.uri().query().map(str::to_owned), offered));
            Ok(response)
        }));
        Self { service: BoxCloneSyncService::new(service), clock, store_answers }
    }

    /// Sends a request; `None` if it cannot even be said in types, so that no server passes it on.
    pub(crate) async fn ask(&self, question: &Question) -> Option<Answered> {
        let request = request(question)?;
        self.store_answers.store(question.store_answers, Ordering::Relaxed);
        let Ok(response) = self.service.clone().oneshot(request).await;
        let (head, body) = response.into_parts();
        let Ok(body) = body.collect().await;
        let Seen(seen, offered) = head.extensions.get::<Seen>().cloned().unwrap_or_default();
        Some(Answered {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.to_bytes(),
            seen,
            offered,
            denial: head.extensions.get::<Denial>().map(Denial::name),
        })
    }

    pub(crate) fn wait(&self, milliseconds: u64) {
        self.clock.advance(Duration::from_millis(milliseconds));
    }
}

fn request(question: &Question) -> Option<Request<()>> {
    let query = question.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let target = format!("{}{query}", question.path);
    let mut request = Request::builder().method(question.method).uri(target).body(()).ok()?;
    // What a request holds must be what the model is asked about.
    if request.uri().path() != question.path {
        return None;
    }
    for (name, value) in &question.fields {
        request.headers_mut().append(*name, HeaderValue::from_bytes(value).ok()?);
    }
    // As hyper does. Without the feature the gate cannot read it.
    #[cfg(feature = "http2")]
    if let Some(protocol) = question.protocol {
        request.extensions_mut().insert(hyper::ext::Protocol::from_static(protocol));
    }
    #[cfg(not(feature = "http2"))]
    if question.protocol.is_some() {
        return None;
    }
    if let Some((peer, tls)) = question.peer {
        let peer = (peer, 4711).into();
        let connection = if tls { Connection::tls(peer) } else { Connection::plain(peer) };
        request.extensions_mut().insert(connection);
    }
    Some(request)
}

fn quotas() -> [Quota; 2] {
    QUOTAS.map(|(name, limit, length)| Quota::new(name, limit, Duration::from_millis(length)))
}

fn store(vendor: &Vendor) -> MemoryStore {
    let store = MemoryStore::new();
    let account = |id: &&str| {
        let account = Account::builder(*id).scopes(ACCOUNT_SCOPES).quotas(quotas());
        Arc::new(account.disabled(*id == DISABLED_ACCOUNT).build().unwrap())
    };
    let accounts: Vec<Arc<Account>> = ACCOUNTS.iter().map(account).collect();
    for holder in HOLDERS.iter().filter(|holder| holder.known) {
        let account = accounts.iter().find(|account| account.id().as_str() == holder.account);
        let digest = KeyHasher::sha256().digest(holder.key(vendor).as_bytes());
        store.add_now(digest, record(holder, vendor, Arc::clone(account.unwrap())));
    }
    store
}

fn record(holder: &Holder, vendor: &Vendor, account: Arc<Account>) -> KeyRecord {
    let mut record = KeyRecord::builder(holder.id, account)
        .environment(holder.environment())
        .revoked(holder.revoked)
        .disabled(holder.disabled);
    if let Some(kind) = holder.kind(vendor) {
        record = record.kind(kind);
    }
    if let Some(scopes) = holder.scopes {
        record = record.scopes(scopes);
    }
    if holder.office {
        record = record.networks(OFFICE);
    }
    if holder.expired {
        record = record.expires(Timestamp::from_unix_seconds(START));
    }
    if holder.early {
        record = record.not_before(Timestamp::MAX);
    }
    record.build().unwrap()
}
