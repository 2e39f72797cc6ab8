//! What is asked: the raw parts of a request, and what the server knows of its connection.

use std::net::IpAddr;

/// A request, as raw as a typed one can be.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) method: &'static str,
    /// The `:protocol` of an extended `CONNECT`.
    pub(crate) protocol: Option<&'static str>,
    /// The path as it is sent, without query.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) fields: Vec<(&'static str, Vec<u8>)>,
    /// The peer, and whether it completed a TLS handshake; `None` where no acceptor left a mark.
    pub(crate) peer: Option<(IpAddr, bool)>,
    pub(crate) store_answers: bool,
    /// The time since the question before, in milliseconds.
    pub(crate) pause: u64,
}

impl Question {
    /// Lists the values of a field, line by line.
    pub(crate) fn lines(&self, name: &str) -> Vec<&[u8]> {
        let lines = self.fields.iter().filter(|(field, _)| *field == name);
        lines.map(|(_, value)| value.as_slice()).collect()
    }
}
