//! Paths that two servers can read differently.

/// Returns true if some server reads another path: one with a dot segment or a backslash, bare or percent-encoded.
/// The gateway chooses the upstream by the path, so the upstream must not read another one (RFC 3986 §6.2.2).
pub(super) fn is_ambiguous(path: &str) -> bool {
    if !path.contains(['%', '\\']) && !path.contains("/.") {
        return false;
    }
    let mut decoded = path.to_ascii_lowercase();
    for (encoded, byte) in [("%2e", "."), ("%2f", "/"), ("%5c", "\\"), ("%3b", ";")] {
        decoded = decoded.replace(encoded, byte);
    }
    let is_dots = |segment: &str| {
        let name = segment.split(';').next().unwrap_or_default();
        name == "." || name == ".."
    };
    decoded.contains('\\') || decoded.contains("%00") || decoded.split('/').any(is_dots)
}

#[cfg(test)]
mod tests {
    use super::is_ambiguous;

    #[test]
    fn dots_and_backslashes_are_found() {
        for (path, expected) in [
            ("/", false),
            ("/a/b.c/.well-known/x", false),
            ("/a..b/...", false),
            ("/a%2fb", false),
            ("/a%20b", false),
            ("/a/../b", true),
            ("/a/./b", true),
            ("/..", true),
            ("/a/%2e%2E/b", true),
            ("/a/.%2e/b", true),
            ("/a%2f..%2fb", true),
            ("/a\\b", true),
            ("/a%5Cb", true),
            ("/a/..;/b", true),
            ("/a/..%3bx/b", true),
            ("/a%00b", true),
        ] {
            assert_eq!(is_ambiguous(path), expected, "{path}");
        }
    }
}
