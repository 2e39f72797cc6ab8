//! The id of a request.

use std::fmt;

use http::HeaderValue;

/// The most bytes of an id.
const LONGEST: usize = 128;

/// The id of a request, for logs and for questions to a vendor's support. It is no secret.
///
/// A gate whose profile has [request ids](crate::profile::RequestIdHeader) puts the id into the extensions of the
/// request and of the response. If a layer outside of the gate has put one into the request, the gate uses that one.
///
/// ```
/// use http::Request;
/// use tower_api_key::request::RequestId;
///
/// let mut request = Request::new(());
/// request.extensions_mut().insert(RequestId::new("01JDW0C9V4").unwrap());
/// assert_eq!(request.extensions().get::<RequestId>().unwrap().as_str(), "01JDW0C9V4");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// Creates an id from 1 to 128 letters, digits and characters of `-._~+/=:`. Returns `None` for any other text.
    ///
    /// Each of them may stand in a header, in JSON, in HTML and in a line of a log without escapes.
    pub fn new(text: &str) -> Option<Self> {
        Self::read(text.as_bytes())
    }

    /// Reads the value of a header.
    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let fits = (1..=LONGEST).contains(&value.len()) && value.iter().copied().all(is_plain);
        fits.then(|| HeaderValue::from_bytes(value).ok()).flatten().map(Self)
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        // All ids are ASCII.
        self.0.to_str().unwrap_or_default()
    }

    /// Returns the id as the value of a header.
    pub(crate) const fn value(&self) -> &HeaderValue {
        &self.0
    }
}

/// Returns true for a character of an id.
pub(crate) const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b':')
}

impl fmt::Debug for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("RequestId").field(&self.as_str()).finish()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        for (text, fits) in [
            ("req_0123abc", true),
            ("6f7d1f1e-6f35-4a0e-9d1c-0a6f6d8f4a11", true),
            ("Root=1-67891233-abcdef", true),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            ("<b>", false),
            ("a\r\nb", false),
            ("a,b", false),
            ("\u{e9}", false),
        ] {
            assert_eq!(RequestId::new(text).is_some(), fits, "{text:?}");
        }
        assert!(RequestId::new(&"a".repeat(LONGEST)).is_some());
        assert!(RequestId::new(&"a".repeat(LONGEST + 1)).is_none());
    }
}
