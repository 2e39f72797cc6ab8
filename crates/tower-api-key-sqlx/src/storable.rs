//! What a database can store of texts and numbers.

pub(super) fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Returns false for a name with a NUL. PostgreSQL stores no NUL, so no key or account has such a name.
pub(super) fn can_be_stored(name: &str) -> bool {
    !name.contains('\0')
}

/// Cuts an id at its first NUL. The ids that sort after it stay the same.
pub(super) fn storable(id: &str) -> &str {
    id.split('\0').next().unwrap_or_default()
}
