//! What a gate did instead of its limiter.

/// What a gate did with a charge that its limiter could not answer.
///
/// ```
/// use tower_api_key::Observer;
/// use tower_api_key::limits::{LimiterError, LimiterFallback};
///
/// struct Alarm;
///
/// impl Observer for Alarm {
///     fn limiter_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
///         match fallback {
///             LimiterFallback::Denied => eprintln!("clients get 503: {error}"),
///             LimiterFallback::Allowed => eprintln!("requests are not counted: {error}"),
///             _ => eprintln!("{error}"),
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimiterFallback {
    /// The gate refused the request with 503.
    Denied,
    /// The request passed uncounted. If the handler had added a cost, this cost is lost.
    Allowed,
    /// The gate counted the request in this process alone. The request passed, or a quota refused it.
    Local,
    /// The limiter could not give a cost back. The cost stays taken.
    NotRefunded,
    /// The failure had no effect: the gate refused the request for another reason, and the response shows no
    /// limits.
    Immaterial,
}

impl LimiterFallback {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Denied, Self::Allowed, Self::Local, Self::NotRefunded, Self::Immaterial];

    /// Returns the name, for logs and metrics: `denied`, `allowed`, `local`, `not_refunded` or `immaterial`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Allowed => "allowed",
            Self::Local => "local",
            Self::NotRefunded => "not_refunded",
            Self::Immaterial => "immaterial",
        }
    }
}
