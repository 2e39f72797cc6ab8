//! A query parameter whose value is the key (RFC 6750 §2.3, which advises against it).

use http::header::REFERER;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};

use super::path::{decode, decodes_to};
use super::presented::{KeyBuffer, MAX_CREDENTIAL_BYTES};
use super::visible;
use crate::error::{Denial, Malformation};

/// Returns true for a text of unreserved characters (RFC 3986 §2.3), which every reader of a query reads alike.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_unreserved)
}

pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Finds a parameter, and returns its value, still percent-encoded.
///
/// # Errors
///
/// [`Denial::CredentialsAmbiguous`] if the query has the parameter twice, or if another reader of queries could
/// find another one: some end a parameter at `;`, ignore the case of a name, or skip spaces before it.
pub(super) fn find<'a>(query: &'a str, name: &str) -> Result<Option<&'a str>, Denial> {
    let mut found = None;
    for pair in query.split('&') {
        let (key, value) = split(pair);
        let is_named = decodes_to(key, name);
        let others = pair.split(';').skip(usize::from(is_named));
        if others.map(split).any(|(other, _)| resembles(other, name))
            || (is_named && found.replace(value).is_some())
        {
            return Err(Denial::CredentialsAmbiguous);
        }
    }
    Ok(found)
}

pub(super) fn split(pair: &str) -> (&str, &str) {
    pair.split_once('=').unwrap_or((pair, ""))
}

/// Returns true for a name that some reader takes for the parameter's.
fn resembles(encoded: &str, name: &str) -> bool {
    let mut rest = encoded.trim_start_matches('+').as_bytes();
    // Without a buffer: a query can have as many names as it has bytes.
    let mut decoded = std::iter::from_fn(|| next_decoded(&mut rest)).peekable();
    let is_space =
        |byte: &Result<u8, Malformation>| matches!(byte, Ok(byte) if byte.is_ascii_whitespace());
    while decoded.next_if(is_space).is_some() {}
    let is_named = name.bytes().all(|expected| {
        decoded
            .next()
            .is_some_and(|byte| byte.is_ok_and(|byte| byte.eq_ignore_ascii_case(&expected)))
    });
    is_named && decoded.all(|byte| is_space(&byte))
}

/// Decodes a value into the buffer, if it is percent-encoded, and returns the key.
///
/// A `+` is refused, because forms write a space so.
pub(super) fn key<'a>(value: &'a str, buffer: &'a mut KeyBuffer) -> Result<&'a [u8], Malformation> {
    if value.len() > MAX_CREDENTIAL_BYTES {
        return Err(Malformation::TooLong);
    }
    if value.contains('+') {
        return Err(Malformation::Alphabet);
    }
    if !value.contains('%') {
        return visible::key(value.as_bytes());
    }
    visible::key(buffer.fill(value.len(), |decoded| percent_decode(value.as_bytes(), decoded))?)
}

fn percent_decode(mut rest: &[u8], decoded: &mut [u8]) -> Result<usize, Malformation> {
    let mut used = 0;
    while let Some(byte) = next_decoded(&mut rest) {
        *decoded.get_mut(used).ok_or(Malformation::TooLong)? = byte?;
        used += 1;
    }
    Ok(used)
}

/// Decodes the next byte of a percent-encoded text. Returns `None` at its end.
pub(super) fn next_decoded(rest: &mut &[u8]) -> Option<Result<u8, Malformation>> {
    let (&byte, tail) = rest.split_first()?;
    let (decoded, tail) = match (byte, tail) {
        (b'%', [high, low, tail @ ..]) => {
            (decode(*high, *low).ok_or(Malformation::PercentEncoding), tail)
        }
        (b'%', _) => (Err(Malformation::PercentEncoding), &[][..]),
        _ => (Ok(byte), tail),
    };
    *rest = tail;
    Some(decoded)
}

/// Returns the URI without these parameters, and without what some reader takes for them. Returns `None` if it
/// has none of them. All other bytes of the query stay as they are.
pub(super) fn without(uri: &Uri, parameters: &[(Box<str>, usize)]) -> Option<Uri> {
    let query = uri.query()?;
    let has_key = |pair: &&str| carries(pair, parameters);
    if !query.split('&').any(|pair| has_key(&pair)) {
        return None;
    }
    let others = query.split('&').filter(|pair| !has_key(pair)).collect::<Vec<_>>().join("&");
    let path = uri.path();
    let target = if others.is_empty() { path.to_owned() } else { format!("{path}?{others}") };
    let mut parts = uri.clone().into_parts();
    // A valid target stays valid without a parameter. If it did not, the URI would lose its target, not keep
    // the key.
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    Some(Uri::from_parts(parts).unwrap_or_default())
}

