//! Accounts, which hold what all keys of one customer share.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use super::bookmark::Bookmark;
use super::draft::Draft;
use super::invalid::InvalidRecord;
use super::name::{AccountId, PlanName};
use super::scope::ScopeSet;
use crate::quota::{Quota, Quotas};

/// An account: the customer, organization or tenant that its keys belong to.
///
/// A value never changes. When an account changes, its store replaces the whole value.
///
/// ```
/// use tower_api_key::key::Account;
///
/// let account = Account::builder("acme").scopes(["dataset.read"]).build()?;
/// assert!(account.scopes().contains("dataset.read"));
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    id: AccountId,
    scopes: ScopeSet,
    quotas: Option<Quotas>,
    plan: Option<PlanName>,
    disabled: bool,
    tag: u64,
    /// Where a limiter keeps the account's counters, for keys that have made no request yet.
    bookmark: Bookmark,
}

/// Hashes account ids. The seed is random in each process, and no client learns it.
static TAGS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Account {
    /// Starts an enabled account without scopes, quotas or a plan.
    ///
    /// The id must be 1 to 255 visible ASCII characters, or [`build`](AccountBuilder::build) fails.
    pub fn builder(id: impl AsRef<str>) -> AccountBuilder {
        let account = AccountId::new(id).map_err(InvalidRecord::Name).map(|id| Self {
            tag: TAGS.hash_one(&id),
            id,
            scopes: ScopeSet::default(),
            quotas: None,
            plan: None,
            disabled: false,
            bookmark: Bookmark::default(),
        });
        AccountBuilder { account: Draft::new(account) }
    }

    /// Returns a disabled account, for a record that no request passes with.
    pub(super) fn placeholder() -> Self {
        Self {
            // No account has an empty id.
            id: AccountId::fixed(""),
            scopes: ScopeSet::default(),
            quotas: None,
            plan: None,
            disabled: true,
            tag: 0,
            bookmark: Bookmark::default(),
        }
    }

    /// Returns the account's id.
    pub const fn id(&self) -> &AccountId {
        &self.id
    }

    /// Returns the scopes that a key inherits if it has no scopes of its own.
    pub const fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Returns the account's own quotas; `None` if the account has none. They replace the quotas of its
    /// plan and of the profile.
    pub const fn quotas(&self) -> Option<&Quotas> {
        self.quotas.as_ref()
    }

    /// Returns the account's plan; `None` if the account is on no plan.
    pub const fn plan(&self) -> Option<&PlanName> {
        self.plan.as_ref()
    }

    /// Returns true if all keys of the account are disabled.
    pub const fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// Returns a hash of the id.
    pub(super) const fn tag(&self) -> u64 {
        self.tag
    }

    /// Returns the hint to where the memory limiter keeps the account's counters.
    pub(crate) const fn bookmark(&self) -> &Bookmark {
        &self.bookmark
    }

    /// Replaces the scopes by an equal set that other accounts share.
    pub(crate) fn share_scopes(&mut self, shared: ScopeSet) {
        debug_assert_eq!(self.scopes, shared);
        self.scopes = shared;
    }
}

/// Builds an [`Account`].
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::key::Account;
/// use tower_api_key::quota::Quota;
///
/// let quota = Quota::new("minute", 1_000, Duration::from_secs(60));
/// let acme = Account::builder("acme").quotas([quota]).disabled(true).build()?;
/// assert!(acme.is_disabled());
/// assert_eq!(acme.quotas().unwrap().as_slice()[0].limit(), 1_000);
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
#[derive(Debug, Clone)]
pub struct AccountBuilder {
    account: Draft<Account>,
}

impl AccountBuilder {
    /// Sets the scopes that the account's keys inherit.
    pub fn scopes<S: AsRef<str>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = ScopeSet::new(scopes);
        self.with(scopes, |account, scopes| account.scopes = scopes)
    }

    /// Sets the account's own quotas. They replace the quotas of its plan and of the profile.
    pub fn quotas(self, quotas: impl IntoIterator<Item = Quota>) -> Self {
        let quotas = Quotas::new(quotas);
        self.with(quotas, |account, quotas| account.quotas = Some(quotas))
    }

    /// Puts the account on a plan. The plan's quotas replace the profile's. See
    /// [`Plans`](crate::limits::Plans) for an example.
    pub fn plan(self, plan: impl AsRef<str>) -> Self {
        self.with(PlanName::new(plan), |account, plan| account.plan = Some(plan))
    }

    /// Disables all keys of the account, or enables them again.
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.account.set(|account| account.disabled = disabled);
        self
    }

    /// Builds the account.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] for the first name, scope or quota that is not valid.
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
