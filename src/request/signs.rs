//! Header fields that only proxies write.

use http::HeaderName;

/// Returns true if only proxies send this field, whether or not the proxy was configured to write it.
///
/// Such a list cannot be complete, which is why there is
/// [`always_proxies`](super::TrustedProxies::always_proxies).
pub(super) fn is_of_a_proxy(name: &HeaderName) -> bool {
    let name = name.as_str();
    let family = |prefix: &&str| name.starts_with(*prefix);
    FAMILIES.iter().any(family)
        || matches!(
            name,
            "forwarded"
                | "forwarded-for"
                | "forwarded-proto"
                | "via"
                | "client-ip"
                | "true-client-ip"
                | "proxy-client-ip"
                | "wl-proxy-client-ip"
                | "x-client-ip"
                | "x-cluster-client-ip"
                | "x-forwarded"
                | "x-forward-for"
                | "x-forward-proto"
                | "x-http-forwarded-for"
                | "x-originating-ip"
                | "x-proxyuser-ip"
                | "surrogate-capability"
                | "x-true-client-ip"
                | "x-varnish"
                | "x-real-ip"
                | "x-real-port"
                | "x-remote-addr"
                | "x-remote-ip"
                | "x-scheme"
                | "x-url-scheme"
                | "front-end-https"
                | "x-amz-cf-id"
                | "x-amzn-trace-id"
                | "x-arr-log-id"
                | "x-arr-ssl"
                | "x-ms-forwarded-client-ip"
                | "x-nf-client-connection-ip"
                | "x-sucuri-clientip"
                | "ali-cdn-real-ip"
                | "do-connecting-ip"
                | "incap-client-ip"
        )
}

/// Prefixes of such fields: those of Cloudflare, CloudFront, Envoy, Fastly, Fly, Vercel, Akamai, App
/// Engine and Azure, and those that all CDNs share.
const FAMILIES: [&str; 13] = [
    "x-forwarded-",
    "x-original-",
    "x-envoy-",
    "cf-",
    "cloudfront-",
    "fastly-",
    "fly-",
    "x-vercel-",
    "akamai-",
    "x-akamai-",
    "x-appengine-",
    "x-azure-",
    "cdn-",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proxies_differ_from_those_of_clients() {
        for name in [
            "Forwarded",
            "Via",
            "X-Forwarded-For",
            "X-Forwarded-Port",
            "X-Real-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "CF-Connecting-IPv6",
            "CF-Ray",
            "X-Envoy-External-Address",
            "Fly-Client-IP",
            "Fly-Forwarded-Proto",
            "X-Client-IP",
            "X-Cluster-Client-IP",
            "X-Original-Forwarded-For",
            "Fastly-Client-IP",
            "CloudFront-Forwarded-Proto",
            "X-Amzn-Trace-Id",
            "X-Azure-ClientIP",
            "X-AppEngine-User-IP",
            "CDN-Loop",
            "CDN-Real-IP",
            "X-True-Client-IP",
            "X-Varnish",
        ] {
            assert!(is_of_a_proxy(&name.parse().unwrap()), "{name}");
        }
        for name in [
            "Host",
            "Authorization",
            "X-Api-Key",
            "X-Request-Id",
            "Traceparent",
            "Origin",
            "Client",
            "X-Forward",
            "Fly",
            "Forwarded-By",
        ] {
            assert!(!is_of_a_proxy(&name.parse().unwrap()), "{name}");
        }
    }
}
