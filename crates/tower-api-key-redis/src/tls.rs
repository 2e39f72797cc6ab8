//! The certificates of connections with TLS.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redis::{Client, ClientTlsConfig, ConnectionInfo, TlsCertificates};
use rustls::crypto::CryptoProvider;
use tower_api_key::ConfigError;

use super::failure::Failure;

/// The certificates of connections with TLS: the authorities that the limiter trusts, and its own certificate.
///
/// URLs with `rediss://` or `valkeys://` ask for TLS. Unless [`ca`](Self::ca) is set, the limiter trusts the
/// certificate authorities of the operating system. A certificate must name the host of the URL. There is no way to
/// turn this off.
///
/// Files are read again for each new connection, so short-lived certificates can be replaced while the program runs.
///
/// The limiter uses the rustls provider of the process. If the program has set none before it builds the limiter, the
/// limiter sets `ring`.
///
/// ```no_run
/// use tower_api_key_redis::{RedisLimiter, RedisTls};
///
/// let limiter = RedisLimiter::builder("rediss://redis.internal:6380")
///     .tls(RedisTls::new().ca_file("ca.pem").client_certificate_files("client.pem", "client.key"))
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct RedisTls {
    ca: Option<PemText>,
    client: Option<(PemText, PemText)>,
}

/// A text in the format PEM, or the file that has it.
#[derive(Clone)]
enum PemText {
    Text(Arc<[u8]>),
    File(PathBuf),
}

impl RedisTls {
    /// Trusts the certificate authorities of the operating system, and shows no certificate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the certificate authorities of this text in the format PEM, and no others.
    pub fn ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(PemText::of(pem));
        self
    }

    /// Trusts the certificate authorities of this file in the format PEM, and no others.
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Self {
        self.ca = Some(PemText::in_file(path));
        self
    }

    /// Shows a certificate to servers that ask for one: the chain and its private key, in the format PEM.
    pub fn client_certificate(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.client = Some((PemText::of(certificate), PemText::of(key)));
        self
    }

    /// Shows a certificate to servers that ask for one: files with the chain and its private key, in the format PEM.
    pub fn client_certificate_files(
        mut self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Self {
        self.client = Some((PemText::in_file(certificate), PemText::in_file(key)));
        self
    }

    /// Finds mistakes before the first connection.
    pub(super) fn check(&self, info: &ConnectionInfo) -> Result<(), ConfigError> {
        self.apply(info.clone()).map(drop).map_err(|failure| match failure {
            Failure::Credentials(..) => {
                ConfigError::Redis("a file of `tls` cannot be read: check its path and permissions")
            }
            _ => ConfigError::Redis(
                "`tls` has a text that is not PEM: give certificates as `-----BEGIN CERTIFICATE-----`, and the key \
                 as `-----BEGIN PRIVATE KEY-----`",
            ),
        })
    }

    /// Returns the address with these certificates. This may block.
    pub(super) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, Failure> {
        if CryptoProvider::get_default().is_none() {
            // The client library takes the provider of the process. If another thread sets one meanwhile, it counts.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client_tls = match &self.client {
            Some((certificate, key)) => {
                let (client_cert, client_key) = (certificate.read()?, key.read()?);
                Some(ClientTlsConfig { client_cert, client_key })
            }
            None => None,
        };
        let root_cert = self.ca.as_ref().map(PemText::read).transpose()?;
        let chain = client_tls.as_ref().map(|client| &client.client_cert);
        if [root_cert.as_ref(), chain].into_iter().flatten().any(|pem| !has_certificate(pem)) {
            return Err(Failure::Certificates);
        }
        let certificates = TlsCertificates { client_tls, root_cert };
        let client = Client::build_with_tls(info, certificates);
        let client = client.map_err(|_| Failure::Certificates)?;
        Ok(client.get_connection_info().clone())
    }
}

/// Returns true if a text has a certificate. The parser takes a text without one as a list of none.
fn has_certificate(pem: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    pem.windows(BEGIN.len()).any(|window| window == BEGIN)
}

impl PemText {
    fn of(pem: impl Into<Vec<u8>>) -> Self {
        Self::Text(pem.into().into())
    }

    fn in_file(path: impl AsRef<Path>) -> Self {
        Self::File(path.as_ref().to_owned())
    }

    fn read(&self) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Text(pem) => Ok(pem.to_vec()),
            Self::File(path) => std::fs::read(path).map_err(|error| {
                Failure::Credentials("a file of `RedisTls` cannot be read", Some(Arc::new(error)))
            }),
        }
    }
}

impl fmt::Debug for RedisTls {
    /// Omits the certificates and the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisTls")
            .field("ca", &self.ca.is_some())
            .field("client_certificate", &self.client.is_some())
            .finish()
    }
}
