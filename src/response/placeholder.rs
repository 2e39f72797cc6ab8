//! The placeholders of a profile's texts: their names, the rows that can fill them, and their values.

use std::borrow::Cow;

use http::{Method, StatusCode};

use super::escape;
use crate::clock::Timestamp;
use crate::error::Denial;
use crate::profile::Refusal;
use crate::quota::whole_seconds;

/// A fact that a text of a profile names in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    Status,
    Method,
    Path,
    RequestId,
    DocumentationUrl,
    RetryAfter,
    Scope,
    Scopes,
    NeededScopes,
    Header,
    Problem,
    Quota,
    Limit,
    Remaining,
    Window,
    Budget,
    Account,
    KeyId,
    Environment,
    InsecureExpiredAt,
    MaskedKey,
}

/// The row whose text has a placeholder, and what the row and the profile provide.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowFacts<'a> {
    /// The name of the row.
    pub(super) row: &'static str,
    pub(super) status: StatusCode,
    pub(super) documentation_url: Option<&'a str>,
    pub(super) has_request_id: bool,
    /// Whether each answer of the row has `Retry-After`.
    pub(super) has_retry_after: bool,
}

#[cfg(test)]
impl RowFacts<'_> {
    /// Returns the facts of a row that provides nothing.
    pub(super) const fn of(row: &'static str) -> Self {
        let status = StatusCode::FORBIDDEN;
        Self { row, status, documentation_url: None, has_request_id: false, has_retry_after: false }
    }
}

const ALL: [(&str, Placeholder); 21] = [
    ("status", Placeholder::Status),
    ("method", Placeholder::Method),
    ("path", Placeholder::Path),
    ("request_id", Placeholder::RequestId),
    ("documentation_url", Placeholder::DocumentationUrl),
    ("retry_after", Placeholder::RetryAfter),
    ("scope", Placeholder::Scope),
    ("scopes", Placeholder::Scopes),
    ("needed_scopes", Placeholder::NeededScopes),
    ("header", Placeholder::Header),
    ("problem", Placeholder::Problem),
    ("quota", Placeholder::Quota),
    ("limit", Placeholder::Limit),
    ("remaining", Placeholder::Remaining),
    ("window", Placeholder::Window),
    ("budget", Placeholder::Budget),
    ("account", Placeholder::Account),
    ("key_id", Placeholder::KeyId),
    ("environment", Placeholder::Environment),
    ("insecure_expired_at", Placeholder::InsecureExpiredAt),
    ("masked_key", Placeholder::MaskedKey),
];

/// The rows that answer a client who is authenticated.
const AUTHENTICATED: &[&str] = &[
    "network_not_allowed",
    "route_unknown",
    "kind_not_allowed",
    "account_mismatch",
    "header_refused",
    "scope_missing",
    "rate_limited",
    "concurrency_exceeded",
    "timed_out",
    "internal_error",
    "limiter_unavailable",
];

/// The rows that answer a client whose key was read.
const JUDGED: &[&str] = &[
    "key_malformed",
    "key_unknown",
    "key_revoked",
    "key_disabled",
    "key_not_yet_valid",
    "key_expired",
    "environment_mismatch",
    "network_not_allowed",
    "scheme_not_for_kind",
    "route_unknown",
    "kind_not_allowed",
    "account_mismatch",
    "header_refused",
    "scope_missing",
];

