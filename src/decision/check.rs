//! The checks and their order: the cheapest and least revealing first.

/// A check of the decision.
///
/// A gate runs the checks in the order of [`ALL`](Self::ALL), up to the first that refuses.
///
/// ```
/// use tower_api_key::decision::Check;
///
/// // A request over plain HTTP is refused before its key is read.
/// assert_eq!(Check::ALL[0], Check::Transport);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// The client used HTTPS, and this is proven.
    Transport,
    /// The request has a credential of a scheme that the profile reads.
    CredentialsPresent,
    /// The client's network has not failed to authenticate too often.
    FailedAttempts,
    /// The request has one credential only, or equal ones that the profile allows, and it follows its grammar.
    CredentialsWellFormed,
    /// The key fits a format of the profile, checksum included.
    KeyWellFormed,
    /// The store knows the key, and its audience is the gate's.
    KeyFound,
    /// The id that was presented beside the key is the key's, if the credential source has an id.
    PresentedId,
    /// The key is not revoked, disabled, expired, or used before its time.
    KeyAlive,
    /// The key belongs to the gate's environment.
    Environment,
    /// The credential source that carried the key accepts keys of its kind.
    CredentialScheme,
    /// The client's address is on the key's allowlist.
    ClientNetwork,
    /// The route accepts keys of this kind.
    KeyKind,
    /// The path names the key's own account.
    TargetAccount,
    /// The request has the headers that the profile requires.
    RequiredHeaders,
    /// The table has a route for the request, and the key has the scopes that the route needs.
    Scope,
    /// Every quota has room for the request.
    RequestLimits,
    /// The route has a permit for another simultaneous request of the account.
    SimultaneousRequests,
    /// The handler answers within the route's time budget.
    TimeBudget,
}

impl Check {
    /// All checks, in the order in which a gate runs them.
    pub const ALL: [Self; 18] = [
        Self::Transport,
        Self::CredentialsPresent,
        Self::FailedAttempts,
        Self::CredentialsWellFormed,
        Self::KeyWellFormed,
        Self::KeyFound,
        Self::PresentedId,
        Self::KeyAlive,
        Self::Environment,
        Self::CredentialScheme,
        Self::ClientNetwork,
        Self::KeyKind,
        Self::TargetAccount,
        Self::RequiredHeaders,
        Self::Scope,
        Self::RequestLimits,
        Self::SimultaneousRequests,
        Self::TimeBudget,
    ];

    /// The checks that decide whether a key is valid at all. A client whose key fails one is not
    /// authenticated.
    pub(super) const AUTHENTICATING: [Self; 4] =
        [Self::PresentedId, Self::KeyAlive, Self::Environment, Self::CredentialScheme];

    /// The checks that decide what an authenticated key may do.
    pub(super) const AUTHORIZING: [Self; 5] = [
        Self::ClientNetwork,
        Self::KeyKind,
        Self::TargetAccount,
        Self::RequiredHeaders,
        Self::Scope,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_judged_in_the_published_order() {
        let place = |check: &Check| Check::ALL.iter().position(|c| c == check).unwrap();
        let judged = [&Check::AUTHENTICATING[..], &Check::AUTHORIZING].concat();
        let places: Vec<usize> = judged.iter().map(place).collect();
        assert_eq!(places, (6..15).collect::<Vec<_>>());
    }
}
