//! Digests by several peppers. A secret has one row; for a day after it got a digest by a newer pepper it has another
//! one, which lookups find by the former digest. The other row is no secret of its own.

use super::connect::SqlStore;
use super::driver::Columns;
use super::row;
use super::statement::Statement;
use super::step::bytes;
use super::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::store::{
    Action, CommandOptions, FORMER_DIGEST_KEPT, Invalidation, ManageError, ManageFuture,
    PepperManager, PepperUsage, Rehash, StoreError, check_author,
};

/// Finds no secret by its former digest, because it has the newer one already.
const FIND: &str = "SELECT s.key_id, k.account FROM {secrets} s JOIN {keys} k ON k.id = s.key_id \
     WHERE s.digest = $1 AND s.successor IS NULL AND k.revoked = 0";
const COPY: &str = "INSERT INTO {secrets} (digest, key_id, created, expires, last_used, pepper, tail) \
     SELECT $1, key_id, created, expires, last_used, $2, tail FROM {secrets} WHERE digest = $3 \
     ON CONFLICT DO NOTHING";
const NAME_SUCCESSOR: &str = "UPDATE {secrets} SET successor = $1, replaced = COALESCE(replaced, $2) \
     WHERE key_id = $4 AND (digest = $3 OR successor = $3)";
const DELETE_ONE: &str = "DELETE FROM {secrets} WHERE digest = $1 AND successor = $2";
const IS_ONE_TO_DELETE: &str =
    "SELECT CAST(1 AS BIGINT) AS found FROM {secrets} WHERE replaced <= $1 LIMIT 1";
/// Deletes at most as many as one change should announce. The next change deletes further ones.
const DELETE_ALL: &str = "DELETE FROM {secrets} WHERE digest IN (SELECT digest FROM {secrets} \
     WHERE replaced <= $1 ORDER BY replaced, digest LIMIT 500) RETURNING digest";
/// Counts what can still serve. `ends` is the earlier end of the secret and its key.
const COUNT: &str = "SELECT pepper, \
     SUM(CASE WHEN replaced IS NULL THEN 1 ELSE 0 END) AS secrets, \
     SUM(CASE WHEN replaced IS NULL AND ends IS NULL THEN 1 ELSE 0 END) AS endless, \
     MAX(CASE WHEN replaced IS NULL THEN last_used END) AS last_used, \
     MAX(CASE WHEN replaced IS NULL THEN ends END) AS last_end, \
     SUM(CASE WHEN replaced IS NULL THEN 0 ELSE 1 END) AS rehashed, \
     MAX(replaced) AS last_replaced FROM \
     (SELECT s.pepper, s.last_used, s.replaced, \
     CASE WHEN s.expires IS NULL OR k.expires < s.expires THEN k.expires ELSE s.expires END AS ends \
     FROM {secrets} s JOIN {keys} k ON k.id = s.key_id WHERE k.revoked = 0) serving \
     WHERE (ends IS NULL OR ends > $1) AND (replaced IS NULL OR replaced > $2) \
     GROUP BY pepper ORDER BY pepper IS NOT NULL, pepper";

impl PepperManager for SqlStore {
    fn rehash<'a>(&'a self, mut secrets: Vec<Rehash>, by: &'a str) -> ManageFuture<'a, u64> {
        Box::pin(async move {
            check_author(by)?;
            if secrets.is_empty() && !self.has_former_digests_to_delete().await? {
                return Ok(0);
            }
            // In the order in which uses are recorded, so that the two rarely deadlock.
            secrets.sort_unstable_by_key(|secret| *secret.from.as_bytes());
            let mut step = self.begin_without_events(CommandOptions::by(by)).await?;
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
            let asked = self.filled(COUNT).bind(row::column(now)).bind(served_by(now));
            // Reads all secrets, which takes longer than a lookup may.
            let rows = self.read_within(asked, self.settings.change_timeout).await?;
            Ok(rows.iter().map(|row| usage(&**row)).collect::<Result<_, _>>()?)
        })
    }
}

impl SqlStore {
    async fn has_former_digests_to_delete(&self) -> Result<bool, StoreError> {
        let asked = self.filled(IS_ONE_TO_DELETE).bind(served_by(self.clock.now()));
        Ok(!self.read(asked).await?.is_empty())
    }

    /// Returns a statement with the names of this store's tables.
    fn filled(&self, text: &str) -> Statement {
        Statement::made(self.tables.fill(text))
    }
}

impl Step<'_> {
    /// Deletes former digests that have served their time. Caches drop their records: a later change of the key names
    /// only the digests that it has then.
    async fn delete_former_digests(&mut self) -> Result<(), ManageError> {
        let deleted = self.store.filled(DELETE_ALL).bind(served_by(self.now()));
        for gone in self.fetch(deleted).await? {
            self.announce(
                row::digest(&*gone).map_or(Invalidation::Everything, Invalidation::Secret),
            );
        }
        Ok(())
    }

    /// Gives a secret a digest by a newer pepper. Returns `None` if it gets none. The lock of this change keeps others
    /// from changing the secret and its key.
    async fn rehash(&mut self, secret: &Rehash) -> Result<Option<()>, ManageError> {
        let (store, at) = (self.store, self.at());
        let asked = store.filled(FIND).bind(bytes(&secret.from));
        let rows = self.fetch(asked).await?;
        let Some(found) = rows.first() else { return Ok(None) };
        let key = row::text(&**found, "key_id")?;
        let account = row::text(&**found, "account")?;
        // The secret may get a digest back that it had before, after a step back to the former pepper.
        let back = store.filled(DELETE_ONE);
        self.execute(back.bind(bytes(&secret.to)).bind(bytes(&secret.from))).await?;
        let copied = store
            .filled(COPY)
            .bind(bytes(&secret.to))
            .bind(secret.pepper.as_str())
            .bind(bytes(&secret.from));
        if self.execute(copied).await? == 0 {
            return Ok(None);
        }
        let replaced = store
            .filled(NAME_SUCCESSOR)
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

fn usage(row: &dyn Columns) -> Result<PepperUsage, StoreError> {
    let count = |column| Ok(u64::try_from(row::number(row, column)?).unwrap_or(0));
    let instant = |column| Ok(row::optional_number(row, column)?.map(row::timestamp));
    let mut usage = PepperUsage::new(row::pepper(row)?);
    usage.secrets = count("secrets")?;
    usage.endless = count("endless")?;
    usage.last_used = instant("last_used")?;
    usage.last_end = instant("last_end")?;
    usage.rehashed = count("rehashed")?;
    let replaced: Option<Timestamp> = instant("last_replaced")?;
    usage.rehashed_until = replaced.map(|replaced| replaced.plus(FORMER_DIGEST_KEPT));
    Ok(usage)
}
