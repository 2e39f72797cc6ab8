//! The rules for every update of a record.

use crate::key::{InvalidRecord, KeyRecord, KeyRecordBuilder};

/// A function that changes a record: the argument of [`KeyManager::update`](super::KeyManager::update).
pub type KeyUpdate = Box<dyn FnOnce(KeyRecordBuilder) -> KeyRecordBuilder + Send>;

/// Applies an update to a record. These rules hold in every store: a revoked key stays revoked, and a key keeps
/// its id and its account.
///
/// The result has the account as the update left it. The store replaces that account by its stored state with
/// [`KeyRecord::with_account`].
///
/// ```
/// use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::store::apply_update;
///
/// let acme = Account::builder("acme").build()?;
/// let revoked = KeyRecord::builder("key_1", acme).revoked(true).build()?;
/// let renamed = apply_update(&revoked, |key| key.revoked(false).name("backup job"))?;
/// assert_eq!(renamed.name(), "backup job");
/// assert!(renamed.is_revoked());
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
///
/// # Errors
///
/// - [`InvalidRecord::Identity`] if the update changes the id or the account;
/// - another [`InvalidRecord`] if the updated record is not valid.
pub fn apply_update(
    record: &KeyRecord,
    update: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
) -> Result<KeyRecord, InvalidRecord> {
    let updated = update(record.edit());
    // A revocation is final.
    let updated = if record.is_revoked() { updated.revoked(true) } else { updated }.build()?;
    if updated.id() != record.id() || updated.account().id() != record.account().id() {
        return Err(InvalidRecord::Identity);
    }
    Ok(updated)
}
