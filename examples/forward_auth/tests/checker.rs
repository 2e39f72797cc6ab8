//! The checker without a proxy: the form of each answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use bytes::Bytes;
use forward_auth::Proxy::{self, Caddy, Envoy, Nginx, Traefik};
use forward_auth::{Checker, Listen, Settings, front_door};
use http::{Request, Response};
use http_body_util::Full;
use tower_api_key::config::{Backends, FrontDoor};
use tower_api_key::key::{Account, IssuedKey, Issuer, KeyFormat, KeyHasher, KeyRecord, Networks};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
use tower_api_key::rules::{Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Profile};

fn settings(proxy: Proxy) -> Settings {
    let listen = Listen::Tcp("127.0.0.1:0".parse().unwrap());
    Settings { listen, path: "/check".to_owned(), proxy }
}

/// Returns the gate of the shipped file, with this store.
fn gate(store: MemoryStore) -> ApiKeyLayerBuilder {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("forward-auth.toml");
    let accept = |_: &Settings| Ok(());
    let (door, _) = FrontDoor::read_with(file, front_door::TABLE, accept).unwrap();
    door.builder(&Backends::new(store).limiter(MemoryLimiter::new()))
}

/// Returns a store with one key, whose metadata have these lengths.
fn store(metadata: &[usize]) -> (MemoryStore, IssuedKey) {
    let key = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("test")).unwrap();
    let account = Account::builder("acme").scopes(["users.read"]).build().unwrap();
    let record = KeyRecord::builder("key_1", account).environment("test");
    let store = MemoryStore::new();
    let record = ["a", "b"]
        .iter()
        .zip(metadata)
        .fold(record, |record, (name, length)| record.metadata(*name, "b".repeat(*length)));
    store.add_now(*key.digest(), record.build().unwrap());
    (store, key)
}

/// Asks about `GET /v1/users`, as the proxy of these settings does.
async fn ask(
    checker: &Checker,
    settings: &Settings,
    lines: &[(&str, &str)],
) -> Response<Full<Bytes>> {
    let path = match settings.proxy {
        Envoy => "/check/v1/users",
        _ => "/check",
    };
    let mut question = Request::get(path);
    let (method, target) = match settings.proxy {
        Nginx => ("x-original-method", "x-original-uri"),
        _ => ("x-forwarded-method", "x-forwarded-uri"),
    };
    question = question.header(method, "GET").header(target, "/v1/users");
    question =
        question.header("x-forwarded-for", "203.0.113.9").header("x-forwarded-proto", "https");
    for (name, value) in lines {
        question = question.header(*name, *value);
    }
    let mut question = question.body(()).unwrap();
    question.extensions_mut().insert(Connection::plain("127.0.0.1:4711".parse().unwrap()));
    checker.clone().answer(question).await.unwrap()
}

