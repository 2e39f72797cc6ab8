//! The value that all operations are methods of.

use std::fmt;
use std::sync::Arc;

use tower_api_key::Grant;
use tower_api_key::clock::{Clock, Timestamp};
use tower_api_key::key::{AccountId, Issuer, KeyHasher};
use tower_api_key::limits::{Limiter, Plans};
use tower_api_key::quota::Quotas;
use tower_api_key::rules::Roles;
use tower_api_key::store::{KeyManager, KeyState, check_unreserved};
use tower_api_key::usage::UsageReader;

use super::caller::Caller;
use super::error::ManagementError;
use super::owner_policy::OwnerPolicy;
use crate::failure_observers::FailureObservers;

/// Manages the keys and accounts of a store for callers who may do different things. Clones share the settings.
///
/// ```
/// use std::sync::Arc;
/// use tower_api_key::key::{Issuer, KeyFormat, KeyHasher};
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key_admin::management::{Management, OwnerPolicy};
///
/// const FORMAT: KeyFormat = KeyFormat::prefixed("acme", &["live", "test"]);
///
/// let hasher = KeyHasher::sha256();
/// let issuer = Issuer::new(FORMAT, hasher.clone());
/// let management = Management::builder(Arc::new(MemoryStore::new()), issuer, hasher)
///     .operators(["staff"])
///     .owners(OwnerPolicy::at_most_keys(20))
///     .build()?;
/// assert!(!management.for_owners().admits_operators());
/// # Ok::<(), tower_api_key_admin::management::InvalidManagement>(())
/// ```
#[derive(Clone)]
pub struct Management(pub(super) Arc<Settings>);

/// The settings of a management.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) manager: Arc<dyn KeyManager>,
    pub(super) issuer: Issuer,
    pub(super) hasher: KeyHasher,
    pub(super) clock: Arc<dyn Clock>,
    /// The accounts whose keys are operators here.
    pub(super) operators: Vec<AccountId>,
    /// The accounts whose keys are operators here or elsewhere.
    pub(super) operator_accounts: Vec<AccountId>,
    pub(super) owners: Option<OwnerPolicy>,
    pub(super) catalogue: Vec<(String, String)>,
    pub(super) plans: Option<Plans>,
    pub(super) roles: Option<Roles>,
    pub(super) limiter: Option<Arc<dyn Limiter>>,
    pub(super) quotas: Option<Quotas>,
    pub(super) usage: Option<Arc<dyn UsageReader>>,
    pub(super) observers: FailureObservers,
}

impl Management {
    /// Returns the caller of a request that a gate admitted.
    ///
    /// # Errors
    ///
    /// [`ManagementError::NoOwners`] if the key belongs to no operator and owners are not admitted;
    /// [`ManagementError::ReservedAuthor`] if the id of the key is the name of a task of the store.
    pub fn caller(&self, grant: &Grant) -> Result<Caller, ManagementError> {
        let operator = self.0.operators.contains(grant.account());
        if !operator && self.0.owners.is_none() {
            return Err(ManagementError::NoOwners);
        }
        if check_unreserved(grant.key_id().as_str()).is_err() {
            return Err(ManagementError::ReservedAuthor);
        }
        Ok(Caller { grant: grant.clone(), operator, made: self.now() })
    }

    /// Checks that the key of a caller is still as it was when the caller was made. A session calls this before each
    /// operation, because it keeps a caller for longer than one request.
    ///
    /// # Errors
    ///
    /// [`ManagementError::SessionEnded`] if the key has ended, was rotated, or has other rights since then.
    pub async fn check_session(&self, caller: &Caller) -> Result<(), ManagementError> {
        let now = self.now();
        let ended = caller.record().expires().is_some_and(|ends| ends <= now);
        let Some(entry) = self.0.manager.get(caller.key_id()).await? else {
            return Err(ManagementError::SessionEnded);
        };
        let (then, record) = (caller.record(), &entry.record);
        let same = then.scopes() == record.scopes()
            && then.account().id() == record.account().id()
            && then.networks() == record.networks()
            && then.audience() == record.audience()
            && then.environment() == record.environment()
            && then.kind() == record.kind()
            && then.owner() == record.owner()
            && then.own_quotas() == record.own_quotas();
        // The caller may have signed in with a secret that ends before its key.
        let shortened = record
            .expires()
            .is_some_and(|ends| then.expires().is_none_or(|then_ends| ends < then_ends));
        let rotated = entry.secrets.first().is_some_and(|secret| secret.created > caller.made);
        if ended || shortened || rotated || !same || entry.state(now) != KeyState::Active {
            return Err(ManagementError::SessionEnded);
        }
        Ok(())
    }

    /// Returns a management of the same store in which every caller is an owner, operators too. Mount it where
    /// customers come in.
    #[must_use]
    pub fn for_owners(&self) -> Self {
        let settings = Settings { operators: Vec::new(), ..Settings::clone(&self.0) };
        Self(Arc::new(settings))
    }

    /// Returns true if callers can be operators.
    pub fn admits_operators(&self) -> bool {
        !self.0.operators.is_empty()
    }

    /// Returns the present instant.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Returns the scopes that the deployment knows, each with a description. Empty if it has no catalogue.
    pub fn catalogue(&self) -> &[(String, String)] {
        &self.0.catalogue
    }

    /// Returns true if an account is one of operators.
    pub(super) fn is_of_operators(&self, account: &str) -> bool {
        self.0.operator_accounts.iter().any(|operator| operator.as_str() == account)
    }
}

impl fmt::Debug for Management {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Management");
        shown.field("operators", &self.0.operators).field("owners", &self.0.owners);
        shown.finish_non_exhaustive()
    }
}
