//! One limit header with a name of the vendor's own, as data.

/// A limit header with a name of the vendor's own: an entry of
/// [`LimitHeaders::fields`](super::LimitHeaders::fields).
///
/// The header describes the quota with the fewest requests left, as
/// [`LimitHeaders`](super::LimitHeaders) does, unless [`of_quota`](Self::of_quota) names a quota. If the name
/// contains `{quota}`, the gate writes a header for each quota, with the quota's name in that place.
///
/// # Names
///
/// A layer refuses a name
///
/// * that HTTP does not allow;
/// * that HTTP, gRPC or the gate itself uses, such as `Date`, `Set-Cookie`, `Link`, `Content-…`,
///   `Access-Control-…`, or `…-Bin`;
/// * that another header of the profile can have: `x-{quota}` beside `x-reset`, or beside `x-left-{quota}`;
/// * that begins with `{quota}`. Before it the name needs a part that ends in `-`.
///
/// It compares names with `{quota}` as patterns. It also tries them with the quotas of the profile, plans and
/// routes, and refuses quotas that would need one name, such as `Minute` and `minute`.
///
/// Names of other quotas come with requests. A quota has no header if its name gives a name that HTTP does not allow
/// or that is used as above. Of two quotas whose names differ only in case, the first one has the header. The order
/// is that of [`AppliedQuotas::iter`](crate::quota::AppliedQuotas::iter), without quotas in shadow.
///
/// ```
/// use tower_api_key::profile::{LimitField, LimitHeaders, LimitValue};
///
/// /// Sends headers such as `x-ratelimit-remaining-requests: 59` and `x-ratelimit-reset-tokens: 6m0s`.
/// const HEADERS: LimitHeaders = LimitHeaders {
///     fields: &[
///         LimitField::new("x-ratelimit-limit-{quota}", LimitValue::Limit),
///         LimitField::new("x-ratelimit-remaining-{quota}", LimitValue::Remaining),
///         LimitField::new("x-ratelimit-reset-{quota}", LimitValue::ResetDuration).decimals(3),
///     ],
///     ..LimitHeaders::NONE
/// };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitField<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: LimitValue,
    pub(crate) quota: Option<&'a str>,
    pub(crate) except: &'a [&'a str],
    pub(crate) decimals: u8,
}

/// Chooses what a [`LimitField`] states.
///
/// ```
/// use tower_api_key::profile::{LimitField, LimitValue};
///
/// /// Sends headers such as `x-ratelimit-used: 41`.
/// const USED: LimitField = LimitField::new("x-ratelimit-used", LimitValue::Used);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitValue {
    /// The limit, in requests.
    Limit,
    /// How many requests are left.
    Remaining,
    /// How many requests of the limit are used.
    Used,
    /// Seconds until all of the limit is back.
    ResetSeconds,
    /// The instant at which all of the limit is back, in seconds since the Unix epoch.
    ResetUnixTime,
    /// The instant at which all of the limit is back, in UTC and whole seconds: `2027-01-15T08:00:00Z` (RFC 3339 §5.6).
    ResetTimestamp,
    /// The time until all of the limit is back, as Go writes a duration: `12ms`, `1s`, `6m0s`, `2h0m30.5s`.
    ResetDuration,
    /// The window of the quota, in seconds.
    Window,
    /// The name of the quota.
    QuotaName,
    /// What this request asked of the quota: the [cost](crate::rules::Route::cost) of its route, without what a handler
    /// adds or gives back.
    Cost,
}

impl<'a> LimitField<'a> {
    /// Sends `RateLimit-Limit`, `-Remaining` and `-Reset`, for
    /// [`LimitHeaders::fields`](super::LimitHeaders::fields) beside [`Dialect::Structured`](super::Dialect::Structured).
    pub const RATE_LIMIT: &'static [LimitField<'static>] = &[
        LimitField::new("ratelimit-limit", LimitValue::Limit),
        LimitField::new("ratelimit-remaining", LimitValue::Remaining),
        LimitField::new("ratelimit-reset", LimitValue::ResetSeconds),
    ];

    /// Sends `X-RateLimit-Limit`, `-Remaining` and `-Reset`, for
    /// [`LimitHeaders::fields`](super::LimitHeaders::fields) beside [`Dialect::Structured`](super::Dialect::Structured).
    pub const X_RATE_LIMIT: &'static [LimitField<'static>] = &[
        LimitField::new("x-ratelimit-limit", LimitValue::Limit),
        LimitField::new("x-ratelimit-remaining", LimitValue::Remaining),
        LimitField::new("x-ratelimit-reset", LimitValue::ResetSeconds),
    ];

    /// Describes a header by its [name](Self#names) and what it states.
    pub const fn new(name: &'a str, value: LimitValue) -> Self {
        Self { name, value, quota: None, except: &[], decimals: 0 }
    }

    /// Describes the quota of this name. A response to a request without this quota has no such header.
    pub const fn of_quota(mut self, name: &'a str) -> Self {
        self.quota = Some(name);
        self
    }

    /// Never describes a quota of these names, for quotas that clients get to know by refusals only.
    ///
    /// ```
    /// use tower_api_key::profile::{LimitField, LimitValue};
    ///
    /// const LEFT: LimitField =
    ///     LimitField::new("x-ratelimit-remaining", LimitValue::Remaining).except(&["burst"]);
    /// ```
    pub const fn except(mut self, quotas: &'a [&'a str]) -> Self {
        self.except = quotas;
        self
    }

    /// Sets the number of decimal places, 0 to 9: `700.0` with 1. Times are rounded up to it. In a
    /// [`ResetDuration`](LimitValue::ResetDuration) 0 to 3 places are allowed, and zeros at the end are left out. A
    /// [`ResetTimestamp`](LimitValue::ResetTimestamp) has none.
    pub const fn decimals(mut self, places: u8) -> Self {
        self.decimals = places;
        self
    }
}
