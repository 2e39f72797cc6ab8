//! Which limit headers a profile sends.

/// Chooses the limit headers of a profile: a dialect, and which of its fields. They speak of the
/// quota nearest to its end: the fewest requests left, and on a tie the one that resets last; never
/// of one in shadow.
///
/// ```
/// use tower_api_key::profile::{Dialect, LimitHeaders, Reset};
///
/// /// `RateLimit-Remaining` and `RateLimit-Reset`, without `RateLimit-Limit`.
/// const TWO: LimitHeaders = LimitHeaders { limit: false, ..LimitHeaders::RATE_LIMIT };
/// assert_eq!(TWO.dialect, Dialect::RateLimit);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitHeaders {
    /// The names of the fields.
    pub dialect: Dialect,
    /// Whether the limit is sent.
    pub limit: bool,
    /// Whether the requests left are sent.
    pub remaining: bool,
    /// Whether and how the reset is sent.
    pub reset: Reset,
}

/// Chooses the names of the limit fields.
///
/// ```
/// use tower_api_key::profile::{Dialect, LimitHeaders};
///
/// assert_eq!(LimitHeaders::X_RATE_LIMIT.dialect, Dialect::XRateLimit);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// No limit headers at all.
    None,
    /// `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`
    /// (draft-ietf-httpapi-ratelimit-headers up to 07).
    RateLimit,
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining`, `X-RateLimit-Reset`.
    XRateLimit,
    /// `RateLimit-Policy` and `RateLimit`, structured fields of all quotas at once
    /// (draft-ietf-httpapi-ratelimit-headers-11 §3 and §4). The three switches do not apply. A reset
    /// is when more of a quota is back (§4.1.2), where the other dialects tell when all of it is.
    Structured,
}

/// Chooses how a reset is told.
///
/// ```
/// use tower_api_key::profile::{Dialect, LimitHeaders, Reset};
///
/// /// `X-RateLimit-Reset: 1800000060`, say
/// const DATED: LimitHeaders = LimitHeaders { reset: Reset::UnixTime, ..LimitHeaders::X_RATE_LIMIT };
/// assert_eq!(DATED.dialect, Dialect::XRateLimit);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reset {
    /// Not at all.
    Omitted,
    /// As whole seconds from now, rounded up.
    Seconds,
    /// As whole seconds since the Unix epoch, rounded up.
    UnixTime,
}

impl LimitHeaders {
    /// Sends no limit headers.
    pub const NONE: Self =
        Self { dialect: Dialect::None, limit: false, remaining: false, reset: Reset::Omitted };

    /// Sends `RateLimit-Limit`, `-Remaining` and `-Reset`.
    pub const RATE_LIMIT: Self =
        Self { dialect: Dialect::RateLimit, limit: true, remaining: true, reset: Reset::Seconds };

    /// Sends `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
    pub const X_RATE_LIMIT: Self = Self { dialect: Dialect::XRateLimit, ..Self::RATE_LIMIT };

    /// Sends `RateLimit-Policy` and `RateLimit`.
    pub const STRUCTURED: Self = Self { dialect: Dialect::Structured, ..Self::RATE_LIMIT };
}
