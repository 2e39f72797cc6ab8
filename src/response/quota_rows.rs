//! A row of a profile's answers, with the rows of single quotas.

use std::time::Duration;

use http::{HeaderName, StatusCode};

use super::by_path::ByPath;
use super::equal_rows::set_grpc_codes;
use super::facts::RefusalFacts;
use super::row::PreparedAnswer;
use crate::error::ConfigError;
use crate::profile::{Answer, Answers, GrpcCode, Profile, RenderedAnswers};
use crate::quota::{Quota, Quotas};

/// A prepared row, and the rows of the quotas that have an answer of their own.
#[derive(Debug)]
pub(super) struct PreparedRow {
    general: PreparedAnswer,
    by_quota: Box<[QuotaRow]>,
}

#[derive(Debug)]
struct QuotaRow {
    quota: Box<str>,
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
        let may_equal = |one: &Self, other: &Self| one.general.may_equal(&other.general);
        set_grpc_codes(answers, &mut rows, may_equal, |row, code| {
            row.set_code(code, |answer, code| answer.grpc_code = code);
        });
        let may_equal =
            |one: &Self, other: &Self| one.general.may_equal_but_for_bodies(&other.general);
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
        let mut by_quota: Vec<QuotaRow> = Vec::new();
        for entry in answer.by_quota {
            let is_listed = by_quota.iter().any(|other| *other.quota == *entry.quota);
            let problem = if row != "rate_limited" {
                Some("only the row `rate_limited` has answers by quota: remove them here")
            } else if !entry.answer.by_quota.is_empty() {
                Some("an answer of a quota has no answers by quota itself: remove them")
            } else if Quotas::new([Quota::named(entry.quota, 1, Duration::from_secs(1))]).is_err() {
                Some("no quota can have this name: write a quota's name")
            } else if is_listed {
                Some("the quota is listed twice: keep one of the two")
            } else {
                None
            };
            let part = format!("by_quota `{}`", entry.quota.escape_debug());
            if let Some(problem) = problem {
                return Err(ConfigError::Answer { answer: row, part, problem: problem.to_owned() });
            }
            let answer = PreparedAnswer::new(row, &entry.answer, profile, taken);
            let answer = answer.map_err(|error| in_part(error, &part))?;
            let grpc = entry.answer.grpc;
            by_quota.push(QuotaRow { quota: entry.quota.into(), answer, grpc });
        }
        Ok(Self { general, by_quota: by_quota.into() })
    }

    /// Returns the answer to a refusal.
    pub(super) fn of(&self, facts: &RefusalFacts<'_>) -> &PreparedAnswer {
        if self.by_quota.is_empty() {
            return &self.general;
        }
        let refusal = self.general.refusal(facts);
        let quota = refusal.quota().map(|(quota, _)| quota.name());
        let found = self.by_quota.iter().find(|row| quota == Some(&row.quota));
        found.map_or(&self.general, |row| &row.answer)
    }

    /// Returns the answer to a refusal that no quota has made.
    pub(super) const fn general(&self) -> &PreparedAnswer {
        &self.general
    }

    /// Changes every answer of the row.
    fn for_each(&mut self, mut change: impl FnMut(&mut PreparedAnswer)) {
        change(&mut self.general);
        self.by_quota.iter_mut().for_each(|row| change(&mut row.answer));
    }

    /// Sets the gRPC code of the row. A quota's answer has its own, or that of the row; a 401 has one code.
    fn set_code(&mut self, code: GrpcCode, set: impl Fn(&mut PreparedAnswer, GrpcCode)) {
        set(&mut self.general, code);
        for QuotaRow { answer, grpc, .. } in &mut self.by_quota {
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

/// Names the quota in an error about its answer.
fn in_part(error: ConfigError, quota: &str) -> ConfigError {
    match error {
        ConfigError::Answer { answer, part, problem } => {
            ConfigError::Answer { answer, part: format!("{quota}, {part}"), problem }
        }
        other => other,
    }
}
