//! axum-server with rustls.

use std::net::TcpListener;

use axum_server::from_tcp_rustls;
use axum_server::tls_rustls::RustlsConfig;
use tower_api_key::axum_server::MarkAccepted;

use crate::{Failure, Setup};

/// Serves until the process ends.
///
/// # Errors
///
/// [`Failure`] if the listener cannot be used.
pub async fn serve(listener: TcpListener, setup: Setup) -> Result<(), Failure> {
    let server = from_tcp_rustls(listener, RustlsConfig::from_config(setup.tls.clone()))?
        .map(MarkAccepted::new); // the proof of TLS
    Ok(server.serve(setup.app().into_make_service()).await?)
}
