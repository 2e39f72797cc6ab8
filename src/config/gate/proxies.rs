//! Trusted proxies, as they stand in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::read::{Contradiction, Path};
use crate::key::Networks;
use crate::request::{ProxyHeaders, TrustedProxies};

/// The proxies whose headers prove HTTPS and the client's address. Without this table no proxy is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct TrustedProxiesTable {
    /// The networks of the proxies, as `10.0.0.0/8` or `10.1.2.3`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    networks: Vec<String>,
    /// The headers that the proxies write.
    headers: ProxyHeadersName,
    /// Trusts any process that may open the server's Unix socket.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unix_socket: bool,
    /// States that the proxies never send a request of their own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    always_proxies: bool,
    /// Trusts every address: any client that reaches the server chooses its own address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    insecure_whole_internet: bool,
}

/// The headers that proxies write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ProxyHeadersName {
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    XForwarded,
    /// Either kind. If a request has both, they must agree.
    Either,
}

impl TrustedProxiesTable {
    pub(super) fn describe(
        &self,
        path: &Path,
        found: &mut Vec<Contradiction>,
    ) -> Option<TrustedProxies> {
        let headers = match self.headers {
            ProxyHeadersName::Forwarded => ProxyHeaders::Forwarded,
            ProxyHeadersName::XForwarded => ProxyHeaders::XForwarded,
            ProxyHeadersName::Either => ProxyHeaders::Either,
        };
        let path = path.field("networks");
        let mut proxies = if self.insecure_whole_internet {
            if !self.networks.is_empty() {
                let problem =
                    "with `insecure_whole_internet` this list has no effect: remove one of the two";
                found.push(Contradiction::new(path, &problem));
                return None;
            }
            TrustedProxies::insecure_whole_internet(headers)
        } else {
            let wrong = found.len();
            let numbered = self.networks.iter().enumerate();
            found.extend(numbered.filter_map(|(index, network)| {
                let problem = Networks::new([network]).err()?;
                Some(Contradiction::new(path.item(index), &problem))
            }));
            if found.len() > wrong {
                return None;
            }
            TrustedProxies::new(Networks::new(&self.networks).ok()?, headers)
        };
        if self.unix_socket {
            proxies = proxies.and_unix_socket();
        }
        Some(if self.always_proxies { proxies.always_proxies() } else { proxies })
    }
}
