//! Whether a program of this machine asks by itself.

use std::net::IpAddr;

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Uri};

/// Returns true if a request that came from this machine was neither passed on by a proxy beside the program, nor sent by a
/// web page whose name leads here (DNS rebinding). Those would show clients elsewhere what only this machine is to see.
///
/// Each host of the request must be `localhost` or a loopback address, and no field may say that a proxy passed it on. A
/// request without any host is one of HTTP/1.0, which no browser sends.
pub(crate) fn is_direct(uri: &Uri, headers: &HeaderMap) -> bool {
    let lines = headers.get_all(HOST).iter();
    let lines = lines.map(|line| Authority::try_from(line.as_bytes()).ok());
    let mut named = lines.chain(uri.authority().cloned().map(Some));
    named.all(|host| host.is_some_and(|host| is_loopback(host.host())))
        && !headers.keys().any(is_of_a_proxy)
}

fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Returns true for the fields in which proxies describe a request.
fn is_of_a_proxy(name: &HeaderName) -> bool {
    let name = name.as_str();
    matches!(
        name,
        "forwarded" | "via" | "x-forwarded" | "x-real-ip" | "x-client-ip" | "true-client-ip"
    ) || ["x-forwarded-", "cf-", "x-original-"].iter().any(|family| name.starts_with(family))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn only_what_names_this_machine_and_no_proxy_is_direct() {
        for (target, fields, expected) in [
            ("/metrics", &[("host", "localhost")][..], true),
            ("/metrics", &[("host", "LOCALHOST:8080")], true),
            ("/metrics", &[("host", "127.0.0.1:9901")], true),
            ("/metrics", &[("host", "127.1.2.3")], true),
            ("/metrics", &[("host", "[::1]:9901")], true),
            ("/metrics", &[("host", "[::ffff:127.0.0.1]")], true),
            ("https://localhost:8443/metrics", &[], true),
            ("/metrics", &[], true),
            // A name that an attacker has let lead to this machine.
            ("/metrics", &[("host", "evil.example:9901")], false),
            ("/metrics", &[("host", "localhost.evil.example")], false),
            ("/metrics", &[("host", "127.0.0.1.evil.example")], false),
            ("/metrics", &[("host", "192.0.2.1")], false),
            ("/metrics", &[("host", "0.0.0.0")], false),
            ("/metrics", &[("host", "")], false),
            ("/metrics", &[("host", "localhost"), ("host", "evil.example")], false),
            ("https://evil.example/metrics", &[("host", "localhost")], false),
            ("https://localhost/metrics", &[("host", "evil.example")], false),
            // A proxy beside the program.
            ("/metrics", &[("host", "localhost"), ("x-forwarded-for", "192.0.2.1")], false),
            ("/metrics", &[("host", "localhost"), ("x-forwarded-host", "a")], false),
            ("/metrics", &[("host", "localhost"), ("forwarded", "for=192.0.2.1")], false),
            ("/metrics", &[("host", "localhost"), ("via", "1.1 proxy")], false),
            ("/metrics", &[("host", "localhost"), ("x-real-ip", "192.0.2.1")], false),
        ] {
            let mut request = Request::get(target);
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            let request = request.body(()).unwrap();
            assert_eq!(
                is_direct(request.uri(), request.headers()),
                expected,
                "{target} {fields:?}"
            );
        }
    }
}
