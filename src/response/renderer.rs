//! The renderer: makes a response from a denial and a profile.

use http::header::VARY;
use http::{HeaderMap, HeaderName, Response, StatusCode};

use super::body_function::BodyFunction;
use super::by_path::{ByPath, TableIndex};
use super::caching::{CredentialHeaders, forbid_referrer, force_private, keep_private};
use super::facts::{Authenticated, ShownFacts};
use super::fixed_headers::FixedHeaders;
use super::limit_headers::PreparedLimitHeaders;
use super::named_rows::{PreparedRow, for_each_answer};
use super::placeholder::Placeholder;
use super::principal::PrincipalHeaders;
use super::request_ids::RequestIds;
use super::taken_names::used_elsewhere;
use crate::error::{ConfigError, Denial};
use crate::profile::{Profile, RenderedAnswers};
use crate::quota::AppliedQuotas;
use crate::request::{Head, RequestId, Source};

/// The answers of a profile, rendered when the gate is built.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a fact of its own, found when the gate is built.
pub(crate) struct Renderer {
    pub(super) answers: ByPath<RenderedAnswers<PreparedRow>>,
    pub(super) body: Option<BodyFunction>,
    shown: ShownFacts,
    credentials: CredentialHeaders,
    /// Whether the gate admits anonymous requests. Then the answer depends on whether a key is present.
    admits_anonymous: bool,
    pub(super) limit_headers: PreparedLimitHeaders,
    pub(super) principal: PrincipalHeaders,
    fixed: FixedHeaders,
    pub(super) request_ids: Option<RequestIds>,
}

impl Renderer {
    /// Renders a profile's answers, for a gate that admits no anonymous requests.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if an answer, a header or the realm is not valid.
    pub(crate) fn new(profile: &Profile<'_>) -> Result<Self, ConfigError> {
        let credentials = CredentialHeaders::new(profile.credentials)?;
        let limit_headers = PreparedLimitHeaders::new(&profile.limit_headers)?;
        let principal = PrincipalHeaders::new(profile, &limit_headers)?;
        let ids = |header| {
            RequestIds::new(header, |name| {
                let taken = used_elsewhere(name, &limit_headers, &principal, None);
                taken.or_else(|| credentials.problem_of(name))
            })
        };
        let request_ids = profile.request_id.map(ids).transpose()?;
        let taken = |name: &HeaderName| {
            used_elsewhere(name, &limit_headers, &principal, request_ids.as_ref())
        };
        let fixed = FixedHeaders::new(profile.response_headers, taken)?;
        let mut answers =
            ByPath::of(profile, |answers| PreparedRow::table(answers, profile, taken))?;
        let mut shown = ShownFacts::default();
        for_each_answer(&mut answers, |answer| {
            shown.request |= answer.speaks_of(Placeholder::is_of_request);
            shown.key |= answer.speaks_of(Placeholder::is_of_key);
            fixed.add(&mut answer.headers);
            answer.settle();
        });
        Ok(Self {
            answers,
            body: None,
            shown,
            admits_anonymous: false,
            principal,
            request_ids,
            fixed,
            limit_headers,
            credentials,
        })
    }

    /// Adds `Vary` to all answers, for a gate that admits anonymous requests.
    pub(crate) fn admit_anonymous(mut self) -> Self {
        self.admits_anonymous = true;
        if let Some(vary) = self.credentials.line() {
            for_each_answer(&mut self.answers, |answer| {
                answer.headers.insert(VARY, vary.clone());
                answer.settle();
            });
        }
        self
    }

    /// Makes bodies by the gate's own function first.
    pub(crate) fn with_bodies(mut self, body: Option<BodyFunction>) -> Self {
        if body.is_some() {
            self.shown = ShownFacts { request: true, key: true };
            // Only the function knows which bodies are equal.
            for_each_answer(&mut self.answers, |answer| {
                answer.grpc_code = answer.grpc_code_of_any_body;
                answer.settle();
            });
        }
        self.body = body;
        self
    }

    /// Restricts caching of the inner service's response, depending on the source of the key. `source` is
    /// `None` for a request without a key.
    #[inline]
    pub(crate) fn guard_caches(&self, headers: &mut HeaderMap, source: Option<&Source>) {
        let in_authorization = source.is_some_and(Source::is_in_authorization);
        // Caches handle `Authorization` by themselves, and most keys come in it.
        if self.admits_anonymous || !in_authorization {
            self.guard(headers, source);
        }
    }

    fn guard(&self, headers: &mut HeaderMap, source: Option<&Source>) {
        if self.admits_anonymous || source.is_none() {
            self.credentials.vary(headers);
        }
        if let Some(source) = source {
            source.uncommon_headers().for_each(|name| keep_private(headers, name));
            if source.is_in_query() {
                force_private(headers);
                forbid_referrer(headers);
            }
        }
    }

