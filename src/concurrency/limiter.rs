//! The one question a gate asks for a permit of a simultaneous request.

use std::fmt;

use super::rule::Concurrency;
use crate::error::LimiterError;
use crate::key::AccountId;
use crate::sync::Reply;

/// Asks for a permit on a route.
///
/// ```
/// # use std::time::Duration;
/// # use tower_api_key::key::AccountId;
/// use tower_api_key::concurrency::{Concurrency, Acquire, MemoryConcurrency, ConcurrencyLimiter};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let acme = AccountId::new("acme")?;
/// let permits = MemoryConcurrency::new();
/// let request = Acquire { account: &acme, route: "POST /users", rule: Concurrency::new(1) };
///
/// let permit = permits.acquire(request).await?;
/// assert!(permit.is_some());
/// assert!(permits.acquire(request).await?.is_none(), "the one permit is taken");
///
/// drop(permit);
/// assert!(permits.acquire(request).await?.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Acquire<'a> {
    /// The account, which has its own permits on each route.
    pub account: &'a AccountId,
    /// The route: its methods and its pattern, `GET,POST /users/{id}`. All processes name it alike,
    /// whatever else their route tables have.
    pub route: &'a str,
    /// How many permits there are, and how long to wait for one.
    pub rule: Concurrency,
}

/// Keeps the permits of simultaneous requests.
///
/// A [`Permit`] is held until the response's body has ended or was dropped. Whoever waits for an answer
/// may go away at any time; then no permit may stay taken for it.
///
/// ```
/// use tower_api_key::Reply;
/// use tower_api_key::concurrency::{Acquire, ConcurrencyLimiter, MemoryConcurrency, Permit};
///
/// /// Has no limit for accounts of its own.
/// struct Staff(MemoryConcurrency);
///
/// impl ConcurrencyLimiter for Staff {
///     fn acquire(&self, request: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>> {
///         match request.account.as_str() {
///             "staff" => Reply::now(Ok(Some(Permit::new(())))),
///             _ => self.0.acquire(request),
///         }
///     }
/// }
/// # let permits: Box<dyn ConcurrencyLimiter> = Box::new(Staff(MemoryConcurrency::new()));
/// ```
pub trait ConcurrencyLimiter: Send + Sync + 'static {
    /// Takes a permit, or waits for one for as long as the rule says.
    ///
    /// # Errors
    ///
    /// [`LimiterError`] if it cannot tell whether there is a permit; `Ok(None)` says that there is none.
    fn acquire(&self, request: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>>;
}

/// Holds a permit until it is dropped; [`ConcurrencyLimiter`] has an example.
// Boxed, because hardly any request has one, and all carry it.
pub struct Permit {
    _held: Box<dyn Held>,
}

/// Gives a permit back when it is dropped.
trait Held: Send + Sync {}

impl<T: Send + Sync> Held for T {}

impl Permit {
    /// Holds what gives the permit back when it is dropped.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Permit")
    }
}
