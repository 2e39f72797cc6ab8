//! Keys and requests that show what each option of a gate does.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::config::Backends;
use tower_api_key::decision::GateDecision;
use tower_api_key::key::{Account, KeyHasher, KeyRecord, KeyRecordBuilder, Pepper};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{CredentialSource, RequestIdHeader};
use tower_api_key::request::{Client, Connection};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayerBuilder, Denial, Grant, Profile, vendors};

/// The vendor of the tests.
pub(crate) fn profile() -> Profile<'static> {
    Profile {
        name: "Test",
        realm: "test",
        credentials: const {
            &[
                CredentialSource::bearer(),
                CredentialSource::header("x-api-key"),
                CredentialSource::websocket_protocol("api-key."),
            ]
        },
        quotas: &[],
        request_id: Some(RequestIdHeader::new("x-request-id")),
        ..vendors::REST_INTEGRATIONS
    }
}

pub(crate) fn pepper() -> Pepper {
    Pepper::new(*b"sixteen random b").unwrap()
}

/// The name of each key, whose text is `key_` and the name to sixteen characters.
const KEYS: [&str; 7] = ["plain", "planned", "billing", "support", "users", "robot", "live"];

fn text(name: &str) -> String {
    format!("key_{name:0<16}")
}

fn record(name: &str) -> KeyRecord {
    let account = Account::builder(if name == "plain" { "a" } else { name });
    let account = if name == "planned" { account.plan("free") } else { account };
    let key = KeyRecord::builder(name, Arc::new(account.build().unwrap())).scopes(["a"]);
    let change: fn(KeyRecordBuilder) -> KeyRecordBuilder = match name {
        "billing" => |key| key.audience("billing"),
        "support" => |key| key.scopes(["support", "b"]),
        "users" => |key| key.scopes(["users.*"]),
        "robot" => |key| key.kind("robot"),
        "live" => |key| key.environment("live"),
        _ => |key| key,
    };
    change(key).build().unwrap()
}

/// A store with all keys, and once more with peppered digests; and the backends of a file with the same.
pub(crate) fn backends() -> (MemoryStore, Backends) {
    let store = MemoryStore::new();
    for name in KEYS {
        let (key, record) = (text(name), record(name));
        store.add_now(KeyHasher::sha256().digest(key.as_bytes()), record);
    }
    let peppered = KeyHasher::with_pepper(&pepper());
    let acme = Account::builder("acme").build().unwrap();
    let record = KeyRecord::builder("peppered", acme).build().unwrap();
    store.add_now(peppered.digest(text("peppered").as_bytes()), record);
    (store.clone(), Backends::new(store).limiter(MemoryLimiter::new()))
}

fn requests() -> Vec<Request<()>> {
    let tls = |peer: &str| Connection::tls(peer.parse().unwrap());
    let request = |method: Method, path: &str, key: &str, connection, headers: &[(&str, &str)]| {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", text(key)));
        }
        let mut request = request.body(()).unwrap();
        request.extensions_mut().insert(connection);
        request
    };
    let client = tls("192.0.2.1:4711");
    let proxied = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", "https")];
    let with_id = [proxied[0], proxied[1], ("x-request-id", "0123456789abcdef")];
    let standard = [("forwarded", "for=198.51.100.7;proto=https")];
    let preflight = [("origin", "https://app.example"), ("access-control-request-method", "PUT")];
    let other = [("origin", "https://other.example"), ("access-control-request-method", "PUT")];
    let grpc = [("content-type", "application/grpc")];
    let socket = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "chat.v1"),
    ];
    let proxy = Connection::plain("10.0.0.1:4711".parse().unwrap());
    let plain = Connection::plain("192.0.2.1:4711".parse().unwrap());
    let mut requests = Vec::new();
    for key in KEYS.into_iter().chain(["peppered", ""]) {
        for path in ["/a", "/a", "/users"] {
            requests.push(request(Method::GET, path, key, client, &[]));
        }
    }
    requests.extend([
        request(Method::POST, "/a", "plain", client, &[]),
        request(Method::GET, "/a", "", tls("192.9.9.9:4711"), &[]),
        request(Method::GET, "/a?include=a,b", "plain", client, &[]),
        request(Method::GET, "/slow", "plain", client, &[]),
        request(Method::GET, "/accepted", "plain", client, &[]),
        request(Method::GET, "/a", "plain", plain, &[]),
        request(Method::GET, "/a", "plain", proxy, &with_id),
        request(Method::GET, "/a", "plain", tls("10.0.0.1:4711"), &[]),
        request(Method::GET, "/a", "plain", Connection::unix_socket(), &proxied),
        request(Method::GET, "/a", "plain", plain, &standard),
        request(Method::OPTIONS, "/a", "", client, &preflight),
        request(Method::OPTIONS, "/a", "", client, &other),
        request(Method::POST, "/vendors.v1.Users/List", "", client, &grpc),
        request(Method::POST, "/vendors.v1.Teams/List", "", client, &grpc),
        request(Method::GET, "/a", "plain", client, &socket),
        request(Method::GET, "/a", "unknown", client, &[]),
        request(Method::GET, "/a", "unknown2", client, &[]),
        request(Method::GET, "/a", "unknown3", client, &[]),
        request(Method::GET, "/a", "plain", client, &[]),
        request(Method::GET, "/a", "plain", tls("[2001:db8::1]:4711"), &[]),
    ]);
    requests
}

/// Sends each request to a gate, and returns each answer as one text.
pub(crate) async fn answers(builder: ApiKeyLayerBuilder) -> Vec<String> {
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_700_000_000));
    let layer = builder.clock(clock).build().unwrap();
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let extensions = request.extensions();
        let grant = extensions.get::<Grant>();
        let costs = grant.map(|grant| grant.add_cost(1).is_ok());
        let account = grant.map(|grant| grant.account().to_string());
        let key = request.headers().contains_key("authorization");
        let shown = format!("{account:?} {costs:?} {key} {:?}", extensions.get::<Client>());
        let mut response = Response::new(Full::new(Bytes::from(shown)));
        match request.uri().path() {
            "/slow" => tokio::time::sleep(Duration::from_millis(200)).await,
            "/accepted" => *response.status_mut() = http::StatusCode::ACCEPTED,
            _ if request.headers().contains_key("upgrade") => {
                *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
                let headers = response.headers_mut();
                headers.insert("connection", "upgrade".parse().unwrap());
                headers.insert("upgrade", "websocket".parse().unwrap());
            }
            _ => {}
        }
        Ok::<_, std::convert::Infallible>(response)
    }));
    let mut answers = Vec::new();
    for request in requests() {
        let shown = format!("{} {} {:?}", request.method(), request.uri(), request.headers());
        let response = service.clone().oneshot(request).await.unwrap();
        let (mut parts, body) = response.into_parts();
        // An id of the gate's own is random.
        if let Some(id) = parts.headers.get_mut("x-request-id")
            && id != "0123456789abcdef"
        {
            *id = "random".parse().unwrap();
        }
        let reason = parts.extensions.get::<Denial>().map(Denial::name);
        let decision = parts.extensions.get::<GateDecision>().is_some();
        let body = body.collect().await.unwrap().to_bytes();
        answers.push(format!(
            "{shown}\n=> {} {:?} {reason:?} {decision} {body:?}",
            parts.status, parts.headers
        ));
    }
    answers
}
