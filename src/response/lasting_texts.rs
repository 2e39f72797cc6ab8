//! The fixed texts of answers, which stay in memory until the process ends.
//!
//! A shared text has a reference count. Each refusal counts it up and down, and all threads that refuse share the count. So
//! the texts of answers have none: each distinct text is kept once, for all gates of the process. A gate that is built again
//! finds its texts here. The total is bounded, and a text that exceeds it is shared under a count.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The most bytes that are kept: the texts of many profiles.
const MOST_BYTES: usize = 1 << 20;
/// What a text counts besides its own bytes: its place in the set, and what an allocation takes.
const BYTES_OF_EACH: usize = 64;

static TEXTS: Mutex<LastingTexts> = Mutex::new(LastingTexts::new(MOST_BYTES));

/// The texts that are kept.
struct LastingTexts {
    texts: BTreeSet<&'static [u8]>,
    /// How many bytes there is room for.
    room: usize,
}

impl LastingTexts {
    const fn new(room: usize) -> Self {
        Self { texts: BTreeSet::new(), room }
    }

    /// Returns the kept text. Returns `None` if there is no room for it.
    fn keep(&mut self, text: &[u8]) -> Option<&'static [u8]> {
        if let Some(kept) = self.texts.get(text) {
            return Some(kept);
        }
        self.room = self.room.checked_sub(text.len() + BYTES_OF_EACH)?;
        let kept: &'static [u8] = Box::leak(Box::from(text));
        self.texts.insert(kept);
        Some(kept)
    }
}

/// Returns the same content without a reference count, if there is room for it.
pub(super) fn content(content: Bytes) -> Bytes {
    keep(&content).map_or(content, Bytes::from_static)
}

/// Returns the same headers without reference counts, as far as there is room for them.
pub(super) fn headers(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.keys_len());
    for name in headers.keys() {
        let lasting = lasting_name(name);
        for value in headers.get_all(name) {
            kept.append(lasting.clone(), lasting_value(value));
        }
    }
    kept
}

fn lasting_name(name: &HeaderName) -> HeaderName {
    let kept = keep(name.as_str().as_bytes()).and_then(|text| std::str::from_utf8(text).ok());
    kept.map_or_else(|| name.clone(), HeaderName::from_static)
}

fn lasting_value(value: &HeaderValue) -> HeaderValue {
    // A secret must not stay in memory.
    if value.is_sensitive() {
        return value.clone();
    }
    let kept = keep(value.as_bytes()).map(Bytes::from_static);
    let kept = kept.and_then(|text| HeaderValue::from_maybe_shared(text).ok());
    kept.unwrap_or_else(|| value.clone())
}

fn keep(text: &[u8]) -> Option<&'static [u8]> {
    // A panic leaves no text half kept.
    TEXTS.lock().unwrap_or_else(PoisonError::into_inner).keep(text)
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_LENGTH, WWW_AUTHENTICATE};

    use super::*;

    #[test]
    fn each_text_is_kept_once_and_their_total_is_bounded() {
        let mut texts = LastingTexts::new(10 + 2 * BYTES_OF_EACH);
        let first = texts.keep(b"denied").unwrap();
        assert_eq!(first, b"denied");
        let again = String::from("denied");
        assert!(std::ptr::eq(first, texts.keep(again.as_bytes()).unwrap()));
        assert_eq!(texts.keep(b"unknown"), None);
        assert_eq!(texts.keep(b"four"), Some(&b"four"[..]));
        assert_eq!(texts.keep(b"!"), None);
        // What was kept before is found in any case.
        assert_eq!((texts.keep(b"denied"), texts.keep(b"")), (Some(first), None));
    }

    #[test]
    fn kept_headers_are_the_same_and_in_the_same_order() {
        let mut before = HeaderMap::new();
        let own = HeaderName::from_bytes(b"x-own").unwrap();
        for (name, value) in [
            (WWW_AUTHENTICATE, "Bearer realm=\"one\""),
            (own.clone(), "a"),
            (WWW_AUTHENTICATE, "Basic realm=\"one\""),
            (CONTENT_LENGTH, "12"),
            (own, "\u{e9}"),
        ] {
            before.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let after = headers(&before);
        assert!(after.iter().eq(before.iter()), "{after:?}");
        assert_eq!(content(Bytes::from(b"body".to_vec())), &b"body"[..]);
    }
}
