//! The addresses that a webhook may connect to.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// IPv4 addresses that are not on the internet: IANA's special-purpose ranges, multicast, and an address of a cloud's
/// metadata. 169.254.169.254, that of most clouds, is among the link-local ones.
const CLOSED_V4: [&str; 16] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
];

/// The IPv6 addresses of the internet. Loopback, unique local, link-local, multicast, IPv4-mapped and NAT64 addresses are
/// outside.
const OPEN_V6: &str = "2000::/3";

/// IPv6 addresses among them that reach an IPv4 address or no host: protocol assignments with Teredo, documentation, and
/// 6to4.
const CLOSED_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/// Returns true for an address on the internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        // From 224.0.0.0 on: multicast, reserved, and broadcast.
        IpAddr::V4(address) => {
            let [first, ..] = address.octets();
            let has =
                |range: &str| range.parse().is_ok_and(|range: Ipv4Net| range.contains(&address));
            first < 224 && !CLOSED_V4.iter().any(|range| has(range))
        }
        IpAddr::V6(address) => {
            let has =
                |range: &str| range.parse().is_ok_and(|range: Ipv6Net| range.contains(&address));
            has(OPEN_V6) && !CLOSED_V6.iter().any(|range| has(range)) && !is_isatap(address)
        }
    }
}

/// Returns true for an address of ISATAP (RFC 5214), which ends in an IPv4 address that a tunnel leads to.
const fn is_isatap(address: Ipv6Addr) -> bool {
    let [.., universal, marker, _, _] = address.segments();
    marker == 0x5efe && (universal == 0 || universal == 0x0200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_on_the_internet_are_public() {
        for (address, public) in [
            ("1.1.1.1", true),
            ("93.184.215.14", true),
            ("223.255.255.255", true),
            ("100.63.255.255", true),
            ("172.32.0.1", true),
            ("2606:4700::1111", true),
            ("2a00:1450::1", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.255.0.1", false),
            ("168.63.129.16", false),
            ("169.254.169.254", false),
            ("169.254.170.2", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.170", false),
            ("192.168.1.1", false),
            ("198.19.0.1", false),
            ("203.0.113.7", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:1.1.1.1", false),
            ("::ffff:0:127.0.0.1", false),
            ("::ffff:0.0.0.0", false),
            ("::127.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("64:ff9b::1.1.1.1", false),
            ("64:ff9b:1::1", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("2002:c0a8:101::1", false),
            ("2606:4700::5efe:7f00:1", false),
            ("2606:4700::200:5efe:a00:1", false),
            ("2606:4700::300:5efe:a00:1", true),
            ("3fff::1", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn every_range_is_read() {
        assert!(CLOSED_V4.iter().all(|range| range.parse::<Ipv4Net>().is_ok()));
        assert!(CLOSED_V6.iter().chain([&OPEN_V6]).all(|range| range.parse::<Ipv6Net>().is_ok()));
    }
}
