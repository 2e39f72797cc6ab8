//! Connects to one server, whatever host a request names.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tower::Service;

use crate::Problem;
use crate::settings::{Protocol, UpstreamSettings, UpstreamTlsSettings};

/// After how much silence the system asks whether the other end of a connection is still there.
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(30);

type Connector = TimeoutConnector<HttpsConnector<HttpConnector>>;

/// Connects to one server. The pool asks for the host of a request, which over HTTP/2 is what the server reads in
/// `:authority`. That host must not decide where the gateway connects.
#[derive(Clone)]
pub(super) struct Dial {
    to: Uri,
    connector: Connector,
}

impl Dial {
    pub(super) fn new(to: Uri, settings: &UpstreamSettings) -> Result<Self, Problem> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEP_ALIVE));
        let builder = HttpsConnectorBuilder::new().with_tls_config(client_config(settings)?);
        let builder = match &settings.tls {
            Some(tls) => {
                let name = ServerName::try_from(tls.server_name.clone());
                let name =
                    name.map_err(|_| Problem::new("tls.server_name", "not a name of a host"))?;
                builder.https_only().with_server_name_resolver(FixedServerNameResolver::new(name))
            }
            None => builder.https_or_http(),
        };
        let https = match settings.protocol {
            Protocol::Http1 => builder.enable_http1().wrap_connector(tcp),
            Protocol::Http2 => builder.enable_http2().wrap_connector(tcp),
        };
        let mut connector = TimeoutConnector::new(https);
        connector.set_connect_timeout(Some(settings.connect_timeout.get()));
        Ok(Self { to, connector })
    }
}

impl Service<Uri> for Dial {
    type Response = <Connector as Service<Uri>>::Response;
    type Error = <Connector as Service<Uri>>::Error;
    type Future = <Connector as Service<Uri>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        self.connector.call(self.to.clone())
    }
}

fn client_config(settings: &UpstreamSettings) -> Result<ClientConfig, Problem> {
    let roots = match &settings.tls {
        None => RootCertStore::empty(),
        Some(UpstreamTlsSettings { authorities: Some(file), .. }) => from_file(file)?,
        Some(_) => of_the_system()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Problem::new("tls", error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn from_file(file: &Path) -> Result<RootCertStore, Problem> {
    let problem = |what: &dyn std::fmt::Display| {
        Problem::new("tls.authorities", format!("{}: {what}", file.display()))
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| problem(&error))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| problem(&error))?;
        roots.add(certificate).map_err(|error| problem(&error))?;
    }
    if roots.is_empty() {
        return Err(problem(&"the file has no certificate"));
    }
    Ok(roots)
}

fn of_the_system() -> Result<RootCertStore, Problem> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let problem = "the system trusts no authority: name a file";
        return Err(Problem::new("tls.authorities", problem));
    }
    Ok(roots)
}
