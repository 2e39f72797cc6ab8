//! Problem details (RFC 9457).

/// Describes a body in the format of RFC 9457, for [`ErrorBody::Problem`](super::ErrorBody::Problem).
///
/// The gate writes the members `type`, `title`, `status`, `detail` and `instance` in this order, then the extension
/// members. It leaves out an empty detail, and members with facts that it does not know. The texts may have
/// placeholders, except for the type.
///
/// A layer refuses a type or an instance that is no URI reference (RFC 3986 §4.1), an instance that names another
/// host without a scheme, a member that is listed twice or has a name of the standard's own, and a value that is not
/// JSON.
///
/// ```
/// use http::StatusCode;
/// use tower_api_key::profile::{Answer, Answers, ErrorBody, Problem, ProblemMember, ProblemValue};
/// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore};
///
/// const CODE: ProblemMember =
///     ProblemMember { name: "code", value: ProblemValue::Json("20003") };
/// const NO: Problem = Problem::new("https://example.com/problems/route", "No such route", "")
///     .instance("{path}")
///     .members(&[CODE]);
/// const ROW: Answer = Answer::new(StatusCode::NOT_FOUND, ErrorBody::Problem(NO));
///
/// let answers = Answers { route_unknown: ROW, ..Profile::STANDARD.answers };
/// let layer = ApiKeyLayer::builder(Profile { answers, ..Profile::STANDARD }, MemoryStore::new()).build()?;
/// assert_eq!(
///     layer.answer(&Denial::RouteUnknown).body(), // without a request, so without `instance`
///     r#"{"type":"https://example.com/problems/route","title":"No such route","status":404,"code":20003}"#
/// );
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem<'a> {
    pub(crate) kind: &'a str,
    pub(crate) title: &'a str,
    pub(crate) detail: &'a str,
    pub(crate) instance: Option<&'a str>,
    pub(crate) members: &'a [ProblemMember<'a>],
}

/// An extension member of a [`Problem`] (RFC 9457 §3.2).
///
/// ```
/// use tower_api_key::profile::{ProblemMember, ProblemValue};
///
/// const BALANCE: ProblemMember =
///     ProblemMember { name: "needed", value: ProblemValue::Text("{needed_scopes}") };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemMember<'a> {
    /// The member's name.
    pub name: &'a str,
    /// The member's value.
    pub value: ProblemValue<'a>,
}

/// Chooses the value of a [`ProblemMember`].
///
/// ```
/// use tower_api_key::profile::ProblemValue;
///
/// const LINKS: ProblemValue = ProblemValue::Json(r#"["https://example.com/plans"]"#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemValue<'a> {
    /// A string, which may have placeholders.
    Text(&'a str),
    /// A JSON value, as in [`ErrorBody::Json`](super::ErrorBody::Json): its strings may have placeholders, and
    /// `"{#retry_after}"` becomes a number.
    Json(&'a str),
    /// An array of the names of the quotas that had no room for the request, as in `RateLimit-Policy`.
    ViolatedPolicies,
}

impl<'a> Problem<'a> {
    /// Describes a problem by its type, title and detail. With the type `about:blank` the title is the reason phrase
    /// of the status (RFC 9457 §4.2.1).
    pub const fn new(kind: &'a str, title: &'a str, detail: &'a str) -> Self {
        Self { kind, title, detail, instance: None, members: &[] }
    }

    /// Describes a quota that is used up: type `quota-exceeded` of draft-ietf-httpapi-ratelimit-headers-11 §5.1, which
    /// the draft recommends for status 429. The member `violated-policies` names the quotas.
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_api_key::profile::{Answer, ErrorBody, Problem};
    ///
    /// const LIMITED: Answer = Answer::new(
    ///     StatusCode::TOO_MANY_REQUESTS,
    ///     ErrorBody::Problem(Problem::quota_exceeded("Try again later.")),
    /// );
    /// ```
    pub const fn quota_exceeded(detail: &'a str) -> Self {
        let kind = "https://iana.org/assignments/http-problem-types#quota-exceeded";
        Self::new(kind, "Quota Exceeded", detail).members(VIOLATED)
    }

    /// Describes a service that can do less for now: type `temporary-reduced-capacity` of
    /// draft-ietf-httpapi-ratelimit-headers-11 §5.2, which the draft recommends for status 503.
    pub const fn temporary_reduced_capacity(detail: &'a str) -> Self {
        let kind = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
        Self::new(kind, "Temporary Reduced Capacity", detail).members(VIOLATED)
    }

    /// Describes requests that look like an attack or a mistake: type `abnormal-usage-detected` of
    /// draft-ietf-httpapi-ratelimit-headers-11 §5.3, which the draft recommends for status 429.
    pub const fn abnormal_usage_detected(detail: &'a str) -> Self {
        let kind = "https://iana.org/assignments/http-problem-types#abnormal-usage-detected";
        Self::new(kind, "Abnormal Usage Detected", detail).members(VIOLATED)
    }

    /// Sets the URI reference for this occurrence, with placeholders: `{path}` for the request's path, or
    /// `urn:uuid:{request_id}`. The gate leaves it out if the path would make it ambiguous, or has over 512 bytes when it
    /// is percent-encoded.
    pub const fn instance(mut self, reference: &'a str) -> Self {
        self.instance = Some(reference);
        self
    }

    /// Sets the extension members.
    pub const fn members(mut self, members: &'a [ProblemMember<'a>]) -> Self {
        self.members = members;
        self
    }
}

impl ProblemMember<'static> {
    /// Names the quotas that had no room for the request. The gate leaves the member out of other refusals.
    pub const VIOLATED_POLICIES: Self =
        Self { name: "violated-policies", value: ProblemValue::ViolatedPolicies };
}

const VIOLATED: &[ProblemMember<'static>] = &[ProblemMember::VIOLATED_POLICIES];
