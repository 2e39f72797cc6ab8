//! The one question of a gate.

use std::future::Future;

use sqlx::any::AnyRow;

use super::super::error::StoreError;
use super::super::{Found, KeyStore};
use super::connect::SqlStore;
use super::failure::within;
use super::{query, row};
use crate::eventually::Eventually;
use crate::key::KeyDigest;

/// How often a lookup is tried on another connection. After a restart of the database all connections
/// that the pool kept are broken, and each is found out by failing.
const ATTEMPTS: u32 = 12;

impl KeyStore for SqlStore {
    fn find(&self, digest: &KeyDigest) -> Eventually<Found> {
        let (store, digest) = (self.clone(), *digest);
        Eventually::later(async move {
            let found = store.read(|| store.row(digest)).await?;
            let record = found.map(|found| row::record(&found, true)).transpose()?;
            Ok(record.map(Into::into))
        })
    }
}

impl SqlStore {
    async fn row(&self, digest: KeyDigest) -> Result<Option<AnyRow>, sqlx::Error> {
        let digest = digest.as_bytes().to_vec();
        sqlx::query(query::FIND).bind(digest).fetch_optional(&self.pool).await
    }

    /// Asks for what changes nothing, on another connection if one is broken, and no longer than a
    /// lookup may take.
    pub(super) async fn read<T, F>(&self, ask: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        within(self.timeout, self.retrying(ask)).await
    }

    /// Tries again what a broken connection has made fail. For what changes nothing only.
    pub(super) async fn retrying<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, sqlx::Error>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match attempt().await {
                Err(error) if is_broken(&error) && attempts < ATTEMPTS => {}
                answer => return answer,
            }
        }
    }
}

/// Tells whether a connection broke: it was lost, or the server ended it.
fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // Class 57, operator intervention: the server is shutting down, or starting.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
