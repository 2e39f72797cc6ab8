//! The reply of a store or a limiter: an answer that is known already, or a boxed future.
//!
//! A trait method that returns `impl Future` cannot be called through `dyn`, and its future has no name
//! without a box. A reply solves both. An answer from memory costs no allocation. An answer that waits costs
//! one box, which takes far less time than the wait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future of a `T` that is known at once or later. Stores and limiters return it.
///
/// A known answer costs no allocation. A later one is a boxed future.
///
/// ```
/// use tower_api_key::Reply;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(Reply::now(1).await, 1);
/// assert_eq!(Reply::later(async { 2 }).await, 2);
/// # }
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Reply<T>(ReplyState<T>);

enum ReplyState<T> {
    Now(Option<T>),
    Later(Pin<Box<dyn Future<Output = T> + Send + 'static>>),
}

impl<T> Reply<T> {
    /// Creates a reply from an answer that is known already.
    pub const fn now(answer: T) -> Self {
        Self(ReplyState::Now(Some(answer)))
    }

    /// Creates a reply from a future, which is boxed.
    pub fn later(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(ReplyState::Later(Box::pin(future)))
    }

    /// Returns the answer if it is known already, or the reply itself if the answer comes later.
    pub(crate) fn into_now(self) -> Result<T, Self> {
        match self.0 {
            ReplyState::Now(Some(answer)) => Ok(answer),
            state => Err(Self(state)),
        }
    }
}

impl<T: Unpin> Future for Reply<T> {
    type Output = T;

    /// Returns the answer once. A second poll of a known answer stays pending forever, as that of a fused
    /// future does. It never panics.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut self.get_mut().0 {
            ReplyState::Now(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            ReplyState::Later(future) => future.as_mut().poll(context),
        }
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            ReplyState::Now(_) => "Reply::Now",
            ReplyState::Later(_) => "Reply::Later",
        })
    }
}
