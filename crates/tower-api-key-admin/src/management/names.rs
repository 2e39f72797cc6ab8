//! Lists what keys and accounts can be given by name: plans and roles.

use tower_api_key::key::ScopeSet;
use tower_api_key::quota::Quotas;

use super::caller::Caller;
use super::error::ManagementError;
use super::management::Management;
use super::scopes::{ACCOUNTS_READ, KEYS_READ};

/// A plan: a name for quotas.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanEntry {
    /// The name of the plan.
    pub name: String,
    /// The quotas of its accounts.
    pub quotas: Quotas,
}

/// A role: a name for scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleEntry {
    /// The name of the role, which a key lists among its scopes.
    pub name: String,
    /// The scopes that the role gives.
    pub scopes: ScopeSet,
}

/// A scope of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeEntry {
    /// The name of the scope.
    pub name: String,
    /// What the scope allows, for people.
    pub description: String,
    /// Whether the caller may grant the scope.
    pub grantable: bool,
}

impl Management {
    /// Lists the catalogue of scopes, in its own order.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.read`.
    pub fn list_scopes(&self, caller: &Caller) -> Result<Vec<ScopeEntry>, ManagementError> {
        caller.require(KEYS_READ)?;
        let scope = |(name, description): &(String, String)| ScopeEntry {
            grantable: caller.may_grant(name, self.0.roles.as_ref()),
            name: name.clone(),
            description: description.clone(),
        };
        Ok(self.0.catalogue.iter().map(scope).collect())
    }

    /// Lists the plans of the gate in the order of their names. An owner gets the plan of its own account.
    ///
    /// Plans live in the memory of each process, so this API does not change them.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `accounts.read`.
    pub fn list_plans(&self, caller: &Caller) -> Result<Vec<PlanEntry>, ManagementError> {
        caller.require(ACCOUNTS_READ)?;
        let all = self.0.plans.as_ref().map(tower_api_key::limits::Plans::all);
        let own = caller.record().account().plan();
        let seen = |name: &_| caller.is_operator() || own == Some(name);
        let plans = all.unwrap_or_default().into_iter().filter(|(name, _)| seen(name));
        Ok(plans.map(|(name, quotas)| PlanEntry { name: name.to_string(), quotas }).collect())
    }

    /// Lists the roles of the gate that the caller may grant, in the order of their names.
    ///
    /// Roles live in the memory of each process, so this API does not change them.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.read`.
    pub fn list_roles(&self, caller: &Caller) -> Result<Vec<RoleEntry>, ManagementError> {
        caller.require(KEYS_READ)?;
        let Some(roles) = &self.0.roles else { return Ok(Vec::new()) };
        let all = roles.all().into_iter();
        let all =
            all.filter(|(name, _)| caller.is_operator() || caller.may_grant(name, Some(roles)));
        Ok(all.map(|(name, scopes)| RoleEntry { name, scopes }).collect())
    }
}
