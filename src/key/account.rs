//! Accounts: what all keys of one customer share.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use super::draft::Draft;
use super::invalid::InvalidRecord;
use super::name::{AccountId, PlanName};
use super::scope::ScopeSet;
use crate::quota::{Quota, Quotas};

/// Describes an account as it is at one moment; a store replaces it whole when it changes.
///
/// ```
/// use tower_api_key::key::Account;
///
/// # fn main() -> Result<(), tower_api_key::key::InvalidRecord> {
/// let account = Account::builder("acme").scopes(["dataset.read"]).build()?;
/// assert!(account.scopes().contains("dataset.read"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    id: AccountId,
    scopes: ScopeSet,
    quotas: Option<Quotas>,
    plan: Option<PlanName>,
    disabled: bool,
    tag: u64,
}

/// Hashes account ids; its seed differs from process to process, and no client learns it.
static TAGS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Account {
    /// Starts an account with no scope, no quotas of its own, and enabled.
    pub fn builder(id: impl AsRef<str>) -> AccountBuilder {
        let account = AccountId::new(id).map_err(InvalidRecord::Name).map(|id| Self {
            tag: TAGS.hash_one(&id),
            id,
            scopes: ScopeSet::default(),
            quotas: None,
            plan: None,
            disabled: false,
        });
        AccountBuilder { account: Draft::new(account) }
    }

    /// An account that serves nobody.
    pub(super) fn nobody() -> Self {
        Self {
            id: AccountId::fixed("nobody"),
            scopes: ScopeSet::default(),
            quotas: None,
            plan: None,
            disabled: true,
            tag: 0,
        }
    }

    /// Returns the account's name.
    pub const fn id(&self) -> &AccountId {
        &self.id
    }

    /// Returns the permissions that keys inherit which have none of their own.
    pub const fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Returns the account's own quotas, which replace its plan's and the profile's.
    pub const fn quotas(&self) -> Option<&Quotas> {
        self.quotas.as_ref()
    }

    /// Returns the plan that the account is on.
    pub const fn plan(&self) -> Option<&PlanName> {
        self.plan.as_ref()
    }

    /// Tells whether all keys of the account are switched off.
    pub const fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// Returns a hash of the id.
    pub(super) const fn tag(&self) -> u64 {
        self.tag
    }

    /// Replaces the permissions by an equal set that others share.
    pub(crate) fn share_scopes(&mut self, shared: ScopeSet) {
        debug_assert_eq!(self.scopes, shared);
        self.scopes = shared;
    }
}

/// Collects the parts of an [`Account`].
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::key::Account;
/// use tower_api_key::quota::Quota;
///
/// let plan = Quota::new("minute", 1_000, Duration::from_secs(60));
/// let acme = Account::builder("acme").quotas([plan]).disabled(true).build()?;
/// assert!(acme.is_disabled());
/// assert_eq!(acme.quotas().unwrap().as_slice()[0].limit(), 1_000);
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
#[derive(Debug, Clone)]
pub struct AccountBuilder {
    account: Draft<Account>,
}

impl AccountBuilder {
    /// Sets the permissions of the account.
    pub fn scopes<S: AsRef<str>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = ScopeSet::new(scopes);
        self.with(scopes, |account, scopes| account.scopes = scopes)
    }

    /// Sets quotas that replace those of its plan, and the profile's, for this account.
    pub fn quotas(self, quotas: impl IntoIterator<Item = Quota>) -> Self {
        let quotas = Quotas::new(quotas);
        self.with(quotas, |account, quotas| account.quotas = Some(quotas))
    }

    /// Puts the account on a plan, whose quotas replace the profile's;
    /// [`Plans`](crate::limits::Plans) has an example.
    pub fn plan(self, plan: impl AsRef<str>) -> Self {
        self.with(PlanName::new(plan), |account, plan| account.plan = Some(plan))
    }

    /// Switches all keys of the account off or on.
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.account.set(|account| account.disabled = disabled);
        self
    }

    /// Finishes the account.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] for the first name or quota that is not valid.
    pub fn build(self) -> Result<Account, InvalidRecord> {
        self.account.finish()
    }

    fn with<T, E: Into<InvalidRecord>>(
        mut self,
        part: Result<T, E>,
        set: impl FnOnce(&mut Account, T),
    ) -> Self {
        self.account.with(part, set);
        self
    }
}
