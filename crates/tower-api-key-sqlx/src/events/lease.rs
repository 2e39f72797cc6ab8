//! Leases: what only one of many processes does at a time.

use std::time::Duration;

use crate::SqlStore;
use crate::marks;
use crate::row;
use crate::statement::Statement;
use tower_api_key::clock::Timestamp;
use tower_api_key::store::StoreError;

/// How long a lease lasts. After a crash of its holder, another process goes on after this time.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// A lease with less time left is taken again before it is relied on.
pub(super) const NEEDED: Duration = Duration::from_secs(40);

/// Returns a name for a process that holds leases, which no other process has.
///
/// # Errors
///
/// Returns a [`StoreError`] if the system has no random numbers.
pub(crate) fn new_holder() -> Result<String, StoreError> {
    Ok(format!("{:016x}", marks::random(1)?.first().copied().unwrap_or_default()))
}

impl SqlStore {
    /// Takes or extends a lease. Returns false if another process holds it. The process holds the lease for at least
    /// [`NEEDED`].
    pub(crate) async fn hold(&self, name: &str, holder: &str) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let asked = Statement::new(&self.events.lease).bind(name);
        if let Some(found) = self.read(asked).await?.first() {
            let is_mine = row::text(&**found, "holder")? == holder;
            let ends = row::timestamp(row::number(&**found, "ends")?);
            if is_mine && ends > now.plus(NEEDED) && ends <= now.plus(LEASE) {
                return Ok(true);
            }
            if !is_mine && !has_ended(ends, now) {
                return Ok(false);
            }
        }
        let mut session = self.transaction().await?;
        let now = self.clock.now();
        let taken = Statement::new(&self.events.take_lease)
            .bind(name)
            .bind(holder)
            .bind(row::column(now.plus(LEASE)))
            .bind(row::column(now))
            .bind(row::column(now.plus(LEASE * 2)));
        let taken = session.execute(taken).await?;
        session.commit().await?;
        Ok(taken == 1)
    }

    /// Gives a lease up, if this process holds it. Another process can then take it at once.
    pub(super) async fn give_up(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        let mut session = self.transaction().await?;
        let given = Statement::new(&self.events.give_up_lease).bind(name).bind(holder);
        session.execute(given).await?;
        session.commit().await
    }
}

/// Returns true if a lease of another process does not count. One that ends too far in the future was taken by a wrong
/// clock.
fn has_ended(ends: Timestamp, now: Timestamp) -> bool {
    ends <= now || ends > now.plus(LEASE * 2)
}
