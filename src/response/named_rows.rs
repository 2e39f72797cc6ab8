//! A row of a profile's answers, with the answers of single quotas and headers.

use std::time::Duration;

use http::{HeaderName, StatusCode};

use super::by_path::ByPath;
use super::equal_rows::set_grpc_codes;
use super::facts::RefusalFacts;
use super::row::PreparedAnswer;
use crate::error::{ConfigError, Denial};
use crate::profile::{Answer, Answers, GrpcCode, Profile, RenderedAnswers};
use crate::quota::{Quota, Quotas};

/// A prepared row, and the answers of single quotas or headers.
#[derive(Debug)]
pub(super) struct PreparedRow {
    general: PreparedAnswer,
    named: Box<[NamedRow]>,
}

/// The answer of a quota or a header.
#[derive(Debug)]
struct NamedRow {
    name: Box<str>,
    answer: PreparedAnswer,
    /// The code that the answer names for gRPC.
    grpc: Option<GrpcCode>,
}

impl PreparedRow {
    /// Prepares all rows of a table. `taken` returns the problem of a header's name that the profile uses elsewhere.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a row that is not valid.
    pub(super) fn table(
        answers: &Answers<'_>,
        profile: &Profile<'_>,
        taken: impl Fn(&HeaderName) -> Option<&'static str> + Copy,
    ) -> Result<RenderedAnswers<Self>, ConfigError> {
        let mut rows = answers.try_map(|row, answer| Self::new(row, answer, profile, taken))?;
        let may_equal = |one: &Self, other: &Self| one.any_may(other, PreparedAnswer::may_equal);
        set_grpc_codes(answers, &mut rows, may_equal, |row, code| {
            row.set_code(code, |answer, code| answer.grpc_code = code);
        });
        let may_equal =
            |one: &Self, other: &Self| one.any_may(other, PreparedAnswer::may_equal_but_for_bodies);
        set_grpc_codes(answers, &mut rows, may_equal, |row, code| {
            row.set_code(code, |answer, code| answer.grpc_code_of_any_body = code);
        });
        Ok(rows)
    }

    fn new(
        row: &'static str,
        answer: &Answer<'_>,
        profile: &Profile<'_>,
        taken: impl Fn(&HeaderName) -> Option<&'static str> + Copy,
    ) -> Result<Self, ConfigError> {
        let general = PreparedAnswer::new(row, answer, profile, taken)?;
        let quotas = answer.by_quota.iter().map(|it| ("by_quota", it.quota, &it.answer));
        let headers = answer.by_header.iter().map(|it| ("by_header", it.header, &it.answer));
        let mut named: Vec<NamedRow> = Vec::new();
        for (list, name, answer) in quotas.chain(headers) {
            let part = format!("{list} `{}`", name.escape_debug());
            let is_listed = named.iter().any(|other| match list {
                "by_quota" => *other.name == *name,
                _ => other.name.eq_ignore_ascii_case(name),
            });
            let problem = if list == "by_quota" {
                problem_of_quota(row, name)
            } else {
                problem_of_header(row, name, profile)
            };
            let problem = problem.or_else(|| problem_of_list(answer, is_listed));
            if let Some(problem) = problem {
                return Err(ConfigError::Answer { answer: row, part, problem: problem.to_owned() });
            }
            let prepared = PreparedAnswer::new(row, answer, profile, taken);
            let prepared = prepared.map_err(|error| in_part(error, &part))?;
            named.push(NamedRow { name: name.into(), answer: prepared, grpc: answer.grpc });
        }
        Ok(Self { general, named: named.into() })
    }

    /// Returns the answer to a refusal.
    #[inline]
    pub(super) fn of(&self, facts: &RefusalFacts<'_>) -> &PreparedAnswer {
        if self.named.is_empty() { &self.general } else { self.of_name(facts) }
    }

