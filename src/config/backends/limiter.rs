//! The limiter, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::redis_login::{RedisCertificates, RedisLogin};
use super::store::scheme;
use crate::config::duration::LengthOfTime;
use crate::config::quota::FailureChoice;
use crate::config::secret::SecretText;
use crate::quota::OnLimiterFailure;

/// The table `[limiter]`: where requests are counted.
///
/// The core opens no connection. `tower-api-key-front-door` opens what this names; a program of your own may give the
/// schemes of URLs its own meaning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LimiterSettings {
    /// The address: `memory:` for one process, or `redis://…` for all; `rediss://…` with TLS, `unix://…` for a socket.
    pub url: SecretText,
    /// Further addresses: of nodes of a cluster, or of Sentinels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_urls: Vec<SecretText>,
    /// The addresses are of a Redis Cluster, whose other nodes are found.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cluster: bool,
    /// The name of a service: the addresses are of its Sentinels, which name the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentinel: Option<String>,
    /// The user and password of Redis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<RedisLogin>,
    /// The certificates of connections with TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<RedisCertificates>,
    /// What happens while the limiter cannot answer: `deny`, unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_failure: Option<FailureChoice>,
    /// Counts simultaneous requests there, too: in this process, unless set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simultaneous: bool,
    /// The prefix of the keys in Redis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// How long a call may take: 50 ms unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<LengthOfTime>,
    /// The failed calls in a row after which no more are made for a while: 3 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u32>,
    /// Takes tokens in advance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseSettings>,
    /// For how long a permit is held without a renewal: 10 seconds unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit_lease: Option<LengthOfTime>,
}

/// The table `[limiter.lease]`: the tokens that a process takes in advance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LeaseSettings {
    /// The most tokens of a batch: 1,000 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<std::num::NonZeroU32>,
    /// For how long a batch is held: 10 seconds unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting: Option<LengthOfTime>,
    /// The most accounts with a batch: 65,536 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<usize>,
}

impl LimiterSettings {
    /// Returns the scheme of the address, such as `redis`.
    pub fn scheme(&self) -> &str {
        scheme(&self.url)
    }

    /// Returns true if these settings name the same limiter, with the same counts, as `other`. What happens while it
    /// cannot answer, and whether it counts simultaneous requests, may differ.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let (on_failure, simultaneous) = (self.on_failure, self.simultaneous);
        *self == Self { on_failure, simultaneous, ..other.clone() }
    }

    /// Returns what happens to requests while the limiter cannot answer.
    pub fn on_failure(&self) -> OnLimiterFailure {
        self.on_failure.map_or(OnLimiterFailure::Deny, |choice| choice.0)
    }
}
