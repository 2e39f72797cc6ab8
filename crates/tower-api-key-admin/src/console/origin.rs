//! The proof that a form was sent by a page of this site.

use http::{HeaderMap, Method, header};

/// Returns true for a request that changes nothing, or that a page of the same origin has sent. A request that shows no
/// origin is refused, because a browser always sends one of the two headers with a form.
pub(super) fn is_own(method: &Method, headers: &HeaderMap) -> bool {
    if method == Method::GET || method == Method::HEAD {
        return true;
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site");
    let origin = text("origin");
    let own = origin.and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    match (site, origin) {
        (None, None) => false,
        (Some(site), None) => site == "same-origin",
        (site, Some(_)) => {
            site.is_none_or(|site| site == "same-origin")
                && (own.is_some() && own == text(header::HOST.as_str()) || site.is_some())
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn only_pages_of_the_same_origin_may_change_things() {
        for (fields, expected) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "https://keys.example"), ("host", "keys.example")], true),
            (&[("origin", "https://evil.example"), ("host", "keys.example")], false),
            (&[("origin", "null"), ("host", "keys.example")], false),
            (&[("origin", "null"), ("host", "null")], false),
            // A proxy may have changed the host. The browser has compared the origins itself.
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://keys.example")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://a"), ("host", "a")], false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.insert(HeaderName::from_static(name), value.parse().unwrap());
            }
            assert_eq!(is_own(&Method::POST, &headers), expected, "{fields:?}");
            assert!(is_own(&Method::GET, &headers));
        }
    }
}
