//! When a key was last used, and from where.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::caller::Prefixes;
use crate::clock::Timestamp;

/// The prefixes of the network of a last use. They name a site rather than a person.
const SITES: Prefixes = Prefixes { ipv4: 24, ipv6: 48 };

/// The last request of a key that a gate admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastUse {
    /// When the gate decided about the request.
    pub at: Timestamp,
    /// The client's network: an IPv4 `/24` or an IPv6 `/48`. `None` if the client's address could not be determined.
    pub network: Option<IpNet>,
}

impl LastUse {
    /// Describes a use. Keeps only the client's network.
    ///
    /// ```
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::usage::LastUse;
    ///
    /// let used = LastUse::new(Timestamp::default(), Some("192.0.2.7".parse().unwrap()));
    /// assert_eq!(used.network.unwrap().to_string(), "192.0.2.0/24");
    /// ```
    pub fn new(at: Timestamp, client: Option<IpAddr>) -> Self {
        Self { at, network: client.and_then(|address| SITES.network(address).net()) }
    }

    /// Reads a use that was stored with a network.
    pub const fn stored(at: Timestamp, network: Option<IpNet>) -> Self {
        Self { at, network }
    }
}
