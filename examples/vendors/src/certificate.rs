//! The demo's certificate authority and server certificate, made at every start.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Failure;

/// The server's certificate. Dropping it removes the authority's file.
pub(crate) struct Certificate {
    folder: PathBuf,
    file: PathBuf,
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Certificate {
    /// Makes a certificate for `localhost`, the loopback addresses and the address of the listener. The
    /// authority's private key is not kept.
    pub(crate) fn make(listening: IpAddr) -> Result<Self, Failure> {
        let authority = CertifiedIssuer::self_signed(authority()?, KeyPair::generate()?)?;
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let listening = listening.to_string();
        if !names.contains(&listening) {
            names.push(listening);
        }
        let mut parameters = CertificateParams::new(names)?;
        parameters.distinguished_name.push(DnType::CommonName, "localhost");
        parameters.use_authority_key_identifier_extension = true;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let leaf = parameters.signed_by(&key, &authority)?;

        // An unpredictable name, because other users may write to the same directory.
        let folder = std::env::temp_dir().join(format!("vendors-{:016x}", rand::random::<u64>()));
        fs::create_dir(&folder)?;
        let file = folder.join("ca.pem");
        fs::write(&file, authority.pem())?;
        Ok(Self { folder, file, chain: vec![leaf.der().clone(), authority.der().clone()], key })
    }

    /// Returns the path of the authority's certificate, for `curl --cacert`.
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// Returns the configuration of a server for HTTP/2 and HTTP/1.1.
    pub(crate) fn server_config(&self) -> Result<ServerConfig, Failure> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn authority() -> Result<CertificateParams, Failure> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.distinguished_name.push(DnType::CommonName, "tower-api-key demo authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}