    /// Refuses quotas of one request whose limit headers would have one name.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`].
    pub(crate) fn check_quotas(&self, quotas: AppliedQuotas<'_>) -> Result<(), ConfigError> {
        self.limit_headers.check_quotas(quotas)
    }

    /// Returns true if the profile has limit headers.
    pub(crate) fn speaks_of_limits(&self) -> bool {
        self.limit_headers.speak()
    }

    /// Returns true if the profile has limit headers or principal headers.
    pub(crate) fn marks(&self) -> bool {
        self.speaks_of_limits() || !self.principal.is_empty()
    }

    /// Returns true if an answer may speak of the request, so that the gate must keep what it says.
    pub(crate) const fn speaks_of_request(&self) -> bool {
        self.shown.request
    }

    /// Returns true if an answer may show a part of the presented key.
    pub(crate) const fn shows_keys(&self) -> bool {
        self.shown.key
    }

    /// Returns true if a refusal may have a status of success.
    pub(crate) fn may_succeed(&mut self) -> bool {
        let mut may_succeed = false;
        for_each_answer(&mut self.answers, |answer| may_succeed |= answer.status.is_success());
        may_succeed
    }

    /// Finds the table of answers for a request. Reads its path only if paths have tables of their own.
    #[inline]
    pub(crate) fn table(&self, head: Head<'_>) -> TableIndex {
        if self.answers.is_general() {
            return TableIndex::default();
        }
        self.answers.find(head.path)
    }

    /// Returns the status of a denial over HTTP.
    pub(crate) fn status(&self, table: TableIndex, denial: &Denial) -> StatusCode {
        self.answers.get(table).row(denial).general().status
    }

    /// Returns how the ids of requests are made, if the profile has them.
    pub(crate) const fn request_ids(&self) -> Option<&RequestIds> {
        self.request_ids.as_ref()
    }

    /// Writes the id of the request into a response, and replaces what the service wrote under the header's name.
    pub(crate) fn write_request_id<B>(&self, response: &mut Response<B>, id: &RequestId) {
        if let Some(ids) = &self.request_ids {
            ids.write(response, id);
        }
    }

    /// Adds the limit headers and principal headers to a response to an authenticated or counted request.
    pub(crate) fn mark(&self, headers: &mut HeaderMap, authenticated: &Authenticated<'_>) {
        if let Some(verdict) = authenticated.verdict
            && authenticated.shows_limits
        {
            let Authenticated { caller, quotas, cost, now, .. } = *authenticated;
            self.limit_headers.write(headers, quotas, verdict, caller, cost, now);
        }
        self.principal.mark(headers, authenticated.caller, authenticated.in_flight);
    }

    /// Removes principal headers that the service has set on a response to an anonymous request.
    pub(crate) fn unmark(&self, headers: &mut HeaderMap) {
        self.principal.remove(headers);
    }

    /// Adds the headers with fixed values that the service has not set.
    #[inline]
    pub(crate) fn add_fixed(&self, headers: &mut HeaderMap) {
        if !self.fixed.is_empty() {
            self.fixed.add(headers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::RefusalFacts;
    use super::super::form::AnswerForm;
    use super::*;
    use crate::profile::{LimitHeaders, PrincipalHeader, PrincipalValue};
    use crate::vendors::REST_INTEGRATIONS;

    #[test]
    fn a_refusal_has_the_status_of_its_row() {
        let answers = &REST_INTEGRATIONS.answers;
        let renderer = Renderer::new(&REST_INTEGRATIONS).unwrap();
        for denial in [Denial::KeyUnknown, Denial::CredentialsMissing, Denial::RouteUnknown] {
            let refused = renderer.refuse(&RefusalFacts::of(&denial, AnswerForm::Full));
            assert_eq!(refused.status(), answers.row(&denial).status(), "{denial:?}");
        }
    }

    #[test]
    fn a_response_is_marked_if_there_is_something_to_say() {
        const ACCOUNT: &[PrincipalHeader<'_>] =
            &[PrincipalHeader { name: "x-account", value: PrincipalValue::Account }];
        for (limit_headers, principal_headers, speaks, marks) in [
            (LimitHeaders::NONE, &[][..], false, false),
            (LimitHeaders::NONE, ACCOUNT, false, true),
            (LimitHeaders::RATE_LIMIT, &[], true, true),
            (LimitHeaders::STRUCTURED, ACCOUNT, true, true),
        ] {
            let profile = Profile { limit_headers, principal_headers, ..REST_INTEGRATIONS };
            let renderer = Renderer::new(&profile).unwrap();
            assert_eq!((renderer.speaks_of_limits(), renderer.marks()), (speaks, marks));
        }
    }
}
