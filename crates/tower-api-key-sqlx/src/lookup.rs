//! The lookup of a gate.

use super::connect::SqlStore;
use super::row;
use super::statement::Statement;
use tower_api_key::Reply;
use tower_api_key::key::{KeyDigest, SharedRecord};
use tower_api_key::store::{KeyStore, StoreError};

impl KeyStore for SqlStore {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let (store, digest) = (self.clone(), *digest);
        Reply::later(async move {
            #[cfg(feature = "postgres")]
            store.check_lag()?;
            let asked = Statement::new(&store.queries.find).bind(digest.as_bytes().to_vec());
            let found = store.read(asked).await?;
            let record = found.first().map(|found| row::record(&**found, true)).transpose()?;
            Ok(record.map(Into::into))
        })
    }
}
