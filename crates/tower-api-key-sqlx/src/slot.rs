//! A pool's place for one connection.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sqlx::pool::PoolConnection;

use super::driver::Driver;

/// A connection that a pool has lent. It is given back or closed. Either frees its place in the pool.
pub(super) trait Slot<D: Driver>: Send {
    fn connection(&mut self) -> &mut D::Connection;

    /// Gives the connection back. The future, if there is one, must run to its end for that.
    fn give_back(self: Box<Self>, patience: Duration) -> Option<GivingBack>;

    /// Closes the connection at once. Nothing is sent to the server, which may be silent.
    fn close(self: Box<Self>);
}

pub(super) type GivingBack = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A place in a pool of sqlx, such as an application's.
impl<D: Driver> Slot<D> for PoolConnection<D> {
    fn connection(&mut self) -> &mut D::Connection {
        self
    }

    /// sqlx pings the server first. Dropping the future at the timeout closes the connection and frees its
    /// place.
    fn give_back(mut self: Box<Self>, patience: Duration) -> Option<GivingBack> {
        let returned = Box::pin(self.return_to_pool());
        Some(Box::pin(async move {
            let _ = tokio::time::timeout(patience, returned).await;
        }))
    }

    fn close(self: Box<Self>) {
        drop(self.detach());
    }
}
