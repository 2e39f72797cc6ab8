//! The trait of limiters, and what a gate asks one for.

use std::sync::Arc;
use std::time::Duration;

use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::error::LimiterError;
use crate::key::CounterPlace;
use crate::quota::{AppliedQuotas, Verdict};
use crate::sync::Reply;

/// The longest time by which an instant may be earlier than the latest instant of its subject, 1 s. Beyond it,
/// a limiter takes the clock as set back.
pub const MAX_DISORDER: Duration = Duration::from_secs(1);

/// A charge: what a gate asks a limiter to take for one request, from all quotas that apply to the request.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use tower_api_key::caller::Caller;
/// use tower_api_key::clock::{Clock, SystemClock};
/// use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::limits::{Charge, ChargeMode, Limiter, MemoryLimiter};
/// use tower_api_key::quota::{AppliedQuotas, Quota};
///
/// let record = KeyRecord::builder("key_1", Account::builder("acme").build()?).build()?;
/// let minute = [Quota::new("minute", 2, Duration::from_secs(60))];
/// let quotas = AppliedQuotas { general: &minute, route: &[] };
/// let (mode, now) = (ChargeMode::IfAllowed, SystemClock.now());
/// let charge = Charge { caller: Caller::Key(&record), quotas, cost: 1, mode, now };
///
/// let limiter = MemoryLimiter::new();
/// assert_eq!(limiter.charge(charge).await?.statuses()[0].remaining(), 1);
/// let peek = Charge { mode: ChargeMode::Peek, ..charge };
/// assert_eq!(limiter.charge(peek).await?.statuses()[0].remaining(), 1, "nothing taken");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    /// Who is charged: the key of the request and its account, or the network of an anonymous client.
    pub caller: Caller<'a>,
    /// The quotas, all of which must have room.
    pub quotas: AppliedQuotas<'a>,
    /// The cost, in requests. A request costs 1. A gate that refuses a request for another reason charges 0,
    /// to learn what is left of the quotas. No quota refuses a cost of 0.
    pub cost: u32,
    /// When the limiter takes the cost.
    pub mode: ChargeMode,
    /// The instant of the request.
    pub now: Timestamp,
}

/// When a limiter takes the cost of a request.
///
/// With 7 requests charged to a quota of 10 a minute, one after the other:
///
/// | mode | passes | remaining |
/// |---|---|---|
/// | `Peek` | yes | 10 |
/// | `IfAllowed` | yes | 3 |
/// | `IfAllowed` | no | 3 |
/// | `Force` | yes | 0 |
///
/// [`Charge`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeMode {
    /// Takes nothing. The verdict says whether the cost would fit, and what is left of each quota.
    Peek,
    /// Takes the cost if every quota has room for it, and nothing otherwise.
    IfAllowed,
    /// Takes the cost in any case, and refuses nothing. For a request whose cost was known only after it was
    /// served. Windows count all of the cost until they end. Buckets count no more than they hold, and give nothing
    /// back afterwards of what they held. The client may have hung up; do not rely on the future being polled.
    Force,
}

/// A refund: what a gate asks a limiter to give back of a charge, because the request shall cost less.
///
/// A limiter gives back only what still counts. [`Counter::refund`](crate::quota::Counter::refund) does so for one
/// quota.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use tower_api_key::caller::Caller;
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::limits::{Charge, ChargeMode, Limiter, MemoryLimiter, Refund};
/// use tower_api_key::quota::{AppliedQuotas, Quota};
///
/// let record = KeyRecord::builder("key_1", Account::builder("acme").build()?).build()?;
/// let minute = [Quota::new("minute", 10, Duration::from_secs(60))];
/// let quotas = AppliedQuotas { general: &minute, route: &[] };
/// let (mode, now) = (ChargeMode::IfAllowed, Timestamp::from_unix_seconds(1_000));
/// let charge = Charge { caller: Caller::Key(&record), quotas, cost: 5, mode, now };
///
/// let limiter = MemoryLimiter::new();
/// let verdict = limiter.charge(charge).await?;
/// assert_eq!(verdict.statuses()[0].remaining(), 5);
/// let refund = Refund { charge, verdict: &verdict, cost: 3, now };
/// assert_eq!(limiter.refund(refund).await?.statuses()[0].remaining(), 8);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Refund<'a> {
    /// The charge, which took its cost with [`ChargeMode::IfAllowed`].
    pub charge: Charge<'a>,
    /// The limiter's verdict on the charge.
    pub verdict: &'a Verdict,
    /// The cost to give back, at most that of the charge.
    pub cost: u32,
    /// The instant of the refund.
    pub now: Timestamp,
}

impl<'a> Refund<'a> {
    /// Returns the question what is left, which takes nothing and gives nothing back.
    pub(crate) const fn peek(&self) -> Charge<'a> {
        Charge { cost: 0, mode: ChargeMode::Peek, now: self.now, ..self.charge }
    }

    /// Returns the instant of the charge: the one that the limiter has
    /// [recorded](Verdict::set_taken_at), else that of the request.
    pub fn taken_at(&self) -> Timestamp {
        self.verdict.taken_at().unwrap_or(self.charge.now)
    }

    /// Returns the cost that the charge has taken from the quota at an index, and that is to be given back. A quota
    /// in shadow that had no room took nothing.
    pub fn cost_of(&self, index: usize) -> u32 {
        if self.verdict.would_refuse(index) { 0 } else { self.cost.min(self.charge.cost) }
    }
}

