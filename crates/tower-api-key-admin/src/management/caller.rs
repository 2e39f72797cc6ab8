//! Who asks for an operation.

use tower_api_key::Grant;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{AccountId, KeyRecord};
use tower_api_key::rules::Roles;

use super::error::ManagementError;
use super::scopes::KEYS_GRANT_ANY;

/// Who asks: an operator, or an owner who manages the keys of its own account.
///
/// [`Management::caller`](super::Management::caller) makes a caller from the grant of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(super) grant: Grant,
    pub(super) operator: bool,
    pub(super) made: Timestamp,
}

impl Caller {
    /// Returns the id of the key with which the caller asks. It is the author in the audit trail.
    pub fn key_id(&self) -> &str {
        self.grant.key_id().as_str()
    }

    /// Returns the account of the caller's key.
    pub fn account(&self) -> &AccountId {
        self.grant.account()
    }

    /// Returns the record of the caller's key.
    pub fn record(&self) -> &KeyRecord {
        self.grant.record()
    }

    /// Returns true for an operator, and false for an owner.
    pub const fn is_operator(&self) -> bool {
        self.operator
    }

    /// Returns true if the caller's key has a scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.grant.has_scope(scope)
    }

    /// Returns true if the caller may grant a scope or a role to a key. A role counts as all its scopes, unless the
    /// caller's key lists the role itself.
    pub fn may_grant(&self, scope: &str, roles: Option<&Roles>) -> bool {
        if self.may_grant_any() || self.record().scopes().contains(scope) {
            return true;
        }
        let role = roles.and_then(|roles| roles.scopes(scope));
        self.has_scope(scope)
            && role.is_none_or(|role| role.iter().all(|scope| self.has_scope(scope)))
    }

    /// Returns true for an operator who may grant what its own key does not have.
    pub fn may_grant_any(&self) -> bool {
        self.operator && self.has_scope(KEYS_GRANT_ANY)
    }

    /// Requires a scope of the caller's key.
    pub(super) fn require(&self, scope: &'static str) -> Result<(), ManagementError> {
        if self.has_scope(scope) { Ok(()) } else { Err(ManagementError::MissingScope(scope)) }
    }

    /// Requires an operator with a scope.
    pub(super) fn require_operator(&self, scope: &'static str) -> Result<(), ManagementError> {
        self.require(scope)?;
        if self.operator { Ok(()) } else { Err(ManagementError::OperatorsOnly) }
    }

    /// Returns true if the caller sees the keys of an account.
    pub(super) fn sees(&self, account: &str) -> bool {
        self.operator || self.account().as_str() == account
    }
}
