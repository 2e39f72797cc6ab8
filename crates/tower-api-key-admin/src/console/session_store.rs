//! The store of the gate that guards pages: it finds the key that has signed in by the text of its session.

use std::sync::Arc;

use tower_api_key::Reply;
use tower_api_key::clock::Clock;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::store::{KeyStore, StoreError};

use super::sessions::Sessions;

/// Finds the record of a session's key in the store behind it, at every request. So a gate over this store refuses a
/// session as soon as it would refuse the key.
pub(super) struct SessionStore {
    pub(super) sessions: Arc<Sessions>,
    pub(super) keys: Arc<dyn KeyStore>,
    pub(super) clock: Arc<dyn Clock>,
}

impl KeyStore for SessionStore {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let Some(digests) = self.sessions.key(digest, self.clock.now()) else {
            return Reply::now(Ok(None));
        };
        let keys = Arc::clone(&self.keys);
        Reply::later(async move {
            for digest in &*digests {
                if let Some(found) = keys.find(digest).await? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
    }
}
