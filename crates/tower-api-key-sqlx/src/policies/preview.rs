//! What a sweep would do, without doing it.

use std::collections::HashSet;

use super::due_keys::DueKeys;
use super::outcome::PolicyOutcome;
use super::sweep::{PolicySweep, shortest_use};
use crate::events::cause;
use tower_api_key::store::StoreError;

impl PolicySweep {
    /// Counts what a sweep would do now, and changes nothing: neither a key nor what sweeps keep for the next one. It needs no
    /// lease, so [`PolicyOutcome::swept`] is false. Each key that is due is changed in a transaction that is taken back, so
    /// changes by others wait for it as they wait for a sweep.
    ///
    /// ```
    /// use tower_api_key_sqlx::{PolicySweep, SqlStore};
    ///
    /// # async fn example(store: SqlStore) -> Result<(), tower_api_key::store::StoreError> {
    /// let outcome = PolicySweep::new(store)?.preview().await?;
    /// println!("a sweep would switch off {} keys", outcome.switched_off);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the database cannot answer.
    pub async fn preview(&self) -> Result<PolicyOutcome, StoreError> {
        let (policies, unreadable) = self.store.readable_policies().await?;
        let mut outcome =
            PolicyOutcome { unreadable_policies: unreadable, ..PolicyOutcome::default() };
        let known = match shortest_use(&policies) {
            Some(shortest) => self.store.known_uses(shortest).await?.map(|(known, _)| known),
            None => None,
        };
        let (uses, now) = (self.assumed(known), self.store.clock.now());
        // Two rules may find one key.
        let mut counted = HashSet::new();
        for due in DueKeys::of(&policies) {
            if !due.rule.is_known(uses, now) {
                outcome.uses_unknown = true;
                continue;
            }
            let mut after = Some(String::new());
            while let Some(place) = after {
                let (found, end) = self.window(&due, &place).await?;
                for id in found {
                    if !counted.contains(&id) {
                        let counting = self.store.count_what_is_due(&id, uses, &mut outcome);
                        counting.await.map_err(cause)?;
                        counted.insert(id);
                    }
                }
                after = end;
            }
        }
        Ok(outcome)
    }
}
