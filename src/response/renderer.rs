//! The renderer: makes a response from a denial and a profile.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, VARY, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::body::PreparedBody;
use super::caching::{CredentialHeaders, force_private, keep_private};
use super::challenge;
use super::form::AnswerForm;
use super::grpc::{self, GrpcMessage};
use super::limit_headers::{PreparedLimitHeaders, write_retry_after};
use super::principal::PrincipalHeaders;
use crate::clock::Timestamp;
use crate::error::{ConfigError, Denial};
use crate::key::KeyRecord;
use crate::profile::{Answer, Challenge, CustomBody, GrpcCode, Profile, RenderedAnswers};
use crate::quota::{AppliedQuotas, Verdict, whole_seconds};
use crate::request::Source;

/// The facts that every response to an authenticated request reports, refusals included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authenticated<'a> {
    pub(crate) record: &'a KeyRecord,
    pub(crate) quotas: AppliedQuotas<'a>,
    pub(crate) verdict: Option<&'a Verdict>,
    pub(crate) now: Timestamp,
}

/// The answers of a profile, rendered when the gate is built.
#[derive(Debug)]
pub(crate) struct Renderer {
    answers: RenderedAnswers<Prepared>,
    realm: Box<str>,
    reads_bearer: bool,
    credentials: CredentialHeaders,
    /// Whether the gate admits anonymous requests. Then the answer depends on whether a key is present.
    admits_anonymous: bool,
    limit_headers: PreparedLimitHeaders,
    principal: PrincipalHeaders,
}

#[derive(Debug)]
struct Prepared {
    status: StatusCode,
    body: PreparedBody,
    challenge: Challenge,
    // All headers that do not depend on the request. Copying the map takes half the time of inserting
    // them one by one.
    headers: HeaderMap,
    retry_after: Option<u32>,
    /// `None` for a body that a function makes.
    grpc_message: Option<GrpcMessage>,
    /// `None` if the code follows from the denial.
    grpc_code: Option<GrpcCode>,
}

impl Renderer {
    /// Renders a profile's answers, for a gate that admits no anonymous requests.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if an answer, a header or the realm is not valid.
    pub(crate) fn new(profile: &Profile<'_>) -> Result<Self, ConfigError> {
        let sources = profile.credentials;
        let credentials = CredentialHeaders::new(sources)?;
        let prepare = |row, answer: &Answer<'_>| Prepared::new(row, answer, profile);
        let mut answers = profile.answers.try_map(prepare)?;
        let unknown = prepare("key_unknown", &profile.answers.key_unknown)?;
        answers.for_each(|row| row.hide_behind(&unknown));
        let limit_headers = PreparedLimitHeaders::new(&profile.limit_headers)?;
        Ok(Self {
            answers,
            admits_anonymous: false,
            realm: profile.realm.into(),
            reads_bearer: sources.iter().any(|source| source.scheme.is_bearer()),
            principal: PrincipalHeaders::new(profile.principal_headers, &limit_headers)?,
            limit_headers,
            credentials,
        })
    }

    /// Adds `Vary` to all answers, for a gate that admits anonymous requests.
    pub(crate) fn admit_anonymous(mut self) -> Self {
        self.admits_anonymous = true;
        if let Some(vary) = self.credentials.line() {
            self.answers.for_each(|row| drop(row.headers.insert(VARY, vary.clone())));
        }
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
            }
        }
    }

    /// Returns true if the profile has limit headers.
    pub(crate) fn speaks_of_limits(&self) -> bool {
        self.limit_headers.speak()
    }

    /// Returns true if the profile has limit headers or principal headers.
    pub(crate) fn marks(&self) -> bool {
        self.speaks_of_limits() || !self.principal.is_empty()
    }

    /// Renders a refusal. The answer to `HEAD` has the same headers and no content.
    pub(crate) fn refuse(
        &self,
        denial: &Denial,
        form: AnswerForm,
        trail: Option<Authenticated<'_>>,
    ) -> Response<Bytes> {
        let row = self.answers.row(denial);
        let mut headers = row.headers.clone();
        let body = match &row.body {
            PreparedBody::Fixed(body) => Cow::Borrowed(body),
            PreparedBody::Custom(render) => {
                let body = render(denial, row.status);
                describe(&mut headers, &body);
                Cow::Owned(body)
            }
        };
        self.name_scopes(&mut headers, row, denial);
        if let Some(trail) = trail {
            self.mark(&mut headers, trail);
        }
        let wait = row.retry_after(denial);
        if let Some(seconds) = wait {
            write_retry_after(&mut headers, seconds);
        }
        let (status, content) = match form {
            AnswerForm::Full => (row.status, body.content.clone()),
            AnswerForm::HeadersOnly => (row.status, Bytes::new()),
            AnswerForm::Grpc => {
                grpc::write(&mut headers, row.grpc_code(denial), &row.grpc_message(&body), wait);
                (StatusCode::OK, Bytes::new())
            }
        };
        let mut response = Response::new(content);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response.extensions_mut().insert(denial.clone());
        response
    }

    /// Adds the limit headers and principal headers to a response to an authenticated request.
    pub(crate) fn mark(&self, headers: &mut HeaderMap, trail: Authenticated<'_>) {
        if let Some(verdict) = trail.verdict {
            self.limit_headers.write(headers, trail.quotas, verdict, trail.record, trail.now);
        }
        self.principal.write(headers, trail.record);
    }

    /// Removes principal headers that the service has set on a response to an anonymous request.
    pub(crate) fn unmark(&self, headers: &mut HeaderMap) {
        self.principal.remove(headers);
    }

    /// Adds the needed scopes to the Bearer challenge.
    fn name_scopes(&self, headers: &mut HeaderMap, row: &Prepared, denial: &Denial) {
        if let Denial::ScopeMissing { needed } = denial
            && row.challenge == Challenge::InsufficientScope
            && self.reads_bearer
            && let Some(line) = challenge::with_scopes(row.challenge, &self.realm, needed)
        {
            headers.insert(WWW_AUTHENTICATE, line);
        }
    }
}

