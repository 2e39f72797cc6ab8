//! The trait with which a gate looks up keys.

use std::sync::Arc;

use crate::error::StoreError;
use crate::key::{KeyDigest, SharedRecord};
use crate::sync::Reply;

/// Finds the record of a key by the digest of its secret.
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::Reply;
/// use tower_api_key::key::{KeyDigest, SharedRecord};
/// use tower_api_key::store::{KeyStore, StoreError};
///
/// struct Remote(Arc<Client>);
/// # struct Client;
/// # impl Client { async fn fetch(&self, _: &KeyDigest) -> std::io::Result<Option<SharedRecord>> { Ok(None) } }
///
/// impl KeyStore for Remote {
///     fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
///         let (client, digest) = (Arc::clone(&self.0), *digest);
///         Reply::later(async move { client.fetch(&digest).await.map_err(StoreError::new) })
///     }
/// }
/// ```
pub trait KeyStore: Send + Sync + 'static {
    /// Looks up a record by its whole digest. Returns `Ok(None)` if no key has this digest.
    ///
    /// Returns the records of revoked, disabled and expired keys, too: the gate refuses these keys itself, and
    /// its answer may depend on the cause.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store does not know whether a key has this digest.
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>>;
}

impl<S: KeyStore + ?Sized> KeyStore for Arc<S> {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        (**self).find(digest)
    }
}
