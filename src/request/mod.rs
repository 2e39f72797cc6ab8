//! What a request carries and what its connection proves: the credential, HTTPS and the client's
//! address.
//!
//! This module reads bytes that an attacker may have written. A gate accepts a credential only if
//!
//! 1. exactly one of the profile's sources carries one, or all that do carry the same one and
//!    [allow that](crate::profile::CredentialSource::allow_equal);
//! 2. it has at most [`MAX_CREDENTIAL_BYTES`] bytes, which is checked before it is decoded;
//! 3. it follows the grammar of its scheme exactly (RFC 7617, RFC 6750 §2.1). Keys in other schemes, headers and
//!    parameters are visible ASCII.
//!
//! Only the connection or a [trusted proxy](TrustedProxies) can prove HTTPS and the client's address;
//! the client itself cannot.
//!
//! If a profile reads keys from the [query](crate::profile::CredentialSource::insecure_query), put layers that log
//! URIs inside of the gate, and configure proxies to log no query. The same holds for headers, if it reads keys from the
//! [protocols](crate::profile::CredentialSource::websocket_protocol) of WebSockets.
//!
//! In a deployment behind a proxy:
//!
//! * List the proxy's network in [`TrustedProxies`]. A proxy on the same machine may connect over a
//!   [Unix socket](TrustedProxies::unix_socket).
//! * Make sure that the proxy overwrites or appends to the header that you name. If it passes the
//!   header on untouched, the client chooses the value.
//! * If only proxies connect from that network, say so with
//!   [`always_proxies`](TrustedProxies::always_proxies).

mod accepted_stream;
mod authorization;
mod basic;
mod bearer;
mod carriage;
mod client;
mod connection;
mod credential;
#[cfg(feature = "openapi")]
mod described;
mod equal;
mod field;
mod forwarded;
mod grpc;
mod head;
mod internet;
mod list;
#[cfg(feature = "axum")]
mod original_path;
mod original_request;
mod original_request_error;
mod path;
mod presented;
mod proxies;
mod proxy_headers;
mod query;
mod query_list;
mod reading;
mod request_id;
mod signs;
mod source;
mod token;
mod trust;
mod visible;
mod websocket;

pub use accepted_stream::AcceptedStream;
pub(crate) use carriage::check as check_carriage;
pub use client::Client;
pub use connection::Connection;
pub(crate) use credential::Credentials;
pub(crate) use field::{field_name, is_of_the_connection};
pub(crate) use grpc::{GrpcServices, is_grpc_type};
pub(crate) use head::Head;
pub(crate) use list::elements;
pub use original_request::OriginalRequest;
pub use original_request_error::OriginalRequestError;
pub(crate) use path::{decodes_to, is_unambiguous};
pub(crate) use presented::KeyBuffer;
pub use presented::MAX_CREDENTIAL_BYTES;
pub use proxies::TrustedProxies;
pub use proxy_headers::ProxyHeaders;
pub(crate) use query_list::count_listed;
pub(crate) use reading::Reading;
pub use request_id::RequestId;
pub(crate) use request_id::is_plain as is_plain_in_ids;
pub(crate) use source::{Source, SourceIndex};
pub(crate) use token::is_token;
pub(crate) use websocket::{Handshake, offers_protocol};
