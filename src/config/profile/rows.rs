//! Which rows of a table of answers a file needs, and which of them only name another one.

use super::answer::{AnswerRow, AnswerTable};
use super::made_by::MadeBy;
use super::row_names::OTHERWISE;
use crate::profile::Answers;

/// Of rows that are equal, these are written out. Without one of them it is the first.
const WRITTEN_OUT: [&str; 5] =
    ["key_unknown", "kind_not_allowed", "credentials_missing", "rate_limited", "store_unavailable"];

/// The rows that `otherwise` has to save, so that it is worth a line.
const WORTH_A_LINE: usize = 3;

/// A row that a function makes a part of.
#[derive(Debug)]
pub(in crate::config) struct UnwritableRow {
    pub(in crate::config) row: &'static str,
    /// What sets the function.
    pub(in crate::config) made_by: &'static str,
}

type Row = (&'static str, AnswerTable);

/// Writes every row.
pub(super) fn written(answers: &Answers<'_>) -> Result<Vec<Row>, UnwritableRow> {
    let mut rows = Vec::new();
    answers.try_map(|row, answer| {
        let table = AnswerTable::of(answer);
        let table = table.map_err(|MadeBy(made_by)| UnwritableRow { row, made_by })?;
        rows.push((row, table));
        Ok(())
    })?;
    Ok(rows)
}

/// Writes each of several equal rows once; the others name it.
pub(super) fn named_once(rows: &[Row]) -> Vec<(&'static str, AnswerRow)> {
    let row = |(name, table): &Row| {
        let out = name_of(table, rows);
        let row = match out {
            Some(out) if out != *name => AnswerRow::SameAs(out.to_owned()),
            _ => AnswerRow::Written(table.clone()),
        };
        (*name, row)
    };
    rows.iter().map(row).collect()
}

/// Writes each of several equal rows once. The row that most names have is `otherwise`, too.
pub(super) fn shortened(rows: &[Row]) -> Vec<(&'static str, AnswerRow)> {
    let named = named_once(rows);
    let same = |name: &str| {
        named.iter().filter(|(_, row)| matches!(row, AnswerRow::SameAs(out) if out == name)).count()
    };
    let names = named.iter().map(|(name, _)| *name).rev();
    let Some(name) = names.max_by_key(|name| same(name)) else { return named };
    if same(name) < WORTH_A_LINE {
        return named;
    }
    let otherwise = (OTHERWISE, AnswerRow::SameAs(name.to_owned()));
    let others =
        named.into_iter().filter(|(_, row)| !matches!(row, AnswerRow::SameAs(out) if out == name));
    std::iter::once(otherwise).chain(others).collect()
}

/// Returns the name under which a table is written out.
fn name_of(table: &AnswerTable, rows: &[Row]) -> Option<&'static str> {
    let names = || rows.iter().filter(|(_, other)| other == table).map(|(name, _)| *name);
    names().find(|name| WRITTEN_OUT.contains(name)).or_else(|| names().next())
}
