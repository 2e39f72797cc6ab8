//! Positions in the trail, and what proves them.

use super::super::connect::SqlStore;
use super::super::dialect::Dialect;
use super::super::driver::{Columns, Row};
use super::super::failure::Failure;
use super::super::row;
use super::super::statement::Statement;
use super::behind::ProvenAge;
use std::time::Duration;
use tower_api_key::store::{FeedPosition, StoreError};

/// The place of a change in the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrailPlace {
    pub(super) sequence: i64,
    pub(super) mark: i64,
    /// The mark of the change before it. `None` if there was none, or a program of the first step wrote the change.
    previous: Option<i64>,
}

impl TrailPlace {
    /// Reads a place from the columns `sequence`, `mark` and `previous`.
    pub(super) fn read(row: &dyn Columns) -> Result<Self, StoreError> {
        let previous = row::optional_number(row, "previous")?;
        Ok(Self { previous, ..Self::read_alone(row)? })
    }

    /// Reads the place of the newest change from the columns `latest` and `latest_mark`.
    pub(crate) fn latest(row: &dyn Columns) -> Result<Self, StoreError> {
        let (sequence, mark) = (row::number(row, "latest")?, row::number(row, "latest_mark")?);
        Ok(Self { sequence, mark, previous: None })
    }

    /// Reads a place from the columns `sequence` and `mark`.
    pub(super) fn read_alone(row: &dyn Columns) -> Result<Self, StoreError> {
        let (sequence, mark) = (row::number(row, "sequence")?, row::number(row, "mark")?);
        Ok(Self { sequence, mark, previous: None })
    }

    pub(crate) fn position(self) -> FeedPosition {
        FeedPosition { sequence: self.sequence.cast_unsigned(), mark: self.mark.cast_unsigned() }
    }

    /// Returns true if this first change at or behind a position proves that nothing is missing since then.
    pub(super) fn proves(self, since: FeedPosition) -> bool {
        if is_before_all(since) {
            // The mark counts the numbers that were given out before.
            return self.sequence.cast_unsigned().checked_sub(1) == Some(since.mark);
        }
        self.position() == since
    }

    /// Returns true if no change between this one and the next was taken out of the trail.
    pub(super) fn precedes(self, next: Self) -> bool {
        next.previous.is_none_or(|previous| previous == self.mark)
    }
}

/// Returns true if the column `seen_mark` proves the other position that a reader has seen.
pub(super) fn is_seen(row: &dyn Columns, seen: FeedPosition) -> Result<bool, StoreError> {
    let mark = row::optional_number(row, "seen_mark")?;
    Ok(is_before_all(seen) || mark.map(i64::cast_unsigned) == Some(seen.mark))
}

/// Returns true if there was no change in the trail at this position.
pub(super) const fn is_before_all(position: FeedPosition) -> bool {
    position.sequence == 0
}

/// The first number behind a position, or of its change.
pub(crate) fn from(position: FeedPosition) -> i64 {
    i64::try_from(position.sequence).unwrap_or(i64::MAX)
}

impl SqlStore {
    /// Returns the position of a trail that holds no change, and how old the answer may be. Its mark is how many
    /// numbers were given out, so that a trail that was used and emptied again has another position. In PostgreSQL a
    /// number counts before its change is committed: a reader that asks just then begins anew.
    pub(super) async fn position_before_all(
        &self,
        age: ProvenAge,
    ) -> Result<(FeedPosition, Duration), StoreError> {
        let row = self.given_out().await?;
        let position = before_all(&*row)?.ok_or_else(|| StoreError::new(Failure::EmptyTrail))?;
        Ok((position, age.of(&*row)?))
    }

    /// Returns the position of a trail that holds no change, for a reader to which an unknown number of changes before
    /// is the same as none.
    #[cfg(feature = "postgres")]
    pub(crate) async fn position_of_empty_trail(&self) -> Result<FeedPosition, StoreError> {
        Ok(before_all(&*self.given_out().await?)?.unwrap_or(FeedPosition::START))
    }

    /// Reads how many numbers the trail has given out.
    async fn given_out(&self) -> Result<Row, StoreError> {
        let asked = match self.dialect {
            Dialect::Sqlite => {
                Statement::new(&self.queries.given_out_sqlite).bind(self.tables.bare("changes"))
            }
            Dialect::Postgres => {
                Statement::new(&self.queries.given_out_postgres).bind(self.tables.fill("{changes}"))
            }
        };
        let first = self.read(asked).await?.into_iter().next();
        first.ok_or_else(|| StoreError::new(Failure::EmptyTrail))
    }
}

/// Reads the position of an empty trail; `None` if the role may not know it.
fn before_all(row: &dyn Columns) -> Result<Option<FeedPosition>, StoreError> {
    let given_out = row::optional_number(row, "given_out")?;
    Ok(given_out.map(|given_out| FeedPosition { sequence: 0, mark: given_out.cast_unsigned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn place(sequence: i64, mark: i64, previous: Option<i64>) -> TrailPlace {
        TrailPlace { sequence, mark, previous }
    }

    const fn position(sequence: u64, mark: u64) -> FeedPosition {
        FeedPosition { sequence, mark }
    }

    #[test]
    fn only_the_change_itself_proves_its_position() {
        for (first, since, same) in [
            (place(7, 70, None), position(7, 70), true),
            (place(7, -1, Some(3)), position(7, u64::MAX), true),
            (place(7, 71, None), position(7, 70), false),
            (place(8, 70, None), position(7, 70), false),
            (place(1, 10, None), FeedPosition::START, true),
            (place(2, 10, None), FeedPosition::START, false),
            (place(8, 10, None), position(0, 7), true),
            (place(9, 10, None), position(0, 7), false),
            (place(0, 10, None), position(0, u64::MAX), false),
        ] {
            assert_eq!(first.proves(since), same, "{first:?} {since:?}");
        }
    }

    #[test]
    fn a_change_names_the_one_before_it() {
        let first = place(7, 70, None);
        assert!(first.precedes(place(8, 80, Some(70))));
        assert!(first.precedes(place(9, 80, None)));
        assert!(!first.precedes(place(8, 80, Some(71))));
    }
}
