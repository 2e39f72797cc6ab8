//! What several test binaries need: a vendor with short answers, a store with one key, a request.

#![allow(dead_code)] // Each binary uses its own part of this.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord, KeyRecordBuilder};
use tower_api_key::profile::CredentialSource;
use tower_api_key::request::Connection;
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, GateBody, Grant, Profile, vendors};

/// A key that fits `PROFILE`.
pub(crate) const KEY: &str = "key_0123456789abcdef";

/// A vendor of the tests' own: Bearer or `X-Api-Key`, no quotas.
pub(crate) const PROFILE: Profile = Profile {
    name: "Test",
    realm: "test",
    credentials: &[CredentialSource::bearer(), CredentialSource::header("x-api-key")],
    quotas: &[],
    ..vendors::REST_INTEGRATIONS
};

pub(crate) fn digest(key: &str) -> KeyDigest {
    KeyHasher::sha256().digest(key.as_bytes())
}

pub(crate) fn account(id: &str) -> Arc<Account> {
    Arc::new(Account::builder(id).build().unwrap())
}

/// A store that knows `KEY`, of the account `acme`, with these changes to its record.
pub(crate) fn store(change: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder) -> MemoryStore {
    let store = MemoryStore::new();
    let record = change(KeyRecord::builder("key_1", account("acme"))).build();
    store.add_now(digest(KEY), record.unwrap());
    store
}

/// A request over TLS, with `KEY` as its Bearer token.
pub(crate) fn request(method: Method, path: &str) -> Request<()> {
    let mut request = anonymous(method, path);
    let token = format!("Bearer {KEY}").parse().unwrap();
    request.headers_mut().insert("authorization", token);
    request
}

/// A request over TLS without a credential.
pub(crate) fn anonymous(method: Method, path: &str) -> Request<()> {
    let mut request = Request::builder().method(method).uri(path).body(()).unwrap();
    request.extensions_mut().insert(tls());
    request
}

pub(crate) fn tls() -> Connection {
    Connection::tls("192.0.2.1:4711".parse().unwrap())
}

pub(crate) type Body = GateBody<Full<Bytes>>;
pub(crate) type Service = BoxCloneSyncService<Request<()>, Response<Body>, Infallible>;

/// The layer around a service that says whose account it was called for.
pub(crate) fn greeting(layer: &ApiKeyLayer) -> Service {
    BoxCloneSyncService::new(layer.layer(service_fn(|request: Request<()>| async move {
        let account = request.extensions().get::<Grant>().map(|grant| grant.account().to_string());
        let text = format!("hello {}", account.unwrap_or_else(|| "stranger".to_owned()));
        Ok(Response::new(Full::new(Bytes::from(text))))
    })))
}

pub(crate) async fn send(service: &Service, request: Request<()>) -> Response<Body> {
    service.clone().oneshot(request).await.unwrap()
}

pub(crate) async fn text<B>(response: Response<B>) -> String
where
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Why a request was refused, or what the service answered; and the headers.
pub(crate) async fn told(response: Response<Body>) -> (String, HeaderMap) {
    let headers = response.headers().clone();
    match reason(&response) {
        "admitted" => (text(response).await, headers),
        refused => (refused.to_owned(), headers),
    }
}

/// The name of the denial that a response carries, `admitted` if none.
pub(crate) fn reason<B>(response: &Response<B>) -> &'static str {
    response.extensions().get::<Denial>().map_or("admitted", Denial::name)
}
