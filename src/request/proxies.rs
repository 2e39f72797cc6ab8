//! Trusted proxies. HTTPS and the client's address come from the connection or from a trusted proxy,
//! never from both: TLS up to the proxy proves nothing about the client.

use std::net::IpAddr;

use ipnet::IpNet;

use super::internet;
use super::proxy_headers::ProxyHeaders;
use super::trust::Trust;
use crate::error::ConfigError;
use crate::key::Networks;

/// Lists the networks of the proxies in front of this server, and the headers that they write. The
/// default trusts no proxy.
///
/// The chain of addresses is read from right to left, past trusted ones. The first address that is not
/// trusted is the client's. Everything to its left is only the client's claim.
///
/// A proxy must overwrite, or append to, the headers named here. `X-Forwarded-Proto` proves HTTPS only
/// if every element says so, because its elements cannot be matched to hops. `Forwarded` is read hop by
/// hop.
///
/// If a trusted proxy sends any header that only proxies send, only the headers named here count:
///
/// * HTTPS is proven only if they say `https` or `wss`.
/// * The address is known only if they name one.
/// * TLS between the proxy and this server proves nothing about the client.
/// * The proxy's own address is never the client's.
///
/// The gate must know the address of its peer. With axum, serve
/// `router.into_make_service_with_connect_info::<SocketAddr>()` (feature `axum`); other servers mark their
/// connections by [`MarkConnection`](crate::MarkConnection). Without the peer's address no proxy is trusted,
/// and every request counts as plain HTTP.
///
/// Headers that only proxies send are `Forwarded`, `Via`, `X-Forwarded-*`, `X-Real-IP`,
/// `True-Client-IP`, `CF-Connecting-IP`, `X-Envoy-External-Address`, `Fly-Client-IP` and others like
/// them. A trusted peer that sends none of them counts as the client itself, with the facts of its
/// connection, unless it [always proxies](Self::always_proxies).
///
/// ```
/// use tower_api_key::key::Networks;
/// use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
///
/// let proxies = TrustedProxies::new(Networks::new(["10.0.0.0/8"])?, ProxyHeaders::Forwarded);
/// let mut headers = http::HeaderMap::new();
/// headers.insert("forwarded", "for=198.51.100.7;proto=https".parse()?);
///
/// let proxy = Connection::plain("10.0.0.1:4711".parse()?);
/// let client = proxies.client(proxy, &headers);
/// assert!(client.https && client.address == "198.51.100.7".parse().ok());
///
/// let other = Connection::plain("203.0.113.9:4711".parse()?);
/// assert!(!proxies.client(other, &headers).https, "any client can send a header");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TrustedProxies {
    pub(super) networks: Networks,
    pub(super) unix_sockets: bool,
    pub(super) always: bool,
    pub(super) headers: ProxyHeaders,
    trust: Trust,
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self::of(Networks::default(), ProxyHeaders::Forwarded, Trust::None)
    }
}

impl TrustedProxies {
    /// Trusts the proxies in these networks to write these headers.
    ///
    /// [`build`](crate::ApiKeyLayerBuilder::build) refuses a list without networks, which trusts no
    /// proxy. It also refuses a list that contains the whole internet, however it is written:
    /// `0.0.0.0/0`, `::/0`, `0.0.0.0/1` with `128.0.0.0/1`, `2000::/3`.
    ///
    /// ```
    /// use tower_api_key::key::Networks;
    /// use tower_api_key::request::{ProxyHeaders, TrustedProxies};
    /// use tower_api_key::{ApiKeyLayer, ConfigError, store::MemoryStore, vendors};
    ///
    /// let internet = Networks::new(["0.0.0.0/0"])?;
    /// let proxies = TrustedProxies::new(internet, ProxyHeaders::XForwarded);
    /// let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
    /// let refused = builder.trusted_proxies(proxies).build();
    /// assert!(matches!(refused, Err(ConfigError::TrustedInternet { .. })));
    /// # Ok::<(), tower_api_key::key::InvalidNetwork>(())
    /// ```
    pub fn new(networks: Networks, headers: ProxyHeaders) -> Self {
        Self::of(networks, headers, Trust::Listed)
    }

