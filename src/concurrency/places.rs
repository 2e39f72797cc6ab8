//! The one question a gate asks for a place of a simultaneous request.

use std::fmt;

use super::rule::Concurrency;
use crate::error::LimiterError;
use crate::key::AccountId;
use crate::sync::Eventually;

/// Asks for a place on a route.
///
/// ```
/// # use std::time::Duration;
/// # use tower_api_key::key::AccountId;
/// use tower_api_key::concurrency::{Concurrency, Entry, MemoryPlaces, Places};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let acme = AccountId::new("acme")?;
/// let places = MemoryPlaces::new();
/// let entry = Entry { account: &acme, route: "POST /users", rule: Concurrency::new(1) };
///
/// let permit = places.enter(entry).await?;
/// assert!(permit.is_some());
/// assert!(places.enter(entry).await?.is_none(), "the one place is taken");
///
/// drop(permit);
/// assert!(places.enter(entry).await?.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The account, which has its own places on each route.
    pub account: &'a AccountId,
    /// The route: its methods and its pattern, `GET,POST /users/{id}`. All processes name it alike,
    /// whatever else their route tables have.
    pub route: &'a str,
    /// How many places there are, and how long to wait for one.
    pub rule: Concurrency,
}

/// Answers with a place, with `None` if none came free within the longest wait, or that it cannot tell.
pub type Entered = Result<Option<Permit>, LimiterError>;

/// Keeps the places of simultaneous requests.
///
/// A [`Permit`] is held until the response's body has ended or was dropped. Whoever waits for an answer
/// may go away at any time; then no place may stay taken for it.
///
/// ```
/// use tower_api_key::Eventually;
/// use tower_api_key::concurrency::{Entered, Entry, MemoryPlaces, Permit, Places};
///
/// /// Has no limit for accounts of its own.
/// struct Staff(MemoryPlaces);
///
/// impl Places for Staff {
///     fn enter(&self, entry: Entry<'_>) -> Eventually<Entered> {
///         match entry.account.as_str() {
///             "staff" => Eventually::now(Ok(Some(Permit::new(())))),
///             _ => self.0.enter(entry),
///         }
///     }
/// }
/// # let places: Box<dyn Places> = Box::new(Staff(MemoryPlaces::new()));
/// ```
pub trait Places: Send + Sync + 'static {
    /// Takes a place, or waits for one for as long as the rule says.
    ///
    /// # Errors
    ///
    /// [`LimiterError`] if it cannot tell whether there is a place; `Ok(None)` says that there is none.
    fn enter(&self, entry: Entry<'_>) -> Eventually<Entered>;
}

/// Holds a place until it is dropped; [`Places`] has an example.
// Boxed, because hardly any request has one, and all carry it.
pub struct Permit {
    _held: Box<dyn Held>,
}

/// Gives a place back when it is dropped.
trait Held: Send + Sync {}

impl<T: Send + Sync> Held for T {}

impl Permit {
    /// Holds what gives the place back when it is dropped.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Permit")
    }
}
