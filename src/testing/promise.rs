//! A promise, and the check of one promise by its name.

#![allow(clippy::panic)] // A broken promise is reported by a panic.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// One promise of a store or a limiter, which can be checked.
///
/// ```
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::testing::STORE_PROMISES;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// for promise in STORE_PROMISES {
///     println!("{}", promise.name());
///     promise.check(&MemoryStore::new()).await;
/// }
/// # }
/// ```
pub struct Promise<S: ?Sized + 'static> {
    name: &'static str,
    check: PromiseCheck<S>,
}

/// A future that resolves if the promise is kept, and panics if it is broken.
type Checking<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

type PromiseCheck<S> = for<'a> fn(&'a S) -> Checking<'a>;

impl<S: ?Sized> Promise<S> {
    pub(super) const fn new(name: &'static str, check: PromiseCheck<S>) -> Self {
        Self { name, check }
    }

    /// Returns the name of the promise, which is also the name of its test.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Checks that the promise is kept.
    ///
    /// # Panics
    ///
    /// If the promise is broken. The message names the promise and says what was expected.
    pub async fn check(&self, subject: &S) {
        let mut checking = (self.check)(subject);
        let kept = poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| checking.as_mut().poll(context))) {
                Ok(polled) => polled.map(Ok),
                Err(cause) => Poll::Ready(Err(cause)),
            }
        });
        if let Err(cause) = kept.await {
            panic!("the promise `{}` is broken: {}", self.name, message(&*cause));
        }
    }
}

impl<S: ?Sized> fmt::Debug for Promise<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Promise({})", self.name)
    }
}

fn message(cause: &(dyn Any + Send)) -> &str {
    let owned = cause.downcast_ref::<String>().map(String::as_str);
    owned
        .or(cause.downcast_ref::<&str>().copied())
        .unwrap_or("the check panicked without a message")
}

/// Returns the promise of a name.
fn named<S: ?Sized>(promises: &'static [Promise<S>], name: &str) -> &'static Promise<S> {
    match promises.iter().find(|promise| promise.name == name) {
        Some(promise) => promise,
        None => panic!("the kit has no promise `{name}`"),
    }
}

/// Runs one test of a kit.
pub(super) fn run<S: ?Sized + Sync>(
    promises: &'static [Promise<S>],
    name: &str,
    test: impl AsyncFnOnce(&'static Promise<S>),
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(test(named(promises, name))),
        Err(error) => panic!("the tokio runtime of the test cannot start: {error}"),
    }
}

/// Makes a list of promises.
macro_rules! list {
    ($($room:ident::$promise:ident,)*) => {
        &[$($crate::testing::promise::Promise::new(
            stringify!($promise),
            |subject| Box::pin($room::$promise(subject)),
        )),*]
    };
}

pub(super) use list;

/// Writes a test for each promise.
#[doc(hidden)]
#[macro_export]
macro_rules! __promise_tests {
    ($check:path, $make:expr; $($room:ident::$promise:ident,)*) => {
        $(
            #[test]
            fn $promise() {
                $check(stringify!($promise), $make);
            }
        )*
    };
}
