//! Paths and hosts at which a service is mounted.

/// Returns true if a router can be mounted at a path: segments of unreserved characters (RFC 3986 §2.3), none of which
/// is `.` or `..`. Such a path has one spelling, and no parameter.
pub(super) fn is_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    let is_segment =
        |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain);
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment))
}

/// Returns true if one of two paths is the other, or lies below it.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    is_below(one, other) || is_below(other, one)
}

/// Returns true if a path is another one, or lies below it.
pub(super) fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns true if the host of a request is this one. Case, a port, and a dot at the end do not count.
pub(super) fn is_same_host(own: &str, asked: &str) -> bool {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let name = match asked.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => asked,
    };
    own.eq_ignore_ascii_case(name.strip_suffix('.').unwrap_or(name))
}

/// Returns true if a text is the name of a host or an address of IPv4: labels of letters, digits and `-`.
pub(super) fn is_host(host: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    host.len() <= 253
        && host.split('.').all(|label| !label.is_empty() && label.bytes().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_a_path_with_one_spelling() {
        for (path, fine) in [
            ("/manage", true),
            ("/v1/own-keys", true),
            ("/~a/b_c.d", true),
            ("", false),
            ("/", false),
            ("manage", false),
            ("/manage/", false),
            ("//manage", false),
            ("/a//b", false),
            ("/./a", false),
            ("/a/..", false),
            ("/{a}", false),
            ("/a*", false),
            ("/%6d", false),
            ("/a?b", false),
            ("/a b", false),
            ("/é", false),
        ] {
            assert_eq!(is_path(path), fine, "{path}");
        }
    }

    #[test]
    fn paths_overlap_at_whole_segments() {
        for (one, other, expected) in [
            ("/a", "/a", true),
            ("/a", "/a/b", true),
            ("/a/b", "/a", true),
            ("/a", "/ab", false),
            ("/a/b", "/a/c", false),
        ] {
            assert_eq!(overlap(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn a_host_is_a_name_alone() {
        for (host, fine) in [
            ("keys.example.com", true),
            ("localhost", true),
            ("127.0.0.1", true),
            ("", false),
            ("a.", false),
            ("a:8443", false),
            ("https://a", false),
            ("a/b", false),
            ("[::1]", false),
        ] {
            assert_eq!(is_host(host), fine, "{host}");
        }
    }

    #[test]
    fn a_host_of_a_request_is_compared_without_port_and_case() {
        for (asked, expected) in [
            ("keys.example.com", true),
            ("Keys.Example.com:8443", true),
            ("keys.example.com.", true),
            ("keys.example.com.:8443", true),
            ("keys.example.com:", true),
            ("keys.example.com..", false),
            ("keys.example.com:x", false),
            ("[keys.example.com]", false),
            ("a.keys.example.com", false),
            ("keys.example.com.a", false),
            ("", false),
        ] {
            assert_eq!(is_same_host("keys.example.com", asked), expected, "{asked}");
        }
    }
}
