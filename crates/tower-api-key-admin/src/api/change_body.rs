//! A request that changes something: its body, condition, reason and idempotency key.

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tower_api_key::store::{IdempotencyKey, Version};

use super::asking::Asking;
use super::problem::Problem;
use super::strict::{self, MOST_BYTES};
use crate::management::{Caller, ChangeRequest, Management, ManagementError};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest reason, in characters.
pub(super) const LONGEST_REASON: usize = 500;

/// The version of nothing.
const NO_VERSION: &str = "00000000000000000000000000000000";

/// A request that changes something.
pub(super) struct ChangeBody {
    pub(super) caller: Caller,
    headers: HeaderMap,
    body: Bytes,
    reason: Option<String>,
    version: Option<Version>,
    /// Whether the request says which state it changes.
    conditional: bool,
    if_absent: bool,
    once: Option<(String, [u8; 32])>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonParameter {
    reason: Option<String>,
}

impl FromRequest<Management> for ChangeBody {
    type Rejection = Problem;

    async fn from_request(request: Request, management: &Management) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Asking(caller) = Asking::from_request_parts(&mut parts, management).await?;
        let ReasonParameter { reason } = strict::query(parts.uri.query())?;
        check_reason(reason.as_deref())?;
        let (conditional, version) = if_match(&parts.headers)?;
        let if_absent = match one(&parts.headers, &header::IF_NONE_MATCH)? {
            // An empty list of tags is no condition (RFC 9110 §5.6.1.2).
            None | Some("") => false,
            Some("*") => true,
            Some(_) => return Err(Problem::bad_request("If-None-Match: only * is supported")),
        };
        let body = to_bytes(body, MOST_BYTES).await.map_err(|_| too_large(&parts.headers))?;
        let once = match one(&parts.headers, &IDEMPOTENCY_KEY)? {
            None => None,
            Some(name) if name.is_empty() || name.len() > 255 => {
                return Err(Problem::bad_request("Idempotency-Key: 1 to 255 characters"));
            }
            Some(name) => {
                let mut hash = Sha256::new();
                let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
                for part in [parts.method.as_str().as_bytes(), target.as_bytes(), &body] {
                    hash.update((part.len() as u64).to_be_bytes());
                    hash.update(part);
                }
                Some((name.to_owned(), hash.finalize().into()))
            }
        };
        let headers = parts.headers;
        Ok(Self { caller, headers, body, reason, version, conditional, if_absent, once })
    }
}

impl ChangeBody {
    /// Reads the body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        strict::json(&self.headers, &self.body)
    }

    /// Refuses a body, for operations that have none.
    pub(super) fn no_body(&self) -> Result<(), Problem> {
        if self.body.is_empty() {
            return Ok(());
        }
        Err(Problem::bad_request("this operation takes no body"))
    }

    /// Refuses a condition, for operations on what has no version: a counter, a key that is new, a question. A condition that
    /// is not looked at would be one that holds.
    pub(super) fn no_condition(&self) -> Result<(), Problem> {
        if self.conditional {
            return Err(not_supported(&header::IF_MATCH));
        }
        self.no_absence()
    }

    /// Refuses the condition that there is nothing yet, for operations on what must be there.
    pub(super) fn no_absence(&self) -> Result<(), Problem> {
        if self.if_absent { Err(not_supported(&header::IF_NONE_MATCH)) } else { Ok(()) }
    }

    /// Requires a version that the caller saw, or `*` for whatever is there.
    pub(super) fn require_condition(&self) -> Result<(), Problem> {
        self.no_absence()?;
        if self.conditional { Ok(()) } else { Err(ManagementError::VersionMissing.into()) }
    }

    /// Requires a version that the caller saw, or that there was none.
    pub(super) fn require_condition_or_absence(&self) -> Result<(), Problem> {
        if self.if_absent { Ok(()) } else { self.require_condition() }
    }

    pub(super) const fn is_if_absent(&self) -> bool {
        self.if_absent
    }

    /// Returns how the change is asked for.
    pub(super) fn request(&self) -> ChangeRequest<'_> {
        let request = ChangeRequest::new().because(self.reason.as_deref().unwrap_or_default());
        let request = self.version.map_or(request, |version| request.if_version(version));
        let request = if self.if_absent { request.if_absent() } else { request };
        let once = self.once.as_ref();
        once.map_or(request, |(name, print)| request.once(IdempotencyKey::new(name, print)))
    }
}

/// Checks a reason, which the trail keeps.
pub(super) fn check_reason(reason: Option<&str>) -> Result<(), Problem> {
    if reason.is_none_or(|reason| reason.chars().count() <= LONGEST_REASON) {
        return Ok(());
    }
    let problem = format!("at most {LONGEST_REASON} characters are allowed");
    Err(ManagementError::invalid("reason", problem).into())
}

/// Reads If-Match: whether it is there, and its version. `*` matches any version.
fn if_match(headers: &HeaderMap) -> Result<(bool, Option<Version>), Problem> {
    let Some(text) = one(headers, &header::IF_MATCH)? else { return Ok((false, None)) };
    if text == "*" {
        return Ok((true, None));
    }
    let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match tag.map(str::parse) {
        Some(Ok(version)) => Ok((true, Some(version))),
        // Another entity tag is well formed, and matches nothing. So is an empty list (RFC 9110 §5.6.1.2), and a weak
        // tag never matches.
        _ if text.is_empty() || (text.ends_with('"') && !text.contains(',')) => {
            Ok((true, NO_VERSION.parse().ok()))
        }
        _ => Err(Problem::bad_request("If-Match: send one ETag as you have read it, in quotes")),
    }
}

/// Returns the value of a header that may be there once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    let text = first.map(|value| value.to_str().map(str::trim)).transpose();
    match (text, second) {
        (Ok(text), None) => Ok(text),
        _ => Err(Problem::bad_request(format!("{name}: send it once, in visible ASCII"))),
    }
}

fn not_supported(header: &HeaderName) -> Problem {
    Problem::bad_request(format!("{header}: this operation does not support it: leave it out"))
}

fn too_large(headers: &HeaderMap) -> Problem {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let fits = length
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| length <= MOST_BYTES);
    if fits {
        return Problem::bad_request("the body ended early");
    }
    let detail = "the body has over 65536 bytes: send less";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
}
