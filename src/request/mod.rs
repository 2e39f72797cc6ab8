//! What the wire said: the credential, and the facts of the connection it came over.
//!
//! This module reads bytes that an attacker wrote. A credential comes out of it only if
//!
//! 1. exactly one source that the profile reads carries one;
//! 2. it is no longer than [`MAX_CREDENTIAL_BYTES`], which is checked before anything else;
//! 3. it follows the grammar of its scheme (RFC 7617, RFC 6750 §2.1) to the letter.
//!
//! HTTPS and the client's address are facts of the connection, or the word of a
//! [trusted proxy](TrustedProxies); never the client's. Behind a proxy, list its network, and make
//! sure that it overwrites or appends to the header you name: a header that it passes on untouched
//! is the client's own word. If nothing but proxies comes from that network, say so with
//! [`always_proxies`](TrustedProxies::always_proxies). A proxy on the same machine may come over a
//! [Unix socket](TrustedProxies::unix_socket).

mod basic;
mod bearer;
mod carriage;
mod client;
mod connection;
mod credential;
mod field;
mod forwarded;
mod head;
mod internet;
mod own_header;
mod presented;
mod proxies;
mod proxy_headers;
mod signs;
mod source;
mod token;

pub(crate) use carriage::check as check_carriage;
pub use client::Client;
pub use connection::Connection;
pub(crate) use credential::{Credentials, Reading};
pub(crate) use field::{field_name, is_of_the_connection};
pub(crate) use head::Head;
pub(crate) use presented::KeyBuffer;
pub use presented::MAX_CREDENTIAL_BYTES;
pub use proxies::TrustedProxies;
pub use proxy_headers::ProxyHeaders;
pub(crate) use source::{Source, SourceIndex};
