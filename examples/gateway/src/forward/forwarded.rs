//! Writes anew how the client reached the gateway.

use std::net::IpAddr;

use http::header::{FORWARDED, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use tower_api_key::request::Client;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Fields in which a proxy describes its client, and those that replace the path or the method of the request which
/// the gate has admitted. The gateway has read what it trusts of them. Upstreams must not read the rest, because any
/// client can send it.
const FAMILIES: [&str; 4] = ["x-forwarded-", "x-original-", "cf-connecting-", "x-envoy-"];
const DESCRIBING: [&str; 21] = [
    "client-ip",
    "cloudfront-viewer-address",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "forwarded-for",
    "forwarded-proto",
    "front-end-https",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-rewrite-url",
    "x-scheme",
    "x-url-scheme",
];

/// Returns true for a field that only proxies may write.
pub(super) fn describes_request(name: &HeaderName) -> bool {
    let name = name.as_str();
    DESCRIBING.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Removes what others say of the client, and writes what is proven, in `Forwarded` (RFC 7239) and in the older
/// fields. Adds this gateway to `Via` (RFC 9110 §7.6.3).
pub(super) fn write(
    headers: &mut HeaderMap,
    client: Option<Client>,
    host: &HeaderValue,
    version: Version,
) {
    let written: Vec<HeaderName> =
        headers.keys().filter(|name| describes_request(name)).cloned().collect();
    for name in &written {
        headers.remove(name);
    }
    let address = client.and_then(|client| client.address);
    let protocol = if client.is_some_and(|client| client.https) { "https" } else { "http" };
    let mut forwarded = match address {
        None => "for=unknown".to_owned(),
        Some(IpAddr::V4(address)) => format!("for={address}"),
        Some(IpAddr::V6(address)) => format!("for=\"[{address}]\""),
    };
    if let Some(address) = address {
        insert(headers, X_FORWARDED_FOR, &address.to_string());
    }
    if let Ok(name) = host.to_str().map(str::trim).map(|name| name.replace(['"', '\\'], ""))
        && !name.is_empty()
    {
        headers.insert(X_FORWARDED_HOST, host.clone());
        forwarded.push_str(&format!(";host=\"{name}\""));
    }
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(protocol));
    forwarded.push_str(&format!(";proto={protocol}"));
    insert(headers, FORWARDED, &forwarded);
    headers.append(VIA, via(version));
}

/// Returns this gateway's element of `Via`, with the version of the message that it got.
pub(super) const fn via(version: Version) -> HeaderValue {
    match version {
        Version::HTTP_10 => HeaderValue::from_static("1.0 gateway"),
        Version::HTTP_2 => HeaderValue::from_static("2.0 gateway"),
        _ => HeaderValue::from_static("1.1 gateway"),
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_proven_is_written() {
        let client = |address: &str, https| Some(Client { address: address.parse().ok(), https });
        for (client, host, expected) in [
            (
                client("192.0.2.1", true),
                "a.example:8443",
                "for=192.0.2.1;host=\"a.example:8443\";proto=https",
            ),
            (client("2001:db8::1", false), "", "for=\"[2001:db8::1]\";proto=http"),
            (client("", true), "a", "for=unknown;host=\"a\";proto=https"),
            (None, "a", "for=unknown;host=\"a\";proto=http"),
        ] {
            let mut headers = HeaderMap::new();
            for name in
                DESCRIBING.iter().chain(&["x-forwarded-port", "x-forwarded-user", "x-original-url"])
            {
                headers.append(*name, HeaderValue::from_static("forged"));
            }
            let host = HeaderValue::from_str(host).unwrap();
            write(&mut headers, client, &host, Version::HTTP_2);
            assert_eq!(headers["forwarded"], expected);
            assert_eq!(headers["via"], "2.0 gateway");
            assert!(headers.values().all(|value| value != "forged"), "{headers:?}");
            let address =
                client.and_then(|client| client.address).map(|address| address.to_string());
            let written = headers.get("x-forwarded-for").map(|value| value.to_str().unwrap());
            assert_eq!(written, address.as_deref());
        }
    }
}
