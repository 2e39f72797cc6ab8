//! A console over SQLite, on a socket with TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, process};

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tower::Layer;
use tower_api_key::MarkConnection;
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::decision::RequestDecision::{Admitted, Refused};
use tower_api_key::key::{Account, AccountId, Issuer, KeyFormat, KeyHasher, KeyId, KeyRecord};
use tower_api_key::limits::{MemoryLimiter, Plans};
use tower_api_key::quota::Quota;
use tower_api_key::request::Connection;
use tower_api_key::store::{Command, CommandOptions, KeyManager, NewKey};
use tower_api_key::usage::{UsageBatch, UsageCell, UsageHour, UsageSink};
use tower_api_key::vendors::persona;
use tower_api_key_admin::console::{Console, ConsoleBuilder};
use tower_api_key_admin::management::{Management, scopes};
use tower_api_key_sqlx::SqlStore;

pub(crate) const FORMAT: KeyFormat = KeyFormat::prefixed("acme", &["live", "test"]);

/// A console with two accounts, and the key of a person who may do everything.
pub(crate) struct Server {
    pub(crate) runtime: Runtime,
    pub(crate) store: Arc<dyn KeyManager>,
    pub(crate) address: SocketAddr,
    pub(crate) admin: String,
    folder: std::path::PathBuf,
}

impl Server {
    pub(crate) fn start(name: &str) -> Self {
        Self::with(name, |console| console)
    }

    /// Starts a server with further settings of its console.
    pub(crate) fn with(
        name: &str,
        settings: impl FnOnce(ConsoleBuilder<'static>) -> ConsoleBuilder<'static>,
    ) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = env::temp_dir().join(format!("tower-api-key-{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let url = format!("sqlite:{}", folder.join("keys.db").display());
        let (store, admin, address) = runtime.block_on(async {
            let store = SqlStore::builder(&url).create_if_missing(true).connect().await.unwrap();
            let admin = fill(&store).await;
            fill_usage(&store).await;
            let console = settings(builder(&store)).build().unwrap();
            let store: Arc<dyn KeyManager> = Arc::new(store);
            (store, admin, serve(console.router()).await)
        });
        Self { runtime, store, address, admin, folder }
    }

    /// Makes a change.
    pub(crate) fn apply(&self, command: Command<'_>) {
        let options = CommandOptions::by("bob");
        self.runtime.block_on(self.store.apply(command, options)).unwrap();
    }

    pub(crate) fn url(&self, page: &str) -> String {
        format!("https://localhost:{}/console/{page}", self.address.port())
    }

    /// Adds a key of an account, and returns its text.
    pub(crate) fn add(&self, id: &str, account: &str, name: &str, days: Option<u64>) -> String {
        self.runtime.block_on(add(&*self.store, id, account, |key| {
            let key = key.name(name).owner("ada").scopes(["inquiry.read"]);
            match days {
                Some(days) => key.expires(after(days)),
                None => key,
            }
        }))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn after(days: u64) -> Timestamp {
    SystemClock.now().plus(Duration::from_secs(days * 86_400))
}

/// Returns the settings of a console over a store.
pub(crate) fn builder(store: &SqlStore) -> ConsoleBuilder<'static> {
    let hasher = KeyHasher::sha256();
    let catalogue = persona::DEFAULT_PERMISSIONS.iter().chain(persona::KEY_PERMISSIONS);
    let plans = Plans::new();
    plans
        .set(
            "gold",
            [Quota::new("minute", 100, Duration::from_secs(60)), Quota::by_month("month", 10_000)],
        )
        .unwrap();
    let issuer = Issuer::new(FORMAT, hasher.clone()).keep_tails();
    let management = Management::builder(Arc::new(store.clone()), issuer, hasher)
        .operators(["staff"])
        .usage(store.clone())
        .catalogue(catalogue.map(|scope| (*scope, "")))
        .plans(plans)
        .limiter(MemoryLimiter::new(), [])
        .build()
        .unwrap();
    Console::builder(management).formats([FORMAT]).environments(["live", "test"])
}

/// Adds the accounts and the admin's key, whose text is returned.
pub(crate) async fn fill(store: &dyn KeyManager) -> String {
    let staff = Account::builder("staff").scopes(scopes::ALL).build().unwrap();
    let acme = Account::builder("acme")
        .scopes(["inquiry.read", "case.read"])
        .plan("gold")
        .build()
        .unwrap();
    for account in [staff, acme] {
        store.save_account(account, "test").await.unwrap();
    }
    add(store, "key_admin", "staff", |key| key.name("Support desk")).await
}

pub(crate) async fn add(
    store: &dyn KeyManager,
    id: &str,
    account: &str,
    describe: impl FnOnce(tower_api_key::key::KeyRecordBuilder) -> tower_api_key::key::KeyRecordBuilder,
) -> String {
    let issued = Issuer::new(FORMAT, KeyHasher::sha256()).keep_tails().issue(Some("live")).unwrap();
    let account = Account::builder(account).build().unwrap();
    let record = describe(KeyRecord::builder(id, account));
    store.add(NewKey::issued(&issued, record).unwrap(), "test").await.unwrap();
    issued.expose().to_owned()
}

/// Writes three weeks of usage of the key `key_1`.
async fn fill_usage(store: &SqlStore) {
    let now = UsageHour::of(SystemClock.now()).number();
    let key = || (KeyId::new("key_1").unwrap(), AccountId::new("acme").unwrap());
    let cells = (0..21).flat_map(|day| {
        let hour = UsageHour::from_number(now - day * 24);
        let cell = move |route, decision, requests| {
            UsageCell::new(hour, Some(key()), route, decision, requests)
        };
        [
            cell("/api/v1/inquiries", Admitted, 400 + day * 37 % 211),
            cell("/api/v1/accounts/{id}", Admitted, 90 + day * 53 % 97),
            cell("/api/v1/accounts/{id}", Refused, day * 29 % 61),
            cell("/api/v1/inquiries", Refused, day * 17 % 41),
        ]
    });
    store.write(&UsageBatch::new([1; 16], 1, cells, [])).await.unwrap();
}

/// Serves an app over TLS with a certificate of its own, as long as the runtime lives.
async fn serve(app: Router) -> SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::new(tls_config()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.unwrap();
            let (acceptor, app) = (acceptor.clone(), app.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = MarkConnection::new(Connection::tls(peer)).layer(app);
                let builder = Builder::new(TokioExecutor::new());
                let _ = builder
                    .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
                    .await;
            });
        }
    });
    address
}

fn tls_config() -> rustls::ServerConfig {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}