/// Removes `Referer` if it has one of these parameters: a page that was asked with a key asks for the next one.
pub(super) fn remove_referrer(headers: &mut HeaderMap, parameters: &[(Box<str>, usize)]) {
    let has_key = |line: &HeaderValue| {
        let text = String::from_utf8_lossy(line.as_bytes());
        let (_, query) = text.split_once('?').unwrap_or_default();
        query.split(['&', '#']).any(|pair| carries(pair, parameters))
    };
    if headers.get_all(REFERER).iter().any(has_key) {
        headers.remove(REFERER);
    }
}

fn carries(pair: &str, parameters: &[(Box<str>, usize)]) -> bool {
    let mut parts = pair.split(';').map(|part| split(part).0);
    parts.any(|part| parameters.iter().any(|(name, _)| resembles(part, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_once() {
        let ambiguous = Err(Denial::CredentialsAmbiguous);
        for (query, expected) in [
            ("key=K", Ok(Some("K"))),
            ("a=1&key=K&b=2", Ok(Some("K"))),
            ("k%65y=K", Ok(Some("K"))),
            ("key=a=b", Ok(Some("a=b"))),
            ("key", Ok(Some(""))),
            ("key=", Ok(Some(""))),
            ("", Ok(None)),
            ("keys=K&akey=K&key%=K&key+=K&a;keys=K", Ok(None)),
            ("a=key=K", Ok(None)),
            ("key=a;b=c", Ok(Some("a;b=c"))),
            ("KEY=K", ambiguous.clone()),
            ("k%45y=K&key=K", ambiguous.clone()),
            ("+key=K", ambiguous.clone()),
            ("%20key=K", ambiguous.clone()),
            ("a=1;key=K", ambiguous.clone()),
            ("a=1;key=K&key=L", ambiguous.clone()),
            ("key=K;%6bey=L", ambiguous.clone()),
            ("key=K&key=K", ambiguous.clone()),
            ("key=K&%6Bey", ambiguous),
        ] {
            assert_eq!(find(query, "key"), expected, "{query:?}");
        }
    }

    #[test]
    fn a_value_is_decoded_once() {
        use Malformation::{Alphabet, Empty, PercentEncoding, TooLong};
        let longest = "a".repeat(MAX_CREDENTIAL_BYTES);
        let too_long = format!("{longest}a");
        let too_long_decoded = format!("%61{}", "a".repeat(400));
        for (value, expected) in [
            ("K-1._~", Ok("K-1._~")),
            ("12%7Cabc%3a", Ok("12|abc:")),
            ("a%2525", Ok("a%25")),
            ("a%2Bb", Ok("a+b")),
            ("", Err(Empty)),
            ("a+b", Err(Alphabet)),
            ("a%20b", Err(Alphabet)),
            ("a%00b", Err(Alphabet)),
            ("a%ffb", Err(Alphabet)),
            ("a%", Err(PercentEncoding)),
            ("a%2", Err(PercentEncoding)),
            ("a%zz", Err(PercentEncoding)),
            ("a%+1", Err(Alphabet)),
            (&longest, Ok(&*longest)),
            (&too_long, Err(TooLong)),
            (&too_long_decoded, Err(TooLong)),
        ] {
            let mut buffer = KeyBuffer::new();
            let read = key(value, &mut buffer).map(|key| String::from_utf8_lossy(key).into_owned());
            assert_eq!(read.as_deref(), expected.as_ref().map(|key| *key), "{value:?}");
        }
    }

    #[test]
    fn only_the_key_leaves_the_uri() {
        for (uri, expected) in [
            ("/v1?key=K", Some("/v1")),
            ("/v1?a=1&key=K&b=%20+&&c", Some("/v1?a=1&b=%20+&&c")),
            ("/v1?%6bey=K&a", Some("/v1?a")),
            ("/v1?key", Some("/v1")),
            ("/v1?KEY=K&a=1;%6bey=K;b&c", Some("/v1?c")),
            ("https://api.example.com/v1?key=K", Some("https://api.example.com/v1")),
            ("https://api.example.com?key=K", Some("https://api.example.com/")),
            ("/v1?keys=K", None),
            ("/v1?", None),
            ("/v1", None),
            ("*", None),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let left = without(&uri, &[("key".into(), 0)]);
            assert_eq!(left, expected.map(|expected| expected.parse().unwrap()), "{uri}");
        }
    }
}
