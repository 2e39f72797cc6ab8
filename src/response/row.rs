//! One row of a profile's answers, prepared when the gate is built.

use std::borrow::Cow;
use std::mem;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::body::{PROBLEM, PreparedBody};
use super::challenge;
use super::contradictions::check;
use super::escape::TextFormat;
use super::facts::RefusalFacts;
use super::form::AnswerForm;
use super::grpc::{self, GrpcMessage, sentence};
use super::lasting_texts;
use super::number;
use super::own_challenges;
use super::placeholder::{Placeholder, RowFacts};
use super::row_headers::RowHeaders;
use super::template::TextTemplate;
use crate::error::{ConfigError, Denial};
use crate::profile::{Answer, Challenge, CustomBody, GrpcCode, Profile, Refusal};
use crate::quota::whole_seconds;

/// A prepared row.
#[derive(Debug)]
pub(super) struct PreparedAnswer {
    pub(super) status: StatusCode,
    pub(super) body: PreparedBody,
    /// Whether the challenges for Bearer get the needed scopes.
    names_scopes: bool,
    // All headers that do not depend on the request. Copying the map takes half the time of inserting
    // them one by one.
    pub(super) headers: HeaderMap,
    /// The headers of a gRPC call's refusal, message included. `None` if the message, the body or a header depends on
    /// the request.
    grpc_headers: Option<Box<HeaderMap>>,
    own_headers: RowHeaders,
    retry_after: Option<u32>,
    sends_retry_after: bool,
    documentation_url: Option<Box<str>>,
    grpc_message: PreparedMessage,
    /// The table sets the codes, which depend on the other rows.
    pub(super) grpc_code: GrpcCode,
    /// The code if a body does not tell the row from others.
    pub(super) grpc_code_of_any_body: GrpcCode,
}

/// The message of a gRPC call.
#[derive(Debug)]
enum PreparedMessage {
    Fixed(GrpcMessage),
    Filled(TextTemplate),
    /// Taken from the body that a function makes.
    OfBody,
}

impl PreparedAnswer {
    /// Checks a row, and renders what does not depend on a request. `taken` returns the problem of a header's
    /// name that the profile uses elsewhere.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the status, the challenge, the realm or a text is not valid.
    pub(super) fn new(
        row: &'static str,
        answer: &Answer<'_>,
        profile: &Profile<'_>,
        taken: impl Fn(&HeaderName) -> Option<&'static str>,
    ) -> Result<Self, ConfigError> {
        check(row, answer)?;
        let Answer { body, content_type, challenge, retry_after, documentation_url, .. } = *answer;
        let Answer { own_headers, made_headers, sends_retry_after, .. } = *answer;
        let (name, status) = (row, answer.status());
        let limited = matches!(row, "rate_limited" | "too_many_failures");
        let row = RowFacts {
            row,
            status,
            documentation_url,
            has_request_id: profile.request_id.is_some(),
            has_retry_after: sends_retry_after
                && (limited || retry_after.is_some() || status == StatusCode::TOO_MANY_REQUESTS),
        };
        let grpc_message = PreparedMessage::new(sentence(body), row)?;
        let body = PreparedBody::new(body, content_type, status, row)?;
        let mut headers = HeaderMap::new();
        match &body {
            PreparedBody::Empty => drop(headers.insert(CONTENT_LENGTH, HeaderValue::from(0))),
            PreparedBody::Fixed(body) => describe(&mut headers, body),
            PreparedBody::Filled { .. } | PreparedBody::Problem(_) | PreparedBody::Custom(_) => {}
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for line in challenge::lines(name, answer, profile)? {
            headers.append(WWW_AUTHENTICATE, line);
        }
        let own_headers = RowHeaders::new(row, own_headers, made_headers, taken, &mut headers)?;
        let names_scopes = challenge == Challenge::InsufficientScope
            && !own_challenges::name_scopes(profile, answer);
        let documentation_url = documentation_url.map(Box::from);
        Ok(Self {
            status,
            body,
            names_scopes,
            headers,
            grpc_headers: None,
            own_headers,
            retry_after,
            sends_retry_after,
            documentation_url,
            grpc_message,
            grpc_code: GrpcCode::Unauthenticated,
            grpc_code_of_any_body: GrpcCode::Unauthenticated,
        })
    }

    /// Prepares what all refusals have in common, from the present headers and code: keeps the texts, and puts the headers
    /// of a gRPC call's refusal together.
    pub(super) fn settle(&mut self) {
        self.headers = lasting_texts::headers(&self.headers);
        if let PreparedBody::Fixed(body) = &mut self.body {
            body.content = lasting_texts::content(mem::take(&mut body.content));
        }
        let is_fixed = matches!(self.body, PreparedBody::Empty | PreparedBody::Fixed(_))
            && self.own_headers.are_fixed();
        self.grpc_headers = match &self.grpc_message {
            PreparedMessage::Fixed(message) if is_fixed => {
                let mut headers = self.headers.clone();
                grpc::write(&mut headers, self.grpc_code, message);
                Some(Box::new(lasting_texts::headers(&headers)))
            }
            _ => None,
        };
    }

    /// Returns the headers to begin an answer with, and whether they are all that a gRPC call gets. `is_made` is true if
    /// a function of the gate makes bodies.
    pub(super) fn begin(&self, form: AnswerForm, is_made: bool) -> (HeaderMap, bool) {
        match &self.grpc_headers {
            Some(headers) if form == AnswerForm::Grpc && !is_made => {
                (HeaderMap::clone(headers), true)
            }
            _ => (self.headers.clone(), false),
        }
    }

    /// Returns true if the two rows may be equal over HTTP.
    pub(super) fn may_equal(&self, other: &Self) -> bool {
        self.body.may_equal(&other.body) && self.may_equal_but_for_bodies(other)
    }

    /// Returns true if only a body may tell the two rows apart over HTTP. What is filled or made for each request can
    /// be anything.
    pub(super) fn may_equal_but_for_bodies(&self, other: &Self) -> bool {
        let headers_differ = || {
            let fixed = self.own_headers.are_fixed() && other.own_headers.are_fixed();
            fixed && without_body(&self.headers) != without_body(&other.headers)
        };
        self.status == other.status
            && self.own_retry_after() == other.own_retry_after()
            && self.headers.get_all(WWW_AUTHENTICATE) == other.headers.get_all(WWW_AUTHENTICATE)
            && !headers_differ()
    }

    /// Returns true if the answer may have such a fact, so that the gate must keep it.
    pub(super) fn speaks_of(&self, is_meant: fn(Placeholder) -> bool) -> bool {
        self.body.speaks_of(is_meant) || self.own_headers.speak_of(is_meant)
    }

    /// Returns the facts that the row may write.
    pub(super) fn refusal<'a>(&'a self, facts: &RefusalFacts<'a>) -> Refusal<'a> {
        let wait = self.retry_after(facts.denial);
        facts.refusal(self.status, wait, self.documentation_url.as_deref())
    }

    /// Returns the body of a refusal, or the one that the gate has made already. Describes in the headers one that is
    /// made for this refusal.
    pub(super) fn write_body(
        &self,
        headers: &mut HeaderMap,
        facts: &RefusalFacts<'_>,
        made: Option<CustomBody>,
    ) -> Cow<'_, CustomBody> {
        let body = match (&self.body, made) {
            (_, Some(made)) => made,
            (PreparedBody::Empty, None) => return Cow::Owned(CustomBody::none()),
            (PreparedBody::Fixed(body), None) => return Cow::Borrowed(body),
            (PreparedBody::Filled { content_type, content }, None) => {
                let content = Bytes::from(content.fill(&self.refusal(facts)));
                CustomBody { content_type: content_type.clone(), content }
            }
            (PreparedBody::Problem(problem), None) => {
                let content = Bytes::from(problem.fill(&self.refusal(facts)));
                CustomBody { content_type: PROBLEM, content }
            }
            (PreparedBody::Custom(make), None) => make(&self.refusal(facts)),
        };
        describe(headers, &body);
        Cow::Owned(body)
    }

