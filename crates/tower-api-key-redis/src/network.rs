//! The names in Redis of networks, which hold no address.

use std::fmt;
use std::net::IpAddr;

use tower_api_key::caller::ClientNetwork;
use tower_api_key::key::KeyHasher;

/// The most counters of one Redis key. With 4,096 keys the server holds about a million counters of networks.
pub(super) const MOST_COUNTERS: u32 = 256;

/// The most counters of one Redis key, beyond those, that the networks of a site share.
pub(super) const MOST_SHARED: u32 = 64;

/// The hexadecimal digits of a set's number: 4,096 sets.
const SET_DIGITS: usize = 3;
/// The hexadecimal digits of a site's name: 64 bits.
const SITE_DIGITS: usize = 16;
/// The hexadecimal digits of a network's name: 128 bits.
const NAME_DIGITS: usize = 32;

/// A network as Redis knows it: a digest in place of the address.
///
/// The counters of many networks share one Redis key, which is a set of networks. The networks of one site, an
/// IPv6 `/48` or an IPv4 `/24`, lie in one set. So a site can fill one set, which it shares with one in 4,096 of all
/// sites. In a full set, new networks of a site share a counter of their site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NetworkName {
    /// The digest of the site. The set has the name of its first digits.
    site: String,
    name: String,
}

impl NetworkName {
    pub(super) fn new(network: ClientNetwork, hasher: &KeyHasher) -> Self {
        let digest = |text: String, digits: usize| {
            let mut digest = hasher.digest(text.as_bytes()).to_hex();
            digest.truncate(digits);
            digest
        };
        let site = match network.net().map(|net| net.network()) {
            None => String::new(),
            Some(IpAddr::V4(address)) => format!("4 {}", address.to_bits() >> 8),
            Some(IpAddr::V6(address)) => format!("6 {}", address.to_bits() >> 80),
        };
        Self {
            site: digest(format!("site {site}"), SITE_DIGITS),
            name: digest(format!("network {network}"), NAME_DIGITS),
        }
    }

    /// Returns the Redis key of the set. In the tag of an account a `%` stands before two digits only, so no
    /// account has this key.
    pub(super) fn key(&self, prefix: &str) -> String {
        let set = self.site.get(..SET_DIGITS).unwrap_or_default();
        format!("{prefix}{{%network:{set}}}")
    }

    /// Returns the name of the site.
    pub(super) fn site(&self) -> &str {
        &self.site
    }
}

impl fmt::Display for NetworkName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower_api_key::key::Pepper;

    fn name(address: &str, hasher: &KeyHasher) -> NetworkName {
        NetworkName::new(ClientNetwork::of(address.parse().unwrap()), hasher)
    }

    #[test]
    fn the_networks_of_a_site_share_a_set_and_no_name() {
        let hasher = KeyHasher::sha256();
        for (one, other, same_site, same_name) in [
            ("192.0.2.7", "::ffff:192.0.2.7", true, true),
            ("192.0.2.7", "192.0.2.8", true, false),
            ("192.0.2.7", "192.0.3.7", false, false),
            ("2001:db8:1:2::3", "2001:db8:1:2::4", true, true),
            ("2001:db8:1:2::3", "2001:db8:1:3::3", true, false),
            ("2001:db8:1:2::3", "2001:db8:2:2::3", false, false),
        ] {
            let (one, other) = (name(one, &hasher), name(other, &hasher));
            assert_eq!((one.site == other.site, one.name == other.name), (same_site, same_name));
            assert!(one.key("p:").starts_with("p:{%network:") && one.key("p:").len() == 16);
        }
        let unknown = NetworkName::new(ClientNetwork::UNKNOWN, &hasher);
        assert_ne!(unknown.name, name("0.0.0.0", &hasher).name);
    }

    #[test]
    fn a_pepper_changes_all_names_and_none_holds_an_address() {
        let pepper = Pepper::new(*b"32 bytes of the random generator").unwrap();
        let hashers = [KeyHasher::sha256(), KeyHasher::with_pepper(&pepper)];
        let [plain, peppered] = hashers.map(|hasher| name("192.0.2.7", &hasher));
        assert_ne!(plain.name, peppered.name);
        assert!(plain.name.len() == 32 && !format!("{plain:?}").contains("192.0"));
    }
}
