//! Key records: all that a decision needs to know of a key, as it is at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::account::Account;
use super::name::{Environment, InvalidName, KeyId, KeyKind};
use super::network::{InvalidNetwork, Networks};
use super::quota::{InvalidQuota, Quota, Quotas};
use super::scope::ScopeSet;
use crate::clock::Timestamp;

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
pub struct KeyRecord {
    id: KeyId,
    account: Arc<Account>,
    environment: Option<Environment>,
    kind: Option<KeyKind>,
    scopes: Option<ScopeSet>,
    not_before: Option<Timestamp>,
    expires: Option<Timestamp>,
    revoked: bool,
    disabled: bool,
    // What few keys have stands apart, so that plain records stay small.
    details: Option<Box<Details>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Details {
    networks: Networks,
    quotas: Option<Quotas>,
    name: String,
    description: String,
    metadata: BTreeMap<String, String>,
}

impl KeyRecord {
    /// Starts a record that inherits its account's scopes and quotas, serves from any network and
    /// never expires.
    pub fn builder(id: impl Into<String>, account: Arc<Account>) -> KeyRecordBuilder {
        let id = KeyId::new(id.into()).map_err(InvalidRecord::Name);
        KeyRecordBuilder {
            record: id.map(|id| Self {
                id,
                account,
                environment: None,
                kind: None,
                scopes: None,
                not_before: None,
                expires: None,
                revoked: false,
                disabled: false,
                details: None,
            }),
        }
    }

    /// Starts a builder from this record, to change some of it.
    pub fn edit(&self) -> KeyRecordBuilder {
        KeyRecordBuilder {
            record: Ok(self.clone()),
        }
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
    pub const fn environment(&self) -> Option<&Environment> {
        self.environment.as_ref()
    }

    /// Returns the kind, if keys of this vendor have one.
    pub const fn kind(&self) -> Option<&KeyKind> {
        self.kind.as_ref()
    }

    /// Returns the permissions: the key's own, or else its account's as they are now.
    pub fn scopes(&self) -> &ScopeSet {
        self.scopes.as_ref().unwrap_or(self.account.scopes())
    }

    /// Returns the key's own quotas, or else its account's; `None` leaves the profile's.
    pub fn quotas(&self) -> Option<&Quotas> {
        let own = self
            .details
            .as_ref()
            .and_then(|details| details.quotas.as_ref());
        own.or(self.account.quotas())
    }

    /// Returns the networks that the key serves from; `None` means any.
    pub fn networks(&self) -> Option<&Networks> {
        let networks = self.details.as_ref().map(|details| &details.networks);
        networks.filter(|networks| !networks.is_empty())
    }

    /// Returns the first instant at which the key serves.
    pub const fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// Returns the first instant at which the key serves no more.
    pub const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Tells whether the key was revoked, for good.
    pub const fn is_revoked(&self) -> bool {
        self.revoked
    }

    /// Tells whether the key or its account is switched off.
    pub fn is_disabled(&self) -> bool {
        self.disabled || self.account.is_disabled()
    }

    /// Returns the name that its owner gave the key, empty if none.
    pub fn name(&self) -> &str {
        self.details.as_ref().map_or("", |details| &details.name)
    }

    /// Returns the description, empty if none.
    pub fn description(&self) -> &str {
        self.details
            .as_ref()
            .map_or("", |details| &details.description)
    }

    /// Returns a value of the deployment's own.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        let details = self.details.as_ref()?;
        details.metadata.get(name).map(String::as_str)
    }

    /// Returns the same record under another state of its account.
    pub(crate) fn under(&self, account: Arc<Account>) -> Self {
        Self {
            account,
            ..self.clone()
        }
    }
}

/// Collects the parts of a [`KeyRecord`].
#[derive(Debug, Clone)]
pub struct KeyRecordBuilder {
    record: Result<KeyRecord, InvalidRecord>,
}

impl KeyRecordBuilder {
    /// Names the environment that the key belongs to.
    pub fn environment(self, environment: impl Into<String>) -> Self {
        let environment = Environment::new(environment.into());
        self.set(|record| Ok(record.environment = Some(environment?)))
    }

    /// Names the kind of the key.
    pub fn kind(self, kind: impl Into<String>) -> Self {
        let kind = KeyKind::new(kind.into());
        self.set(|record| Ok(record.kind = Some(kind?)))
    }

    /// Gives the key scopes of its own, in place of its account's.
    pub fn scopes<S: Into<Box<str>>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = ScopeSet::new(scopes);
        self.set(|record| Ok(record.scopes = Some(scopes?)))
    }

    /// Makes the key inherit its account's scopes, which is the default.
    pub fn inherit_scopes(self) -> Self {
        self.set(|record| Ok(record.scopes = None))
    }

    /// Lets the key serve from these networks only, in CIDR notation; none means any.
    pub fn networks<'a>(self, networks: impl IntoIterator<Item = &'a str>) -> Self {
        let networks = Networks::parse(networks);
        self.detail(|details| Ok(details.networks = networks?))
    }

    /// Gives the key quotas of its own, in place of its account's and the profile's.
    pub fn quotas(self, quotas: impl IntoIterator<Item = Quota>) -> Self {
        let quotas = Quotas::new(quotas);
        self.detail(|details| Ok(details.quotas = Some(quotas?)))
    }

    /// Lets the key serve from an instant on.
    pub fn not_before(self, instant: impl Into<Timestamp>) -> Self {
        let instant = instant.into();
        self.set(|record| Ok(record.not_before = Some(instant)))
    }

    /// Lets the key serve until just before an instant.
    pub fn expires(self, instant: impl Into<Timestamp>) -> Self {
        let instant = instant.into();
        self.set(|record| Ok(record.expires = Some(instant)))
    }

    /// Marks the key as revoked.
    pub fn revoked(self, revoked: bool) -> Self {
        self.set(|record| Ok(record.revoked = revoked))
    }

    /// Switches the key off or on.
    pub fn disabled(self, disabled: bool) -> Self {
        self.set(|record| Ok(record.disabled = disabled))
    }

    /// Names the key for its owner.
    pub fn name(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.detail(|details| Ok(details.name = name))
    }

    /// Describes the key for its owner.
    pub fn description(self, description: impl Into<String>) -> Self {
        let description = description.into();
        self.detail(|details| Ok(details.description = description))
    }

    /// Adds a value of the deployment's own.
    pub fn metadata(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.detail(|details| {
            details.metadata.insert(name, value);
            Ok(())
        })
    }

    /// Finishes the record.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] for the first name, network or quota that is not valid.
    pub fn build(self) -> Result<KeyRecord, InvalidRecord> {
        self.record
    }

    fn set(mut self, change: impl FnOnce(&mut KeyRecord) -> Result<(), InvalidRecord>) -> Self {
        self.record = self.record.and_then(|mut record| {
            change(&mut record)?;
            Ok(record)
        });
        self
    }

    fn detail(self, change: impl FnOnce(&mut Details) -> Result<(), InvalidRecord>) -> Self {
        self.set(|record| change(record.details.get_or_insert_default()))
    }
}

/// Reports a record or an account with a part that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRecord {
    /// A name with characters that it may not have.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A network that is not in CIDR notation.
    #[error(transparent)]
    Network(#[from] InvalidNetwork),
    /// A quota that cannot be counted.
    #[error(transparent)]
    Quota(#[from] InvalidQuota),
}
