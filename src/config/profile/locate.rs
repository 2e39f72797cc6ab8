//! Finds the field of a profile that an error is about.

use bumpalo::Bump;

use super::answer::AnswerRow;
use super::answers::AnswersTable;
use super::challenge::ChallengeTable;
use super::row_names::OTHERWISE;
use super::table::ProfileTable;
use crate::config::read::Path;
use crate::error::ConfigError;
use crate::profile::CredentialSource;
use crate::request::{Credentials, check_carriage};

impl ProfileTable {
    /// Returns the path of the credential source with which an error begins.
    pub(in crate::config) fn source_path(&self, path: &Path, error: &ConfigError) -> Path {
        let (path, room) = (path.field("credentials"), Bump::new());
        let Some(sources) = &self.credentials else { return path };
        let sources: Vec<CredentialSource<'_>> =
            sources.iter().map(|source| source.describe(&room)).collect();
        let is_same = |other: ConfigError| other.to_string() == error.to_string();
        let last = (1..=sources.len()).find(|length| {
            let first = sources.get(..*length).unwrap_or_default();
            Credentials::new(first).is_err_and(is_same)
                || check_carriage(first, &[]).is_err_and(is_same)
        });
        last.map_or(path.clone(), |length| path.item(length - 1))
    }

    /// Returns the path of the key format with this pattern. If the formats are those of the base, the credential sources
    /// have to change.
    pub(in crate::config) fn format_path(&self, path: &Path, pattern: &str) -> Path {
        let (room, list) = (Bump::new(), path.field("formats"));
        let Some(formats) = &self.formats else { return path.field("credentials") };
        let index = formats.iter().position(|format| {
            let described = format.describe(&room, &list);
            described.is_ok_and(|format| format.pattern() == pattern)
        });
        index.map_or(list.clone(), |index| list.item(index))
    }

    /// Returns the path of a row of answers: of the paths with a prefix, or of all. A row that does not stand in the file
    /// has the path of its table.
    pub(in crate::config) fn answer_path(
        &self,
        path: &Path,
        prefix: Option<&str>,
        row: Option<&str>,
    ) -> Path {
        let general = path.field("answers");
        let Some(prefix) = prefix else {
            let row = row.and_then(|row| self.answers.as_ref()?.written_row(row));
            return row.map_or(general.clone(), |row| general.field(row));
        };
        let tables = self.answers_by_path.as_deref().unwrap_or_default();
        // Of two equal prefixes the second one is refused.
        let index = tables.iter().rposition(|table| table.prefix == prefix);
        let list = path.field("answers_by_path");
        let Some((index, table)) = index.and_then(|index| Some((index, tables.get(index)?))) else {
            return list;
        };
        let table_path = list.item(index);
        let Some(row) = row else { return table_path.field("prefix") };
        match table.answers.written_row(row) {
            Some(row) => table_path.field("answers").field(row),
            // The row is that of the general answers.
            None => self.answer_path(path, None, Some(row)),
        }
    }

    /// Returns the path of the part of an answer that an error names, such as "header `x-a`" or "body".
    pub(in crate::config) fn answer_part_path(&self, path: &Path, row: &str, part: &str) -> Path {
        let row_path = self.answer_path(path, None, Some(row));
        let Some(answers) = &self.answers else { return row_path };
        let (kind, name) = part.split_once(' ').unwrap_or((part, ""));
        let name = name.trim_matches('`');
        match kind {
            "status" | "body" => row_path.field(kind),
            "header" => row_path.field("headers").field(name),
            "challenge" => {
                let (path, list) = match answers.row_challenges(row) {
                    [] => (path, self.challenges.as_deref().unwrap_or_default()),
                    list => (&row_path, list),
                };
                let index = list.iter().rposition(|challenge| challenge.is_of(name));
                index.map_or(row_path.clone(), |index| path.field("challenges").item(index))
            }
            _ => row_path,
        }
    }

    /// Returns the path of a header in one of the profile's lists, by the name of the list as errors write it.
    pub(in crate::config) fn header_path(&self, path: &Path, list: &str, header: &str) -> Path {
        let is = |name: &str| name.eq_ignore_ascii_case(header);
        let list_path = list.split('.').fold(path.clone(), |path, field| path.field(field));
        // Of two equal names the second one is refused.
        let index = match list {
            "required_headers" => {
                let headers = self.required_headers.as_deref().unwrap_or_default();
                headers.iter().rposition(|header| is(&header.name))
            }
            "principal_headers" => {
                let headers = self.principal_headers.as_deref().unwrap_or_default();
                headers.iter().rposition(|header| is(&header.name))
            }
            "limit_headers.fields" => {
                let fields = self.limit_headers.as_ref().map_or(&[][..], |table| &table.fields);
                fields.iter().rposition(|field| is(&field.name))
            }
            "response_headers" => {
                let pairs = self.response_headers.as_ref().map_or(&[][..], |pairs| &pairs.0.0);
                let name = pairs.iter().map(|(name, _)| name).rfind(|name| is(name));
                return name.map_or(list_path.clone(), |name| list_path.field(name));
            }
            _ => None,
        };
        index.map_or(list_path.clone(), |index| list_path.item(index))
    }
}

impl AnswersTable {
    /// Returns the name under which a row stands in the file, written out or as another one with changes; `None` if it
    /// is the base's.
    fn written_row(&self, name: &str) -> Option<&'static str> {
        self.find_row(name).map(|(name, _)| name)
    }

    /// Returns the challenges that a row lists in the file.
    fn row_challenges(&self, name: &str) -> &[ChallengeTable] {
        match self.find_row(name) {
            Some((_, AnswerRow::Written(row))) => &row.challenges,
            _ => &[],
        }
    }

    fn find_row(&self, name: &str) -> Option<(&'static str, &AnswerRow)> {
        let mut wanted = name;
        for _ in 0..=self.rows.len() {
            let found = self.rows.iter().find(|(row, _)| *row == wanted);
            let otherwise = || self.rows.iter().find(|(row, _)| *row == OTHERWISE);
            match found.or_else(otherwise)? {
                (row, written @ (AnswerRow::Written(_) | AnswerRow::Changed(_))) => {
                    return Some((row, written));
                }
                (_, AnswerRow::SameAs(other)) => wanted = other,
            }
        }
        None
    }
}