#[tokio::test]
async fn each_proxy_gets_the_answers_that_it_understands() {
    for (proxy, refused, forged_status) in
        [(Nginx, 403, 403), (Traefik, 401, 400), (Caddy, 401, 400), (Envoy, 401, 400)]
    {
        let (store, key) = store(&[3]);
        let settings = settings(proxy);
        let gate = gate(store);
        let checker = Checker::new(gate, &settings).unwrap();
        let answer = ask(&checker, &settings, &[("x-api-key", key.expose())]).await;
        assert_eq!(answer.status(), 200, "{proxy:?}");
        let headers = answer.headers();
        assert_eq!(headers["x-account-id"], "acme");
        assert_eq!(headers["x-key-id"], "key_1");
        assert_eq!(headers["x-key-environment"], "test");
        assert_eq!(headers["x-key-metadata"], "a=bbb");
        assert!(headers["cache-control"].to_str().unwrap().contains("no-store"), "{headers:?}");
        assert!(headers.contains_key("ratelimit") && headers.contains_key("x-request-id"));
        let refusal = ask(&checker, &settings, &[]).await;
        assert_eq!(refusal.status(), refused, "{proxy:?}");
        assert_eq!(refusal.headers().contains_key("x-forward-auth-refusal"), proxy == Nginx);
        let forged = [("x-api-key", key.expose()), ("X_Account_Id", "victim")];
        assert_eq!(ask(&checker, &settings, &forged).await.status(), forged_status, "{proxy:?}");
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_gets_a_refusal_back() {
    for (peer, lines, expected) in [
        ("127.0.0.1:4711", &["NDE4Cgpmb3JnZWQ"][..], 418),
        ("127.0.0.1:4711", &[], 403),
        ("127.0.0.1:4711", &["NDE4Cgpmb3JnZWQ", "NDE4Cgpmb3JnZWQ"], 500),
        ("127.0.0.2:4711", &["NDE4Cgpmb3JnZWQ"], 403),
        ("127.0.0.2:4711", &["!"], 403),
        ("127.0.0.2:4711", &[], 403),
    ] {
        let (store, key) = store(&[3]);
        let checker = Checker::new(gate(store), &settings(Nginx)).unwrap();
        let mut question = Request::get("/check/refusal").header("x-api-key", key.expose());
        question = question.header("x-original-method", "GET");
        question = question.header("x-original-uri", "/v1/users");
        for line in lines {
            question = question.header("x-forward-auth-refusal", *line);
        }
        let mut question = question.body(()).unwrap();
        question.extensions_mut().insert(Connection::plain(peer.parse().unwrap()));
        let answer = checker.answer(question).await.unwrap();
        assert_eq!(answer.status(), expected, "{peer} {lines:?}");
        assert!(!answer.headers().contains_key("x-account-id"));
    }
}

#[tokio::test]
async fn an_anonymous_request_has_no_identity() {
    let settings = settings(Caddy);
    let trusted = Networks::new(["127.0.0.1/32"]).unwrap();
    let trusted = TrustedProxies::new(trusted, ProxyHeaders::XForwarded).always_proxies();
    let gate = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).optional();
    let gate = gate.routes(Routes::new().get("/v1/users", Route::new())).trusted_proxies(trusted);
    let checker = Checker::new(gate, &settings).unwrap();
    let answer = ask(&checker, &settings, &[("x-account-id", "victim")]).await;
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().keys().any(|name| name.as_str().starts_with("x-")), "{answer:?}");
}

#[tokio::test]
async fn metadata_that_a_proxy_could_not_hold_are_left_out() {
    for (length, stated) in [(1_023, true), (1_024, false)] {
        let (store, key) = store(&[1_020, length]);
        let settings = settings(Traefik);
        let gate = gate(store);
        let checker = Checker::new(gate, &settings).unwrap();
        let answer = ask(&checker, &settings, &[("x-api-key", key.expose())]).await;
        assert_eq!(answer.headers().contains_key("x-key-metadata"), stated, "{length}");
        assert_eq!(answer.headers()["x-account-id"], "acme");
    }
}

/// Whatever features the program is built with, for example beside the gateway.
#[tokio::test]
async fn a_file_with_a_table_that_is_not_served_is_refused() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unserved");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("gate.toml");
    let webhook = "[[webhooks]]\nname = \"a\"\nurl = \"https://hooks.example.com\"\n\
        secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n";
    let both = format!("[events]\n{webhook}");
    for (tables, expected) in [
        ("[management]\npath = \"/manage\"\noperators = [\"staff\"]\n", &["`management`"][..]),
        ("[events]\n", &["`events`"]),
        (&*both, &["`events`", "`webhooks`"]),
    ] {
        let database = folder.join("keys.db");
        let text = format!(
            "without_limits = true\n[profile]\nbase = \"standard\"\n[store]\nurl = \"sqlite:{}\"\n\
             create_if_missing = true\n[trusted_proxies]\nnetworks = [\"127.0.0.1\"]\nheaders = \"x_forwarded\"\n\
             [forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"nginx\"\n",
            database.display()
        );
        let head = text.replace("[forward_auth]\n", &format!("{tables}[forward_auth]\n"));
        std::fs::write(&file, head).unwrap();
        let error = front_door::open(&file).await.err().unwrap().to_string();
        assert!(error.contains("does not serve this table"), "{error}");
        assert!(expected.iter().all(|part| error.contains(part)), "{error}");
        assert!(!database.exists(), "nothing is opened");
    }
}
