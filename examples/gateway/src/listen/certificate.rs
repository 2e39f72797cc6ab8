//! The certificate of a listener, which can change while the gateway serves.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::Problem;
use crate::settings::TlsSettings;

/// The certificate of a listener. A handshake uses the one that is current when it begins.
pub(crate) struct Certificate(ArcSwap<ServerConfig>);

impl Certificate {
    pub(crate) fn new(config: Arc<ServerConfig>) -> Self {
        Self(ArcSwap::new(config))
    }

    /// Uses another certificate for all handshakes from now on.
    pub(crate) fn replace(&self, config: Arc<ServerConfig>) {
        self.0.store(config);
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.load_full())
    }

    /// Reads a pair of files, and proves that key and certificate belong together.
    ///
    /// # Errors
    ///
    /// [`Problem`] with the file and the reason.
    pub(crate) fn read(settings: &TlsSettings) -> Result<Arc<ServerConfig>, Problem> {
        let (chain_file, key_file) = (&settings.certificate, &settings.private_key);
        let wrong = |field: &str, file: &Path, what: &dyn Display| {
            Problem::new(format!("tls.{field}"), format!("{}: {what}", file.display()))
        };
        let chain = CertificateDer::pem_file_iter(chain_file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| wrong("certificate", chain_file, &error))?;
        if chain.is_empty() {
            return Err(wrong("certificate", chain_file, &"the file has no certificate"));
        }
        let key = PrivateKeyDer::from_pem_file(key_file)
            .map_err(|error| wrong("private_key", key_file, &error))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong("certificate", chain_file, &error))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| wrong("private_key", key_file, &error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