impl Prepared {
    fn new(
        row: &'static str,
        answer: &Answer<'_>,
        profile: &Profile<'_>,
    ) -> Result<Self, ConfigError> {
        let Answer { status, body, challenge, retry_after, grpc } = *answer;
        if !status.is_client_error() && !status.is_server_error() {
            return Err(ConfigError::StatusNotRefusing { answer: row, status: status.as_u16() });
        }
        if status == StatusCode::UNAUTHORIZED && challenge == Challenge::None {
            return Err(ConfigError::ChallengeMissing { answer: row });
        }
        // A vendor may answer a key that is not allowed as one that is not valid.
        let unauthorized = status == StatusCode::UNAUTHORIZED;
        let grpc_code = grpc.or(unauthorized.then_some(GrpcCode::Unauthenticated));
        let grpc_message = GrpcMessage::of(body);
        let body = PreparedBody::new(body, status);
        let mut headers = HeaderMap::new();
        if let PreparedBody::Fixed(body) = &body {
            describe(&mut headers, body);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for line in challenge::lines(challenge, status, profile.realm, profile.credentials)? {
            headers.append(WWW_AUTHENTICATE, line);
        }
        Ok(Self { status, body, challenge, headers, retry_after, grpc_message, grpc_code })
    }

    /// Takes the gRPC code of another row whose answer is the same. What HTTP does not tell apart, gRPC must
    /// not tell apart either.
    fn hide_behind(&mut self, other: &Self) {
        let same = self.status == other.status
            && self.challenge == other.challenge
            && self.retry_after == other.retry_after
            && self.body.equals(&other.body);
        if same && self.grpc_code.is_none() {
            self.grpc_code = other.grpc_code.or(Some(GrpcCode::Unauthenticated));
        }
    }

    fn grpc_code(&self, denial: &Denial) -> GrpcCode {
        self.grpc_code.unwrap_or(GrpcCode::of(denial))
    }

    fn grpc_message(&self, body: &CustomBody) -> Cow<'_, GrpcMessage> {
        let custom = || Cow::Owned(GrpcMessage::of_custom(body, self.status));
        self.grpc_message.as_ref().map_or_else(custom, Cow::Borrowed)
    }

    /// Returns the seconds to wait: those of the denial, else those of the row, at least 1. A 429 always
    /// has them (RFC 6585 §4).
    fn retry_after(&self, denial: &Denial) -> Option<u64> {
        let known = match denial {
            Denial::RateLimited { retry_after } | Denial::TooManyFailures { retry_after } => {
                Some(whole_seconds(*retry_after))
            }
            _ => self.retry_after.map(u64::from),
        };
        let limited = self.status == StatusCode::TOO_MANY_REQUESTS;
        let seconds = known.or_else(|| limited.then_some(1));
        seconds.map(|seconds| seconds.max(1))
    }
}

/// Writes the type and the length of a body.
fn describe(headers: &mut HeaderMap, body: &CustomBody) {
    headers.insert(CONTENT_TYPE, body.content_type.clone());
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.content.len()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{LimitHeaders, PrincipalHeader, PrincipalValue};
    use crate::vendors::REST_INTEGRATIONS;

    #[test]
    fn a_refusal_has_the_status_of_its_row() {
        let answers = &REST_INTEGRATIONS.answers;
        let renderer = Renderer::new(&REST_INTEGRATIONS).unwrap();
        for denial in [Denial::KeyUnknown, Denial::CredentialsMissing, Denial::RouteUnknown] {
            let refused = renderer.refuse(&denial, AnswerForm::Full, None);
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
