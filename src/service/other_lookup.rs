//! A lookup by another pepper of a keyring that waits for the store.

use crate::decision::KeyFacts;
use crate::key::{OtherDigest, SharedRecord};
use crate::request::Client;
use crate::store::StoreError;
use crate::sync::Reply;

/// The answer of the store to a lookup.
pub(super) type Found = Result<Option<SharedRecord>, StoreError>;

/// A lookup by another pepper, with what the decision goes on with.
pub(super) struct OtherLookup {
    pub(super) lookup: Reply<Found>,
    pub(super) asked: OtherDigest,
    pub(super) key: KeyFacts,
    pub(super) client: Client,
}
