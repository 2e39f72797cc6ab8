//! Builds a management.

use std::sync::Arc;

use tower_api_key::Observer;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::key::{AccountId, Issuer, KeyHasher};
use tower_api_key::limits::{Limiter, Plans};
use tower_api_key::quota::{Quota, Quotas};
use tower_api_key::rules::Roles;
use tower_api_key::store::KeyManager;
use tower_api_key::usage::UsageReader;

use super::management::{Management, Settings};
use super::observed_manager::ObservedManager;
use super::owner_policy::OwnerPolicy;
use crate::failure_observers::FailureObservers;

/// Builds a [`Management`]. A setter never fails; [`build`](Self::build) reports the first mistake.
pub struct ManagementBuilder {
    settings: Settings,
    operators: Vec<String>,
    quotas: Vec<Quota>,
}

/// A contradiction in the settings of a [`Management`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidManagement {
    /// No key could manage anything.
    #[error("no key may manage keys: name accounts with `operators`, or allow `owners`")]
    NoCaller,
    /// An operator account is no valid account id.
    #[error("operators: account id must be 1 to 255 visible ASCII characters")]
    Operator,
    /// The quotas of the profile are not valid.
    #[error("quotas: {0}")]
    Quotas(String),
}

impl Management {
    /// Starts a management of the keys of a store. `issuer` and `hasher` must be those of the gate that reads the keys.
    pub fn builder(
        manager: Arc<dyn KeyManager>,
        issuer: Issuer,
        hasher: KeyHasher,
    ) -> ManagementBuilder {
        let settings = Settings {
            manager,
            issuer,
            hasher,
            clock: Arc::new(SystemClock),
            operators: Vec::new(),
            operator_accounts: Vec::new(),
            owners: None,
            catalogue: Vec::new(),
            plans: None,
            roles: None,
            limiter: None,
            quotas: None,
            usage: None,
            observers: FailureObservers::default(),
        };
        ManagementBuilder { settings, operators: Vec::new(), quotas: Vec::new() }
    }
}

impl ManagementBuilder {
    /// Names the accounts whose keys are operators. An operator reaches every account, as far as its scopes go.
    pub fn operators<S: AsRef<str>>(mut self, accounts: impl IntoIterator<Item = S>) -> Self {
        self.operators = accounts.into_iter().map(|id| id.as_ref().to_owned()).collect();
        self
    }

    /// Allows keys of all other accounts to manage the keys of their own account, within a policy.
    pub fn owners(mut self, policy: OwnerPolicy) -> Self {
        self.settings.owners = Some(policy);
        self
    }

    /// Sets the clock, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Sets the catalogue: the scopes that the console offers, each with a description. Without a catalogue a key may
    /// get any scope. With one, a scope outside of it is refused as a mistake in writing, unless it is a role.
    pub fn catalogue<N: Into<String>, D: Into<String>>(
        mut self,
        scopes: impl IntoIterator<Item = (N, D)>,
    ) -> Self {
        let pair = |(name, description): (N, D)| (name.into(), description.into());
        self.settings.catalogue = scopes.into_iter().map(pair).collect();
        self
    }

    /// Sets the plans of the gate, which accounts can be put on.
    pub fn plans(mut self, plans: Plans) -> Self {
        self.settings.plans = Some(plans);
        self
    }

    /// Sets the roles of the gate. Without them, a caller with a wildcard could grant a role whose scopes it lacks.
    pub fn roles(mut self, roles: Roles) -> Self {
        self.settings.roles = Some(roles);
        self
    }

    /// Sets the limiter of the gate, to read and give back what it has counted. `quotas` are those of the gate's
    /// profile, for keys without quotas of their own and without a plan.
    pub fn limiter(
        mut self,
        limiter: impl Limiter,
        quotas: impl IntoIterator<Item = Quota>,
    ) -> Self {
        self.settings.limiter = Some(Arc::new(limiter));
        self.quotas = quotas.into_iter().collect();
        self
    }

    /// Sets where the usage of keys is read: the database to which a
    /// [`UsageRecorder`](tower_api_key::usage::UsageRecorder) of your gates writes, such as the `SqlStore` of
    /// `tower-api-key-sqlx` (feature `usage`).
    pub fn usage(mut self, usage: impl UsageReader) -> Self {
        self.settings.usage = Some(Arc::new(usage));
        self
    }

    /// Adds an observer that learns why an operation could not be done: [`Observer::store_failed`] has the cause of a store
    /// or a reader of usage, and [`Observer::limiter_failed`] that of a limiter. The client gets 503 without the cause, which
    /// is lost without an observer. `FailureLog` of `tower_api_key::telemetry` logs it.
    ///
    /// The gate around a router has observers of its own, which are called for its requests.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.settings.observers.add(observer);
        self
    }

    /// Builds the management.
    ///
    /// # Errors
    ///
    /// [`InvalidManagement`] if no key could manage anything, or a name or a quota is not valid.
    pub fn build(self) -> Result<Management, InvalidManagement> {
        let Self { mut settings, operators, quotas } = self;
        if operators.is_empty() && settings.owners.is_none() {
            return Err(InvalidManagement::NoCaller);
        }
        let ids = operators.into_iter().map(AccountId::new).collect::<Result<_, _>>();
        settings.operators = ids.map_err(|_| InvalidManagement::Operator)?;
        settings.operator_accounts.clone_from(&settings.operators);
        if !quotas.is_empty() {
            let quotas = Quotas::new(quotas);
            let quotas = quotas.map_err(|error| InvalidManagement::Quotas(error.to_string()))?;
            settings.quotas = Some(quotas);
        }
        if !settings.observers.is_empty() {
            let observers = settings.observers.clone();
            settings.manager = Arc::new(ObservedManager { manager: settings.manager, observers });
        }
        Ok(Management(Arc::new(settings)))
    }
}
