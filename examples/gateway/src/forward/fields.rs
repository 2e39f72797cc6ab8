//! Selects the fields of a message that are forwarded to the next hop.

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRAILER, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version};

/// Fields that concern one connection only, whether or not `Connection` names them (RFC 9110 §7.6.1). hyper
/// frames the body of each connection itself, so `Transfer-Encoding` is one of them. `Proxy` is not a field of
/// HTTP, but a CGI program reads it as the variable `HTTP_PROXY`.
///
/// `TE` is written anew if the client takes trailers. `Trailer` is not one of them (RFC 9110 §6.6.2).
const HOP_BY_HOP: [&str; 11] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Removes the fields of one connection: those that `Connection` names, `Connection` itself, and the known
/// ones. An option that is not a token is ignored; the other options of its line still count.
///
/// Returns what `Connection` names, which must not be forwarded among the trailers either (RFC 9110 §7.6.1).
pub(super) fn strip_hop_by_hop(headers: &mut HeaderMap) -> Vec<HeaderName> {
    // RFC 9112 §6.3: `Transfer-Encoding` overrides the length, which must not be forwarded.
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    let options =
        headers.get_all(CONNECTION).iter().flat_map(|line| line.as_bytes().split(|b| *b == b','));
    let named = options.filter_map(|option| HeaderName::from_bytes(option.trim_ascii()).ok());
    let named: Vec<HeaderName> = named.filter(|name| !is_for_every_recipient(name)).collect();
    for name in &named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    named
}

/// Returns true if `Connection` names a field of the request that is not known to concern one connection. The gate may
/// have demanded this field, so it must not be missing upstream, and RFC 9110 §7.6.1 forbids to forward it.
pub(super) fn names_a_field(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CONNECTION).iter();
    let mut options = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    options.any(|option| {
        let name = HeaderName::from_bytes(option.trim_ascii());
        name.is_ok_and(|name| {
            name != TRAILER && !is_of_the_connection(&name) && headers.contains_key(name)
        })
    })
}

/// Returns true if a field is never a connection option (RFC 9110 §7.6.1: "a field that is intended for all
/// recipients of the content").
///
/// The list has the fields in which the proxy in front describes the client: a client could remove them
/// otherwise. The list also has fields that a gate may have checked before it admitted the request.
pub(super) fn is_for_every_recipient(name: &HeaderName) -> bool {
    const FAMILIES: [&str; 17] = [
        "accept",
        "access-control-",
        "akamai-",
        "cdn-",
        "cf-",
        "cloudfront-",
        "content-",
        "fastly-",
        "fly-",
        "if-",
        "x-akamai-",
        "x-amz",
        "x-azure-",
        "x-envoy-",
        "x-forwarded-",
        "x-original-",
        "x-vercel-",
    ];
    let name = name.as_str();
    FAMILIES.iter().any(|family| name.starts_with(family))
        || matches!(
            name,
            "age"
                | "allow"
                | "authorization"
                | "cache-control"
                | "cookie"
                | "date"
                | "etag"
                | "expect"
                | "expires"
                | "client-ip"
                | "forwarded"
                | "forwarded-for"
                | "forwarded-proto"
                | "front-end-https"
                | "host"
                | "last-modified"
                | "location"
                | "origin"
                | "pragma"
                | "range"
                | "retry-after"
                | "set-cookie"
                | "true-client-ip"
                | "user-agent"
                | "vary"
                | "via"
                | "www-authenticate"
                | "x-client-ip"
                | "x-cluster-client-ip"
                | "x-forwarded"
                | "x-real-ip"
                | "x-remote-addr"
                | "x-remote-ip"
                | "x-scheme"
        )
}

/// Returns true if a field concerns one connection only.
pub(super) fn is_of_the_connection(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(&name.as_str())
}

/// Returns true if a name has only letters, digits and `-`.
pub(super) fn is_plain(name: &HeaderName) -> bool {
    name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Returns true if the lines of a field list this token, in any case.
pub(super) fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter();
    let mut elements = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    elements.any(|element| element.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// Removes fields whose names hold other characters than letters, digits and `-`, as nginx does. CGI and WSGI
/// read `X_Account_Id`, and some also `X.Account.Id`, as the variable of `X-Account-Id`. So a client could forge
/// a field that only the gateway may write.
pub(super) fn strip_odd_names(headers: &mut HeaderMap) {
    let odd = headers.keys().filter(|name| !is_plain(name));
    let odd: Vec<HeaderName> = odd.cloned().collect();
    for name in &odd {
        headers.remove(name);
    }
}

/// Returns the host of a request. HTTP/2 and absolute targets name the host in the target, which overrides
/// `Host`. The host is empty if the client names none (RFC 9112 §3.2), which HTTP/1.0 and HTTP/2 allow. Without
/// the field, the client of the gateway would send the backend's own address.
///
/// # Errors
///
/// Returns the problem of `Host`, which RFC 9112 §3.2 wants answered with 400.
pub(crate) fn host(
    version: Version,
    target: &Uri,
    headers: &HeaderMap,
) -> Result<HeaderValue, &'static str> {
    let mut lines = headers.get_all(HOST).iter();
    let line = lines.next();
    if lines.next().is_some() {
        return Err("the request has more than one Host\n");
    }
    if line.is_some_and(|line| !is_host(line)) {
        return Err("Host is not a valid host\n");
    }
    if line.is_none() && version == Version::HTTP_11 {
        return Err("the request has no Host\n");
    }
    // RFC 9113 §8.3.1: `Host` must not name another host than `:authority`.
    if version == Version::HTTP_2
        && let (Some(line), Some(named)) = (line, target.authority())
        && !line.as_bytes().eq_ignore_ascii_case(named.as_str().as_bytes())
    {
        return Err("Host and :authority differ\n");
    }
    let named = target.authority().and_then(|authority| {
        HeaderValue::from_str(authority.as_str().rsplit('@').next().unwrap_or_default()).ok()
    });
    Ok(named.or_else(|| line.cloned()).unwrap_or(HeaderValue::from_static("")))
}

/// Returns true if a value is `uri-host [ ":" port ]`, which may be empty (RFC 9110 §7.2).
fn is_host(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    bytes.is_empty() || (!bytes.contains(&b'@') && Authority::try_from(bytes).is_ok())
}
