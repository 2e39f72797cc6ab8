//! The network of a client's address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::error::ConfigError;

/// The bits of an IPv4-mapped IPv6 address in front of the IPv4 address.
const MAPPED: u8 = 96;

/// The 96 bits in front of an IPv4 address that a translator to IPv6 writes: `64:ff9b::/96`, RFC 6052 section 2.1.
const TRANSLATED: u128 = 0x64_ff9b << 64;

/// The lengths of network prefixes, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefixes {
    pub(crate) ipv4: u8,
    pub(crate) ipv6: u8,
}

/// The network of a client: one IPv4 address or an IPv6 `/64`, or as configured.
///
/// An IPv4-mapped IPv6 address counts as its IPv4 address. So does an address of the well-known prefix `64:ff9b::/96`
/// ([RFC 6052](https://www.rfc-editor.org/rfc/rfc6052#section-2.1)), which IPv4 clients have behind a translator. A
/// client cannot choose such an address: it is the peer's address, or what a trusted proxy says. IPv4 clients behind a
/// translator with a prefix of its own count as one IPv6 network, unless the IPv6 prefix is longer. All clients whose address cannot be determined have
/// one network, [`UNKNOWN`](Self::UNKNOWN).
///
/// [`Display`](fmt::Display) prints the network, such as `192.0.2.7/32`. That is personal data in many
/// countries: keep it out of names and logs that live longer than they must.
///
/// ```
/// use tower_api_key::caller::ClientNetwork;
///
/// let of = |address: &str| ClientNetwork::of(address.parse().unwrap());
/// assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
/// assert_eq!(of("2001:db8:1:2::3").to_string(), "2001:db8:1:2::/64");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientNetwork {
    // The masked address as IPv6. An IPv4 address is mapped, and its length counts from the first of 128 bits.
    // No known network has 0 bits.
    first: u64,
    second: u64,
    length: u8,
}

impl ClientNetwork {
    /// The network of all clients whose address cannot be determined.
    pub const UNKNOWN: Self = Self { first: 0, second: 0, length: 0 };

    /// Returns the network of an address, with the prefixes that a gate has unless set: 32 bits for IPv4, and 64
    /// for IPv6.
    pub fn of(address: IpAddr) -> Self {
        Prefixes::SITE.network(address)
    }

    /// Returns the site of the network: the IPv6 `/48` or the IPv4 `/24` in which it lies.
    pub(crate) const fn site(&self) -> u64 {
        match self.first {
            0 => self.second >> 8,
            first => first >> 16,
        }
    }

    /// Returns the network; `None` if the client's address cannot be determined.
    pub fn net(&self) -> Option<IpNet> {
        let bits = u128::from(self.first) << 64 | u128::from(self.second);
        let address = IpAddr::from(Ipv6Addr::from_bits(bits));
        let length = self.length;
        if length == 0 {
            return None;
        }
        match address.to_canonical() {
            IpAddr::V4(four) if length > MAPPED => IpNet::new(four.into(), length - MAPPED).ok(),
            _ => IpNet::new(address, length).ok(),
        }
    }
}

impl fmt::Display for ClientNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.net() {
            Some(net) => net.fmt(formatter),
            None => formatter.write_str("unknown"),
        }
    }
}

impl Prefixes {
    /// The prefixes unless set. A site has at least one IPv4 address, or an IPv6 `/64`.
    pub(crate) const SITE: Self = Self { ipv4: 32, ipv6: 64 };

    /// Refuses lengths of more bits than an address has, and of 0 bits, which put all clients into one network.
    /// `method` is the method that set them.
    pub(crate) fn check(self, method: &'static str) -> Result<(), ConfigError> {
        for (length, bits) in [(self.ipv4, 32), (self.ipv6, 128)] {
            if !(1..=bits).contains(&length) {
                return Err(ConfigError::NetworkPrefix { method, length, bits });
            }
        }
        Ok(())
    }

