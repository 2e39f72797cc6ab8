//! Key records: all that a decision needs to know of a key, as it is at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use super::account::Account;
use super::bookmark::Bookmark;
use super::form::KeyForm;
use super::name::{Audience, Environment, InvalidName, KeyId, KeyKind, PlanName};
use super::network::{InvalidNetwork, Networks};
use super::record_builder::KeyRecordBuilder;
use super::scope::ScopeSet;
use super::text::InvalidText;
use crate::clock::Timestamp;
use crate::quota::{InvalidQuota, Quotas};

/// Describes one key. Holds neither the key nor its digest.
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::key::{Account, KeyRecord};
///
/// # fn main() -> Result<(), tower_api_key::key::InvalidRecord> {
/// let acme = Arc::new(Account::builder("acme").scopes(["users.read", "users.write"]).build()?);
/// let reader = KeyRecord::builder("key_1", acme)
///     .scopes(["users.read"])
///     .networks(["10.1.2.0/24"])
///     .build()?;
/// assert!(!reader.scopes().contains("users.write"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_excessive_bools)] // Each is a fact of its own, and a byte.
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

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Details {
    pub(super) not_before: Option<Timestamp>,
    pub(super) environment: Option<Environment>,
    pub(super) form: Option<KeyForm>,
    pub(super) audience: Option<Audience>,
    pub(super) kind: Option<KeyKind>,
    pub(super) scopes: Option<ScopeSet>,
    pub(super) networks: Networks,
    pub(super) quotas: Option<Quotas>,
    pub(super) owner: Option<SmolStr>,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) metadata: BTreeMap<String, String>,
}

impl KeyRecord {
    /// Starts a record that inherits its account's scopes and quotas, serves from any network and
    /// never expires.
    pub fn builder(id: impl Into<String>, account: Arc<Account>) -> KeyRecordBuilder {
        let id = KeyId::new(id.into()).map_err(InvalidRecord::Name);
        KeyRecordBuilder {
            stored: false,
            record: id.map(|id| Self {
                id,
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
                account,
            }),
        }
    }

    /// A record that serves nobody.
    pub(super) fn nobody() -> Self {
        Self {
            id: KeyId::fixed("nobody"),
            account: Arc::new(Account::nobody()),
            scopes: ScopeSet::default(),
            expires: Timestamp::default(),
            details: None,
            account_tag: 0,
            bookmark: Bookmark::default(),
            revoked: true,
            disabled: true,
            account_disabled: true,
            counted_by: CountedBy::Profile,
            has_audience: false,
        }
    }

    /// A record of a test, of an account and with nothing of its own.
    #[cfg(test)]
    pub(crate) fn bare(id: &str, account: &str) -> Self {
        let account = Arc::new(Account::builder(account).build().unwrap());
        Self::builder(id, account).build().unwrap()
    }

    /// Starts a builder from this record, to change some of it.
    pub fn edit(&self) -> KeyRecordBuilder {
        KeyRecordBuilder { stored: false, record: Ok(self.clone()) }
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

    /// Returns whom the key was issued to within the account: a user, a service; `None` if nobody said.
    pub fn owner(&self) -> Option<&str> {
        self.details.as_ref()?.owner.as_deref()
    }

    /// Returns the permissions that the key has of its own; `None` if it inherits its account's.
    pub fn own_scopes(&self) -> Option<&ScopeSet> {
        self.details.as_ref()?.scopes.as_ref()
    }

    /// Returns the quotas that the key has of its own; `None` if it inherits its account's.
    pub fn own_quotas(&self) -> Option<&Quotas> {
        self.details.as_ref()?.quotas.as_ref()
    }

    /// Tells whether the key itself is switched off, whatever its account is.
    pub const fn is_disabled_itself(&self) -> bool {
        self.disabled
    }

    /// Returns the name that its owner gave the key, empty if none.
    pub fn name(&self) -> &str {
        self.details.as_ref().map_or("", |details| &details.name)
    }

    /// Returns the description, empty if none.
    pub fn description(&self) -> &str {
        self.details.as_ref().map_or("", |details| &details.description)
    }

    /// Returns a value of the deployment's own.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        let details = self.details.as_ref()?;
        details.metadata.get(name).map(String::as_str)
    }

    /// Lists the deployment's own values by name.
    pub fn all_metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        let details = self.details.iter();
        details.flat_map(|details| &details.metadata).map(|(name, value)| (&**name, &**value))
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
    /// # use std::sync::Arc;
    /// use tower_api_key::key::{Account, KeyRecord};
    ///
    /// let acme = Arc::new(Account::builder("acme").build()?);
    /// let record = KeyRecord::builder("key_1", acme).build()?;
    /// let upgraded = Arc::new(Account::builder("acme").scopes(["write"]).build()?);
    /// assert!(record.with_account(upgraded)?.scopes().contains("write"));
    /// # Ok::<(), tower_api_key::key::InvalidRecord>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRecord::Identity`] if it is another account: a key stays its account's.
    pub fn with_account(self, account: Arc<Account>) -> Result<Self, InvalidRecord> {
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
    pub(crate) const fn account_tag(&self) -> u64 {
        self.account_tag
    }
}

/// Reports a record or an account with a part that is not valid.
///
/// ```
/// # use std::sync::Arc;
/// use tower_api_key::key::{Account, InvalidRecord, KeyRecord};
///
/// let acme = Arc::new(Account::builder("acme").build()?);
/// let error = KeyRecord::builder("key_1", acme).networks(["10.0.0.0/33"]).build().unwrap_err();
/// assert!(matches!(error, InvalidRecord::Network(_)));
/// # Ok::<(), InvalidRecord>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRecord {
    /// A name with characters that it may not have.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A text with characters that mislead whoever reads it.
    #[error(transparent)]
    Text(#[from] InvalidText),
    /// A network that is not in CIDR notation.
    #[error(transparent)]
    Network(#[from] InvalidNetwork),
    /// A quota that cannot be counted.
    #[error(transparent)]
    Quota(#[from] InvalidQuota),
    /// The key's text names another environment than the record, or the record names none.
    #[error(
        "the key's text names the environment `{text}`, and the record {}; they must agree",
        record.as_ref().map_or("none".to_owned(), |record| format!("`{record}`"))
    )]
    Environment {
        /// What the text names.
        text: Environment,
        /// What the record names.
        record: Option<Environment>,
    },
    /// A change that would make the record one of another key or account.
    #[error("an edit changes neither the id nor the account of a key")]
    Identity,
}
