//! Digests by several peppers. A secret has one row; for a day after it got a digest by a newer pepper it has another
//! one, which lookups find by the former digest. The other row is no secret of its own.

use super::connect::SqlStore;
use super::driver::Columns;
use super::row;
use super::statement::Statement;
use super::step::bytes;
use super::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{KeyDigest, PepperName};
use tower_api_key::store::{
    Action, CommandOptions, FORMER_DIGEST_KEPT, Invalidation, ManageError, ManageFuture,
    PepperManager, PepperUsage, Rehash, StoreError, check_author,
};

impl PepperManager for SqlStore {
    fn rehash<'a>(&'a self, mut secrets: Vec<Rehash>, by: &'a str) -> ManageFuture<'a, u64> {
        Box::pin(async move {
            check_author(by)?;
            if secrets.is_empty() && !self.has_former_digests_to_delete().await? {
                return Ok(0);
            }
            // In the order in which uses are recorded, so that the two rarely deadlock.
            secrets.sort_unstable_by_key(|secret| *secret.from.as_bytes());
            let mut step = self.begin(CommandOptions::by(by)).await?;
            step.delete_former_digests().await?;
            let mut rehashed = 0;
            for secret in &secrets {
                rehashed += u64::from(step.rehash(secret).await?.is_some());
            }
            step.commit().await?;
            Ok(rehashed)
        })
    }

    fn pepper_usage(&self) -> ManageFuture<'_, Vec<PepperUsage>> {
        Box::pin(async move {
            let now = self.clock.now();
            let asked = Statement::new(&self.queries.pepper_usage)
                .bind(row::column(now))
                .bind(served_by(now));
            // Reads all secrets, which takes longer than a lookup may.
            let rows = self.read_within(asked, self.settings.change_timeout).await?;
            Ok(rows.iter().map(|row| usage(&**row)).collect::<Result<_, _>>()?)
        })
    }
}

impl SqlStore {
    async fn has_former_digests_to_delete(&self) -> Result<bool, StoreError> {
        let asked = Statement::new(&self.queries.former_digests_to_delete);
        Ok(!self.read(asked.bind(served_by(self.clock.now()))).await?.is_empty())
    }
}

impl Step<'_> {
    /// Deletes the former digests that have served their time. Caches and replicas need no notice: the newer digest
    /// leads to the same record.
    async fn delete_former_digests(&mut self) -> Result<(), ManageError> {
        let deleted = Statement::new(&self.store.queries.delete_former_digests);
        self.execute(deleted.bind(served_by(self.now()))).await?;
        Ok(())
    }

    /// Gives a secret a digest by a newer pepper. Returns `None` if it gets none. The lock of this change keeps others
    /// from changing the secret and its key.
    async fn rehash(&mut self, secret: &Rehash) -> Result<Option<()>, ManageError> {
        let (queries, at) = (&self.store.queries, self.at());
        let asked = Statement::new(&queries.secret_to_rehash).bind(bytes(&secret.from));
        let rows = self.fetch(asked).await?;
        let Some(found) = rows.first() else { return Ok(None) };
        let key = row::text(&**found, "key_id")?;
        let account = row::text(&**found, "account")?;
        // The secret may get a digest back that it had before, after a step back to the former pepper.
        let back = Statement::new(&queries.delete_former_digest);
        self.execute(back.bind(bytes(&secret.to)).bind(bytes(&secret.from))).await?;
        let copied = Statement::new(&queries.copy_secret)
            .bind(bytes(&secret.to))
            .bind(secret.pepper.as_str())
            .bind(bytes(&secret.from));
        if self.execute(copied).await? == 0 {
            return Ok(None);
        }
        let replaced = Statement::new(&queries.name_successor)
            .bind(bytes(&secret.to))
            .bind(at)
            .bind(bytes(&secret.from))
            .bind(key.as_str());
        self.execute(replaced).await?;
        self.note(Action::KeyRehashed, Some(&key), &account, &[]).await?;
        self.announce(Invalidation::Secret(secret.from));
        self.announce(Invalidation::Secret(secret.to));
        Ok(Some(()))
    }
}

/// Returns the column of the instant at which a digest was replaced that has just served its time.
fn served_by(now: Timestamp) -> i64 {
    let kept = u64::try_from(FORMER_DIGEST_KEPT.as_nanos()).unwrap_or(u64::MAX);
    row::column(Timestamp::from_unix_nanoseconds(now.unix_nanoseconds().saturating_sub(kept)))
}

/// Reads the name of a pepper.
pub(super) fn pepper(row: &dyn Columns) -> Result<Option<PepperName>, StoreError> {
    let name = row::optional(row, "pepper")?;
    name.map(|name| PepperName::new(name).map_err(super::json::broken)).transpose()
}

/// Reads the newer digest of a row that is no secret of its own.
pub(super) fn successor(row: &dyn Columns) -> Result<Option<KeyDigest>, StoreError> {
    row::optional_digest(row, "successor")
}

fn usage(row: &dyn Columns) -> Result<PepperUsage, StoreError> {
    let count = |column| Ok(u64::try_from(row::number(row, column)?).unwrap_or(0));
    let instant = |column| Ok(row::optional_number(row, column)?.map(row::timestamp));
    let mut usage = PepperUsage::new(pepper(row)?);
    usage.secrets = count("secrets")?;
    usage.endless = count("endless")?;
    usage.last_used = instant("last_used")?;
    usage.last_end = instant("last_end")?;
    usage.rehashed = count("rehashed")?;
    let replaced: Option<Timestamp> = instant("last_replaced")?;
    usage.rehashed_until = replaced.map(|replaced| replaced.plus(FORMER_DIGEST_KEPT));
    Ok(usage)
}
