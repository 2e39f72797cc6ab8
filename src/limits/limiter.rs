//! The one question a gate asks of a limiter.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::LimiterError;
use crate::key::KeyRecord;
use crate::quota::{AppliedQuotas, Verdict};
use crate::sync::Reply;

/// How much earlier than the latest instant of a subject another may be before the clock counts as set
/// back.
pub const MAX_DISORDER: Duration = Duration::from_secs(1);

/// Asks for the cost of one request, from all quotas that apply to it.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use tower_api_key::clock::Timestamp;
/// # use tower_api_key::key::{Account, KeyRecord};
/// # use tower_api_key::quota::Quota;
/// use tower_api_key::limits::{Charge, Limiter, MemoryLimiter, ChargeMode};
/// use tower_api_key::quota::AppliedQuotas;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let record = KeyRecord::builder("key_1", Account::builder("acme").build()?).build()?;
/// # let now = Timestamp::from_unix_seconds(1_000);
/// let minute = [Quota::new("minute", 2, Duration::from_secs(60))];
/// let quotas = AppliedQuotas { general: &minute, route: &[] };
/// let charge = Charge { record: &record, quotas, cost: 1, taking: ChargeMode::IfAllowed, now };
///
/// let limiter = MemoryLimiter::new();
/// assert_eq!(limiter.charge(charge).await?.statuses()[0].remaining(), 1);
/// let look = Charge { taking: ChargeMode::Peek, ..charge };
/// assert_eq!(limiter.charge(look).await?.statuses()[0].remaining(), 1, "nothing taken");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    /// The key that the request came with: its account's requests are counted, or its own, as each
    /// quota says.
    pub record: &'a KeyRecord,
    /// The quotas, all of which must have room.
    pub quotas: AppliedQuotas<'a>,
    /// The cost, in requests: 1 for a request, 0 to see how the quotas of one that is refused for
    /// another reason stand. Nothing refuses a cost of 0.
    pub cost: u32,
    /// Whether the cost is taken.
    pub mode: ChargeMode,
    /// The instant of the request.
    pub now: Timestamp,
}

/// Chooses when the cost of a request is taken.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use tower_api_key::clock::Timestamp;
/// # use tower_api_key::key::{Account, KeyRecord};
/// # use tower_api_key::quota::Quota;
/// # use tower_api_key::limits::{Charge, Limiter, MemoryLimiter};
/// # use tower_api_key::quota::AppliedQuotas;
/// use tower_api_key::limits::ChargeMode;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let record = KeyRecord::builder("key_1", Account::builder("acme").build()?).build()?;
/// # let minute = [Quota::new("minute", 10, Duration::from_secs(60))];
/// # let (record, now) = (&record, Timestamp::from_unix_seconds(1_000));
/// # let quotas = AppliedQuotas { general: &minute, route: &[] };
/// # let limiter = MemoryLimiter::new();
/// // Of 10 a minute.
/// for (taking, passes, remaining) in [
///     (ChargeMode::Peek, true, 10),
///     (ChargeMode::IfAllowed, true, 3),
///     (ChargeMode::IfAllowed, false, 3),
///     (ChargeMode::Force, true, 0),
/// ] {
///     let verdict = limiter.charge(Charge { record, quotas, cost: 7, taking, now }).await?;
///     assert_eq!(verdict.retry_after().is_none(), passes);
///     assert_eq!(verdict.statuses()[0].remaining(), remaining);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeMode {
    /// Never: the verdict tells whether it could be, and how the quotas stand as they are.
    Peek,
    /// If every quota has room for it; otherwise nothing is taken.
    IfAllowed,
    /// Also from a quota without room, and nothing refuses: the request was served, and only then
    /// it was known what it costs. Windows count all of it until they end, buckets no more than they
    /// hold. The client may be gone by then, and nobody wait for the answer.
    Force,
}

/// Counts requests.
///
/// An implementation charges all quotas of a request or none, in one atomic step, unless it is to take
/// the cost [always](ChargeMode::Force); a request that one of them refuses takes nothing from the others
/// and makes no window longer.
/// A quota in shadow takes the cost if it has room and the others let the request pass; the verdict
/// says [whether it would have refused](Verdict::would_refuse), and neither refuses nor waits for it.
/// Requests read the clock before they ask, so instants arrive out of order; one that seems to lie
/// in the past must free nothing.
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::Reply;
/// use tower_api_key::limits::{Charge, Limiter, LimiterError, ChargeMode};
/// use tower_api_key::quota::Verdict;
///
/// struct Remote(Arc<Client>);
/// # struct Client;
/// # impl Client { async fn take(&self, _: String, _: Vec<(String, u32)>, _: (u32, ChargeMode)) -> std::io::Result<Verdict> { Ok(Verdict::passed()) } }
///
/// impl Limiter for Remote {
///     fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
///         let (client, account) = (Arc::clone(&self.0), charge.record.account().id().to_string());
///         let quotas = charge.quotas.iter();
///         let limits = quotas.map(|(quota, _)| (quota.name().to_owned(), quota.limit())).collect();
///         let cost = (charge.cost, charge.taking);
///         Reply::later(async move {
///             client.take(account, limits, cost).await.map_err(LimiterError::new)
///         })
///     }
/// }
/// ```
pub trait Limiter: Send + Sync + 'static {
    /// Charges the cost of a request to all its quotas, or tells how long it has to wait.
    ///
    /// # Errors
    ///
    /// [`LimiterError`] if the limiter cannot tell; the gate's [`OnLimiterFailure`](crate::quota::OnLimiterFailure) decides
    /// then, and that of each quota.
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>>;
}

impl<L: Limiter + ?Sized> Limiter for Arc<L> {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        (**self).charge(charge)
    }
}
