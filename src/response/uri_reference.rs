//! URI references (RFC 3986 §4.1).

/// Returns true if a text is a URI or a relative reference.
pub(super) fn is_uri_reference(text: &str) -> bool {
    let (before, fragment) = split(text, '#');
    let (hierarchy, query) = split(before, '?');
    let (scheme, rest) = match hierarchy.split_once(':') {
        // A colon in a later segment belongs to the path (§4.2).
        Some((scheme, rest)) if !scheme.contains('/') => (Some(scheme), rest),
        _ => (None, hierarchy),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    scheme.is_none_or(is_scheme)
        && is_made_of(authority, b"-._~!$&'()*+,;=:@[]")
        && is_made_of(path, b"-._~!$&'()*+,;=:@/")
        && [query, fragment]
            .into_iter()
            .flatten()
            .all(|part| is_made_of(part, b"-._~!$&'()*+,;=:@/?"))
}

/// Cuts a text at the first of these characters.
fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Returns true for letters, digits, these characters, and percent-encoded bytes.
fn is_made_of(text: &str, others: &[u8]) -> bool {
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                tail
            }
            (byte, tail) if byte.is_ascii_alphanumeric() || others.contains(byte) => tail,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_follow_the_grammar() {
        for (text, expected) in [
            ("about:blank", true),
            ("https://iana.org/assignments/http-problem-types#quota-exceeded", true),
            ("https://user@[2001:db8::1]:8443/a;b/c?d=e/f?#g", true),
            ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true),
            ("tag:example.com,2026:out-of-credit", true),
            ("/problems/out-of-credit", true),
            ("problems/out%20of", true),
            ("./a:b", true),
            ("?a", true),
            ("", true),
            ("a b", false),
            ("1a:b", false),
            (":a", false),
            ("a%2", false),
            ("a%zz", false),
            ("https://a/b[c]", false),
            ("a#b#c", false),
            ("a\"b", false),
            ("a<b>", false),
            ("caf\u{e9}", false),
            ("{a}", false),
            ("a\\b", false),
        ] {
            assert_eq!(is_uri_reference(text), expected, "{text}");
        }
    }
}
