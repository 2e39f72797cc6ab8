//! Key records, which hold all that a decision needs to know about a key.

use std::sync::Arc;

use super::account::Account;
use super::bookmark::Bookmark;
use super::details::Details;
use super::form::KeyForm;
use super::invalid::InvalidRecord;
use super::name::{Audience, Environment, KeyId, KeyKind, PlanName};
use super::network::Networks;
use super::scope::ScopeSet;
use crate::clock::Timestamp;
use crate::quota::Quotas;

/// Describes one key at one moment. It holds neither the key nor its digest.
///
/// ```
/// use tower_api_key::key::{Account, KeyRecord};
///
/// let acme = Account::builder("acme").scopes(["users.read", "users.write"]).build()?;
/// let reader = KeyRecord::builder("key_1", acme)
///     .scopes(["users.read"])
///     .networks(["10.1.2.0/24"])
///     .build()?;
/// assert!(!reader.scopes().contains("users.write"));
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and a byte")]
pub struct KeyRecord {
    pub(super) id: KeyId,
    pub(super) account: Arc<Account>,
    /// The key's own scopes, or else its account's.
    scopes: ScopeSet,
    pub(super) expires: Timestamp,
    // Plain keys have no details. Without them, a record takes 112 bytes with its digest.
    pub(super) details: Option<Arc<Details>>,
    account_tag: u64,
    bookmark: Bookmark,
    pub(super) revoked: bool,
    pub(super) disabled: bool,
    // Copied from the account. Reading it there is another cache miss, which takes a third as long as
    // the rest of a decision.
    account_disabled: bool,
    counted_by: CountedBy,
    /// True if the details name an audience. Most do not, and are then not read.
    has_audience: bool,
    /// True if a replica could not read the record of this key.
    unreadable: bool,
}

/// Whose quotas count the requests of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum CountedBy {
    #[default]
    Profile,
    /// Its account's plan.
    Plan,
    /// Its own, or its account's.
    Own,
}

impl KeyRecord {
    /// Creates a record without details, which is to be [settled](Self::settled).
    pub(super) fn new(id: KeyId, account: Arc<Account>) -> Self {
        Self {
            id,
            account,
            scopes: ScopeSet::default(),
            expires: Timestamp::MAX,
            details: None,
            account_tag: 0,
            bookmark: Bookmark::default(),
            revoked: false,
            disabled: false,
            account_disabled: false,
            counted_by: CountedBy::Profile,
            has_audience: false,
            unreadable: false,
        }
    }

    /// Returns a record that no request passes with: expired, revoked and disabled.
    pub(super) fn placeholder() -> Self {
        Self {
            expires: Timestamp::default(),
            revoked: true,
            disabled: true,
            account_disabled: true,
            ..Self::new(KeyId::fixed("placeholder"), Arc::new(Account::placeholder()))
        }
    }

    /// Returns a record for one that could not be read. No request passes with it, and no account has the id of its
    /// account.
    #[cfg(feature = "replica")]
    pub(crate) fn unreadable(id: impl Into<Option<KeyId>>) -> Self {
        let id = id.into().unwrap_or(KeyId::fixed(""));
        Self { id, unreadable: true, ..Self::placeholder() }
    }

    /// Returns true if the record stands for one that could not be read.
    #[cfg(feature = "replica")]
    pub(crate) const fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// Creates a record for a test, without details.
    #[cfg(test)]
    pub(crate) fn bare(id: &str, account: &str) -> Self {
        let account = Account::builder(account).build().unwrap();
        Self::builder(id, account).build().unwrap()
    }

    /// Returns the key's id, for logs and administration.
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// Returns the account that the key belongs to.
    pub const fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Returns the environment that the key belongs to; `None` if the record names none.
    pub fn environment(&self) -> Option<&Environment> {
        self.details.as_ref()?.environment.as_ref()
    }

    /// Returns the form of the key's text; `None` if the issuer did not record it.
    pub fn form(&self) -> Option<&KeyForm> {
        self.details.as_ref()?.form.as_ref()
    }

    /// Returns what the key is for, where several gates share a store; `None` if the record names no
    /// audience.
    pub fn audience(&self) -> Option<&Audience> {
        if !self.has_audience {
            return None;
        }
        self.details.as_ref()?.audience.as_ref()
    }

    /// Returns the kind of the key; `None` if the record names none.
    pub fn kind(&self) -> Option<&KeyKind> {
        self.details.as_ref()?.kind.as_ref()
    }

    /// Returns the key's own scopes, or else the current scopes of its account.
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Returns the key's own quotas, or else its account's. If `None`, the quotas of the account's plan
    /// or of the profile apply.
    pub fn quotas(&self) -> Option<&Quotas> {
        if self.counted_by != CountedBy::Own {
            return None;
        }
        let own = self.details.as_ref().and_then(|details| details.quotas.as_ref());
        own.or(self.account.quotas())
    }

