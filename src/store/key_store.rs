//! The trait with which a gate looks up keys.

use std::sync::Arc;

use crate::error::StoreError;
use crate::key::{CounterPlace, KeyDigest, SharedRecord};
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

    /// Looks up a record as [`find`](Self::find) does, for a request that a limiter will count. A store in memory
    /// remembers where the limiter keeps the counters of the record's account, and calls `preload` with that place before
    /// it reads the record. So the request waits for record and counters at the same time, and not for one after the
    /// other.
    ///
    /// Unless you write this method, it calls [`find`](Self::find). A store that wraps another one passes both calls on.
    ///
    /// # Errors
    ///
    /// Those of [`find`](Self::find).
    fn find_and_preload(
        &self,
        digest: &KeyDigest,
        preload: &dyn Fn(CounterPlace),
    ) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let _ = preload;
        self.find(digest)
    }
}

impl<S: KeyStore + ?Sized> KeyStore for Arc<S> {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        (**self).find(digest)
    }

    fn find_and_preload(
        &self,
        digest: &KeyDigest,
        preload: &dyn Fn(CounterPlace),
    ) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        (**self).find_and_preload(digest, preload)
    }
}