    fn of_name(&self, facts: &RefusalFacts<'_>) -> &PreparedAnswer {
        if let Denial::HeaderRefused { header, .. } = facts.denial {
            return self.find(|name| name.eq_ignore_ascii_case(header.as_str()));
        }
        let refusal = self.general.refusal(facts);
        refusal.quota().map_or(&self.general, |(quota, _)| self.find(|name| name == quota.name()))
    }

    /// Returns the answer of a name.
    fn find(&self, is_meant: impl Fn(&str) -> bool) -> &PreparedAnswer {
        let found = self.named.iter().find(|row| is_meant(&row.name));
        found.map_or(&self.general, |row| &row.answer)
    }

    /// Lists the answers of the row.
    pub(super) fn answers(&self) -> impl Iterator<Item = &PreparedAnswer> {
        std::iter::once(&self.general).chain(self.named.iter().map(|row| &row.answer))
    }

    /// Returns true if an answer of this row and one of the other may equal each other.
    fn any_may(
        &self,
        other: &Self,
        may_equal: impl Fn(&PreparedAnswer, &PreparedAnswer) -> bool,
    ) -> bool {
        self.answers().any(|one| other.answers().any(|other| may_equal(one, other)))
    }

    /// Returns the answer to a refusal that no quota has made.
    pub(super) const fn general(&self) -> &PreparedAnswer {
        &self.general
    }

    /// Changes every answer of the row.
    fn for_each(&mut self, mut change: impl FnMut(&mut PreparedAnswer)) {
        change(&mut self.general);
        self.named.iter_mut().for_each(|row| change(&mut row.answer));
    }

    /// Sets the gRPC code of the row. A named answer has its own, or that of the row; a 401 has one code.
    fn set_code(&mut self, code: GrpcCode, set: impl Fn(&mut PreparedAnswer, GrpcCode)) {
        set(&mut self.general, code);
        for NamedRow { answer, grpc, .. } in &mut self.named {
            let is_unauthorized = answer.status == StatusCode::UNAUTHORIZED;
            let usual = if is_unauthorized { GrpcCode::Unauthenticated } else { code };
            set(answer, grpc.unwrap_or(usual));
        }
    }
}

/// Changes every answer of every table.
pub(super) fn for_each_answer(
    tables: &mut ByPath<RenderedAnswers<PreparedRow>>,
    mut change: impl FnMut(&mut PreparedAnswer),
) {
    tables.for_each(|row| row.for_each(&mut change));
}

/// Returns the problem of an answer for a quota of this name.
fn problem_of_quota(row: &str, name: &str) -> Option<&'static str> {
    if row != "rate_limited" {
        Some("only the row `rate_limited` has answers by quota: remove them here")
    } else if Quotas::new([Quota::named(name, 1, Duration::from_secs(1))]).is_err() {
        Some("no quota can have this name: write a quota's name")
    } else {
        None
    }
}

/// Returns the problem of an answer for a header of this name.
fn problem_of_header(row: &str, name: &str, profile: &Profile<'_>) -> Option<&'static str> {
    let mut required = profile.required_headers.iter();
    if row != "header_refused" {
        Some("only the row `header_refused` has answers by header: remove them here")
    } else if !required.any(|header| header.name.eq_ignore_ascii_case(name)) {
        Some("the profile has no rule about this header: write one of its `required_headers`")
    } else {
        None
    }
}

/// Returns the problem of a list with this answer.
fn problem_of_list(answer: &Answer<'_>, is_listed: bool) -> Option<&'static str> {
    if is_listed {
        Some("the name is listed twice: keep one of the two")
    } else if !answer.by_quota.is_empty() || !answer.by_header.is_empty() {
        Some("an answer in a list has no lists itself: remove them")
    } else {
        None
    }
}

/// Names the quota or the header in an error about its answer.
fn in_part(error: ConfigError, quota: &str) -> ConfigError {
    match error {
        ConfigError::Answer { answer, part, problem } => {
            ConfigError::Answer { answer, part: format!("{quota}, {part}"), problem }
        }
        other => other,
    }
}
