//! The choice of what happens to requests while the limiter cannot answer.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::error::UnknownName;

/// What a gate does with a request while the limiter cannot answer.
///
/// There is no default, because every choice has a price. A gate has one choice for all quotas, and a
/// [quota](crate::quota::Quota::with_failure_choice) may have its own. If one quota of a request denies, the
/// gate refuses the request, whatever the other quotas choose.
///
/// ```
/// use tower_api_key::limits::MemoryLimiter;
/// use tower_api_key::quota::OnLimiterFailure;
/// use tower_api_key::{ApiKeyLayer, Denial, store::MemoryStore, vendors};
///
/// let layer = ApiKeyLayer::builder(vendors::PERSONA, MemoryStore::new())
///     .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
///     .build()?;
/// let answer = layer.answer(&Denial::LimiterUnavailable);
/// assert_eq!(answer.status(), 503);
/// assert_eq!(answer.headers()["retry-after"], "5");
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
///
/// `Display` and `FromStr` use the same form as databases and the command line:
///
/// ```
/// use tower_api_key::quota::OnLimiterFailure;
///
/// let choice: OnLimiterFailure = "local/3".parse()?;
/// assert_eq!(choice.to_string(), "local/3");
/// # Ok::<(), tower_api_key::UnknownName>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnLimiterFailure {
    /// Refuses the request with 503. The limit holds, and the service does not answer.
    Deny,
    /// Lets the request pass uncounted. The service answers, and the limit does not hold.
    Allow,
    /// Counts the request in this process, against this node's share of the limit. The service answers, and the
    /// limit holds if requests spread evenly over the nodes.
    ///
    /// Every node starts with a fresh share when the limiter fails. Afterwards the limiter does not learn what
    /// the node counted. So around either moment an account can have its limit twice in a window.
    Local(Share),
}

impl FromStr for OnLimiterFailure {
    type Err = UnknownName;

    /// Parses `deny`, `allow` or `local/NODES`, as `Display` writes them.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let nodes = |nodes: &str| nodes.parse().ok().map(|nodes| Self::Local(Share::of(nodes)));
        let choice = match text.split_once('/') {
            None if text == "deny" => Some(Self::Deny),
            None if text == "allow" => Some(Self::Allow),
            Some(("local", number)) => nodes(number),
            _ => None,
        };
        choice.ok_or(UnknownName::new("choice", "`deny`, `allow` or `local/NODES`"))
    }
}

impl fmt::Display for OnLimiterFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deny => formatter.write_str("deny"),
            Self::Allow => formatter.write_str("allow"),
            Self::Local(share) => write!(formatter, "local/{}", share.nodes()),
        }
    }
}

/// The number of nodes that share a limit while each node counts by itself.
///
/// ```
/// use std::num::NonZeroU32;
/// use tower_api_key::quota::Share;
///
/// let share = Share::of(NonZeroU32::new(4).unwrap());
/// assert_eq!(share.limit(100), 25);
/// assert_eq!(share.limit(3), 1, "at least 1, or the node would refuse every request");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(NonZeroU32);

impl Share {
    /// Creates an even share of this many nodes. With more nodes than that, an account can have more than its
    /// limit. With fewer nodes, it cannot use all of its limit.
    pub const fn of(nodes: NonZeroU32) -> Self {
        Self(nodes)
    }

    /// Returns the number of nodes that share a limit.
    pub const fn nodes(self) -> NonZeroU32 {
        self.0
    }

    /// Returns this node's share of a limit, rounded down, and at least 1.
    pub const fn limit(self, of: u32) -> u32 {
        let share = of / self.0.get();
        if share == 0 { 1 } else { share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_written_as_it_is_read() {
        let local = |nodes| OnLimiterFailure::Local(Share::of(NonZeroU32::new(nodes).unwrap()));
        for (text, choice) in [
            ("deny", OnLimiterFailure::Deny),
            ("allow", OnLimiterFailure::Allow),
            ("local/1", local(1)),
            ("local/12", local(12)),
        ] {
            assert_eq!(text.parse(), Ok(choice), "{text}");
            assert_eq!(choice.to_string(), text);
        }
        for text in ["", "Deny", "allow ", "local", "local/", "local/0", "local/x", "deny/1", "a/2"]
        {
            assert!(text.parse::<OnLimiterFailure>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_node_has_a_share() {
        let share = Share::of(NonZeroU32::new(4).unwrap());
        for (limit, of_node) in [(100, 25), (11, 2), (4, 1), (3, 1), (1, 1)] {
            assert_eq!(share.limit(limit), of_node, "of {limit}");
        }
    }
}
