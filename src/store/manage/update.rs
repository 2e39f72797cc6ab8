//! What an update may change of a record.

use crate::key::{InvalidRecord, KeyRecord, KeyRecordBuilder};

/// Applies an update to a record, by the rules that hold in every store: a revoked key stays revoked, and a
/// key keeps its id and its account.
///
/// The result carries the account as the update left it. A store puts the record under the account's stored
/// state with [`KeyRecord::with_account`].
///
/// ```
/// # use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::store::apply_update;
///
/// # let acme = Account::builder("acme").build()?;
/// let revoked = KeyRecord::builder("key_1", acme).revoked(true).build()?;
/// let renamed = apply_update(&revoked, |key| key.revoked(false).name("backup job"))?;
/// assert_eq!(renamed.name(), "backup job");
/// assert!(renamed.is_revoked());
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
///
/// # Errors
///
/// [`InvalidRecord::Identity`] if the update makes the record one of another key or account, and
/// [`InvalidRecord`] if it makes no valid record.
pub fn apply_update(
    record: &KeyRecord,
    update: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
) -> Result<KeyRecord, InvalidRecord> {
    let updated = update(record.edit());
    // A key is revoked for good.
    let updated = if record.is_revoked() { updated.revoked(true) } else { updated }.build()?;
    if updated.id() != record.id() || updated.account().id() != record.account().id() {
        return Err(InvalidRecord::Identity);
    }
    Ok(updated)
}
