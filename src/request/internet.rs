//! Checks whether networks contain the whole internet.

use ipnet::IpNet;

use crate::key::Networks;

/// The ranges that no client on the internet has an address in: IANA's special-purpose ranges, and all
/// of IPv6 that is not global unicast. Networks that lack only these ranges still contain every client.
const NOT_PUBLIC: [&str; 17] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/3",
    "4000::/2",
    "8000::/1",
];

/// Returns `IPv4` or `IPv6` if the networks contain all clients of that internet.
pub(super) fn covered(networks: &Networks) -> Option<&'static str> {
    let not_public = NOT_PUBLIC.iter().filter_map(|text| text.parse::<IpNet>().ok());
    let all: Vec<IpNet> = networks.iter().copied().chain(not_public).collect();
    let whole = IpNet::aggregate(&all).into_iter().find(|network| network.prefix_len() == 0)?;
    Some(if whole.addr().is_ipv4() { "IPv4" } else { "IPv6" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_contain_the_internet_are_found() {
        for (networks, internet) in [
            (&["0.0.0.0/0"][..], Some("IPv4")),
            (&["::/0"], Some("IPv6")),
            (&["10.0.0.0/8", "::ffff:0:0/96"], Some("IPv4")),
            (&["::ffff:0.0.0.0/97", "::ffff:128.0.0.0/97"], Some("IPv4")),
            (&["0.0.0.0/1", "128.0.0.0/1"], Some("IPv4")),
            (&["128.0.0.0/1", "64.0.0.0/2", "0.0.0.0/2"], Some("IPv4")),
            (&["1.2.3.4/0"], Some("IPv4")),
            (&["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"], Some("IPv4")),
            (&["::/1", "8000::/1"], Some("IPv6")),
            (&["2000::/3"], Some("IPv6")),
            (&["2000::/4", "3000::/4"], Some("IPv6")),
            (&[], None),
            (&["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"], None),
            (&["0.0.0.0/1"], None),
            (&["0.0.0.0/1", "128.0.0.0/2"], None),
            (&["127.0.0.0/8", "::1"], None),
            (&["173.245.48.0/20", "2400:cb00::/32", "::/3", "8000::/1"], None),
        ] {
            let parsed = Networks::new(networks.iter().copied()).unwrap();
            assert_eq!(covered(&parsed), internet, "{networks:?}");
        }
    }

    #[test]
    fn every_range_is_read() {
        let read = NOT_PUBLIC.iter().filter(|text| text.parse::<IpNet>().is_ok());
        assert_eq!(read.count(), NOT_PUBLIC.len());
    }
}
