//! A gateway in this process, and a key that it admits.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use gateway::settings::GatewaySettings;
use gateway::{FrontDoor, Gateway};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::{Account, IssuedKey, Issuer, KeyFormat, KeyHasher, KeyRecord, Networks};
use tower_api_key::profile::CredentialSource;
use tower_api_key::request::{ProxyHeaders, TrustedProxies};
use tower_api_key::rules::{Otherwise, Route, Routes};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Profile, vendors};

use crate::raw;

const PROFILE: Profile = Profile {
    credentials: &[CredentialSource::header("x-api-key")],
    formats: &[KeyFormat::hex(40)],
    quotas: &[],
    ..vendors::REST_INTEGRATIONS
};

/// A gateway and a key that it admits.
pub(crate) struct Site {
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
}

impl Site {
    /// Starts a gateway before one upstream.
    pub(crate) async fn before(upstream: SocketAddr) -> Self {
        Self::start(&one(upstream, "")).await
    }

    /// Starts a gateway by a file.
    pub(crate) async fn start(file: &str) -> Self {
        Self::with(file, |builder| builder).await
    }

    /// Starts a gateway by a file, with a change of its front door.
    pub(crate) async fn with(
        file: &str,
        change: impl Fn(ApiKeyLayerBuilder) -> ApiKeyLayerBuilder,
    ) -> Self {
        let store = Arc::new(MemoryStore::new());
        let key = issue(&store);
        let front_door = FrontDoor::new(change(builder(&store)), store.clone()).unwrap();
        let gateway = Gateway::start(settings(file), front_door).await.unwrap();
        let address = gateway.addresses()[0];
        Self { gateway, address, key: key.expose().to_owned() }
    }

    /// Sends a request line, the fields that the gate requires, these lines and a body. Returns the answer.
    pub(crate) async fn send(&self, start: &str, lines: &[u8], body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&self.message(start, lines, body)).await.unwrap();
        raw::read_message(&mut stream).await
    }

    /// Returns a request with the fields that the gate requires.
    pub(crate) fn message(&self, start: &str, lines: &[u8], body: &str) -> Vec<u8> {
        let asked = format!(
            "X-Api-Key: {}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n",
            self.key
        );
        [start.as_bytes(), b"\r\n", asked.as_bytes(), lines, b"\r\n", body.as_bytes()].concat()
    }

    pub(crate) async fn get(&self, lines: &[u8]) -> String {
        self.send("GET /a HTTP/1.1", &[b"Host: named.example\r\n", lines].concat(), "").await
    }
}

/// Returns a file with one listener and one upstream, and these lines for the upstream.
pub(crate) fn one(upstream: SocketAddr, lines: &str) -> String {
    format!(
        "[[gateway.listeners]]\naddress = '127.0.0.1:0'\n\
         [gateway.admin]\naddress = '127.0.0.1:0'\n\
         [gateway.identity]\nmetadata = {{ team = 'x-team' }}\n\
         [gateway.upstreams.backend]\naddresses = ['{upstream}']\n{lines}\n\
         [[gateway.routes]]\npath = '/'\nupstream = 'backend'\nupgrades = ['websocket', 'chat']\n"
    )
}

/// Reads the table `[gateway]` of a file.
pub(crate) fn settings(file: &str) -> GatewaySettings {
    let mut tables: BTreeMap<String, GatewaySettings> = toml::from_str(file).unwrap();
    tables.remove("gateway").unwrap()
}

/// Returns a front door that trusts proxies on this machine. An account may have one socket open at `/socket`.
fn builder(store: &Arc<MemoryStore>) -> ApiKeyLayerBuilder {
    let proxies = Networks::new(["127.0.0.0/8"]).unwrap();
    let proxies = TrustedProxies::new(proxies, ProxyHeaders::XForwarded);
    let routes = Routes::new()
        .any("/socket", Route::new().concurrency(Concurrency::new(1)))
        .otherwise(Otherwise::Need(Route::new()));
    let builder = ApiKeyLayer::builder(PROFILE, Arc::clone(store)).trusted_proxies(proxies);
    builder.routes(routes)
}

fn issue(store: &MemoryStore) -> IssuedKey {
    let issued = Issuer::new(KeyFormat::hex(40), KeyHasher::sha256()).issue(None).unwrap();
    let account = Account::builder("account_1").build().unwrap();
    let record =
        KeyRecord::builder("key_1", account).metadata("team", "caf\u{e9}").build().unwrap();
    store.add_now(*issued.digest(), record);
    issued
}
