//! Whose word counts on HTTPS and on the client's address: the connection's, or a trusted proxy's.
//! Never both: TLS up to the proxy says nothing of the client.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

use super::client::Client;
use super::connection::Connection;
use super::forwarded::Hop;
use super::proxy_headers::ProxyHeaders;
use super::{internet, signs};
use crate::error::ConfigError;
use crate::key::Networks;

/// Lists the networks of the proxies in front of this server, and the headers that they write.
///
/// The chain is read from right to left, past trusted addresses; the first other address is the
/// client, and everything left of it is the client's own word. The default trusts nobody.
///
/// A proxy must overwrite, or append to, the headers named here. `X-Forwarded-Proto` says HTTPS
/// only if every element does, for its elements cannot be told apart by hop; `Forwarded` is read
/// by hop.
///
/// As soon as a trusted proxy speaks, its word is all there is: HTTPS is proven only if the headers
/// named here say `https` or `wss`, and the address only if they name one. TLS between the proxy and this
/// server proves nothing of the client, and the proxy's own address is never the client's. To speak
/// is to send any header that only proxies send: `Forwarded`, `Via`, `X-Forwarded-*`, `X-Real-IP`,
/// `True-Client-IP`, `CF-Connecting-IP`, `X-Envoy-External-Address`, `Fly-Client-IP` and their like. A
/// trusted peer that sends none of them is taken for the client itself, with the facts of its connection,
/// unless it [always proxies](Self::always_proxies).
///
/// ```
/// use tower_api_key::key::Networks;
/// use tower_api_key::request::{Client, Connection, ProxyHeaders, TrustedProxies};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let proxies = TrustedProxies::new(Networks::new(["10.0.0.0/8"])?, ProxyHeaders::Forwarded);
/// let mut headers = http::HeaderMap::new();
/// headers.insert("forwarded", "for=198.51.100.7;proto=https".parse().unwrap());
///
/// let proxy = Connection::plain("10.0.0.1:4711".parse().unwrap());
/// let client = proxies.client(proxy, &headers);
/// assert!(client.https && client.address == "198.51.100.7".parse().ok());
///
/// let stranger = Connection::plain("203.0.113.9:4711".parse().unwrap());
/// assert!(!proxies.client(stranger, &headers).https, "anyone can send a header");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TrustedProxies {
    networks: Networks,
    unix_sockets: bool,
    always: bool,
    headers: ProxyHeaders,
    meant: Meant,
}

/// Whom a list is meant to trust, so that a layer is not built with one that trusts others.
#[derive(Debug, Clone, Copy)]
enum Meant {
    Nobody,
    /// Those that are listed, and not all the world.
    Some,
    Everybody,
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self::of(Networks::default(), ProxyHeaders::Forwarded, Meant::Nobody)
    }
}

impl TrustedProxies {
    /// Trusts the proxies in these networks to write these headers.
    ///
    /// A layer is not built with a list without networks, for it trusts nobody, nor with one that leaves
    /// nobody on the internet out, however that is written: `0.0.0.0/0`, `::/0`, `0.0.0.0/1` with
    /// `128.0.0.0/1`, `2000::/3`.
    ///
    /// ```
    /// # use tower_api_key::{ApiKeyLayer, ConfigError, store::MemoryStore, vendors};
    /// use tower_api_key::key::Networks;
    /// use tower_api_key::request::{ProxyHeaders, TrustedProxies};
    ///
    /// let everybody = Networks::new(["0.0.0.0/0"])?;
    /// let proxies = TrustedProxies::new(everybody, ProxyHeaders::XForwarded);
    /// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new());
    /// let refused = builder.trusted_proxies(proxies).build();
    /// assert!(matches!(refused, Err(ConfigError::TrustedInternet { .. })));
    /// # Ok::<(), tower_api_key::key::InvalidNetwork>(())
    /// ```
    pub fn new(networks: Networks, headers: ProxyHeaders) -> Self {
        Self::of(networks, headers, Meant::Some)
    }

