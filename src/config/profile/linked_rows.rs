//! The rows of a table of answers, some of which name others.

use bumpalo::Bump;

use super::answer::{AnswerRow, HeaderAnswerTable, QuotaAnswerTable};
use super::row_names::{OTHERWISE, known};
use crate::config::read::{Contradiction, Path};
use crate::profile::{Answer, Answers, HeaderAnswer, QuotaAnswer};

/// The rows of a table, and those that it starts from.
pub(super) struct LinkedRows<'a, 't> {
    pub(super) rows: &'a [(&'static str, AnswerRow)],
    pub(super) base: Option<&'t Answers<'a>>,
    pub(super) room: &'a Bump,
    pub(super) path: &'t Path,
}

impl<'a> LinkedRows<'a, '_> {
    /// Describes the row of a name, with the answers of single quotas and headers that stand in it.
    ///
    /// # Errors
    ///
    /// [`Contradiction`] for a row that names no other row, or a row that is missing.
    pub(super) fn describe(&self, name: &str) -> Result<Answer<'a>, Contradiction> {
        let answer = self.answer(name, self.rows.len() + 1)?;
        let (quotas, headers): (&'a [QuotaAnswerTable], &'a [HeaderAnswerTable]) =
            match self.row(name) {
                Some(AnswerRow::Written(row)) => (&row.by_quota, &row.by_header),
                Some(AnswerRow::Changed(row)) => (&row.by_quota, &row.by_header),
                Some(AnswerRow::SameAs(_)) | None => return Ok(answer),
            };
        let single = |row| self.of_row(row, name, self.rows.len() + 1);
        let by_quota = quotas
            .iter()
            .map(|table| Ok(QuotaAnswer { quota: &table.quota, answer: single(&table.answer)? }));
        let by_header = headers.iter().map(|table| {
            Ok(HeaderAnswer { header: &table.header, answer: single(&table.answer)? })
        });
        let by_quota = by_quota.collect::<Result<Vec<_>, Contradiction>>()?;
        let by_header = by_header.collect::<Result<Vec<_>, Contradiction>>()?;
        let answer = answer.by_quota(self.room.alloc_slice_fill_iter(by_quota));
        Ok(answer.by_header(self.room.alloc_slice_fill_iter(by_header)))
    }

    /// Describes the row of a name. More steps from row to row than there are rows are a circle.
    fn answer(&self, name: &str, steps: usize) -> Result<Answer<'a>, Contradiction> {
        if let Some(row) = self.row(name) {
            return self.of_row(row, name, steps);
        }
        let Some(base) = self.base else {
            let problem = format!("the row `{name}` is missing: add it, or a row `{OTHERWISE}`");
            return Err(Contradiction::new(self.path.clone(), &problem));
        };
        Ok(*base.named(name).unwrap_or(&base.internal_error))
    }

    fn of_row(
        &self,
        row: &'a AnswerRow,
        name: &str,
        steps: usize,
    ) -> Result<Answer<'a>, Contradiction> {
        match row {
            AnswerRow::Written(row) => Ok(row.describe(self.room)),
            AnswerRow::SameAs(other) => self.other(other, name, steps),
            AnswerRow::Changed(row) => {
                let other = self.other(row.like.as_deref().unwrap_or(OTHERWISE), name, steps)?;
                let changed = row.describe(other, self.room);
                changed.map_err(|problem| self.refused(name, problem))
            }
        }
    }

    /// Describes the row that another one names.
    fn other(&self, other: &str, name: &str, steps: usize) -> Result<Answer<'a>, Contradiction> {
        let problem = match (known(other), steps.checked_sub(1)) {
            (_, None) => "the rows name each other in a circle: write one of them out".to_owned(),
            (Some(other), Some(steps)) if self.row(other).is_some() || self.base.is_some() => {
                return self.answer(other, steps);
            }
            (Some(other), _) => format!("there is no row `{other}` to be the same as"),
            (None, _) => format!("no row can be named `{}`", other.escape_debug()),
        };
        Err(self.refused(name, &problem))
    }

    /// Returns the row of a name, or `otherwise`.
    fn row(&self, name: &str) -> Option<&'a AnswerRow> {
        let named = |wanted| self.rows.iter().find(|(row, _)| *row == wanted).map(|(_, row)| row);
        named(name).or_else(|| named(OTHERWISE))
    }

    fn refused(&self, name: &str, problem: &str) -> Contradiction {
        Contradiction::new(self.path.field(name), &problem)
    }
}