    /// Adds the scopes that the request needs to the challenges for Bearer.
    pub(super) fn name_scopes(&self, headers: &mut HeaderMap, denial: &Denial) {
        if let Denial::ScopeMissing { needed } = denial
            && self.names_scopes
        {
            challenge::add_scopes(headers, needed.as_str());
        }
    }

    /// Writes the headers of the row that depend on the refusal. `is_taken` returns true for a header that HTTP uses,
    /// or that the gate writes into other responses, too.
    pub(super) fn write_headers(
        &self,
        headers: &mut HeaderMap,
        facts: &RefusalFacts<'_>,
        is_taken: impl Fn(&HeaderName) -> bool,
    ) {
        if !self.own_headers.are_fixed() {
            self.own_headers.write(&self.refusal(facts), is_taken, headers);
        }
    }

    /// Returns the message of a gRPC call. `is_made` is true for a body of the gate's own function.
    pub(super) fn grpc_message(
        &self,
        body: &CustomBody,
        is_made: bool,
        facts: &RefusalFacts<'_>,
    ) -> Cow<'_, GrpcMessage> {
        match &self.grpc_message {
            PreparedMessage::Fixed(message) if !is_made => Cow::Borrowed(message),
            PreparedMessage::Filled(text) if !is_made => {
                Cow::Owned(GrpcMessage::new(&text.fill(&self.refusal(facts))))
            }
            _ => Cow::Owned(GrpcMessage::of_custom(body, self.status)),
        }
    }

    /// Returns the seconds to wait: those of the denial, else those of the row, at least 1.
    pub(super) fn retry_after(&self, denial: &Denial) -> Option<u64> {
        match denial {
            _ if !self.sends_retry_after => None,
            Denial::RateLimited { retry_after } | Denial::TooManyFailures { retry_after } => {
                Some(whole_seconds(*retry_after).max(1))
            }
            _ => self.own_retry_after(),
        }
    }

    /// Returns the row's seconds to wait. A 429 has them (RFC 6585 §4), unless the row sends none.
    fn own_retry_after(&self) -> Option<u64> {
        if !self.sends_retry_after {
            return None;
        }
        let limited = self.status == StatusCode::TOO_MANY_REQUESTS;
        let seconds = self.retry_after.map(u64::from).or_else(|| limited.then_some(1));
        seconds.map(|seconds| seconds.max(1))
    }
}

impl PreparedMessage {
    fn new(sentence: Option<&str>, row: RowFacts<'_>) -> Result<Self, ConfigError> {
        let Some(sentence) = sentence else { return Ok(Self::OfBody) };
        let text = TextTemplate::new(TextFormat::Plain, row, sentence)?;
        Ok(match text.fixed() {
            Some(fixed) => Self::Fixed(GrpcMessage::new(fixed)),
            None => Self::Filled(text),
        })
    }
}

/// Returns the headers without those that describe the body.
fn without_body(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(CONTENT_TYPE);
    headers.remove(CONTENT_LENGTH);
    headers
}

/// Writes the type and the length of a body.
fn describe(headers: &mut HeaderMap, body: &CustomBody) {
    headers.insert(CONTENT_TYPE, body.content_type.clone());
    headers.insert(CONTENT_LENGTH, number::value(body.content.len() as u64));
}
