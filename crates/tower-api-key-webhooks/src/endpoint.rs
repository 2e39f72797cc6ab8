//! The place of a receiver, read from its URL.

use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

use super::address::is_public;
use super::invalid::InvalidWebhook;

/// The place of a receiver.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The host with its port, as the header `host` has it.
    pub(crate) authority: String,
    /// The path with its query.
    pub(crate) target: String,
    pub(crate) has_tls: bool,
}

impl Endpoint {
    /// Reads a URL.
    pub(crate) fn read(
        url: &str,
        allow_http: bool,
        allow_private: bool,
    ) -> Result<Self, InvalidWebhook> {
        let uri: Uri = url.parse().map_err(|_| InvalidWebhook::Url)?;
        let scheme = uri.scheme().ok_or(InvalidWebhook::Url)?;
        let has_tls = *scheme == Scheme::HTTPS;
        if !has_tls && *scheme != Scheme::HTTP {
            return Err(InvalidWebhook::Url);
        }
        let authority = uri.authority().ok_or(InvalidWebhook::Url)?;
        if authority.as_str().contains('@') {
            return Err(InvalidWebhook::UrlWithUser);
        }
        if !has_tls && !allow_http {
            return Err(InvalidWebhook::Http);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let named_port = authority.port_u16();
        // A number over 65535 is no port for `http`, and is not left out either.
        let is_wrong_port =
            named_port.is_none() && authority.host().len() < authority.as_str().len();
        // A `%` begins the zone of a link-local address.
        if host.is_empty() || host.contains('%') || is_wrong_port {
            return Err(InvalidWebhook::Url);
        }
        if is_odd_number(host) {
            return Err(InvalidWebhook::NumberAsHost);
        }
        let is_closed = host.parse().is_ok_and(|address: IpAddr| !is_public(address));
        if is_closed && !allow_private {
            return Err(InvalidWebhook::PrivateAddress);
        }
        Ok(Self {
            host: host.to_owned(),
            port: named_port.unwrap_or(if has_tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            target: uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            has_tls,
        })
    }
}

/// Returns true for a host that ends in a number and is no address in its usual form: `2130706433`, `0x7f000001`, `127.1`
/// and `0177.0.0.1` are 127.0.0.1 for many programs. No name of the internet ends in a number.
fn is_odd_number(host: &str) -> bool {
    let labels = host.strip_suffix('.').unwrap_or(host);
    let last = labels.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = match hexadecimal {
        Some(digits) => digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|digit| digit.is_ascii_digit()),
    };
    is_number && host.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_refused() {
        use InvalidWebhook::{Http, NumberAsHost, PrivateAddress, Url, UrlWithUser};
        let read = |url, open| {
            Endpoint::read(url, open, open).map(|read| (read.host, read.port, read.target))
        };
        let place = |host: &str, port, target: &str| Ok((host.to_owned(), port, target.to_owned()));
        for (url, expected) in [
            ("https://hooks.example.com/keys?a=b", place("hooks.example.com", 443, "/keys?a=b")),
            ("https://hooks.example.com:8443", place("hooks.example.com", 8443, "/")),
            ("https://[2606:4700::1111]/", place("2606:4700::1111", 443, "/")),
            ("https://1.1.1.1/", place("1.1.1.1", 443, "/")),
            ("http://hooks.example.com/", Err(Http)),
            ("https://ada:word@hooks.example.com/", Err(UrlWithUser)),
            ("https://127.0.0.1/", Err(PrivateAddress)),
            ("https://[::1]/", Err(PrivateAddress)),
            ("https://[::ffff:10.0.0.1]/", Err(PrivateAddress)),
            ("https://[::ffff:7f00:1]/", Err(PrivateAddress)),
            ("https://[::]/", Err(PrivateAddress)),
            ("https://[64:ff9b::7f00:1]/", Err(PrivateAddress)),
            ("https://[64:ff9b:1::a00:1]/", Err(PrivateAddress)),
            ("https://[2002:7f00:1::]/", Err(PrivateAddress)),
            ("https://[2002:c0a8:101::1]/", Err(PrivateAddress)),
            ("https://[2606:4700::5efe:7f00:1]/", Err(PrivateAddress)),
            ("https://[fe80::1%25eth0]/", Err(Url)),
            ("https://0.0.0.0/", Err(PrivateAddress)),
            ("https://0/", Err(NumberAsHost)),
            ("https://2130706433/", Err(NumberAsHost)),
            ("https://017700000001/", Err(NumberAsHost)),
            ("https://0x7f000001/", Err(NumberAsHost)),
            ("https://0X7F000001/", Err(NumberAsHost)),
            ("https://0x/", Err(NumberAsHost)),
            ("https://127.1/", Err(NumberAsHost)),
            ("https://0177.0.0.1/", Err(NumberAsHost)),
            ("https://127.0.0.0x1/", Err(NumberAsHost)),
            ("https://127.0.0.1./", Err(NumberAsHost)),
            ("https://127.1./", Err(NumberAsHost)),
            ("https://1.1.1.256/", Err(NumberAsHost)),
            ("https://1.1.1.1.1/", Err(NumberAsHost)),
            ("https://a.example.7/", Err(NumberAsHost)),
            ("https://7.example/", place("7.example", 443, "/")),
            ("https://0x7f.example./", place("0x7f.example.", 443, "/")),
            ("https://169.254.169.254/latest/meta-data", Err(PrivateAddress)),
            ("hooks.example.com/keys", Err(Url)),
            ("/keys", Err(Url)),
            ("ftp://hooks.example.com/", Err(Url)),
            ("https:///keys", Err(Url)),
            ("https://a:99999/", Err(Url)),
            ("", Err(Url)),
        ] {
            assert_eq!(read(url, false), expected, "{url}");
        }
        assert_eq!(read("http://127.0.0.1:8080/x", true), place("127.0.0.1", 8080, "/x"));
    }
}
