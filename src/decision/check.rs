//! The order of the checks: cheapest and least revealing first.

/// Names a check. The order of [`ALL`](Self::ALL) is the order in which requests meet them.
///
/// ```
/// use tower_api_key::decision::Check;
///
/// // Nothing is read of a key that came in the clear.
/// assert_eq!(Check::ALL[0], Check::Transport);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// HTTPS is proven.
    Transport,
    /// A credential came.
    CredentialsPresent,
    /// Not too many attempts of the client's network have failed.
    FailedAttempts,
    /// It is one, and follows its grammar.
    CredentialsWellFormed,
    /// The key fits a format, checksum included.
    KeyWellFormed,
    /// The store knows it.
    KeyFound,
    /// It is not revoked, disabled, expired, or early.
    KeyAlive,
    /// It belongs to the gate's environment.
    Environment,
    /// Its kind is served through the scheme that carried it.
    CredentialScheme,
    /// The client's address is on its allowlist.
    ClientNetwork,
    /// Its kind is served by the route.
    KeyKind,
    /// The path targets its own account.
    TargetAccount,
    /// The headers that the vendor demands are there.
    RequiredHeaders,
    /// The route is known, and the key has the scopes that it needs.
    Scope,
    /// The request limits have room.
    RequestLimits,
    /// The route has a free place.
    SimultaneousRequests,
    /// The service answers in time.
    TimeBudget,
}

impl Check {
    /// Lists all checks, in order.
    pub const ALL: [Self; 17] = [
        Self::Transport,
        Self::CredentialsPresent,
        Self::FailedAttempts,
        Self::CredentialsWellFormed,
        Self::KeyWellFormed,
        Self::KeyFound,
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

    /// The checks of a record that decide whether the key serves at all; a refusal here is that of
    /// a stranger.
    pub(super) const AUTHENTICATING: [Self; 3] =
        [Self::KeyAlive, Self::Environment, Self::CredentialScheme];

    /// The checks of what an authenticated key may do.
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
        assert_eq!(places, (6..14).collect::<Vec<_>>());
    }
}
