//! A shared record that stays as it was when its store was asked.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use super::record::KeyRecord;

/// Holds records that share one reference count.
pub(crate) trait RecordPage: Send + Sync {
    /// Returns the record at an index; `None` if the index is not one of these records.
    fn at(&self, index: u32) -> Option<&KeyRecord>;
}

/// Shares a record as it was when the store was asked. Later changes do not touch it.
///
/// A store that keeps each record in an [`Arc`] converts it with `From`. [`MemoryStore`] keeps many
/// records under a few reference counts, one for each of several threads. With one count per record,
/// threads that use the same key contend for it, which more than halves the throughput of two threads.
///
/// ```
/// use tower_api_key::key::{Account, KeyRecord, SharedRecord};
///
/// let acme = Account::builder("acme").build()?;
/// let record = SharedRecord::from(KeyRecord::builder("key_1", acme).build()?);
/// assert_eq!(*record.id(), "key_1");
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
///
/// [`MemoryStore`]: crate::store::MemoryStore
#[derive(Clone)]
pub struct SharedRecord {
    records: Arc<dyn RecordPage>,
    index: u32,
}

impl SharedRecord {
    pub(crate) const fn new(records: Arc<dyn RecordPage>, index: u32) -> Self {
        Self { records, index }
    }
}

static PLACEHOLDER: LazyLock<KeyRecord> = LazyLock::new(KeyRecord::placeholder);

impl RecordPage for KeyRecord {
    fn at(&self, _: u32) -> Option<&KeyRecord> {
        Some(self)
    }
}

impl From<Arc<KeyRecord>> for SharedRecord {
    fn from(record: Arc<KeyRecord>) -> Self {
        Self::new(record, 0)
    }
}

impl From<KeyRecord> for SharedRecord {
    fn from(record: KeyRecord) -> Self {
        Arc::new(record).into()
    }
}

impl Deref for SharedRecord {
    type Target = KeyRecord;

    fn deref(&self) -> &KeyRecord {
        // The index is valid. If it were not, the placeholder would fail closed without a panic.
        self.records.at(self.index).unwrap_or_else(|| &PLACEHOLDER)
    }
}

impl fmt::Debug for SharedRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl RecordPage for Nothing {
        fn at(&self, _: u32) -> Option<&KeyRecord> {
            None
        }
    }

    #[test]
    fn no_request_passes_with_a_missing_record() {
        let record = KeyRecord::bare("key_1", "acme");
        let shared = SharedRecord::from(record.clone());
        assert_eq!(*shared, record);
        assert_eq!(format!("{shared:?}"), format!("{record:?}"));
        let missing = SharedRecord::new(Arc::new(Nothing), 7);
        assert!(missing.is_revoked() && missing.is_disabled() && missing.scopes().is_empty());
    }
}
