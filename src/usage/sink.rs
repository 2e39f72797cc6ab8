//! The trait with which usage is written.

use std::sync::Arc;

use super::batch::UsageBatch;
use super::reader::UsageFuture;

/// Writes batches of usage.
pub trait UsageSink: Send + Sync + 'static {
    /// Writes a batch in one transaction, unless it was written before: see [`UsageBatch`].
    ///
    /// # Errors
    ///
    /// [`StoreError`](crate::store::StoreError) if the sink cannot answer. The recorder then passes the same batch again.
    fn write<'a>(&'a self, batch: &'a UsageBatch) -> UsageFuture<'a, ()>;
}

impl<S: UsageSink + ?Sized> UsageSink for Arc<S> {
    fn write<'a>(&'a self, batch: &'a UsageBatch) -> UsageFuture<'a, ()> {
        (**self).write(batch)
    }
}