    /// Returns the network of an address.
    pub(crate) fn network(self, address: IpAddr) -> ClientNetwork {
        let (address, length) = match ipv4_inside(address) {
            IpAddr::V4(address) => {
                (address.to_ipv6_mapped(), self.ipv4.saturating_add(MAPPED).min(128))
            }
            IpAddr::V6(address) => (address, self.ipv6.min(128)),
        };
        let host = 128 - u32::from(length);
        let bits = address.to_bits() & u128::MAX.checked_shl(host).unwrap_or(0);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let (first, second) = ((bits >> 64) as u64, bits as u64);
        ClientNetwork { first, second, length }
    }
}

/// Returns the IPv4 address that an IPv6 address holds, or else the address.
fn ipv4_inside(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(translated) if translated.to_bits() >> 32 == TRANSLATED =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "the last 32 bits")]
            Ipv4Addr::from_bits(translated.to_bits() as u32).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_the_first_bits_in_common_are_of_one_network() {
        #[rustfmt::skip]
        let cases = [
            ((32, 64), "192.0.2.1", "192.0.2.1", true),
            ((32, 64), "192.0.2.1", "192.0.2.2", false),
            ((24, 64), "192.0.2.1", "192.0.2.255", true),
            ((24, 64), "192.0.2.1", "192.0.3.1", false),
            ((1, 64), "0.0.0.1", "127.255.255.255", true),
            ((1, 64), "0.0.0.1", "128.0.0.0", false),
            // A dual-stack socket maps IPv4 clients.
            ((32, 64), "192.0.2.1", "::ffff:192.0.2.1", true),
            ((32, 64), "::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            // A translator has IPv4 clients in the well-known prefix.
            ((32, 64), "192.0.2.1", "64:ff9b::192.0.2.1", true),
            ((32, 64), "64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", false),
            ((24, 64), "64:ff9b::192.0.2.1", "192.0.2.255", true),
            // Not the prefix for local use, nor another of an operator.
            ((32, 64), "192.0.2.1", "64:ff9b:1::192.0.2.1", false),
            ((32, 64), "192.0.2.1", "64:ff9b::1:192.0.2.1", false),
            ((32, 64), "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true),
            ((32, 64), "2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ((32, 48), "2001:db8:1:2::1", "2001:db8:1:3::1", true),
            ((32, 128), "2001:db8::1", "2001:db8::2", false),
            ((32, 1), "::1", "7fff::", true),
            ((32, 1), "::1", "8000::", false),
            // No IPv6 network is an IPv4 one.
            ((32, 128), "::192.0.2.1", "192.0.2.1", false),
            ((1, 80), "0.0.0.1", "::ffff:0:0:1", false),
            ((1, 1), "0.0.0.1", "::1", false),
        ];
        for ((ipv4, ipv6), one, other, same) in cases {
            let network = |text: &str| Prefixes { ipv4, ipv6 }.network(text.parse().unwrap());
            assert_eq!(network(one) == network(other), same, "{one} {other}");
            assert_ne!(network(one), ClientNetwork::UNKNOWN);
        }
    }

    #[test]
    fn a_network_is_printed_as_networks_are_written() {
        for ((ipv4, ipv6), address, net) in [
            ((32, 64), "192.0.2.1", "192.0.2.1/32"),
            ((32, 64), "::ffff:192.0.2.1", "192.0.2.1/32"),
            ((32, 64), "64:ff9b::192.0.2.1", "192.0.2.1/32"),
            ((24, 64), "192.0.2.1", "192.0.2.0/24"),
            ((1, 64), "0.0.0.1", "0.0.0.0/1"),
            ((32, 64), "0.0.0.0", "0.0.0.0/32"),
            ((32, 64), "2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ((32, 64), "::1", "::/64"),
            ((32, 128), "::1", "::1/128"),
            ((32, 1), "::1", "::/1"),
        ] {
            let network = Prefixes { ipv4, ipv6 }.network(address.parse().unwrap());
            assert_eq!(network.to_string(), net);
            assert_eq!(network.net(), Some(net.parse().unwrap()));
        }
        assert_eq!(ClientNetwork::UNKNOWN.to_string(), "unknown");
        assert_eq!(ClientNetwork::UNKNOWN.net(), None);
    }
}
