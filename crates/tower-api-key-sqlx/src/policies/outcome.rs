//! What a sweep of policies did.

/// What one [`PolicySweep::sweep`](crate::PolicySweep::sweep) did.
///
/// ```
/// use tower_api_key_sqlx::{PolicySweep, SqlStore};
///
/// # async fn example(store: SqlStore) -> Result<(), tower_api_key::store::StoreError> {
/// let outcome = PolicySweep::new(store)?.sweep().await?;
/// if outcome.uses_unknown {
///     println!("unused keys stay on: record the uses of keys");
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PolicyOutcome {
    /// Whether this process swept. It is false if another process sweeps.
    pub swept: bool,
    /// The number of unused keys that were switched off.
    pub switched_off: u64,
    /// The number of keys that got an expiry, or an earlier one.
    pub expiries_set: u64,
    /// The number of reminders to rotate a key.
    pub reminders: u64,
    /// Whether a policy switches unused keys off, and uses were not recorded for its whole time, as far as is known. The
    /// sweep switched no key off for this policy.
    pub uses_unknown: bool,
    /// The number of policies that this version cannot read. The sweep went by the others.
    pub unreadable_policies: u64,
    /// The number of keys whose rows cannot be read. They stay as they are.
    pub unreadable_keys: u64,
}
