//! A record that outlives its store's next change, without a reference count of its own.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use super::record::KeyRecord;

/// Holds records that are kept together.
pub(crate) trait Records: Send + Sync {
    /// Returns the record at a place, which is there if the place was handed out with these records.
    fn at(&self, place: u32) -> Option<&KeyRecord>;
}

/// Shares a record, as it was when the store was asked; later changes do not touch it.
///
/// A store that keeps each record in an [`Arc`] turns that into this. [`MemoryStore`] keeps many
/// records under a few counts, one for each of several threads: threads that use one key at the same
/// time would otherwise pass its count to and fro, which more than halves what two of them can do.
///
/// ```
/// use tower_api_key::key::{Account, KeyRecord, SharedRecord};
///
/// # fn main() -> Result<(), tower_api_key::key::InvalidRecord> {
/// let acme = Account::builder("acme").build()?;
/// let record = SharedRecord::from(KeyRecord::builder("key_1", acme).build()?);
/// assert_eq!(*record.id(), "key_1");
/// # Ok(())
/// # }
/// ```
///
/// [`MemoryStore`]: crate::store::MemoryStore
#[derive(Clone)]
pub struct SharedRecord {
    records: Arc<dyn Records>,
    place: u32,
}

impl SharedRecord {
    pub(crate) const fn new(records: Arc<dyn Records>, place: u32) -> Self {
        Self { records, place }
    }
}

static NOBODY: LazyLock<KeyRecord> = LazyLock::new(KeyRecord::nobody);

impl Records for KeyRecord {
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
        // It is there; were it not, a record that serves nobody fails closed, and panics nowhere.
        self.records.at(self.place).unwrap_or_else(|| &NOBODY)
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

    impl Records for Nothing {
        fn at(&self, _: u32) -> Option<&KeyRecord> {
            None
        }
    }

    #[test]
    fn a_record_that_is_not_there_serves_nobody() {
        let record = KeyRecord::bare("key_1", "acme");
        let shared = SharedRecord::from(record.clone());
        assert_eq!(*shared, record);
        assert_eq!(format!("{shared:?}"), format!("{record:?}"));
        let missing = SharedRecord::new(Arc::new(Nothing), 7);
        assert!(missing.is_revoked() && missing.is_disabled() && missing.scopes().is_empty());
    }
}
