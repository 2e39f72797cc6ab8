//! The argument of a kit: a function that makes a new store or limiter, async or not.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use super::feeds::ManagedFeed;
use crate::concurrency::ConcurrencyLimiter;
use crate::key::{KeyDigest, KeyRecord};
use crate::limits::Limiter;
use crate::store::{KeyManager, KeyStore, PepperManager};

/// The result of a function that a kit calls: a store or a limiter, with all that it needs.
///
/// The function returns
///
/// - the store or the limiter itself;
/// - a pair of the store or limiter and a value that must live as long: a folder, a server or a lock;
/// - an `Option` of one of these. `None` skips the test, for example if a server is not installed.
///
/// ```
/// use tower_api_key::store::{KeyManager, MemoryStore};
/// use tower_api_key::testing::Fresh;
///
/// fn is_fresh(_: &dyn Fresh<dyn KeyManager>) {}
///
/// let folder = std::env::temp_dir();
/// is_fresh(&MemoryStore::new());
/// is_fresh(&Some((MemoryStore::new(), folder)));
/// ```
#[diagnostic::on_unimplemented(
    message = "the kit cannot test `{Self}` as `{S}`",
    note = "return a store or limiter, a pair of one and a value that must live as long, or an `Option` of these"
)]
pub trait Fresh<S: ?Sized>: Send + Sync + 'static {
    /// Returns the store or limiter. `None` skips the test.
    fn subject(&self) -> Option<&S>;
}

impl<T: KeyManager> Fresh<dyn KeyManager> for T {
    fn subject(&self) -> Option<&(dyn KeyManager + 'static)> {
        Some(self)
    }
}

impl<T: PepperManager> Fresh<dyn PepperManager> for T {
    fn subject(&self) -> Option<&(dyn PepperManager + 'static)> {
        Some(self)
    }
}

impl<T: ManagedFeed> Fresh<dyn ManagedFeed> for T {
    fn subject(&self) -> Option<&(dyn ManagedFeed + 'static)> {
        Some(self)
    }
}

impl<T: KeyStore> Fresh<dyn KeyStore> for T {
    fn subject(&self) -> Option<&(dyn KeyStore + 'static)> {
        Some(self)
    }
}

impl<T: Limiter> Fresh<dyn Limiter> for T {
    fn subject(&self) -> Option<&(dyn Limiter + 'static)> {
        Some(self)
    }
}

impl<T: ConcurrencyLimiter> Fresh<dyn ConcurrencyLimiter> for T {
    fn subject(&self) -> Option<&(dyn ConcurrencyLimiter + 'static)> {
        Some(self)
    }
}

impl<S: ?Sized, T: Fresh<S>> Fresh<S> for Option<T> {
    fn subject(&self) -> Option<&S> {
        self.as_ref()?.subject()
    }
}

impl<S: ?Sized, T: Fresh<S>, G: Send + Sync + 'static> Fresh<S> for (T, G) {
    fn subject(&self) -> Option<&S> {
        self.0.subject()
    }
}

/// The digests and records that a store of [`lookup_tests!`](crate::lookup_tests) has to hold.
pub type Records = Vec<(KeyDigest, KeyRecord)>;

/// Makes a new store or limiter. Functions and closures implement this trait, async or not, without an
/// argument or with [`Records`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` makes nothing that the kit can test as `{S}`",
    note = "pass a function, async or not, that returns a store or limiter, a pair of one and a value that must live as long, or an `Option` of these"
)]
pub trait Make<S: ?Sized, In, How>: Send + Sync + 'static {
    /// Makes a new store or limiter.
    #[doc(hidden)]
    fn make(&self, given: In) -> Making<S>;
}

/// A future of a new store or limiter.
#[doc(hidden)]
pub type Making<S> = Pin<Box<dyn Future<Output = Arc<dyn Fresh<S>>> + Send>>;

/// Marks a function that is not async.
#[doc(hidden)]
#[derive(Debug)]
pub struct Now<T>(PhantomData<T>);

/// Marks an async function.
#[doc(hidden)]
#[derive(Debug)]
pub struct Later<T>(PhantomData<T>);

/// Implements [`Make`] for functions with these arguments.
macro_rules! make {
    ($given:ty, ($($argument:ident: $type:ty)?)) => {
        impl<S, F, T> Make<S, $given, Now<T>> for F
        where
            S: ?Sized + 'static,
            F: Fn($($type)?) -> T + Send + Sync + 'static,
            T: Fresh<S>,
        {
            fn make(&self, _given: $given) -> Making<S> {
                $(let $argument = _given;)?
                let made: Arc<dyn Fresh<S>> = Arc::new(self($($argument)?));
                Box::pin(std::future::ready(made))
            }
        }

        impl<S, F, L> Make<S, $given, Later<L>> for F
        where
            S: ?Sized + 'static,
            F: Fn($($type)?) -> L + Send + Sync + 'static,
            L: Future<Output: Fresh<S>> + Send + 'static,
        {
            fn make(&self, _given: $given) -> Making<S> {
                $(let $argument = _given;)?
                let making = self($($argument)?);
                Box::pin(async move { Arc::new(making.await) as Arc<dyn Fresh<S>> })
            }
        }
    };
}

make!((), ());
make!(Records, (records: Records));

/// Makes as many new stores or limiters as a promise needs.
///
/// ```
/// use tower_api_key::limits::{Limiter, MemoryLimiter};
/// use tower_api_key::testing::{LIMITER_PROMISES, Maker};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let make = Maker::<dyn Limiter>::new(MemoryLimiter::new);
/// LIMITER_PROMISES[0].check(&make).await;
/// # }
/// ```
pub struct Maker<S: ?Sized + 'static, In = ()>(Box<dyn Fn(In) -> Making<S> + Send + Sync>);

impl<S: ?Sized + 'static, In: 'static> Maker<S, In> {
    /// Wraps a function, async or not. [`Fresh`] lists what it may return.
    pub fn new<How>(make: impl Make<S, In, How>) -> Self {
        Self(Box::new(move |given| make.make(given)))
    }

    pub(super) async fn fresh(&self, given: In) -> Arc<dyn Fresh<S>> {
        (self.0)(given).await
    }
}

impl<S: ?Sized, In> fmt::Debug for Maker<S, In> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Maker")
    }
}

/// Returns the store or limiter.
#[allow(clippy::panic)] // A function that returned one before has to return one again.
pub(super) fn subject<S: ?Sized + 'static>(made: &dyn Fresh<S>) -> &S {
    match made.subject() {
        Some(subject) => subject,
        None => panic!("the function returned `None`, and a store or limiter before"),
    }
}
