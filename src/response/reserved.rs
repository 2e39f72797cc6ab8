//! The names that headers of a profile cannot have.
//!
//! A profile names headers of two kinds, and each kind asks this module:
//!
//! * A **text** of the vendor: the headers of a row, and those of every answer. [`is_reserved`] refuses what the
//!   server, the connection, gRPC, caches or the gate itself writes, because two writers would contradict each
//!   other.
//! * A **value** of a request, such as a count or an account's id: the limit headers and the principal headers.
//!   [`is_reserved_for_values`] also refuses what a standard gives a meaning, such as `Link` or
//!   `Strict-Transport-Security`. A vendor may want a text in them. A count in them would turn off what they
//!   protect.

use http::HeaderName;

use super::caching::is_targeted;
use super::name_pattern::NamePattern;
use crate::request::is_of_the_connection;

/// Names that no header of a profile has.
static RESERVED: [&str; 33] = [
    // Of the gate.
    "cache-control",
    "retry-after",
    "vary",
    "www-authenticate",
    // Of the connection. `is_of_the_connection` has the rest, which no pattern meets.
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    // Of credentials: RFC 9110 §11, RFC 6265. The gate keeps no session, and cookies make caches leak.
    "authentication-info",
    "authorization",
    "clear-site-data",
    "cookie",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "set-cookie",
    "set-cookie2",
    // Of one representation and its copies in caches: RFC 9110 §8 and §14, RFC 9111 §5, RFC 9530.
    "accept-ranges",
    "age",
    "digest",
    "edge-control",
    "etag",
    "expires",
    "last-modified",
    "no-vary-search",
    "pragma",
    "repr-digest",
    "surrogate-control",
    "warning",
    // Of the server and of proxies, and where a client goes next.
    "date",
    "location",
    "refresh",
    "via",
];

/// Beginnings that no header of a profile has. nginx obeys `x-accel-`.
static RESERVED_BEGINNINGS: [&str; 5] =
    ["access-control-", "content-", "grpc-", "sec-websocket-", "x-accel-"];

/// Ends that no header of a profile has: targeted fields of caches (RFC 9213 §3), and what gRPC reads as base64.
static RESERVED_ENDS: [&str; 2] = ["-cache-control", "-bin"];

/// Names that a standard defines, for a text of the vendor only. Some of them are exceptions from
/// `RESERVED_BEGINNINGS`.
static FOR_TEXTS: [&str; 28] = [
    // Without it no page reads a limit header.
    "access-control-expose-headers",
    "content-disposition",
    "content-language",
    "content-security-policy",
    "content-security-policy-report-only",
    "allow",
    "alt-svc",
    "deprecation",
    "early-data",
    "expect-ct",
    "link",
    "nel",
    "origin-agent-cluster",
    "permissions-policy",
    "priority",
    "referrer-policy",
    "report-to",
    "reporting-endpoints",
    "server",
    "server-timing",
    "strict-transport-security",
    "sunset",
    "timing-allow-origin",
    "x-content-type-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-robots-tag",
    "x-xss-protection",
];

/// Beginnings that a standard defines, for a text of the vendor only.
static FOR_TEXTS_BEGINNINGS: [&str; 3] = ["accept-", "cross-origin-", "sec-"];

/// Returns true if no header of a profile may have this name, not even with a fixed text.
pub(super) fn is_reserved(name: &HeaderName) -> bool {
    let text = name.as_str();
    let is_listed = is_of_the_connection(name)
        || is_targeted(name)
        || RESERVED.contains(&text)
        || RESERVED_BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
        || RESERVED_ENDS.iter().any(|end| text.ends_with(end));
    is_listed && !FOR_TEXTS.contains(&text)
}

/// Returns true if no limit header and no principal header may have this name.
pub(super) fn is_reserved_for_values(name: &HeaderName) -> bool {
    let text = name.as_str();
    is_reserved(name)
        || FOR_TEXTS.contains(&text)
        || FOR_TEXTS_BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

/// Returns true if a limit header with these names could have a reserved one.
///
/// `x-{quota}` passes, although a quota may be called `frame-options`. So may every pattern whose end is open, although
/// a quota's name may end in `-bin`. The names of quotas decide: [`is_reserved_for_values`] is asked again for each.
pub(super) fn has_reserved(pattern: &NamePattern) -> bool {
    let (before, after) = match pattern {
        NamePattern::One(name) => return is_reserved_for_values(name),
        NamePattern::Each { before, after } => (&**before, &**after),
    };
    let is_short = |listed: &str| before == "x-" && listed.starts_with(before);
    let mut beginnings = RESERVED_BEGINNINGS.iter().chain(&FOR_TEXTS_BEGINNINGS);
    let mut names = RESERVED.iter().chain(&FOR_TEXTS);
    beginnings
        .any(|listed| before.starts_with(listed) || listed.starts_with(before) && !is_short(listed))
        || names.any(|listed| pattern.covers(listed) && !is_short(listed))
        || RESERVED_ENDS.iter().any(|end| after.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_may_want_a_text_where_it_wants_no_count() {
        for (name, text, value) in [
            ("x-elastic-product", false, false),
            ("openai-version", false, false),
            ("deprecation", false, true),
            ("link", false, true),
            ("strict-transport-security", false, true),
            ("x-content-type-options", false, true),
            ("content-security-policy", false, true),
            ("content-language", false, true),
            ("access-control-expose-headers", false, true),
            ("cross-origin-resource-policy", false, true),
            ("sec-gpc", false, true),
            ("access-control-allow-origin", true, true),
            ("content-type", true, true),
            ("content-length", true, true),
            ("content-encoding", true, true),
            ("cache-control", true, true),
            ("cdn-cache-control", true, true),
            ("surrogate-control", true, true),
            ("set-cookie", true, true),
            ("location", true, true),
            ("grpc-status-details-bin", true, true),
            ("sec-websocket-accept", true, true),
            ("host", true, true),
            ("te", true, true),
            ("upgrade", true, true),
        ] {
            let name: HeaderName = name.parse().unwrap();
            assert_eq!(
                (is_reserved(&name), is_reserved_for_values(&name)),
                (text, value),
                "{name}"
            );
        }
    }

    /// A pattern is compared with the lists only, so they have all names that a pattern can meet.
    #[test]
    fn names_of_the_connection_are_listed_if_a_pattern_can_meet_them() {
        for name in [
            "connection",
            "content-length",
            "host",
            "keep-alive",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
        ] {
            assert!(is_of_the_connection(&name.parse().unwrap()));
            if let Some((before, _)) = name.split_once('-') {
                let pattern = NamePattern::each(&format!("{before}-{{quota}}")).unwrap();
                assert!(has_reserved(&pattern), "{name}");
            }
        }
    }
}
