//! Key records: all that a decision needs to know of a key, as it is at one moment.

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

/// Describes one key. Holds neither the key nor its digest.
///
/// ```
/// use tower_api_key::key::{Account, KeyRecord};
///
/// # fn main() -> Result<(), tower_api_key::key::InvalidRecord> {
/// let acme = Account::builder("acme").scopes(["users.read", "users.write"]).build()?;
/// let reader = KeyRecord::builder("key_1", acme)
///     .scopes(["users.read"])
///     .networks(["10.1.2.0/24"])
///     .build()?;
/// assert!(!reader.scopes().contains("users.write"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and a byte")]
pub struct KeyRecord {
    pub(super) id: KeyId,
    pub(super) account: Arc<Account>,
    /// The key's own scopes, or else its account's.
    scopes: ScopeSet,
    pub(super) expires: Timestamp,
    // What plain keys do not have stands apart: with its digest a record takes 112 bytes.
    pub(super) details: Option<Arc<Details>>,
    account_tag: u64,
    bookmark: Bookmark,
    pub(super) revoked: bool,
    pub(super) disabled: bool,
    // What most decisions need of the account is copied here: looking there would be another cache
    // miss, which takes as long as a third of all the rest.
    account_disabled: bool,
    counted_by: CountedBy,
    /// Whether the details name an audience; most do not, and are not looked at.
    has_audience: bool,
}

/// Whose quotas a key is counted by.
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
    /// A record with nothing of its own, before it is [settled](Self::settled).
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
        }
    }

    /// A record that serves nobody.
    pub(super) fn nobody() -> Self {
        Self {
            expires: Timestamp::default(),
            revoked: true,
            disabled: true,
            account_disabled: true,
            ..Self::new(KeyId::fixed("nobody"), Arc::new(Account::nobody()))
        }
    }

    /// A record of a test, of an account and with nothing of its own.
    #[cfg(test)]
    pub(crate) fn bare(id: &str, account: &str) -> Self {
        let account = Account::builder(account).build().unwrap();
        Self::builder(id, account).build().unwrap()
    }

    /// Returns the key's name for logs and administration.
    pub const fn id(&self) -> &KeyId {
        &self.id
    }

    /// Returns the account that the key speaks for.
    pub const fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Returns the environment, if keys of this vendor have one.
    pub fn environment(&self) -> Option<&Environment> {
        self.details.as_ref()?.environment.as_ref()
    }

    /// Returns how the key's text was made, if whoever issued it said so.
    pub fn form(&self) -> Option<&KeyForm> {
        self.details.as_ref()?.form.as_ref()
    }

    /// Returns what the key is for, where several gates share a store; `None` if it was not named.
    pub fn audience(&self) -> Option<&Audience> {
        if !self.has_audience {
            return None;
        }
        self.details.as_ref()?.audience.as_ref()
    }

    /// Returns the kind, if keys of this vendor have one.
    pub fn kind(&self) -> Option<&KeyKind> {
        self.details.as_ref()?.kind.as_ref()
    }

    /// Returns the permissions: the key's own, or else its account's as they are now.
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Returns the key's own quotas, or else its account's; `None` leaves those of the account's plan, or
    /// the profile's.
    pub fn quotas(&self) -> Option<&Quotas> {
        if self.counted_by != CountedBy::Own {
            return None;
        }
        let own = self.details.as_ref().and_then(|details| details.quotas.as_ref());
        own.or(self.account.quotas())
    }

    /// Returns the account's plan, if neither the key nor its account has quotas of its own.
    pub fn plan(&self) -> Option<&PlanName> {
        if self.counted_by == CountedBy::Plan { self.account.plan() } else { None }
    }

    /// Returns the networks that the key serves from; `None` means any.
    pub fn networks(&self) -> Option<&Networks> {
        let networks = self.details.as_ref().map(|details| &details.networks);
        networks.filter(|networks| !networks.is_empty())
    }

    /// Returns the first instant at which the key serves, `None` if it always has.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.details.as_ref()?.not_before
    }

    /// Returns the first instant at which the key serves no more, `None` if it serves for ever.
    pub fn expires(&self) -> Option<Timestamp> {
        Some(self.expires).filter(|ends| *ends < Timestamp::MAX)
    }

    /// Tells whether the key was revoked, for good.
    pub const fn is_revoked(&self) -> bool {
        self.revoked
    }

    /// Tells whether the key or its account is switched off.
    pub fn is_disabled(&self) -> bool {
        self.disabled || self.account_disabled
    }

    pub(super) fn details(&mut self) -> &mut Details {
        Arc::make_mut(self.details.get_or_insert_default())
    }

    /// Returns the same record, which ends at an instant if not before.
    pub(crate) fn ending(&self, expires: Option<Timestamp>) -> Self {
        let expires = expires.map_or(self.expires, |expires| expires.min(self.expires));
        Self { expires, ..self.clone() }
    }

    /// Returns the same record under another state of its account, for a store of your own: what the key
    /// inherits is inherited from that state.
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
    /// [`InvalidRecord::Identity`] if it is another account: a key stays its account's.
    pub fn with_account(self, account: impl Into<Arc<Account>>) -> Result<Self, InvalidRecord> {
        let account = account.into();
        if account.id() == self.account.id() {
            Ok(self.under(account))
        } else {
            Err(InvalidRecord::Identity)
        }
    }

    /// Returns the same record under an account that was compared with its own.
    pub(crate) fn under(self, account: Arc<Account>) -> Self {
        Self { account, ..self }.settled()
    }

    /// Returns the record with what it says of its account brought up to date.
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

    /// Returns where a limiter in memory keeps the account's counters.
    pub(crate) const fn bookmark(&self) -> &Bookmark {
        &self.bookmark
    }

    /// Returns a hash of the account's id, for a check that does not look at the account.
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
        let stranger = Account::builder("other").build().unwrap();
        assert_eq!(record.with_account(stranger), Err(InvalidRecord::Identity));
    }
}
