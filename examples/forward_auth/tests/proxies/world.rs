//! A proxy between clients, the checker and a service.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use forward_auth::{Checker, Listen, Proxy, Settings, Socket, front_door, serve};
use http::Response;
use http_body_util::{BodyExt, Full};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::config::{Backends, FrontDoor};
use tower_api_key::key::{
    Account, Issuer, KeyDigest, KeyFormat, KeyHasher, KeyRecord, KeyRecordBuilder, SharedRecord,
};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::quota::Quota;
use tower_api_key::request::Connection;
use tower_api_key::store::{KeyStore, MemoryStore, StoreError};
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Reply};

use crate::client::{self, Answer};
use crate::proxy::{self, Running};
use crate::upstream::Upstream;

/// The client of most requests. The proxies are 127.0.0.1.
pub(crate) const CLIENT: &str = "127.0.0.2";

/// All that takes part.
pub(crate) struct World {
    pub(crate) proxy: Proxy,
    pub(crate) running: Running,
    pub(crate) upstream: Upstream,
    pub(crate) checker: SocketAddr,
    pub(crate) store: Store,
    keys: HashMap<&'static str, String>,
    gate: ApiKeyLayer,
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    roots: Arc<rustls::ClientConfig>,
}

/// A store that can be switched off.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) is_down: Arc<AtomicBool>,
    keys: Arc<MemoryStore>,
}

impl KeyStore for Store {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        if self.is_down.load(Ordering::SeqCst) {
            return Reply::now(Err(StoreError::new("switched off")));
        }
        self.keys.find(digest)
    }
}

impl World {
    /// Starts everything with a changed configuration; `None` if the proxy or Python is missing.
    pub(crate) async fn with(proxy: Proxy, change: impl Fn(String) -> String) -> Option<Self> {
        Self::before(proxy, change, |gate| gate).await
    }

    /// Starts everything with a changed configuration, before a changed gate.
    pub(crate) async fn before(
        proxy: Proxy,
        change: impl Fn(String) -> String,
        change_gate: impl Fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder,
    ) -> Option<Self> {
        let program = proxy::program(proxy)?;
        let upstream = Upstream::start()?;
        let (store, keys) = keys();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("forward-auth.toml");
        let accept = |_: &Settings| Ok(());
        let (door, _) = FrontDoor::read_with(file, front_door::TABLE, accept).unwrap();
        let backends = Backends::new(store.clone()).limiter(MemoryLimiter::new());
        let gate = || change_gate(door.builder(&backends));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = Settings { listen: Listen::Tcp(any), path: "/check".to_owned(), proxy };
        let socket = Socket::bind(&settings.listen).await.unwrap();
        let Socket::Tcp(listener) = &socket else { panic!("not TCP") };
        let checker = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let server = serve(socket, Checker::new(gate(), &settings).unwrap(), async {
            let _ = ended.await;
        });
        let server = Some((end, tokio::spawn(server)));
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = [&*made.cert.pem(), &*made.signing_key.serialize_pem()];
        let (asked, service) = (checker.to_string(), upstream.address);
        let running = Running::start(proxy, &program, &asked, service, certificate, change).await;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (roots, gate) = (Arc::new(roots), gate().build().unwrap());
        Some(Self { proxy, running, upstream, checker, store, keys, gate, server, roots })
    }

    /// Returns a key.
    pub(crate) fn key(&self, label: &str) -> &str {
        &self.keys[label]
    }

    /// Fills `{label}` in a text with the key of that label.
    pub(crate) fn fill(&self, text: &str) -> String {
        let keys = self.keys.iter();
        keys.fold(text.to_owned(), |text, (label, key)| text.replace(&format!("{{{label}}}"), key))
    }

    /// Sends a request over TLS. `lines` are field lines, each of which ends in `\n`.
    pub(crate) async fn send(&self, start: &str, lines: &str, body: &str) -> Answer {
        self.send_from(CLIENT, start, lines, body).await
    }

    pub(crate) async fn send_from(
        &self,
        from: &str,
        start: &str,
        lines: &str,
        body: &str,
    ) -> Answer {
        let bytes = self.bytes(start, lines, body);
        client::tls(&self.roots, from, self.running.tls, &bytes).await
    }

    /// Sends a request without TLS.
    pub(crate) async fn send_plain(&self, start: &str, lines: &str) -> Answer {
        client::plain(CLIENT, self.running.plain, &self.bytes(start, lines, "")).await
    }

    fn bytes(&self, start: &str, lines: &str, body: &str) -> Vec<u8> {
        let lines = self.fill(lines).replace('\n', "\r\n");
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let host = "Host: localhost\r\nConnection: close\r\n";
        let host = if lines.contains("Connection:") { "Host: localhost\r\n" } else { host };
        format!("{start} HTTP/1.1\r\n{host}{length}{lines}\r\n{body}").into_bytes()
    }

    /// Asks a gate of the same rules, which stands in front of the service itself.
    pub(crate) async fn refusal(&self, start: &str, lines: &str, https: bool) -> Response<Bytes> {
        let (method, target) = start.split_once(' ').unwrap();
        let scheme = if https { "https" } else { "http" };
        let request = http::Request::builder().method(method).uri(target);
        let request = request.header("x-forwarded-for", CLIENT);
        let mut request = request.header("x-forwarded-proto", scheme);
        for line in self.fill(lines).lines() {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let mut request = request.body(()).unwrap();
        request.extensions_mut().insert(Connection::plain("127.0.0.1:1".parse().unwrap()));
        let service = service_fn(|_: http::Request<()>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        });
        let response = self.gate.layer(service).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    /// Ends the checker.
    pub(crate) async fn end_checker(&mut self) {
        let (end, server) = self.server.take().unwrap();
        drop(end);
        server.await.unwrap();
    }
}

/// Returns a store with a key for each case, and the keys.
fn keys() -> (Store, HashMap<&'static str, String>) {
    let issuer = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256());
    let (keys, mut labels) = (MemoryStore::new(), HashMap::new());
    let mut add = |label, change: &dyn Fn(KeyRecordBuilder) -> KeyRecordBuilder| {
        let key = issuer.issue(Some("test")).unwrap();
        labels.insert(label, key.expose().to_owned());
        let account = Account::builder(format!("account_of_{label}")).build().unwrap();
        let record = KeyRecord::builder(format!("key_of_{label}"), account).environment("test");
        let record = change(record.scopes(["users.read"])).build().unwrap();
        if label != "unknown" {
            keys.add_now(*key.digest(), record);
        }
    };
    add("active", &|key| key.metadata("team", "core").metadata("cost center", "7&8"));
    add("writer", &|key| key.scopes(["users.read", "users.write"]));
    add("unscoped", &|key| key.scopes(["invoices.read"]));
    add("revoked", &|key| key.revoked(true));
    add("unknown", &|key| key);
    add("local", &|key| key.networks(["127.0.0.2/32"]));
    add("tight", &|key| key.quotas([Quota::new("requests", 3, Duration::from_secs(60))]));
    let store = Store { is_down: Arc::default(), keys: Arc::new(keys) };
    (store, labels)
}