impl Placeholder {
    /// Finds a placeholder by its name.
    pub(super) fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, placeholder)| *placeholder)
    }

    /// Lists the placeholders that a row can fill.
    pub(super) fn list(facts: RowFacts<'_>) -> String {
        let filled = ALL.iter().filter(|(_, placeholder)| placeholder.problem_in(facts).is_none());
        filled.map(|(name, _)| format!("`{{{name}}}`")).collect::<Vec<_>>().join(", ")
    }

    /// Returns true if the value is the client's choice.
    pub(super) const fn is_of_request(self) -> bool {
        matches!(self, Self::Method | Self::Path)
    }

    /// Returns true if the value is a part of the presented key.
    pub(super) const fn is_of_key(self) -> bool {
        matches!(self, Self::MaskedKey)
    }

    /// Returns true if the value is a whole number.
    pub(super) const fn is_number(self) -> bool {
        matches!(
            self,
            Self::Status
                | Self::RetryAfter
                | Self::Limit
                | Self::Remaining
                | Self::Window
                | Self::Budget
        )
    }

    /// Returns the reason why no answer of a row has a value for this placeholder, with the remedy.
    pub(super) fn problem_in(self, facts: RowFacts<'_>) -> Option<String> {
        let (is_provided, remedy) = match self {
            Self::Status | Self::Method | Self::Path => return None,
            Self::RequestId => (facts.has_request_id, "set the profile's field `request_id`"),
            Self::DocumentationUrl => {
                (facts.documentation_url.is_some(), "call `Answer::documentation_url` on the row")
            }
            Self::RetryAfter => (facts.has_retry_after, "call `Answer::retry_after` on the row"),
            _ => {
                let rows = self.rows();
                let listed = rows.join("`, `");
                let problem = format!("only these rows have it: `{listed}`; leave it out here");
                return (!rows.contains(&facts.row)).then_some(problem);
            }
        };
        (!is_provided).then(|| format!("the row has no value for it: {remedy}, or leave it out"))
    }

    /// Lists the rows that have the fact, if only some do.
    const fn rows(self) -> &'static [&'static str] {
        match self {
            Self::Scope | Self::Scopes | Self::NeededScopes => &["scope_missing"],
            Self::Header => &["header_refused"],
            Self::Problem => &["header_refused", "credentials_malformed"],
            Self::Limit => &["rate_limited", "concurrency_exceeded"],
            Self::Quota | Self::Remaining | Self::Window => &["rate_limited"],
            Self::Budget => &["timed_out"],
            Self::Account | Self::KeyId | Self::Environment => AUTHENTICATED,
            Self::InsecureExpiredAt => &["key_expired"],
            Self::MaskedKey => JUDGED,
            Self::Status
            | Self::Method
            | Self::Path
            | Self::RequestId
            | Self::DocumentationUrl
            | Self::RetryAfter => &[],
        }
    }

    /// Returns the value, if it is the same in each answer of the row.
    pub(super) fn fixed(self, facts: RowFacts<'_>) -> Option<Cow<'_, str>> {
        match self {
            Self::Status => Some(facts.status.as_u16().to_string().into()),
            Self::DocumentationUrl => facts.documentation_url.map(Cow::Borrowed),
            _ => None,
        }
    }

    /// Returns the value in a refusal; `None` if the gate does not know it.
    pub(super) fn value<'a>(self, refusal: &Refusal<'a>) -> Option<Cow<'a, str>> {
        let number = |number: u64| Cow::Owned(number.to_string());
        let quota = || refusal.quota();
        Some(match self {
            // Written when the gate is built.
            Self::Status | Self::DocumentationUrl => return None,
            Self::Method | Self::Path => escape::of_request(self.of_request(refusal)?).0.into(),
            Self::RequestId => refusal.request_id()?.into(),
            Self::RetryAfter => number(refusal.retry_after()?),
            Self::Scope | Self::Scopes | Self::NeededScopes => self.scopes(refusal.denial())?,
            Self::Header => match refusal.denial() {
                Denial::HeaderRefused { header, .. } => header.as_str().into(),
                _ => return None,
            },
            Self::Problem => match refusal.denial() {
                Denial::HeaderRefused { problem, .. } => problem.to_string().into(),
                Denial::CredentialsMalformed(problem) => problem.to_string().into(),
                _ => return None,
            },
            Self::Quota => quota()?.0.name().into(),
            Self::Limit => {
                let of_quota = quota().map(|(_, status)| status.limit());
                number(of_quota.or(refusal.simultaneous())?.into())
            }
            Self::Remaining => number(quota()?.1.remaining().into()),
            Self::Window => number(whole_seconds(quota()?.0.window())),
            Self::Budget => match refusal.denial() {
                Denial::TimedOut { budget } => number(whole_seconds(*budget)),
                _ => return None,
            },
            Self::Account => refusal.record()?.account().id().as_str().into(),
            Self::KeyId => refusal.record()?.id().as_str().into(),
            Self::Environment => refusal.record()?.environment()?.as_str().into(),
            Self::InsecureExpiredAt => {
                let expired = refusal.insecure_expired_at()?;
                Timestamp::from_unix_seconds(expired.unix_seconds()).to_string().into()
            }
            Self::MaskedKey => refusal.masked_key()?.into(),
        })
    }

    /// Returns true if the value is not the whole of what the client sent.
    pub(super) fn is_cut(self, refusal: &Refusal<'_>) -> bool {
        self.of_request(refusal).is_some_and(|text| escape::of_request(text).1)
    }

    /// Returns what the client chose, as it sent it.
    fn of_request<'a>(self, refusal: &Refusal<'a>) -> Option<&'a str> {
        match self {
            Self::Method => refusal.method().map(Method::as_str),
            Self::Path => refusal.path(),
            _ => None,
        }
    }

    /// Returns the scopes of a denial.
    fn scopes(self, denial: &Denial) -> Option<Cow<'_, str>> {
        let Denial::ScopeMissing { needed } = denial else { return None };
        Some(match self {
            Self::Scope => needed.missing().next()?.into(),
            Self::Scopes => needed.missing().collect::<Vec<_>>().join(", ").into(),
            _ => needed.as_str().replace(' ', ", ").into(),
        })
    }
}
