//! The decision about a request, in one word.

use std::fmt;
use std::str::FromStr;

use crate::error::UnknownName;

/// The decision about a request, in one word.
///
/// ```
/// use tower_api_key::decision::RequestDecision;
///
/// assert_eq!("anonymous".parse(), Ok(RequestDecision::Anonymous));
/// assert_eq!(RequestDecision::Anonymous.to_string(), "anonymous");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestDecision {
    /// The gate admitted a request with a valid key.
    Admitted,
    /// The gate admitted a request without a key.
    Anonymous,
    /// The gate admitted or answered a preflight.
    Preflight,
    /// The gate, the handler or the time budget refused the request.
    Refused,
    /// The gate did not judge the request: the client hung up before the decision, or a proxy did not state the
    /// request that it asked about.
    Unjudged,
}

impl RequestDecision {
    /// All decisions.
    pub const ALL: [Self; 5] =
        [Self::Admitted, Self::Anonymous, Self::Preflight, Self::Refused, Self::Unjudged];

    /// Returns the name of the decision, for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Anonymous => "anonymous",
            Self::Preflight => "preflight",
            Self::Refused => "refused",
            Self::Unjudged => "unjudged",
        }
    }
}

impl fmt::Display for RequestDecision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for RequestDecision {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|decision| decision.name() == name);
        known.ok_or(UnknownName::new(
            "decision",
            "`admitted`, `anonymous`, `preflight`, `refused` or `unjudged`",
        ))
    }
}