    /// Refuses a list that trusts no proxy or the whole internet, unless that was asked for.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if !matches!(self.trust, Trust::Listed) {
            return Ok(());
        }
        if self.networks.is_empty() && !self.unix_sockets {
            return Err(ConfigError::NoTrustedNetwork);
        }
        if let Some(internet) = internet::covered(&self.networks) {
            let networks = self.networks.iter().take(4).map(ToString::to_string);
            let networks = networks.collect::<Vec<_>>().join(", ");
            return Err(ConfigError::TrustedInternet { internet, networks });
        }
        Ok(())
    }

    /// Returns true if every address on the internet is trusted, so that a client can choose its own.
    pub(crate) const fn trusts_all(&self) -> bool {
        matches!(self.trust, Trust::All)
    }

    /// Trusts any process that may open this server's Unix socket to write these headers. Set the mode
    /// of the socket's file so that only the proxy may open it.
    ///
    /// The server marks such connections with [`Connection::unix_socket`](super::Connection::unix_socket). A connection without the
    /// mark is not trusted.
    ///
    /// ```
    /// use tower_api_key::request::{Connection, ProxyHeaders, TrustedProxies};
    ///
    /// let proxies = TrustedProxies::unix_socket(ProxyHeaders::XForwarded);
    /// let mut headers = http::HeaderMap::new();
    /// headers.insert("x-forwarded-for", "198.51.100.7".parse().unwrap());
    /// headers.insert("x-forwarded-proto", "https".parse().unwrap());
    ///
    /// let client = proxies.client(Connection::unix_socket(), &headers);
    /// assert!(client.https && client.address == "198.51.100.7".parse().ok());
    /// assert!(!proxies.client(Connection::unknown(), &headers).https);
    /// ```
    pub fn unix_socket(headers: ProxyHeaders) -> Self {
        Self::of(Networks::default(), headers, Trust::Listed).and_unix_socket()
    }

    /// Trusts every address on the internet. A client that reaches this server then chooses its own
    /// address, and whether it counts as having used HTTPS.
    ///
    /// Use this only if all of the following hold:
    ///
    /// * Only a proxy can reach the server.
    /// * The proxy's address cannot be known.
    /// * The proxy overwrites these headers.
    pub fn insecure_whole_internet(headers: ProxyHeaders) -> Self {
        let first = [IpAddr::from([0; 4]), IpAddr::from([0; 16])];
        let networks = first.into_iter().filter_map(|address| IpNet::new(address, 0).ok());
        Self::of(networks.collect(), headers, Trust::All)
    }

    /// Also trusts any process that may open this server's Unix socket. See
    /// [`unix_socket`](Self::unix_socket).
    pub fn and_unix_socket(mut self) -> Self {
        self.unix_sockets = true;
        self
    }

    /// States that trusted peers never send a request of their own. A request without the headers that
    /// were named then proves neither HTTPS nor an address.
    ///
    /// Without this option, a proxy that leaves its headers out counts as the client, with its own
    /// address and the TLS of its own connection. A client may be able to cause that, for example by
    /// naming the headers in `Connection`.
    ///
    /// ```
    /// use tower_api_key::key::Networks;
    /// use tower_api_key::request::{Client, Connection, ProxyHeaders, TrustedProxies};
    ///
    /// let networks = Networks::new(["10.0.0.0/8"])?;
    /// let proxies = TrustedProxies::new(networks, ProxyHeaders::XForwarded);
    /// let proxy = Connection::tls("10.0.0.1:4711".parse()?);
    /// let silent = http::HeaderMap::new();
    /// assert!(proxies.client(proxy, &silent).https);
    /// let unproven = Client { address: None, https: false };
    /// assert_eq!(proxies.always_proxies().client(proxy, &silent), unproven);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn always_proxies(mut self) -> Self {
        self.always = true;
        self
    }

    /// Returns true if trusted peers never send a request of their own.
    pub(crate) const fn always_proxy(&self) -> bool {
        self.always
    }

    const fn of(networks: Networks, headers: ProxyHeaders, trust: Trust) -> Self {
        Self { networks, unix_sockets: false, always: false, headers, trust }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::super::client::Client;
    use super::super::connection::Connection;
    use super::*;

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";
    const STANDARD: &str = "forwarded";

    #[test]
    fn a_peer_that_always_proxies_is_never_the_client() {
        use ProxyHeaders::{Either, Forwarded, XForwarded};
        let unproven = Client { address: None, https: false };
        let told = Client { address: "192.0.2.1".parse().ok(), https: true };
        let standard = (STANDARD, "for=192.0.2.1;proto=https");
        let older = [(FOR, "192.0.2.1"), (PROTO, "https")];
        for (headers, lines, expected) in [
            (XForwarded, &[][..], unproven),
            (Forwarded, &[], unproven),
            (Either, &[], unproven),
            (Either, &[("host", "example.com")], unproven),
            (XForwarded, &[standard], unproven),
            (Forwarded, &older, unproven),
            (XForwarded, &older, told),
            (Forwarded, &[standard], told),
            (Either, &[standard], told),
            (Either, &older, told),
            // Each of the two headers proves its own part.
            (XForwarded, &older[..1], Client { https: false, ..told }),
            (XForwarded, &older[1..], Client { address: None, ..told }),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in lines {
                map.append(*name, value.parse().unwrap());
            }
            let networks = Networks::new(["10.0.0.0/8"]).unwrap();
            let proxies = TrustedProxies::new(networks, headers).and_unix_socket();
            let proxies = proxies.always_proxies();
            let proxy = Connection::tls("10.0.0.1:1".parse().unwrap());
            for connection in [proxy, Connection::unix_socket()] {
                assert_eq!(proxies.client(connection, &map), expected, "{headers:?} {lines:?}");
            }
            // A peer that is not trusted is the client.
            let other = Connection::tls("192.0.2.9:1".parse().unwrap());
            let direct = Client { address: "192.0.2.9".parse().ok(), https: true };
            assert_eq!(proxies.client(other, &map), direct);
        }
    }

    #[test]
    fn a_list_trusts_the_peers_that_it_names() {
        let new = |networks: &[&'static str]| {
            let networks = Networks::new(networks.iter().copied()).unwrap();
            let proxies = TrustedProxies::new(networks, ProxyHeaders::Either);
            proxies.check().map_err(|error| error.to_string())
        };
        assert!(new(&["10.0.0.0/8", "::1"]).is_ok());
        let error = new(&[]).unwrap_err();
        assert!(error.contains("trusted proxies") && error.contains("unix_socket"), "{error}");
        for networks in [&["0.0.0.0/0"][..], &["::/0"], &["10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1"]]
        {
            let error = new(networks).unwrap_err();
            assert!(error.contains("insecure_whole_internet"), "{error}");
            assert!(networks.iter().all(|network| error.contains(network)), "{error}");
        }
        let internet = TrustedProxies::insecure_whole_internet(ProxyHeaders::Forwarded);
        let mut map = HeaderMap::new();
        map.append(STANDARD, "for=192.0.2.1;proto=https".parse().unwrap());
        for peer in ["198.51.100.1:1", "[2001:db8::1]:1"] {
            let client = internet.client(Connection::plain(peer.parse().unwrap()), &map);
            assert_eq!(client, Client { address: "192.0.2.1".parse().ok(), https: true });
        }
        assert!(internet.check().is_ok() && TrustedProxies::default().check().is_ok());
        let by_socket = TrustedProxies::new(Networks::default(), ProxyHeaders::Forwarded);
        assert!(by_socket.and_unix_socket().check().is_ok());
        // A Unix socket has no address.
        assert!(!internet.client(Connection::unix_socket(), &map).https);
    }
}
