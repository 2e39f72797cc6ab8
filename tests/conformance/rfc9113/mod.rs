//! RFC 9113: HTTP/2. What pseudo-header fields say proves nothing, and what is malformed is no
//! request.

mod messages;
mod tls;