    /// Returns the account's plan; `None` if the key or its account has quotas of its own.
    pub fn plan(&self) -> Option<&PlanName> {
        if self.counted_by == CountedBy::Plan { self.account.plan() } else { None }
    }

    /// Returns the networks that may send the key; `None` means any network.
    pub fn networks(&self) -> Option<&Networks> {
        let networks = self.details.as_ref().map(|details| &details.networks);
        networks.filter(|networks| !networks.is_empty())
    }

    /// Returns the first instant at which the key is valid; `None` if it has been valid from the start.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.details.as_ref()?.not_before
    }

    /// Returns the first instant at which the key is no longer valid; `None` if it never expires.
    pub fn expires(&self) -> Option<Timestamp> {
        Some(self.expires).filter(|ends| *ends < Timestamp::MAX)
    }

    /// Returns true if the key was revoked, which is meant to be final.
    pub const fn is_revoked(&self) -> bool {
        self.revoked
    }

    /// Returns true if the key or its account is disabled.
    pub fn is_disabled(&self) -> bool {
        self.disabled || self.account_disabled
    }

    pub(super) fn details(&mut self) -> &mut Details {
        Arc::make_mut(self.details.get_or_insert_default())
    }

    /// Returns a copy that expires at this instant, or when the record does if that is earlier.
    pub(crate) fn ending(&self, expires: Option<Timestamp>) -> Self {
        let expires = expires.map_or(self.expires, |expires| expires.min(self.expires));
        Self { expires, ..self.clone() }
    }

    /// Returns the record with another state of its account, for your own store. What the key inherits
    /// then comes from that state.
    ///
    /// ```
    /// use tower_api_key::key::{Account, KeyRecord};
    ///
    /// let acme = Account::builder("acme").build()?;
    /// let record = KeyRecord::builder("key_1", acme).build()?;
    /// let upgraded = Account::builder("acme").scopes(["write"]).build()?;
    /// assert!(record.with_account(upgraded)?.scopes().contains("write"));
    /// # Ok::<(), tower_api_key::key::InvalidRecord>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRecord::Identity`] if the account has another id: a key cannot change its account.
    pub fn with_account(self, account: impl Into<Arc<Account>>) -> Result<Self, InvalidRecord> {
        let account = account.into();
        if account.id() == self.account.id() {
            Ok(self.under(account))
        } else {
            Err(InvalidRecord::Identity)
        }
    }

    /// Returns the record with another state of its account, whose id was compared before.
    pub(crate) fn under(self, account: Arc<Account>) -> Self {
        Self { account, ..self }.settled()
    }

    /// Returns the record with its copies of the account's values up to date.
    pub(super) fn settled(mut self) -> Self {
        let details = self.details.as_ref();
        let own_scopes = details.and_then(|details| details.scopes.as_ref());
        self.scopes = own_scopes.unwrap_or(self.account.scopes()).clone();
        let own_quotas = details.and_then(|details| details.quotas.as_ref());
        self.counted_by = if own_quotas.or(self.account.quotas()).is_some() {
            CountedBy::Own
        } else if self.account.plan().is_some() {
            CountedBy::Plan
        } else {
            CountedBy::Profile
        };
        self.has_audience = details.is_some_and(|details| details.audience.is_some());
        self.account_disabled = self.account.is_disabled();
        self.account_tag = self.account.tag();
        self
    }

    /// Returns the hint to where the memory limiter keeps the account's counters.
    pub(crate) const fn bookmark(&self) -> &Bookmark {
        &self.bookmark
    }

    /// Returns a hash of the account's id, to compare accounts without reading them. The hash differs
    /// from process to process.
    pub const fn account_tag(&self) -> u64 {
        self.account_tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_ends_no_later_and_is_otherwise_the_same() {
        let at = Timestamp::from_unix_seconds;
        let record =
            KeyRecord::builder("key_1", Account::builder("acme").scopes(["all"]).build().unwrap())
                .expires(at(9))
                .build()
                .unwrap();
        for (ending, ends) in [(None, 9), (Some(at(5)), 5), (Some(at(20)), 9)] {
            let copy = record.ending(ending);
            assert_eq!(copy.expires(), Some(at(ends)), "{ending:?}");
            assert_eq!(copy.edit().expires(at(9)).build().unwrap(), record);
        }
        let other = Account::builder("acme").disabled(true).build().unwrap();
        let under = record.clone().under(Arc::new(other));
        assert!(under.is_disabled() && !under.is_disabled_itself() && under.scopes().is_empty());
        assert_eq!((under.id(), under.expires()), (record.id(), record.expires()));
        assert_eq!(record.clone().with_account(Arc::clone(under.account())), Ok(under));
        let other = Account::builder("other").build().unwrap();
        assert_eq!(record.with_account(other), Err(InvalidRecord::Identity));
    }
}
