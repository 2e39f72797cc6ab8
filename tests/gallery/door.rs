//! A front door of the gallery, read from its file, with keys whose texts are known.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response};
use tower_api_key::Reply;
use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::config::{Backends, FrontDoor};
use tower_api_key::key::{Account, KeyDigest, KeyRecord, SharedRecord};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::Quota;
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};

use crate::support::{Body, Service, anonymous, digest, greeting, send, text};

/// The instant of every request: 2027-01-15T08:00:00Z.
const NOW: u64 = 1_800_000_000;

/// A key that the store of a front door knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) key: &'a str,
    pub(super) id: &'a str,
    pub(super) account: &'a str,
    pub(super) scopes: &'a [&'a str],
    pub(super) kind: Option<&'a str>,
    pub(super) environment: Option<&'a str>,
    pub(super) revoked: bool,
    /// A quota of the account, of this many requests a minute.
    pub(super) quota: Option<(&'a str, u32)>,
}

impl<'a> Known<'a> {
    /// A key of the account `acme` without scopes.
    pub(super) const fn new(key: &'a str) -> Self {
        let (id, account) = ("key_1", "acme");
        let (kind, environment, quota) = (None, None, None);
        Self { key, id, account, scopes: &[], kind, environment, revoked: false, quota }
    }

    fn add_to(self, store: &MemoryStore) {
        let mut account = Account::builder(self.account);
        if let Some((name, limit)) = self.quota {
            account = account.quotas([Quota::named(name, limit, Duration::from_secs(60))]);
        }
        let account = Arc::new(account.build().unwrap());
        let mut record = KeyRecord::builder(self.id, account).scopes(self.scopes);
        record = record.revoked(self.revoked);
        if let Some(kind) = self.kind {
            record = record.kind(kind);
        }
        if let Some(environment) = self.environment {
            record = record.environment(environment);
        }
        store.add_now(digest(self.key), record.build().unwrap());
    }
}

struct Down;

impl KeyStore for Down {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        Reply::now(Err(StoreError::new("down")))
    }
}

fn serve(vendor: &str, store: impl KeyStore) -> Service {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vendors/gallery");
    let door = FrontDoor::read(file.join(format!("{vendor}.toml"))).unwrap();
    let backends = Backends::new(store).limiter(MemoryLimiter::new());
    let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(NOW));
    greeting(&door.builder(&backends).clock(clock).build().unwrap())
}

/// Opens the front door of a vendor's file.
pub(super) fn open(vendor: &str, keys: &[Known<'_>]) -> Service {
    let store = MemoryStore::new();
    for key in keys {
        key.add_to(&store);
    }
    serve(vendor, store)
}

/// Opens the front door of a vendor's file, whose store is down.
pub(super) fn without_store(vendor: &str) -> Service {
    serve(vendor, Down)
}

/// A request over TLS with these headers.
pub(super) fn request(line: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = anonymous(method.parse::<Method>().unwrap(), path);
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

/// Returns the answer as it reads on the wire: its headers in alphabetical order, with `ID` for the id of the request.
pub(super) async fn answer(service: &Service, request: Request<()>) -> String {
    written(send(service, request).await).await
}

async fn written(response: Response<Body>) -> String {
    let status = response.status().as_u16();
    let headers = lines(response.headers());
    let id = response.extensions().get::<tower_api_key::request::RequestId>().cloned();
    let written = format!("{status}\n{headers}\n{}", text(response).await);
    match id {
        Some(id) => written.replace(id.as_str(), "ID"),
        None => written,
    }
}

/// Writes each header on a line, in the order of their names.
fn lines(headers: &HeaderMap) -> String {
    let line = |(name, value): (&http::HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), format!("{name}: {}\n", value.to_str().unwrap()))
    };
    let mut lines: Vec<(String, String)> = headers.iter().map(line).collect();
    // Lines of one name keep their order.
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Sends a request, and compares the whole answer: status, header lines besides two that all refusals have, and body.
pub(super) async fn refuses(
    service: &Service,
    request: Request<()>,
    status: u16,
    headers: &[&str],
    body: &str,
) {
    let what = format!("{} {}", request.method(), request.uri());
    let found = answer(service, request).await;
    let mut expected: Vec<&str> =
        ["cache-control: no-store"].into_iter().chain(headers.iter().copied()).collect();
    expected.sort_by_key(|line| line.split_once(':').map(|(name, _)| name));
    let expected = format!("{status}\n{}\n\n{body}", expected.join("\n"));
    assert_eq!(without_length(&found), expected, "{what}");
}

/// Leaves out the length of the content, which the content has already.
fn without_length(answer: &str) -> String {
    let (head, body) = answer.split_once("\n\n").unwrap_or((answer, ""));
    let lines = head.lines().filter(|line| !line.starts_with("content-length:"));
    format!("{}\n\n{body}", lines.collect::<Vec<_>>().join("\n"))
}
