//! Keeping answers to authenticated requests out of shared caches.

use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Marks the answer to a key that came in a header of its own. Shared caches respect
/// `Authorization` by themselves (RFC 9111 §3.5), but know nothing of other headers. A service
/// that set its own `Cache-Control` has decided for itself; `Vary` is added in any case.
pub(crate) fn keep_private(headers: &mut HeaderMap, credential: &HeaderName) {
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
    vary_by(headers, credential);
}

/// Says that the answer depends on a header, also where it was absent: what a stranger gets must
/// not be served to a client with a key, nor the other way round (RFC 9110 §12.5.5).
pub(crate) fn vary_by(headers: &mut HeaderMap, credential: &HeaderName) {
    let named = |value: &HeaderValue| {
        let mut names = value.to_str().unwrap_or_default().split(',').map(str::trim);
        names.any(|name| name == "*" || name.eq_ignore_ascii_case(credential.as_str()))
    };
    if !headers.get_all(VARY).iter().any(named) {
        headers.append(VARY, HeaderValue::from(credential.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_keeps_its_own_cache_control() {
        let key = HeaderName::from_static("x-api-key");
        for (before, after) in
            [(&[][..], &["private"][..]), (&["public, max-age=60"], &["public, max-age=60"])]
        {
            let mut headers = HeaderMap::new();
            for value in before {
                headers.append(CACHE_CONTROL, value.parse().unwrap());
            }
            keep_private(&mut headers, &key);
            keep_private(&mut headers, &key);
            let values: Vec<_> = headers.get_all(CACHE_CONTROL).iter().collect();
            assert_eq!(values, after);
            assert_eq!(headers.get_all(VARY).iter().count(), 1);
        }
    }
}
