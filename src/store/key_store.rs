//! The one question that a gate asks of a store.

use std::sync::Arc;

use crate::error::StoreError;
use crate::key::{KeyDigest, SharedRecord};
use crate::sync::Eventually;

/// Finds the record of a key.
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::Eventually;
/// use tower_api_key::key::{KeyDigest, SharedRecord};
/// use tower_api_key::store::{Found, KeyStore, StoreError};
///
/// struct Remote(Arc<Client>);
/// # struct Client;
/// # impl Client { async fn fetch(&self, _: &KeyDigest) -> std::io::Result<Option<SharedRecord>> { Ok(None) } }
///
/// impl KeyStore for Remote {
///     fn find(&self, digest: &KeyDigest) -> Eventually<Found> {
///         let (client, digest) = (Arc::clone(&self.0), *digest);
///         Eventually::later(async move { client.fetch(&digest).await.map_err(StoreError::new) })
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let answer = Remote(Arc::new(Client)).find(&KeyDigest::from_bytes([0; 32])).await;
/// # assert!(answer.unwrap().is_none());
/// # }
/// ```
pub trait KeyStore: Send + Sync + 'static {
    /// Looks up a record by its whole digest.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot tell; `Ok(None)` says that there is no such key.
    fn find(&self, digest: &KeyDigest) -> Eventually<Found>;
}

/// Says what a store answers: a record, `None` if there is surely none, or that it cannot tell.
///
/// ```
/// # use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::store::Found;
///
/// # let acme = Account::builder("acme").build()?;
/// # let record = KeyRecord::builder("key_1", acme).build()?;
/// let found: Found = Ok(Some(record.into())); // from a `KeyRecord`, or an `Arc` of one
/// # assert!(found.is_ok());
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
pub type Found = Result<Option<SharedRecord>, StoreError>;

impl<S: KeyStore + ?Sized> KeyStore for Arc<S> {
    fn find(&self, digest: &KeyDigest) -> Eventually<Found> {
        (**self).find(digest)
    }
}
