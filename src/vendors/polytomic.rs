//! Polytomic (Create API Key).
//!
//! Documented:
//!
//! * Bearer with a partner key or an API key. On premises only, Basic with the deployment key.
//! * Partner keys work on organization and user endpoints only, API keys on the others.
//! * `X-Polytomic-Version` is required.
//! * A 401 has another form of body than all other errors.
//!
//! Chosen where the documentation is silent:
//!
//! * The deployment key is the password with any user name, or the user name with an empty password. It
//!   is never a Bearer token, and may do everything.
//! * The wrong kind of key is 403.
//! * Any calendar date is a version.
//! * A malformed header is an invalid token, so 401 (RFC 6750 §3.1 counts it as one).
//! * A path that names another organization, or one that does not exist, is 404.

use http::{Method, StatusCode};

use super::OUTAGE_SECONDS;
use crate::key::{Alphabet, KeyFormat};
use crate::profile::{
    Answer, Answers, BasicKey, Challenge, CredentialSource, ErrorBody, Expected, LimitHeaders,
    Profile, RequiredHeader,
};
use crate::rules::{Route, RouteRow};

/// Names the kind of a key that issues keys for the organizations of a partner.
///
/// ```
/// use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::vendors::polytomic::PARTNER;
///
/// let agency = Account::builder("agency").build()?;
/// let record = KeyRecord::builder("key_1", agency).kind(PARTNER).build()?;
/// assert!(record.kind().is_some_and(|kind| *kind == PARTNER));
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
pub const PARTNER: &str = "partner";
/// Names the kind of an API key, which belongs to one organization.
pub const ORGANIZATION: &str = "organization";
/// Names the kind of the key to a whole deployment on premises.
pub const DEPLOYMENT: &str = "deployment";

const MISSING: Answer = unauthorized("No API key was provided").challenge(Challenge::Bare);
const INVALID: Answer = unauthorized("The API key is invalid").challenge(Challenge::InvalidToken);
const FORBIDDEN: Answer = answer(StatusCode::FORBIDDEN, "forbidden", "Permission denied");
const NOT_FOUND: Answer = answer(StatusCode::NOT_FOUND, "not_found", "Not found");
const LIMITED: Answer =
    answer(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests");
const UNAVAILABLE: Answer = answer(
    StatusCode::SERVICE_UNAVAILABLE,
    "service_unavailable",
    "The service is temporarily unavailable",
)
.retry_after(OUTAGE_SECONDS);

const fn unauthorized(error: &'static str) -> Answer<'static> {
    Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::CodeAndContext { error })
}

const fn answer(status: StatusCode, key: &'static str, message: &'static str) -> Answer<'static> {
    Answer::new(status, ErrorBody::KeyAndMetadata { key, message })
}

const fn bad_request(key: &'static str, message: &'static str) -> Answer<'static> {
    answer(StatusCode::BAD_REQUEST, key, message).challenge(Challenge::InvalidRequest)
}

const BEARER: CredentialSource = CredentialSource::bearer().only(&[PARTNER, ORGANIZATION]);

/// Describes how Polytomic authenticates requests as a hosted service: by Bearer only.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
///
/// let layer = ApiKeyLayer::builder(vendors::POLYTOMIC, MemoryStore::new()).build()?;
/// let answer = layer.answer(&Denial::AccountMismatch);
/// assert_eq!(answer.body(), r#"{"key":"not_found","message":"Not found","metadata":{},"status":404}"#);
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub(super) const PROFILE: Profile = Profile {
    name: "Polytomic",
    realm: "Polytomic",
    credentials: &[BEARER],
    formats: &[
        KeyFormat::new().literal("pk_live_").characters(Alphabet::LowerHex, 32),
        KeyFormat::uuid(),
    ],
    required_headers: &[RequiredHeader { name: "x-polytomic-version", expected: Expected::Date }],
    quotas: &[],
    limit_headers: LimitHeaders::NONE,
    principal_headers: &[],
    request_id: None,
    response_headers: &[],
    challenges: &[],
    answers_by_path: &[],
    answers: Answers {
        insecure_transport: bad_request("https_required", "HTTPS is required"),
        credentials_missing: MISSING,
        scheme_unsupported: MISSING,
        too_many_failures: LIMITED,
        credentials_ambiguous: bad_request(
            "invalid_request",
            "More than one Authorization header was sent",
        ),
        credentials_malformed: INVALID,
        key_malformed: INVALID,
        key_unknown: INVALID,
        key_revoked: INVALID,
        key_disabled: INVALID,
        key_not_yet_valid: INVALID,
        key_expired: INVALID,
        environment_mismatch: INVALID,
        network_not_allowed: FORBIDDEN,
        scheme_not_for_kind: INVALID,
        route_unknown: NOT_FOUND,
        kind_not_allowed: FORBIDDEN,
        account_mismatch: NOT_FOUND,
        header_refused: bad_request(
            "invalid_version",
            "The X-Polytomic-Version header is missing or invalid",
        ),
        scope_missing: FORBIDDEN.challenge(Challenge::InsufficientScope),
        rate_limited: LIMITED,
        concurrency_exceeded: LIMITED,
        timed_out: answer(StatusCode::SERVICE_UNAVAILABLE, "timeout", "The request took too long"),
        internal_error: answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "Internal error",
        ),
        store_unavailable: UNAVAILABLE,
        limiter_unavailable: UNAVAILABLE,
    },
};

/// Describes how Polytomic authenticates requests on premises: by Bearer, and by Basic with the
/// deployment key.
///
/// ```
/// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
///
/// let layer = ApiKeyLayer::builder(vendors::POLYTOMIC_ON_PREMISES, MemoryStore::new()).build()?;
/// let answer = layer.answer(&Denial::CredentialsMissing);
/// assert_eq!(answer.headers().get_all("www-authenticate").iter().count(), 2); // Basic and Bearer
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
pub(super) const ON_PREMISES: Profile = Profile {
    credentials: &[CredentialSource::basic(BasicKey::UserOrPassword).only(&[DEPLOYMENT]), BEARER],
    ..PROFILE
};

/// Describes the keys to issue, with 128 random bits. The profile accepts UUIDs, too.
pub const ISSUED: KeyFormat =
    KeyFormat::new().literal("pk_live_").characters(Alphabet::LowerHex, 32);

/// Lists the documented routes: organizations and users for partner keys, the others for API keys.
pub const ROUTES: &[RouteRow] = &[
    row(&[Method::GET], "/api/me", Route::new()),
    row(&[Method::GET], "/api/organizations", MANAGING),
    row(&[Method::GET], "/api/organizations/{org}/users", MANAGING),
    row(&[Method::POST], "/api/organizations/{org}/users/{user}/keys", MANAGING),
    row(&[Method::GET], "/api/bulk/syncs", WORKING),
];

const MANAGING: Route = Route::new().kinds(&[PARTNER, DEPLOYMENT]);
const WORKING: Route = Route::new().kinds(&[ORGANIZATION, DEPLOYMENT]);

const fn row(
    methods: &'static [Method],
    path: &'static str,
    route: Route<'static>,
) -> RouteRow<'static> {
    RouteRow { methods, path, route }
}
