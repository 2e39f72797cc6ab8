//! The limiter in memory.

use super::super::limiter::{Charge, Limiter, Refund};
use super::accounts::AccountMeters;
use super::networks::NetworkMeters;
use crate::caller::Caller;
use crate::error::LimiterError;
use crate::key::CounterPlace;
use crate::quota::Verdict;
use crate::sync::Reply;

/// The networks that have counters of their own, unless set. An IPv6 `/48` has 65,536 of them.
const NETWORKS: usize = 100_000;

/// A limiter that counts requests in this process.
///
/// The limiter charges all quotas of a request in one step. It forgets an account when all its windows are
/// over and another account needs the memory. Its memory is bounded by the capacity.
///
/// # Networks
///
/// Networks of anonymous clients have memory of their own, for 100,000 networks unless
/// [set](Self::with_networks). So no number of networks takes the memory of an account.
///
/// A new network takes the memory of idle ones. If all are active, new networks are counted together, in one
/// counter for each quota, until some are idle. Networks that are counted already keep their own counters. So
/// a flood from ever new networks gets no more than one more network's quota. It can also use up that quota for
/// other new networks. Against that, count wider networks with
/// [`AnonymousQuotas::prefixes`](crate::limits::AnonymousQuotas::prefixes), and set short windows.
///
/// Few sites cannot take all the memory. A site is an IPv6 `/48` or an IPv4 `/24`. A site gets memory for a new
/// network while it has less than an eighth of what is free. So one site takes about a ninth of the memory, and
/// it takes 61 sites to fill it. If one site has more networks, as inside of a company, set
/// [`with_networks`](Self::with_networks) to nine times their number.
///
/// The limiter stores no address. It finds a network by a 64-bit hash under a secret seed.
///
/// ```
/// use tower_api_key::limits::MemoryLimiter;
/// use tower_api_key::quota::OnLimiterFailure;
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::{ApiKeyLayer, Profile};
///
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
///     .limits(MemoryLimiter::with_capacity(10_000), OnLimiterFailure::Deny)
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct MemoryLimiter {
    accounts: AccountMeters,
    networks: NetworkMeters,
}

impl Default for MemoryLimiter {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLimiter {
    /// Creates a limiter for up to a million active subjects: accounts, and keys with quotas of their own.
    pub fn new() -> Self {
        Self::with_capacity(1_000_000)
    }

    /// Creates a limiter for this many active subjects, at most 67 million. A subject is an account, or a key
    /// with quotas of its own. It takes 128 bytes with up to two quotas, once it is counted.
    ///
    /// The limiter has 16 shards. Names do not spread evenly over them, so each shard has room for some
    /// more than a sixteenth.
    ///
    /// A new subject takes the memory of an idle one. It looks at up to 1024 subjects for an idle one if its
    /// shard is full. If none of them is idle, the limiter fails, and the gate's
    /// [`OnLimiterFailure`](crate::quota::OnLimiterFailure) decides. The limiter never drops an active counter,
    /// because this would give its account a fresh quota.
    pub fn with_capacity(subjects: usize) -> Self {
        let networks = NetworkMeters::with_capacity(NETWORKS);
        Self { accounts: AccountMeters::with_capacity(subjects), networks }
    }

    /// Sets the number of active networks of anonymous clients that have counters of their own, 100,000 unless
    /// set; rounded up to a multiple of 16. The limiter allocates nothing before a network is counted. Then it allocates
    /// 256 KB, and up to 300 bytes for each network with up to two quotas.
    ///
    /// ```
    /// use tower_api_key::limits::MemoryLimiter;
    ///
    /// let limiter = MemoryLimiter::new().with_networks(10_000);
    /// assert_eq!(limiter.networks(), 0);
    /// ```
    pub fn with_networks(mut self, networks: usize) -> Self {
        self.networks = NetworkMeters::with_capacity(networks);
        self
    }

    /// Returns the number of networks that the limiter counts.
    pub fn networks(&self) -> usize {
        self.networks.len()
    }

    /// Returns the number of accounts and keys that the limiter counts.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Returns true if the limiter counts no account and no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Limiter for MemoryLimiter {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let mut verdict = Verdict::passed();
        let charged = match charge.caller {
            Caller::Key(record) => {
                self.accounts.charge(record, &charge, &mut verdict).map_err(LimiterError::new)
            }
            Caller::Network(network) => {
                self.networks.charge(*network, &charge, &mut verdict).map_err(LimiterError::new)
            }
        };
        Reply::now(charged.map(|()| verdict))
    }

    #[inline]
    fn preload(&self, place: CounterPlace) {
        self.accounts.preload(place);
    }

    fn refunds(&self) -> bool {
        true
    }

    fn refund(&self, refund: Refund<'_>) -> Reply<Result<Verdict, LimiterError>> {
        let mut verdict = Verdict::passed();
        let refunded = match refund.charge.caller {
            Caller::Key(record) => {
                self.accounts.refund(record, &refund, &mut verdict).map_err(LimiterError::new)
            }
            Caller::Network(network) => {
                self.networks.refund(*network, &refund, &mut verdict).map_err(LimiterError::new)
            }
        };
        Reply::now(refunded.map(|()| verdict))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::super::limiter::ChargeMode;
    use super::*;
    use crate::clock::Timestamp;
    use crate::key::{Account, KeyRecord};
    use crate::quota::{AppliedQuotas, Quota};

    #[test]
    fn a_place_that_another_limiter_has_noted_misleads_no_request() {
        let (one, another) = (MemoryLimiter::new(), MemoryLimiter::new());
        let quotas = [Quota::new("minute", 1, Duration::from_secs(60))];
        let passes = |limiter: &MemoryLimiter, record: &KeyRecord| {
            let charge = Charge {
                caller: Caller::Key(record),
                quotas: AppliedQuotas { general: &quotas, route: &[] },
                cost: 1,
                mode: ChargeMode::IfAllowed,
                now: Timestamp::from_unix_seconds(1_000_000),
            };
            let charged = limiter.charge(charge).into_now().ok().unwrap().unwrap();
            charged.retry_after().is_none()
        };
        let account = |id: usize| Arc::new(Account::builder(id.to_string()).build().unwrap());
        // Where one limiter has the counters of an account, the other one has those of another account.
        let mut accounts: Vec<_> = (0..100).map(account).collect();
        for limiter in [&one, &another] {
            for account in &accounts {
                let record = KeyRecord::builder("first", Arc::clone(account)).build().unwrap();
                assert!(passes(limiter, &record));
            }
            accounts.reverse();
        }
        for account in &accounts {
            for number in 0..3 {
                let key = KeyRecord::builder(number.to_string(), Arc::clone(account));
                let key = key.build().unwrap();
                assert!(!passes(&one, &key) && !passes(&another, &key) && !passes(&one, &key));
            }
        }
    }
}
