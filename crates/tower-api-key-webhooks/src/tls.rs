//! The certificates that a webhook trusts.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::invalid::InvalidWebhook;

/// Returns the settings of TLS: the authorities of this text in the format PEM, or else those of the system.
pub(crate) fn config(ca: Option<&[u8]>) -> Result<Arc<ClientConfig>, InvalidWebhook> {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = ca {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| InvalidWebhook::Authorities)?;
            roots.add(certificate).map_err(|_| InvalidWebhook::Authorities)?;
        }
        if roots.is_empty() {
            return Err(InvalidWebhook::Authorities);
        }
    } else {
        // Certificates that cannot be read are not trusted, and the others are.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(InvalidWebhook::NoAuthorities);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| InvalidWebhook::Authorities)?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
