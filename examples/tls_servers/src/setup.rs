//! What all servers need: a gate, a key, a certificate, and an axum service.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tower_api_key::key::{Account, Issuer, KeyFormat, KeyHasher, KeyRecord};
use tower_api_key::request::Client;
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Grant, Profile};

/// The reason why a server does not start.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A gate with one key, and a certificate for `localhost`.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The gate, which leaves the proven client for handlers.
    pub gate: ApiKeyLayer,
    /// The text of the key.
    pub key: String,
    /// The server's side of TLS, with HTTP/2 and HTTP/1.1.
    pub tls: Arc<ServerConfig>,
    /// The certificate to trust, as PEM.
    pub certificate: String,
    /// The private key of the certificate, as PEM, which tonic reads.
    pub private_key: String,
}

impl Setup {
    /// Issues a key, and makes a certificate that signs itself.
    ///
    /// # Errors
    ///
    /// [`Failure`] if a key or a certificate cannot be made.
    pub fn new() -> Result<Self, Failure> {
        let issued = Issuer::new(KeyFormat::STANDARD, KeyHasher::sha256()).issue(Some("test"))?;
        let account = Account::builder("acme").build()?;
        let store = MemoryStore::new();
        let record = KeyRecord::builder("key_1", account).environment("test").build()?;
        store.add_now(*issued.digest(), record);
        let gate = ApiKeyLayer::builder(Profile::STANDARD, store).client_in_request();
        let gate = gate.grpc_services(["hello.v1.Greeter"]).build()?;

        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
        let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            gate,
            key: issued.expose().to_owned(),
            tls: Arc::new(tls),
            certificate: made.cert.pem(),
            private_key: made.signing_key.serialize_pem(),
        })
    }

    /// Returns an axum service behind the gate, which greets the account and names the client.
    pub fn app(&self) -> Router {
        Router::new().route("/", any(greet)).layer(self.gate.clone())
    }
}

async fn greet(grant: Grant, client: Client) -> String {
    let address = client.address.map_or("unknown".to_owned(), |address| address.to_string());
    format!("hello {} at {address}\n", grant.account())
}
