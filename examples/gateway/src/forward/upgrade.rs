//! A client's wish to switch protocols (RFC 9110 §7.8), and the handshake of a WebSocket over HTTP/2 (RFC 8441).

use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use hyper::ext::Protocol;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::fields;

/// The name of the protocol of WebSockets.
const WEBSOCKET: &str = "websocket";

/// The protocol that a client wants to switch to, and that the route passes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upgrade {
    protocol: String,
    /// The key of the gateway's own handshake, for a client over HTTP/2, which has none.
    key: Option<String>,
}

impl Upgrade {
    /// Reads the wish. Returns `None` for a request that is answered without a switch: the client names no protocol
    /// that the route passes on.
    pub(super) fn asked(parts: &Parts, passed_on: &[String]) -> Option<Self> {
        if is_extended_connect(parts) {
            let protocol = passed_on.iter().find(|protocol| *protocol == WEBSOCKET)?.clone();
            return Some(Self { protocol, key: Some(generate_key()) });
        }
        let asks = parts.version == Version::HTTP_11
            && parts.method == Method::GET
            && fields::lists(&parts.headers, &CONNECTION, "upgrade");
        if !asks {
            return None;
        }
        let mut wished =
            passed_on.iter().filter(|protocol| fields::lists(&parts.headers, &UPGRADE, protocol));
        Some(Self { protocol: wished.next()?.clone(), key: None })
    }

    /// Returns true for a WebSocket.
    pub(super) fn is_websocket(&self) -> bool {
        self.protocol == WEBSOCKET
    }

    /// Returns true if an answer switches to this protocol. The gateway checks the answer to its own handshake.
    pub(super) fn is_accepted_by(&self, headers: &HeaderMap) -> bool {
        let accepts = |key: &String| {
            let accepted = headers.get(SEC_WEBSOCKET_ACCEPT);
            accepted.is_some_and(|accepted| *accepted == derive_accept_key(key.as_bytes()))
        };
        fields::lists(headers, &UPGRADE, &self.protocol) && self.key.as_ref().is_none_or(accepts)
    }

    /// Returns true if an answer without a switch would look like one to the client (RFC 9110 §9.3.6).
    pub(super) fn is_feigned_by(&self, status: StatusCode) -> bool {
        self.key.is_some() && status.is_success()
    }

    /// Writes the switch into the request for an upstream.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        self.write_protocol(headers);
        if let Some(key) = self.key.as_ref().and_then(|key| HeaderValue::from_str(key).ok()) {
            headers.insert(SEC_WEBSOCKET_KEY, key);
        }
    }

    /// Writes the switch into the answer for the client. Returns the status that says so.
    pub(super) fn write_answer(&self, headers: &mut HeaderMap) -> StatusCode {
        if self.key.is_some() {
            headers.remove(SEC_WEBSOCKET_ACCEPT);
            return StatusCode::OK;
        }
        self.write_protocol(headers);
        StatusCode::SWITCHING_PROTOCOLS
    }

    fn write_protocol(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        if let Ok(protocol) = HeaderValue::from_str(&self.protocol) {
            headers.insert(UPGRADE, protocol);
        }
    }
}

/// Returns true for the handshake of a WebSocket over HTTP/2: `CONNECT` with `:protocol` (RFC 8441 §4).
pub(super) fn is_extended_connect(parts: &Parts) -> bool {
    let protocol = parts.extensions.get::<Protocol>();
    parts.version == Version::HTTP_2
        && parts.method == Method::CONNECT
        && protocol.is_some_and(|protocol| protocol.as_str() == WEBSOCKET)
}
