//! The answers of a cluster's node that name another node.

use super::address::Address;

/// The answer of a node that did not run a call, because another node has the slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Redirect {
    /// The slot has moved.
    Moved { slot: u16, to: NamedNode },
    /// The slot is moving, and this one call belongs to the other node.
    Ask { to: NamedNode },
    /// The slot has moved or is moving, and the node that says so does not know the other node's host.
    Unnamed,
    /// The slot is moving, and its node has a part of the call's keys only. The call can be made again soon.
    TryAgain,
}

/// A node as another node names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedNode {
    /// `None` for the host of the node that answered.
    host: Option<String>,
    port: u16,
}

impl Redirect {
    /// Reads a code and its text, such as `MOVED` and `3999 127.0.0.1:6381`.
    pub(super) fn read(code: &str, text: &str) -> Option<Self> {
        if code == "TRYAGAIN" {
            return Some(Self::TryAgain);
        }
        if code != "MOVED" && code != "ASK" {
            return None;
        }
        let (slot, address) = text.split_once(' ')?;
        let slot = slot.parse().ok()?;
        let (host, port) = address.trim_end().rsplit_once(':')?;
        if host == "?" {
            return Some(Self::Unnamed);
        }
        let host = (!host.is_empty()).then(|| host.to_owned());
        let to = NamedNode { host, port: port.parse().ok()? };
        Some(if code == "MOVED" { Self::Moved { slot, to } } else { Self::Ask { to } })
    }
}

impl NamedNode {
    /// Returns the address, as seen by a client of the node that answered.
    pub(super) fn address(&self, answering: &Address) -> Address {
        (self.host.clone().unwrap_or_else(|| answering.0.clone()), self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_name_a_node_or_the_same_host() {
        let at = |host: &str, port| (host.to_owned(), port);
        for (code, text, expected) in [
            ("MOVED", "3999 127.0.0.1:6381", Some((Some(3999), at("127.0.0.1", 6381)))),
            ("MOVED", "3999 ::1:6381", Some((Some(3999), at("::1", 6381)))),
            (
                "MOVED",
                "3999 redis-1.internal:6381",
                Some((Some(3999), at("redis-1.internal", 6381))),
            ),
            ("MOVED", "3999 :6381", Some((Some(3999), at("here", 6381)))),
            ("ASK", "3999 127.0.0.1:6381", Some((None, at("127.0.0.1", 6381)))),
            ("MOVED", "", None),
            ("MOVED", "x 127.0.0.1:6381", None),
            ("MOVED", "3999 127.0.0.1", None),
            ("READONLY", "3999 127.0.0.1:6381", None),
        ] {
            let read = match Redirect::read(code, text) {
                Some(Redirect::Moved { slot, to }) => Some((Some(slot), to)),
                Some(Redirect::Ask { to }) => Some((None, to)),
                _ => None,
            };
            let read = read.map(|(slot, to)| (slot, to.address(&at("here", 1))));
            assert_eq!(read, expected, "{code} {text}");
        }
        assert_eq!(Redirect::read("TRYAGAIN", "Multiple keys"), Some(Redirect::TryAgain));
        assert_eq!(Redirect::read("MOVED", "3999 ?:6381"), Some(Redirect::Unnamed));
        assert_eq!(Redirect::read("ASK", "3999 ?:6381"), Some(Redirect::Unnamed));
    }
}