    /// Refuses a list that trusts nobody, or all the world, where neither was said.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if !matches!(self.meant, Meant::Some) {
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

    /// Trusts whoever may open this server's Unix socket to write these headers. Let the file's mode leave
    /// everybody out but the proxy. Connections are told by
    /// [`Connection::unix_socket`](super::Connection::unix_socket); one that is not marked is not trusted.
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
        Self::of(Networks::default(), headers, Meant::Some).and_unix_socket()
    }

    /// Trusts every address on the internet, so whoever reaches this server chooses the address it is known
    /// by, and whether it is taken to have used HTTPS. Only for a server that nobody but a proxy can reach,
    /// where the proxy's address cannot be known, and where the proxy overwrites these headers.
    pub fn insecure_whole_internet(headers: ProxyHeaders) -> Self {
        let everybody = [IpAddr::from([0; 4]), IpAddr::from([0; 16])];
        let networks = everybody.into_iter().filter_map(|address| IpNet::new(address, 0).ok());
        Self::of(networks.collect(), headers, Meant::Everybody)
    }

    /// Trusts whoever may open this server's Unix socket, too; see [`unix_socket`](Self::unix_socket).
    pub fn and_unix_socket(mut self) -> Self {
        self.unix_sockets = true;
        self
    }

    /// States that trusted peers never send a request of their own. Without a header of the kind that was named, a
    /// request then proves nothing: neither HTTPS nor an address. Otherwise a proxy that a client can bring
    /// to leave its headers out, say by naming them in `Connection`, is taken for the client, with its own
    /// address and the TLS of its own connection.
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

    const fn of(networks: Networks, headers: ProxyHeaders, meant: Meant) -> Self {
        Self { networks, unix_sockets: false, always: false, headers, meant }
    }

    /// States what is proven of the client behind a connection.
    pub fn client(&self, connection: Connection, headers: &HeaderMap) -> Client {
        let direct = Client { address: connection.peer(), https: connection.is_tls() };
        let trusted = match direct.address {
            Some(peer) => self.networks.contains(peer),
            None => self.unix_sockets && connection.is_unix_socket(),
        };
        if !trusted {
            return direct;
        }
        let told = self.headers.read(headers, &self.networks);
        let Hop { address, https } = match told {
            Some(hop) => hop,
            // It speaks, but not as configured; or it should have spoken.
            None if self.always || headers.keys().any(signs::is_of_a_proxy) => Hop::default(),
            None => return direct,
        };
        Client { address, https }
    }
}

#[cfg(test)]
mod tests {
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
            // Of two headers of a kind, each proves what it says.
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
            // Who is not trusted is the client, as before.
            let stranger = Connection::tls("192.0.2.9:1".parse().unwrap());
            let direct = Client { address: "192.0.2.9".parse().ok(), https: true };
            assert_eq!(proxies.client(stranger, &map), direct);
        }
    }

    #[test]
    fn whom_to_trust_must_be_said() {
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
        let everybody = TrustedProxies::insecure_whole_internet(ProxyHeaders::Forwarded);
        let mut map = HeaderMap::new();
        map.append(STANDARD, "for=192.0.2.1;proto=https".parse().unwrap());
        for peer in ["198.51.100.1:1", "[2001:db8::1]:1"] {
            let client = everybody.client(Connection::plain(peer.parse().unwrap()), &map);
            assert_eq!(client, Client { address: "192.0.2.1".parse().ok(), https: true });
        }
        assert!(everybody.check().is_ok() && TrustedProxies::default().check().is_ok());
        let by_socket = TrustedProxies::new(Networks::default(), ProxyHeaders::Forwarded);
        assert!(by_socket.and_unix_socket().check().is_ok());
        // A Unix socket is no address.
        assert!(!everybody.client(Connection::unix_socket(), &map).https);
    }
}
