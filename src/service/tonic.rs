//! tonic 0.14: one gated service beside open ones, the proof of peer and TLS, and refusals by handlers.
//!
//! This module guards the services of a tonic server. A gate around a service is a service with the same name.
//! So a server can have one gate for each service, and leave others open, as health and reflection:
//!
//! ```
//! use tonic::server::NamedService;
//! use tower::Layer;
//! use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
//!
//! struct UsersServer; // as tonic-prost-build generates it
//! impl NamedService for UsersServer {
//!     const NAME: &'static str = "vendors.v1.Users";
//! }
//! fn name<S: NamedService>(_: &S) -> &'static str {
//!     S::NAME
//! }
//!
//! let gate = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).build()?;
//! let users = gate.layer(UsersServer);
//! assert_eq!(name(&users), "vendors.v1.Users");
//! // Server::builder().add_service(users).add_service(health)
//! # Ok::<(), tower_api_key::ConfigError>(())
//! ```
//!
//! A call `vendors.v1.Users/ListUsers` is the request `POST /vendors.v1.Users/ListUsers`, and the route table has
//! it by that path. The service finds the [`Grant`](crate::Grant) in the call's extensions.
//!
//! # Refusals by a service
//!
//! A [`Denial`] becomes a [`Status`] with `?`. The gate replaces that status by the vendor's answer, if the
//! service returns it before the first message:
//!
//! ```
//! use tonic::{Request, Status};
//! use tower_api_key::Grant;
//!
//! fn create_user<T>(call: &Request<T>) -> Result<(), Status> {
//!     let grant = call.extensions().get::<Grant>().ok_or(Status::internal("no gate"))?;
//!     grant.require("users.write")?;
//!     Ok(())
//! }
//! assert_eq!(create_user(&Request::new(())).unwrap_err().message(), "no gate");
//! ```
//!
//! # Deployment
//!
//! tonic's server notes the peer of each connection (`TcpConnectInfo`, `UdsConnectInfo`), and the handshake of
//! its own TLS (`TlsConnectInfo`). The gate takes these notes for proofs, so a server with `tls_config` needs
//! nothing else. A [`Connection`] in the request's extensions counts before them.

use std::error::Error;
use std::sync::Arc;

use http::{Request, Response};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
#[cfg(unix)]
use tonic::transport::server::UdsConnectInfo;
use tonic::transport::server::{Connected, TcpConnectInfo};
use tonic::{Code, Status};

use crate::error::Denial;
use crate::profile::GrpcCode;
use crate::request::Connection;

/// tonic's `TlsConnectInfo<TcpConnectInfo>`, which it exports only together with a provider of cryptography.
type TlsInfo = <TlsStream<TcpStream> as Connected>::ConnectInfo;

impl From<Denial> for Status {
    /// Returns a status that the gate around the service replaces by the vendor's answer. Without a gate the
    /// client gets the code of the denial, and no message.
    fn from(denial: Denial) -> Self {
        let code = Code::from_i32(GrpcCode::of(&denial).number().into());
        let mut status = Self::new(code, "");
        status.set_source(Arc::new(denial));
        status
    }
}

/// Returns the connection that tonic's server has noted.
pub(super) fn connection<B>(request: &Request<B>) -> Option<Connection> {
    let noted = request.extensions();
    // First, because with TLS tonic notes both.
    if let Some(tls) = noted.get::<TlsInfo>() {
        return tls.get_ref().remote_addr().map(Connection::tls);
    }
    if let Some(tcp) = noted.get::<TcpConnectInfo>() {
        return tcp.remote_addr().map(Connection::plain);
    }
    #[cfg(unix)]
    if noted.get::<UdsConnectInfo>().is_some() {
        return Some(Connection::unix_socket());
    }
    None
}

/// Returns the denial that a service has returned as a status. It counts whatever the request looked like:
/// tonic does not read the type of a request.
pub(super) fn refusal<R>(response: &Response<R>) -> Option<Denial> {
    let status = response.extensions().get::<Status>()?;
    status.source()?.downcast_ref::<Denial>().cloned()
}
