//! The protocol that the gate selects in the answer to a WebSocket handshake.

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderValue, Response};

use crate::decision::Policy;
use crate::error::ConfigError;
use crate::request::{Handshake, Head, is_token, offers_protocol};

/// A protocol that the gate selects if the client offers it and the service selects none.
#[derive(Debug)]
pub(super) struct SelectedProtocol(HeaderValue);

impl SelectedProtocol {
    /// Checks the name of the protocol.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`] if the name is no token, or would carry a key.
    pub(super) fn new(name: &str, policy: &Policy) -> Result<Self, ConfigError> {
        let refused = |problem| {
            Err(ConfigError::Header {
                what: "`select_websocket_protocol`, the protocol",
                value: name.to_owned(),
                problem,
            })
        };
        if policy.is_key_protocol(name) {
            return refused(
                "the profile reads a key from such a protocol, and the answer must not have it: name another one",
            );
        }
        match HeaderValue::from_str(name) {
            Ok(value) if is_token(name.as_bytes()) => Ok(Self(value)),
            _ => refused(
                "no protocol has such a name (RFC 6455 §4.1): write a word, such as `chat.v1`",
            ),
        }
    }

    /// Returns the WebSocket handshake of a request that offers the protocol.
    pub(super) fn offered_by(&self, head: Head<'_>) -> Option<Handshake> {
        head.handshake().filter(|_| offers_protocol(head.headers, self.0.as_bytes()))
    }

    /// Selects the protocol in a response that opens the socket, if the service has selected none.
    pub(super) fn select<R>(&self, handshake: Handshake, response: &mut Response<R>) {
        if handshake.is_accepted_by(response.status()) {
            let headers = response.headers_mut();
            headers.entry(SEC_WEBSOCKET_PROTOCOL).or_insert_with(|| self.0.clone());
        }
    }
}
