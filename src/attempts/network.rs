//! The network of a client's address.

use std::net::IpAddr;

use crate::error::ConfigError;

/// The lengths of network prefixes, in bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prefixes {
    pub(super) ipv4: u8,
    pub(super) ipv6: u8,
}

/// The prefix of a network. Its length is in [`Prefixes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Network {
    V4(u32),
    V6(u128),
}

impl Prefixes {
    /// Refuses lengths of more bits than an address has, and of 0 bits, which put all clients into one network.
    pub(super) fn check(self) -> Result<(), ConfigError> {
        for (length, bits) in [(self.ipv4, 32), (self.ipv6, 128)] {
            if !(1..=bits).contains(&length) {
                return Err(ConfigError::AttemptPrefix { length, bits });
            }
        }
        Ok(())
    }

    pub(super) fn network(self, address: IpAddr) -> Network {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let host = 32_u32.saturating_sub(self.ipv4.into());
                Network::V4(address.to_bits() & u32::MAX.checked_shl(host).unwrap_or(0))
            }
            IpAddr::V6(address) => {
                let host = 128_u32.saturating_sub(self.ipv6.into());
                Network::V6(address.to_bits() & u128::MAX.checked_shl(host).unwrap_or(0))
            }
        }
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
            ((32, 64), "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true),
            ((32, 64), "2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ((32, 48), "2001:db8:1:2::1", "2001:db8:1:3::1", true),
            ((32, 128), "2001:db8::1", "2001:db8::2", false),
            ((32, 1), "::1", "7fff::", true),
            ((32, 1), "::1", "8000::", false),
            // No IPv6 network is an IPv4 one.
            ((32, 128), "::192.0.2.1", "192.0.2.1", false),
        ];
        for ((ipv4, ipv6), one, other, same) in cases {
            let network = |text: &str| Prefixes { ipv4, ipv6 }.network(text.parse().unwrap());
            assert_eq!(network(one) == network(other), same, "{one} {other}");
        }
    }
}
