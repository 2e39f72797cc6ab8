//! What a caller may do at all, whatever the request has in it. Operations check it first, and the console shows no form to
//! a caller who may not send it.

use std::sync::Arc;

use tower_api_key::key::KeyRecord;
use tower_api_key::limits::Limiter;
use tower_api_key::policy::PolicySubject;
use tower_api_key::quota::Quota;

use super::caller::Caller;
use super::error::ManagementError;
use super::management::Management;
use super::scopes::{
    ACCOUNTS_WRITE, KEYS_GRANT_ANY, KEYS_READ, KEYS_WRITE, POLICIES_READ, POLICIES_WRITE,
    USAGE_WRITE,
};

impl Caller {
    /// Checks that the caller may see keys.
    pub(crate) fn check_key_reads(&self) -> Result<(), ManagementError> {
        self.require(KEYS_READ)
    }

    /// Checks that the caller may create keys, and change some.
    pub(crate) fn check_key_changes(&self) -> Result<(), ManagementError> {
        self.require(KEYS_WRITE)
    }

    /// Checks that the caller may add accounts, and change some.
    pub(crate) fn check_account_changes(&self) -> Result<(), ManagementError> {
        self.require_operator(ACCOUNTS_WRITE)
    }

    /// Checks that the caller may save policies for some keys.
    pub(crate) fn check_policy_saves(&self) -> Result<(), ManagementError> {
        self.require_operator(POLICIES_WRITE)?;
        // The answer to a replay is the policy as it is now, which somebody else may have saved since.
        self.require(POLICIES_READ)
    }
}

impl Management {
    /// Checks that a caller may edit, revoke and delete a key, and end its earlier secrets.
    pub(crate) fn check_key_change(
        &self,
        caller: &Caller,
        key: &KeyRecord,
    ) -> Result<(), ManagementError> {
        caller.check_key_changes()?;
        self.bounds(caller, key.account().id().as_str()).check_ending(key)
    }

    /// Checks that a caller may give a key a new secret.
    pub(crate) fn check_key_rotation(
        &self,
        caller: &Caller,
        key: &KeyRecord,
    ) -> Result<(), ManagementError> {
        caller.check_key_changes()?;
        self.bounds(caller, key.account().id().as_str()).check_rotation(key)
    }

    /// Checks that a caller may give quota of a key back. Returns the limiter, and the quotas of the key.
    pub(crate) fn check_refund(
        &self,
        caller: &Caller,
        key: &KeyRecord,
    ) -> Result<(Arc<dyn Limiter>, Vec<Quota>), ManagementError> {
        caller.require_operator(USAGE_WRITE)?;
        let (limiter, quotas) = self.counted(key)?;
        let (_, own) = self.counted(caller.record())?;
        self.bounds(caller, key.account().id().as_str()).check_refund(&own)?;
        if !limiter.refunds() {
            return Err(ManagementError::NotOffered("giving quota back"));
        }
        Ok((limiter, quotas))
    }

    /// Checks that a caller may save the policy for a subject.
    pub(crate) fn check_policy_save(
        &self,
        caller: &Caller,
        subject: &PolicySubject,
    ) -> Result<(), ManagementError> {
        self.check_policy_change(caller, subject)?;
        caller.check_policy_saves()
    }

    /// Checks that a caller may change the policy for a subject. A sweep ends keys as policies say. So a policy that may
    /// cover keys of operators needs what ending any key of theirs needs.
    pub(crate) fn check_policy_change(
        &self,
        caller: &Caller,
        subject: &PolicySubject,
    ) -> Result<(), ManagementError> {
        caller.require_operator(POLICIES_WRITE)?;
        match subject {
            PolicySubject::Account(id) if !self.is_of_operators(id.as_str()) => Ok(()),
            _ => caller.require(KEYS_GRANT_ANY),
        }
    }
}
