//! The memory limiter keeps every promise of a limiter, and the kit of limiters can fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod concurrency;
mod faults;
mod faulty;

mod memory {
    use tower_api_key::limits::MemoryLimiter;

    tower_api_key::limiter_tests!(MemoryLimiter::new);
}

mod memory_places {
    use tower_api_key::concurrency::MemoryConcurrency;

    tower_api_key::concurrency_tests!(MemoryConcurrency::new);
}

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tower_api_key::testing::Promise;

/// Returns whether a promise is broken. Then it says its name, and what was expected.
fn is_broken<S: ?Sized>(promise: &Promise<S>, subject: &S) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let run = catch_unwind(AssertUnwindSafe(|| runtime.block_on(promise.check(subject))));
    let Err(cause) = run else { return false };
    let message = cause.downcast::<String>().unwrap();
    let named = format!("the promise `{}` is broken: ", promise.name());
    assert!(message.starts_with(&named) && message.len() > named.len(), "{message}");
    true
}

/// Polls a future that has its answer at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("it waits"),
    }
}
