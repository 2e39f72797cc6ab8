//! A client's wish to switch protocols (RFC 9110 §7.8).

use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Version};

use super::fields;

/// The protocol that a client wants to switch to, and that the route passes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upgrade(String);

impl Upgrade {
    /// Reads the wish. Returns `None` for a request that is answered without a switch: the client names no protocol
    /// that the route passes on.
    pub(super) fn asked(parts: &Parts, passed_on: &[String]) -> Option<Self> {
        let asks = parts.version == Version::HTTP_11
            && parts.method == Method::GET
            && fields::lists(&parts.headers, &CONNECTION, "upgrade");
        if !asks {
            return None;
        }
        let mut wished =
            passed_on.iter().filter(|protocol| fields::lists(&parts.headers, &UPGRADE, protocol));
        wished.next().cloned().map(Self)
    }

    /// Returns true for a WebSocket.
    pub(super) fn is_websocket(&self) -> bool {
        self.0 == "websocket"
    }

    /// Returns true if an answer switches to this protocol.
    pub(super) fn is_accepted_by(&self, headers: &HeaderMap) -> bool {
        fields::lists(headers, &UPGRADE, &self.0)
    }

    /// Writes the switch into a request or an answer.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        if let Ok(protocol) = HeaderValue::from_str(&self.0) {
            headers.insert(UPGRADE, protocol);
        }
    }
}