/// A limiter, which counts requests.
///
/// An implementation must keep these promises:
///
/// * It charges all quotas of a request or none, in one atomic step. If one quota refuses, the request takes
///   nothing from the others, and makes no window longer. [`ChargeMode::Force`] takes the cost in any case.
/// * A quota in shadow never refuses a request, and its wait does not count. It takes the cost if it has room
///   and the other quotas let the request pass. The verdict says
///   [whether it would have refused](Verdict::would_refuse).
/// * Requests read the clock before they ask the limiter, so instants arrive out of order. An instant that
///   seems to lie in the past must free nothing.
/// * A [refund](Self::refund) leaves no more of a quota than if the request had not come, and never more than the
///   limit. One exception: a fixed window that the request opened may keep its end, and later costs end with it. At
///   most `2 × limit` then count within one window's length, instead of `2 × limit - 1`. What was charged to networks
///   that count together may stay taken.
/// * Networks and accounts are counted apart, whatever an account is named. Anyone can send requests from many
///   networks, so networks take no memory from the counters of accounts.
///
/// With the feature `testing`, the macro `limiter_tests!` has a test for each promise.
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::Reply;
/// use tower_api_key::caller::Caller;
/// use tower_api_key::limits::{Charge, Limiter, LimiterError, ChargeMode};
/// use tower_api_key::quota::Verdict;
///
/// struct Remote(Arc<Client>);
/// # struct Client;
/// # impl Client { async fn take(&self, _: String, _: Vec<(String, u32)>, _: (u32, ChargeMode)) -> std::io::Result<Verdict> { Ok(Verdict::passed()) } }
///
/// impl Limiter for Remote {
///     fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
///         let client = Arc::clone(&self.0);
///         let counter = match charge.caller {
///             Caller::Key(record) => format!("account:{}", record.account().id()),
///             Caller::Network(network) => format!("network:{network}"),
///         };
///         let quotas = charge.quotas.iter();
///         let limits = quotas.map(|(quota, _)| (quota.name().to_owned(), quota.limit())).collect();
///         let cost = (charge.cost, charge.mode);
///         Reply::later(async move {
///             client.take(counter, limits, cost).await.map_err(LimiterError::new)
///         })
///     }
/// }
/// ```
pub trait Limiter: Send + Sync + 'static {
    /// Charges the cost of a request to all its quotas. The verdict of a refused request says how long it must
    /// wait.
    ///
    /// # Errors
    ///
    /// [`LimiterError`] if the limiter cannot answer. The
    /// [`OnLimiterFailure`](crate::quota::OnLimiterFailure) of each quota then decides, or that of the gate.
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>>;

    /// Begins to load the counters at a place from memory, for a charge that will probably follow. Counts nothing, and
    /// does not wait. A store calls it before it reads the record of a key, so that a request waits for both at once.
    ///
    /// Unless you write this method, it does nothing.
    fn preload(&self, place: CounterPlace) {
        let _ = place;
    }

    /// Returns true if [`refund`](Self::refund) gives costs back. Otherwise a gate builds no
    /// [route that refunds](crate::rules::Route::refund_on).
    fn refunds(&self) -> bool {
        false
    }

    /// Gives back a cost that a charge has taken, from all quotas of the request. The verdict says what is left
    /// of each quota, and never refuses. The client may have hung up; do not rely on the future being polled.
    ///
    /// Unless you write this method, it gives nothing back.
    ///
    /// # Errors
    ///
    /// [`LimiterError`] if the limiter cannot answer. The cost then stays taken. The limiter may have given the cost
    /// back, so the gate does not ask again.
    fn refund(&self, refund: Refund<'_>) -> Reply<Result<Verdict, LimiterError>> {
        self.charge(refund.peek())
    }

    /// Gives back everything that this process has taken in advance, and no request has used. Call it when the process
    /// ends, after the last request. A limiter that takes nothing in advance does nothing.
    ///
    /// The limiter serves further requests as before, and may take tokens in advance for them.
    ///
    /// # Errors
    ///
    /// [`LimiterError`] if something could not be given back. It then stays taken until its windows end.
    fn give_back_all(&self) -> Reply<Result<(), LimiterError>> {
        Reply::now(Ok(()))
    }
}

impl<L: Limiter + ?Sized> Limiter for Arc<L> {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        (**self).charge(charge)
    }

    fn preload(&self, place: CounterPlace) {
        (**self).preload(place);
    }

    fn refunds(&self) -> bool {
        (**self).refunds()
    }

    fn refund(&self, refund: Refund<'_>) -> Reply<Result<Verdict, LimiterError>> {
        (**self).refund(refund)
    }

    fn give_back_all(&self) -> Reply<Result<(), LimiterError>> {
        (**self).give_back_all()
    }
}
