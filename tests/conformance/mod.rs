//! What RFCs ask of a server that authenticates, asked of a real one over real sockets.
//!
//! Every case is named by its document and section: `rfc9110_11_1_…` is RFC 9110 §11.1, and
//! `draft_ratelimit_headers_4_1_2_…` is §4.1.2 of draft-ietf-httpapi-ratelimit-headers. The bytes
//! are written by hand, so nothing stands between a case and the server but the sockets: hyper
//! reads them, the gate decides, and the answer is compared to the byte where a vendor's contract
//! says so. What hyper refuses by itself is here, too: a gate is only as good as the parser in
//! front of it, and a new version of that parser must not let through what it refuses today.

mod anonymous_clients;
mod answers;
mod challenge;
mod frames;
mod gates;
pub(crate) mod server;
mod shared_cache;
mod structured;
#[cfg(unix)]
mod unix_socket;
mod wire;

mod draft_ratelimit_headers;
mod other_credentials;
mod own_answers;
mod reflected;
mod rfc6585;
mod rfc6750;
mod rfc7239;
mod rfc7617;
mod rfc9110;
mod rfc9111;
mod rfc9112;
mod rfc9113;
mod rfc9457;
