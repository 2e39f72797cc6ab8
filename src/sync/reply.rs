//! Carries an answer that is there already, or comes later; how stores and limiters reply.
//!
//! A trait method that returns `impl Future` cannot be stored in a nameable future without a box,
//! and cannot be called through `dyn`. This enum does both: an answer from memory costs no
//! allocation, one that must wait boxes its future, which is nothing beside the wait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Resolves to a `T`, at once or later.
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
    /// Holds an answer that is known already.
    pub const fn now(answer: T) -> Self {
        Self(ReplyState::Now(Some(answer)))
    }

    /// Boxes a future that will know the answer.
    pub fn later(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(ReplyState::Later(Box::pin(future)))
    }

    /// Returns the answer if it is there already, and itself if it comes later.
    pub(crate) fn into_now(self) -> Result<T, Self> {
        match self.0 {
            ReplyState::Now(Some(answer)) => Ok(answer),
            state => Err(Self(state)),
        }
    }
}

impl<T: Unpin> Future for Reply<T> {
    type Output = T;

    /// Returns the answer once. A second poll of a known answer stays pending for ever, as a fused
    /// future would; it never panics.
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
