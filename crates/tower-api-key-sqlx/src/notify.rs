//! The notifications to other processes, over PostgreSQL's `NOTIFY`.

use tower_api_key::key::{AccountId, KeyDigest};
use tower_api_key::store::Invalidation;

/// The channel of all stores of a database.
pub(super) const CHANNEL: &str = "tower_api_key";

/// The channel that says: events were written, look now. It has no payload. It is one of its own, because programs of
/// earlier releases drop their caches at a payload that they do not know.
pub(super) const EVENTS: &str = "tower_api_key_events";

const ADDED: &str = "added";
const ACCOUNT: &str = "account ";
const OTHER: &str = "other";

/// Returns the payload of a notification: a digest in hexadecimal digits, or a word. `Everything` has no payload.
pub(super) fn text(what: &Invalidation) -> Option<String> {
    match what {
        Invalidation::Secret(digest) => Some(digest.to_hex()),
        Invalidation::Account(account) => Some(format!("{ACCOUNT}{}", account.as_str())),
        Invalidation::Added => Some(ADDED.to_owned()),
        Invalidation::Everything => None,
        // A kind of a newer core. Listeners read unknown payloads as `Everything`.
        _ => Some(OTHER.to_owned()),
    }
}

/// Reads a payload. An unknown one, as from a newer release, is read as `Everything`.
#[cfg_attr(not(feature = "postgres"), allow(dead_code))]
pub(super) fn read(text: &str) -> Invalidation {
    if text == ADDED {
        return Invalidation::Added;
    }
    if let Some(account) = text.strip_prefix(ACCOUNT) {
        return AccountId::new(account).map_or(Invalidation::Everything, Invalidation::Account);
    }
    text.parse::<KeyDigest>().map_or(Invalidation::Everything, Invalidation::Secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_read() {
        for what in [
            Invalidation::Secret(KeyDigest::from_bytes([0xa7; 32])),
            Invalidation::Account(AccountId::new("acme").unwrap()),
            Invalidation::Added,
        ] {
            assert_eq!(read(&text(&what).unwrap()), what);
        }
        for unknown in ["", "renamed x", "a7a7", "account two words"] {
            assert_eq!(read(unknown), Invalidation::Everything, "{unknown}");
        }
    }
}
