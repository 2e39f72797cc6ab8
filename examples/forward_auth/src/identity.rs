//! The headers by which the proxy tells the upstream server whose request it forwards.

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tower_api_key::Grant;
use tower_api_key::key::Environment;

const ACCOUNT: HeaderName = HeaderName::from_static("x-account-id");
const KEY_ID: HeaderName = HeaderName::from_static("x-key-id");
const ENVIRONMENT: HeaderName = HeaderName::from_static("x-key-environment");
const METADATA: HeaderName = HeaderName::from_static("x-key-metadata");

/// The headers that only the proxy may send to the upstream server. `X-Request-Id` is the gate's.
const NAMES: [&str; 5] =
    ["x-account-id", "x-key-id", "x-key-environment", "x-key-metadata", "x-request-id"];

/// Other headers that the shipped configurations remove or overwrite: services take the client, the scheme, the host, the
/// method or the path from them.
const DESCRIPTIONS: [&str; 9] = [
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// The longest metadata, in bytes. Longer ones are left out, because proxies limit the headers of a response.
const LONGEST_METADATA: usize = 2048;

/// Writes who called. The metadata are pairs as in a query: `team=core&region=eu%2D1`.
pub(crate) fn write(grant: &Grant, headers: &mut HeaderMap) {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = grant.record().all_metadata();
    let pairs = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    let metadata = pairs.collect::<Vec<_>>().join("&");
    let metadata = (1..=LONGEST_METADATA).contains(&metadata.len()).then_some(&*metadata);
    for (name, value) in [
        (ACCOUNT, Some(grant.account().as_str())),
        (KEY_ID, Some(grant.key_id().as_str())),
        (ENVIRONMENT, grant.environment().map(Environment::as_str)),
        (METADATA, metadata),
    ] {
        let value = value.and_then(|value| HeaderValue::from_str(value).ok());
        headers.extend(value.map(|value| (name, value)));
    }
}

/// Returns true if a header has a name that only the proxy may write, in another spelling. CGI and WSGI read
/// `X_Account_Id` as they read `X-Account-Id`. nginx drops such headers, other proxies forward them.
pub(crate) fn is_forged(headers: &HeaderMap) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    headers.keys().map(HeaderName::as_str).any(|name| {
        !name.bytes().all(plain) && {
            let read = name.bytes().map(|byte| if plain(byte) { byte } else { b'-' });
            NAMES.iter().chain(&DESCRIPTIONS).any(|own| own.bytes().eq(read.clone()))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_of_a_header_of_the_proxy_is_found() {
        for (name, forged) in [
            ("X-Account-Id", false), // the proxy overwrites it
            ("X_Account_Id", true),
            ("x-account_id", true),
            ("X.Key.Id", true),
            ("X_Key_Metadata", true),
            ("X_Request_Id", true),
            ("X_Account", false),
            ("X-Forwarded-For", false), // the proxy overwrites it
            ("X_Forwarded_For", true),
            ("X-Forwarded_Proto", true),
            ("X_Forwarded_Host", true),
            ("X_Forwarded_Port", false),
            ("X-HTTP-Method-Override", false), // the proxy removes it
            ("X_HTTP_Method_Override", true),
            ("X.Original.URL", true),
        ] {
            let name: HeaderName = name.parse().unwrap();
            let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("a"))]);
            assert_eq!(is_forged(&headers), forged, "{name}");
        }
    }
}
