//! The headers that report limits, as data.

use super::limit_field::LimitField;

/// Chooses the limit headers of a profile: a dialect, which of its headers are sent, and headers with names of
/// the vendor's own.
///
/// The headers describe the quota with the fewest requests left. If two quotas have as few, the headers
/// describe the one that resets last. They never describe a quota in shadow.
///
/// ```
/// use tower_api_key::profile::{Dialect, LimitHeaders, Reset};
///
/// /// `RateLimit-Remaining` and `RateLimit-Reset`, without `RateLimit-Limit`.
/// const TWO: LimitHeaders = LimitHeaders { limit: false, ..LimitHeaders::RATE_LIMIT };
/// assert_eq!(TWO.dialect, Dialect::RateLimit);
/// ```
///
/// The two headers of [`Dialect::Structured`] may stand beside three plain ones, for clients that know only those:
///
/// ```
/// use tower_api_key::profile::{LimitField, LimitHeaders};
///
/// const BOTH: LimitHeaders = LimitHeaders {
///     fields: LimitField::X_RATE_LIMIT,
///     unit: Some("requests"),
///     partition_keys: true,
///     ..LimitHeaders::STRUCTURED
/// };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitHeaders<'a> {
    /// The headers of a known kind, which [`limit`](Self::limit), [`remaining`](Self::remaining) and
    /// [`reset`](Self::reset) select from.
    pub dialect: Dialect,
    /// True to send the dialect's header for the limit, in requests.
    pub limit: bool,
    /// True to send the dialect's header for the requests that are left.
    pub remaining: bool,
    /// Whether to send the dialect's header for the reset, and in which unit.
    pub reset: Reset,
    /// Headers with names of the vendor's own, beside those of the dialect.
    pub fields: &'a [LimitField<'a>],
    /// The unit of the quotas, as the parameter `qu` of [`Dialect::Structured`]
    /// (draft-ietf-httpapi-ratelimit-headers-11 §3). The draft names `requests`, `content-bytes` and
    /// `concurrent-requests`, and clients assume `requests`. With another dialect a layer refuses a unit.
    pub unit: Option<&'a str>,
    /// True to send the parameter `pk` of [`Dialect::Structured`] (draft-ietf-httpapi-ratelimit-headers-11 §3
    /// and §4): the id of the account or the key that the quota counts by. The client learns this id. With another
    /// dialect a layer refuses it.
    pub partition_keys: bool,
}

/// Chooses the names of the limit headers.
///
/// ```
/// use tower_api_key::profile::{Dialect, LimitHeaders};
///
/// assert_eq!(LimitHeaders::X_RATE_LIMIT.dialect, Dialect::XRateLimit);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// No limit headers.
    None,
    /// `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`
    /// (draft-ietf-httpapi-ratelimit-headers up to 07).
    RateLimit,
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining`, `X-RateLimit-Reset`.
    XRateLimit,
    /// `RateLimit-Policy` and `RateLimit`: two headers that describe all quotas
    /// (draft-ietf-httpapi-ratelimit-headers-11 §3 and §4), as lists of RFC 9651.
    ///
    /// The switches `limit`, `remaining` and `reset` of [`LimitHeaders`] do not apply. The reset is the
    /// time until some of a quota is available again (§4.1.2). In the other dialects it is the time
    /// until all of it is.
    Structured,
}

/// Chooses the unit of a reset.
///
/// ```
/// use tower_api_key::profile::{Dialect, LimitHeaders, Reset};
///
/// /// Sends headers such as `X-RateLimit-Reset: 1800000060`.
/// const DATED: LimitHeaders = LimitHeaders { reset: Reset::UnixTime, ..LimitHeaders::X_RATE_LIMIT };
/// assert_eq!(DATED.dialect, Dialect::XRateLimit);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reset {
    /// No reset.
    Omitted,
    /// Whole seconds from now, rounded up.
    Seconds,
    /// Whole seconds since the Unix epoch, rounded up.
    UnixTime,
}

impl LimitHeaders<'_> {
    /// Sends no limit headers.
    pub const NONE: Self = Self {
        dialect: Dialect::None,
        limit: false,
        remaining: false,
        reset: Reset::Omitted,
        fields: &[],
        unit: None,
        partition_keys: false,
    };

    /// Sends `RateLimit-Limit`, `-Remaining` and `-Reset`.
    pub const RATE_LIMIT: Self = Self {
        dialect: Dialect::RateLimit,
        limit: true,
        remaining: true,
        reset: Reset::Seconds,
        ..Self::NONE
    };

    /// Sends `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
    pub const X_RATE_LIMIT: Self = Self { dialect: Dialect::XRateLimit, ..Self::RATE_LIMIT };

    /// Sends `RateLimit-Policy` and `RateLimit`.
    pub const STRUCTURED: Self = Self { dialect: Dialect::Structured, ..Self::RATE_LIMIT };
}
