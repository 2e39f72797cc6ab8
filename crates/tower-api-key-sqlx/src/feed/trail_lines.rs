//! Reads the lines of the trail behind a position, and proves that none is missing.
//!
//! Replicas and the proofs of caches both read the trail by this.

use super::super::driver::Columns;
use super::trail_position::{TrailPlace, is_before_all};
use tower_api_key::store::{FeedPosition, StoreError};

/// The most lines of an answer; the statement reads one more, which is at the position itself.
const LIMIT: usize = 1_000;

/// The lines of an answer, which are read row by row in the order of the trail.
pub(crate) struct TrailLines {
    since: FeedPosition,
    /// The last place that was read; `None` at the beginning.
    last: Option<TrailPlace>,
    count: usize,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineStep {
    /// The line at the position itself, which is known.
    Known,
    /// The next line behind the position.
    Next(TrailPlace),
    /// A further row of the line before.
    Further(TrailPlace),
    /// A line for which this answer has no room.
    Beyond,
    /// A line that does not follow: others are missing, or the trail is another one.
    Diverged,
}

impl TrailLines {
    pub(crate) const fn new(since: FeedPosition) -> Self {
        Self { since, last: None, count: 0 }
    }

    /// Returns the last place that was read; `None` if there was no row.
    pub(crate) const fn last(&self) -> Option<TrailPlace> {
        self.last
    }

    /// Returns true if the answer has no room for another line, so that there may be more.
    pub(crate) const fn is_full(&self) -> bool {
        self.count == LIMIT
    }

    /// Reads the next row.
    pub(crate) fn step(&mut self, row: &dyn Columns) -> Result<LineStep, StoreError> {
        let place = TrailPlace::read(row)?;
        let follows = match self.last {
            Some(last) if last.sequence == place.sequence => {
                let is_known = self.count == 0;
                return Ok(if is_known { LineStep::Known } else { LineStep::Further(place) });
            }
            Some(_) if self.is_full() => return Ok(LineStep::Beyond),
            Some(last) => last.precedes(place),
            None => place.proves(self.since),
        };
        if !follows {
            return Ok(LineStep::Diverged);
        }
        let is_known = self.last.is_none() && !is_before_all(self.since);
        self.last = Some(place);
        if is_known {
            return Ok(LineStep::Known);
        }
        self.count += 1;
        Ok(LineStep::Next(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns `sequence`, `mark` and `previous` of a line.
    struct Line(i64, i64, Option<i64>);

    impl Columns for Line {
        fn text(&self, _: &str) -> Result<Option<String>, sqlx::Error> {
            Ok(None)
        }

        fn number(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
            Ok(match column {
                "sequence" => Some(self.0),
                "mark" => Some(self.1),
                _ => self.2,
            })
        }

        fn bytes(&self, _: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
            Ok(None)
        }
    }

    /// Names each step by a letter.
    fn steps(since: (u64, u64), rows: &[Line]) -> String {
        let mut lines = TrailLines::new(FeedPosition { sequence: since.0, mark: since.1 });
        let name = |row: &Line| match lines.step(row).unwrap() {
            LineStep::Known => 'k',
            LineStep::Next(_) => 'n',
            LineStep::Further(_) => 'f',
            LineStep::Beyond => 'b',
            LineStep::Diverged => 'd',
        };
        rows.iter().map(name).collect()
    }

    #[test]
    fn lines_follow_by_their_marks() {
        for (since, rows, expected) in [
            ((7, 70), &[Line(7, 70, None)][..], "k"),
            ((7, 70), &[Line(7, 70, None), Line(7, 70, None), Line(8, 80, Some(70))], "kkn"),
            ((7, 70), &[Line(7, 70, None), Line(8, 80, Some(70)), Line(8, 80, Some(70))], "knf"),
            ((7, 70), &[Line(7, 70, None), Line(9, 90, None)], "kn"),
            ((7, 70), &[Line(7, 71, None)], "d"),
            ((7, 70), &[Line(8, 80, Some(70))], "d"),
            ((7, 70), &[Line(7, 70, None), Line(9, 90, Some(80))], "kd"),
            ((7, 70), &[Line(7, 70, None), Line(8, 80, Some(70)), Line(10, 0, Some(90))], "knd"),
            ((0, 0), &[Line(1, 10, None), Line(1, 10, None), Line(2, 20, Some(10))], "nfn"),
            ((0, 0), &[Line(2, 20, None)], "d"),
            ((0, 4), &[Line(5, 20, None)], "n"),
        ] {
            assert_eq!(steps(since, rows), expected, "{since:?}");
        }
    }

    #[test]
    fn an_answer_has_room_for_a_thousand_lines() {
        let rows: Vec<_> = (7..1_010).map(|number| Line(number, number, None)).collect();
        let expected = format!("k{}bb", "n".repeat(LIMIT));
        assert_eq!(steps((7, 7), &rows), expected);
    }
}
