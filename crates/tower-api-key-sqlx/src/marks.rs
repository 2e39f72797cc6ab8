//! The marks of changes: random numbers, by which one history of a store is told from another.

use std::io;

use tower_api_key::store::StoreError;

/// The bytes of one mark.
const BYTES: usize = 8;

/// Returns this number of random marks.
pub(super) fn random(count: usize) -> Result<Vec<i64>, StoreError> {
    let mut bytes = vec![0; count * BYTES];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::new(io::Error::from(error)))?;
    let (marks, _) = bytes.as_chunks::<BYTES>();
    Ok(marks.iter().map(|mark| i64::from_ne_bytes(*mark)).collect())
}
