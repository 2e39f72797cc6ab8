//! Sets of IP networks, for a key's allowlist and for a deployment's trusted proxies.

use std::net::IpAddr;

use ipnet::IpNet;

/// Reports a text that is neither an IP address nor a network in CIDR notation.
///
/// The error quotes the text if it looks like an address: short groups of hexadecimal digits. Any other
/// text may be a secret in the wrong place, and is not quoted.
///
/// ```
/// use tower_api_key::key::Networks;
///
/// let error = Networks::new(["10.0.0.0/33"]).unwrap_err();
/// assert!(error.to_string().starts_with("`10.0.0.0/33` is neither an IP address nor a network"));
/// let error = Networks::new(["c41e09b5d2f86a30"]).unwrap_err();
/// assert!(error.to_string().starts_with("the text is neither an IP address nor a network"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{quoted} is neither an IP address nor a network in CIDR notation, such as `10.1.2.0/24`")]
pub struct InvalidNetwork {
    quoted: String,
}

impl InvalidNetwork {
    fn of(text: &str) -> Self {
        let is_group =
            |group: &str| group.len() <= 4 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
        let quotable = text.split(['.', ':', '/']).all(is_group);
        let quoted = if quotable { format!("`{text}`") } else { "the text".to_owned() };
        Self { quoted }
    }
}

/// Holds a set of IP networks. An IPv4-mapped IPv6 address counts as its IPv4 address.
///
/// ```
/// use tower_api_key::key::Networks;
///
/// let office = Networks::new(["10.1.2.0/24", "2001:db8::/32"])?;
/// assert!(office.contains("10.1.2.3".parse().unwrap()));
/// assert!(office.contains("::ffff:10.1.2.3".parse().unwrap()));
/// assert!(!office.contains("10.1.3.3".parse().unwrap()));
/// # Ok::<(), tower_api_key::key::InvalidNetwork>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks(Box<[IpNet]>);

impl Networks {
    /// Reads networks in CIDR notation. An address without a prefix length is a network of one address.
    ///
    /// # Errors
    ///
    /// [`InvalidNetwork`] for the first text that is neither an address nor a network.
    pub fn new<S: AsRef<str>>(
        networks: impl IntoIterator<Item = S>,
    ) -> Result<Self, InvalidNetwork> {
        let read = |text: S| {
            let text = text.as_ref();
            text.parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| InvalidNetwork::of(text))
        };
        networks.into_iter().map(read).collect()
    }

    /// Returns true if one of the networks contains the address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Lists the networks.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &IpNet> {
        self.0.iter()
    }

    /// Returns true if the set has no network.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<IpNet> for Networks {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().map(unmap).collect())
    }
}

/// Turns `::ffff:a.b.c.d/96+n` into its IPv4 network, because `contains` compares IPv4 addresses.
fn unmap(network: IpNet) -> IpNet {
    const MAPPED_PREFIX: u8 = 96;
    let length = network.prefix_len();
    match network.network().to_canonical() {
        // An IPv4 prefix has at most 32 bits, and an IPv4-mapped one at least 96.
        IpAddr::V4(address) if length >= MAPPED_PREFIX => {
            IpNet::new(address.into(), length - MAPPED_PREFIX).unwrap_or(network)
        }
        _ => network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_networks_and_addresses_count_as_ipv4() {
        let mapped = Networks::new(["::ffff:10.0.0.0/104"]).unwrap();
        assert!(mapped.contains("10.9.9.9".parse().unwrap()));
        assert!(mapped.contains("::ffff:10.9.9.9".parse().unwrap()));
        assert!(!mapped.contains("11.0.0.1".parse().unwrap()));
    }

    #[test]
    fn every_ipv6_address_is_not_every_ipv4_address() {
        let six = Networks::new(["::/0"]).unwrap();
        assert!(!six.contains("10.0.0.1".parse().unwrap()));
        assert!(six.contains("::1".parse().unwrap()));
    }

    #[test]
    fn a_text_is_quoted_if_it_is_written_like_an_address() {
        for (text, is_quoted) in [
            ("10.0.0.0/33", true),
            ("2001:db8::/129", true),
            ("10.0.0", true),
            ("", true),
            ("c41e09b5d2f86a30", false),
            ("10.0.0.12345", false),
            ("host/8", false),
            ("key", false),
            ("ab:cd.x", false),
        ] {
            let error = Networks::new([text]).unwrap_err().to_string();
            assert_eq!(error.starts_with(&format!("`{text}` is neither")), is_quoted, "{error}");
            assert_eq!(error.starts_with("the text is neither"), !is_quoted, "{error}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0", "localhost", "10.0.0.0/-1"] {
            assert!(Networks::new([text]).is_err(), "{text}");
        }
    }
}
