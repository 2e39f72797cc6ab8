//! The proof that a request passed the gate.

use std::fmt;

use super::judge::Cleared;
use crate::denial::Denial;
use crate::key::{AccountId, Environment, KeyId, KeyKind, KeyRecord, ScopeSet, SharedRecord};
use crate::limits::{Standing, Verdict};
use crate::rules;

/// Proves that a request passed every check, and says who the key speaks for. It reaches the
/// handler in the request's extensions, and can only be made by a gate.
///
/// ```
/// use tower_api_key::{Denial, Grant};
///
/// fn create_dataset(grant: &Grant, name: &str) -> Result<String, Denial> {
///     grant.require("dataset.write")?; // the vendor's own 403, if not
///     Ok(format!("{}/{name}", grant.account()))
/// }
/// ```
#[derive(Clone)]
pub struct Grant {
    record: SharedRecord,
    verdict: Verdict,
}

impl Grant {
    /// Makes the grant of a request that the rules have cleared; none if the limiter's verdict does
    /// not let it pass.
    pub(crate) fn new(_: &Cleared, record: &SharedRecord, verdict: &Verdict) -> Option<Self> {
        let passed = verdict.retry_after().is_none();
        passed.then(|| Self { record: record.clone(), verdict: verdict.clone() })
    }

    /// Returns the account that the key speaks for. Object ids of a request are to be looked up
    /// within it, and nowhere else.
    pub fn account(&self) -> &AccountId {
        self.record.account().id()
    }

    /// Returns the key's name, for logs; it is not secret.
    pub fn key_id(&self) -> &KeyId {
        self.record.id()
    }

    /// Returns the environment of the key, if it has one.
    pub fn environment(&self) -> Option<&Environment> {
        self.record.environment()
    }

    /// Returns the kind of the key, if it has one.
    pub fn kind(&self) -> Option<&KeyKind> {
        self.record.kind()
    }

    /// Returns the permissions of the key, its own or inherited.
    pub fn scopes(&self) -> &ScopeSet {
        self.record.scopes()
    }

    /// Returns the whole record, as it was when the request came.
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// Returns how the account stands under its quotas after this request, in the order of the
    /// quotas: the key's, account's or profile's first, then the route's.
    pub fn standings(&self) -> &[Standing] {
        self.verdict.standings()
    }

    /// Asks for a permission that only the handler knows to be needed. Returned from an axum
    /// handler with `?`, the denial becomes the vendor's own 403; other services answer with
    /// [`refusal`](crate::refusal).
    ///
    /// # Errors
    ///
    /// [`Denial::ScopeMissing`] if the key does not have it.
    pub fn require(&self, scope: &str) -> Result<(), Denial> {
        rules::has_scopes(self.scopes(), &[scope], &[])
    }

    /// Asks for one permission of several.
    ///
    /// # Errors
    ///
    /// [`Denial::ScopeMissing`] if the key has none of them.
    pub fn require_any(&self, scopes: &[&str]) -> Result<(), Denial> {
        let any = scopes.iter().any(|scope| self.scopes().contains(scope));
        if any { Ok(()) } else { Err(rules::missing(&[], scopes)) }
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Grant")
            .field("account", self.account())
            .field("key_id", self.key_id())
            .finish_non_exhaustive()
    }
}
