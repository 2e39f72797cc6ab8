//! Whom a list of trusted proxies is meant to trust.

/// Which peers a list is meant to trust. A layer refuses a list that trusts others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trust {
    None,
    /// The peers that are listed, and not the whole internet.
    Listed,
    All,
}
