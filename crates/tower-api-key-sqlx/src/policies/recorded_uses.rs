//! What is known of the recording of uses. Without it, a key that is used would count as unused.

use std::time::Duration;

use crate::SqlStore;
use crate::row;
use crate::statement::Statement;
use tower_api_key::clock::Timestamp;
use tower_api_key::store::StoreError;

/// A use is recorded with its secret, or by the recorder of usage with its key.
const USES: &str = "SELECT MAX(u.newest) AS newest FROM \
     (SELECT MAX(last_used) AS newest FROM {secrets} UNION ALL SELECT MAX(at) FROM {usage_keys}) AS u";

const KNOWN: &str = "SELECT since, newest FROM {recorded_uses} WHERE id = 1";

const KEEP: &str = "INSERT INTO {recorded_uses} (id, since, newest) VALUES (1, $1, $2) \
     ON CONFLICT (id) DO UPDATE SET since = excluded.since, newest = excluded.newest";

/// The time in which uses of keys were recorded, as far as sweeps have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordedUses {
    since: Timestamp,
    newest: Timestamp,
}

impl RecordedUses {
    /// Returns true if uses were recorded for all of this time: a sweep saw a use before it began, and a key was used in it.
    pub(super) fn cover(self, time: Duration, now: Timestamp) -> bool {
        self.since.plus(time) <= now && self.newest.plus(time) > now
    }

    /// Continues what an earlier sweep knew. After a time without uses that is as long as the shortest rule, nothing is
    /// known of what was before. So it is before the first sweep: older uses do not show that all were recorded since.
    fn after(earlier: Option<Self>, newest: Timestamp, gap: Duration) -> Self {
        match earlier {
            None => Self { since: newest, newest },
            Some(earlier) if newest > earlier.newest.plus(gap) => Self { since: newest, newest },
            Some(earlier) => Self { since: earlier.since, newest: newest.max(earlier.newest) },
        }
    }

    /// Lets uses count as recorded from an earlier instant on.
    pub(super) fn assume_since(self, since: Timestamp) -> Self {
        Self { since: self.since.min(since), ..self }
    }
}

impl SqlStore {
    /// Reads what is known of the recording of uses, and keeps it for later sweeps. `None` without any use. `shortest` is
    /// the shortest time of a rule.
    pub(super) async fn recorded_uses(
        &self,
        shortest: Duration,
    ) -> Result<Option<RecordedUses>, StoreError> {
        let Some((known, earlier)) = self.known_uses(shortest).await? else { return Ok(None) };
        if earlier != Some(known) {
            let kept = Statement::made(self.tables.fill(KEEP));
            let kept = kept.bind(row::column(known.since)).bind(row::column(known.newest));
            let mut session = self.transaction().await?;
            session.execute(kept).await?;
            session.commit().await?;
        }
        Ok(Some(known))
    }

    /// Reads what is known of the recording of uses, and what earlier sweeps kept of it.
    pub(super) async fn known_uses(
        &self,
        shortest: Duration,
    ) -> Result<Option<(RecordedUses, Option<RecordedUses>)>, StoreError> {
        let asked = Statement::made(self.tables.fill(USES));
        let found = self.read_slowly(asked).await?;
        let Some(found) = found.first() else { return Ok(None) };
        let instant = |column| {
            Ok::<_, StoreError>(row::optional_number(&**found, column)?.map(row::timestamp))
        };
        let Some(newest) = instant("newest")? else { return Ok(None) };
        let rows = self.read(Statement::made(self.tables.fill(KNOWN))).await?;
        let earlier = rows.first().map(|known| {
            let instant = |column| row::number(&**known, column).map(row::timestamp);
            Ok::<_, StoreError>(RecordedUses {
                since: instant("since")?,
                newest: instant("newest")?,
            })
        });
        let earlier = earlier.transpose()?;
        Ok(Some((RecordedUses::after(earlier, newest, shortest), earlier)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn day(day: u64) -> Timestamp {
        Timestamp::from_unix_seconds(day * 86_400)
    }

    #[test]
    fn uses_cover_a_time_that_began_after_the_first_and_has_one() {
        let uses = RecordedUses { since: day(10), newest: day(100) };
        for (time, now, covered) in [
            (90, 100, true),
            (91, 100, false),
            (90, 189, true),
            (90, 190, false),
            (1, 100, true),
            (1, 101, false),
        ] {
            assert_eq!(uses.cover(time * DAY, day(now)), covered, "{time} days at {now}");
        }
        assert!(uses.assume_since(day(5)).cover(95 * DAY, day(100)));
        assert!(uses.assume_since(day(50)).cover(90 * DAY, day(100)), "never less than is known");
    }

    #[test]
    fn a_gap_makes_all_before_it_unknown() {
        let after = |earlier, newest| RecordedUses::after(earlier, day(newest), 30 * DAY);
        let first = after(None, 10);
        assert_eq!(first, RecordedUses { since: day(10), newest: day(10) });
        let next = after(Some(first), 40);
        assert_eq!(next, RecordedUses { since: day(10), newest: day(40) });
        let gap = after(Some(next), 71);
        assert_eq!(gap, RecordedUses { since: day(71), newest: day(71) });
        let on = after(Some(gap), 72);
        assert_eq!(on, RecordedUses { since: day(71), newest: day(72) });
        // The key of the newest use was deleted.
        assert_eq!(after(Some(on), 60), on);
    }
}
