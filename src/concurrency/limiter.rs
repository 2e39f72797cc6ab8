//! The trait of limiters of simultaneous requests, and the permits that they return.

use std::fmt;
use std::sync::{Arc, Weak};

use super::rule::Concurrency;
use crate::error::{Denial, LimiterError};
use crate::key::AccountId;
use crate::sync::Reply;

/// A request for a permit on a route.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_api_key::concurrency::{Acquire, Concurrency, ConcurrencyLimiter, MemoryConcurrency};
/// use tower_api_key::key::AccountId;
///
/// let (limiter, acme) = (MemoryConcurrency::new(), AccountId::new("acme")?);
/// let request = Acquire { account: &acme, route: "POST /users", rule: Concurrency::new(1) };
///
/// let permit = limiter.acquire(request).await?;
/// assert!(permit.is_some());
/// assert!(limiter.acquire(request).await?.is_none(), "the one permit is taken");
///
/// drop(permit);
/// assert!(limiter.acquire(request).await?.is_some());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Acquire<'a> {
    /// The account, which has its own permits on each route.
    pub account: &'a AccountId,
    /// The methods and the pattern of the route, as in `GET,POST /users/{id}`. All processes use the same name,
    /// whatever other routes they have.
    pub route: &'a str,
    /// The number of permits, and the longest wait for one.
    pub rule: Concurrency,
}

/// A limiter of simultaneous requests.
///
/// The gate holds a [`Permit`] until the response's body has ended or was dropped. A handler can hold it longer, with
/// [`Grant::permit`](crate::Grant::permit). The gate may drop the
/// future of [`acquire`](Self::acquire) at any time, for example when the client hangs up. No permit may then
/// stay taken for it.
///
/// ```
/// use tower_api_key::Reply;
/// use tower_api_key::concurrency::{Acquire, ConcurrencyLimiter, MemoryConcurrency, Permit};
/// use tower_api_key::limits::LimiterError;
///
/// /// Has no limit for the account `staff`.
/// struct ExceptStaff(MemoryConcurrency);
///
/// impl ConcurrencyLimiter for ExceptStaff {
///     fn acquire(&self, request: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>> {
///         match request.account.as_str() {
///             "staff" => Reply::now(Ok(Some(Permit::new(())))),
///             _ => self.0.acquire(request),
///         }
///     }
/// }
/// ```
pub trait ConcurrencyLimiter: Send + Sync + 'static {
    /// Takes a permit, or waits for one for as long as the rule allows. Returns `Ok(None)` if no permit is
    /// free.
    ///
    /// # Errors
    ///
    /// [`LimiterError`] if the limiter cannot find out whether a permit is free.
    fn acquire(&self, request: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>>;
}

impl<L: ConcurrencyLimiter + ?Sized> ConcurrencyLimiter for Arc<L> {
    fn acquire(&self, request: Acquire<'_>) -> Reply<Result<Option<Permit>, LimiterError>> {
        (**self).acquire(request)
    }
}

/// A handle of the permit of one request. The permit is given back when all of its handles are dropped: the gate's,
/// and those of [`Grant::permit`](crate::Grant::permit). [`ConcurrencyLimiter`] has an example.
// Behind a pointer, because every request has room for a permit, and few have one.
pub struct Permit {
    held: Arc<Counted<dyn Held>>,
}

/// A reference to a permit, which does not keep the permit from being given back.
#[derive(Clone)]
pub(crate) struct PermitReference(Weak<Counted<dyn Held>>);

/// The reason why a handler gets no handle of its permit: it was given back, so the request holds no place any more.
/// End the work that the permit was asked for, or ask before the handler returns its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the permit was given back: call `Grant::permit` before the handler returns its response")]
pub struct PermitGone;

impl From<PermitGone> for Denial {
    /// Returns the denial of a service that failed.
    fn from(_: PermitGone) -> Self {
        Self::InternalError
    }
}

/// A value that gives a permit back when it is dropped.
trait Held: Send + Sync {}

impl<T: Send + Sync> Held for T {}

/// What gives a permit back, and how many permits were held when it was taken.
struct Counted<T: ?Sized> {
    in_flight: Option<u32>,
    _held: T,
}

impl Permit {
    /// Creates a permit from a value that gives the permit back when it is dropped.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self { held: Arc::new(Counted { in_flight: None, _held: held }) }
    }

    /// Creates a permit of a limiter that knows how many permits of the account and the route are held, this one
    /// included. A profile can [report the number](crate::profile::PrincipalValue::InFlight).
    pub fn counted(held: impl Send + Sync + 'static, in_flight: u32) -> Self {
        Self { held: Arc::new(Counted { in_flight: Some(in_flight), _held: held }) }
    }

    /// Returns how many permits of the account and the route were held when this one was taken, if its limiter
    /// counts them.
    pub(crate) fn in_flight(&self) -> Option<u32> {
        self.held.in_flight
    }

    pub(crate) fn reference(&self) -> PermitReference {
        PermitReference(Arc::downgrade(&self.held))
    }
}

impl PermitReference {
    /// Returns a handle of the permit, unless the permit has been given back.
    pub(crate) fn permit(&self) -> Option<Permit> {
        self.0.upgrade().map(|held| Permit { held })
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Permit")
    }
}
