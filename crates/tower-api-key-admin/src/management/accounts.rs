//! Lists, shows, saves and deletes accounts.

use std::sync::Arc;

use tower_api_key::key::Account;
use tower_api_key::store::{Command, ManageError, Precondition, Version};

use super::account_edit::{AccountDraft, AccountEdit};
use super::bounds::{check_quotas, lacks_scope};
use super::caller::Caller;
use super::change_request::ChangeRequest;
use super::error::ManagementError;
use super::issue_key::{ATTEMPTS, never};
use super::keys::checked_limit;
use super::listed::Listed;
use super::management::Management;
use super::scope_name::ScopeName;
use super::scopes::{ACCOUNTS_READ, KEYS_GRANT_ANY};

impl Management {
    /// Lists accounts in the order of their ids, one page after another. An owner gets its own account only.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `accounts.read`; [`ManagementError::Invalid`] for a limit that is not
    /// from 1 to 200.
    pub async fn list_accounts(
        &self,
        caller: &Caller,
        after: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Listed<Arc<Account>>, ManagementError> {
        caller.require(ACCOUNTS_READ)?;
        let limit = checked_limit(limit)?;
        if !caller.is_operator() {
            let own = self.0.manager.find_account(caller.account().as_str()).await?;
            let own = own.filter(|account| after.is_none_or(|after| account.id().as_str() > after));
            return Ok(Listed { found: own.into_iter().collect(), broken: Vec::new(), next: None });
        }
        let page = self.0.manager.page_of_accounts(after, limit + 1).await?;
        Ok(Listed::new(page, limit, |account| account.id().to_string()))
    }

    /// Shows an account.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `accounts.read`; [`ManagementError::NotFound`] if the caller sees no such
    /// account.
    pub async fn show_account(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Arc<Account>, ManagementError> {
        caller.require(ACCOUNTS_READ)?;
        let found = if caller.sees(id) { self.0.manager.find_account(id).await? } else { None };
        found.ok_or(ManagementError::NotFound("account"))
    }

    /// Adds an account, or replaces it. Name the version that the caller saw, or that there was none: without either, the
    /// account is replaced whatever it is.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `accounts.write`, or without `keys.grant-any` for scopes, quotas or plan
    /// of an account of operators; [`ManagementError::OperatorsOnly`] for owners;
    /// [`ManagementError::NotGrantable`] if the account would get scopes that the caller's key lacks, or looser quotas than
    /// that key's own;
    /// [`ManagementError::OperatorAccount`] if it would disable operators; [`ManagementError::VersionDiffers`] if the
    /// account has another version than the request names.
    pub async fn save_account(
        &self,
        caller: &Caller,
        id: &str,
        draft: &AccountDraft,
        request: &ChangeRequest<'_>,
    ) -> Result<Arc<Account>, ManagementError> {
        self.write_account(caller, id, request, |_| Ok(draft.clone())).await
    }

    /// Edits an account.
    ///
    /// # Errors
    ///
    /// Those of [`save_account`](Self::save_account); [`ManagementError::NotFound`] if there is no such account.
    pub async fn edit_account(
        &self,
        caller: &Caller,
        id: &str,
        edit: &AccountEdit,
        request: &ChangeRequest<'_>,
    ) -> Result<Arc<Account>, ManagementError> {
        self.write_account(caller, id, request, |before| {
            let before = before.ok_or(ManagementError::NotFound("account"))?;
            Ok(edit.clone().applied(before))
        })
        .await
    }

    /// Deletes an account with all its keys.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `accounts.write`; [`ManagementError::OperatorsOnly`] for owners;
    /// [`ManagementError::NotFound`] if there is no such account; [`ManagementError::OperatorAccount`] for an account of
    /// operators; [`ManagementError::VersionDiffers`] if the account has another version than the request names.
    pub async fn delete_account(
        &self,
        caller: &Caller,
        id: &str,
        request: &ChangeRequest<'_>,
    ) -> Result<(), ManagementError> {
        caller.check_account_changes()?;
        if self.is_of_operators(id) {
            return Err(ManagementError::OperatorAccount);
        }
        let version = request.version().map_or(Precondition::None, Precondition::Version);
        let options = request.options(caller.key_id(), version);
        match self.0.manager.apply(Command::DeleteAccount { id }, options).await {
            Err(ManageError::NotFound) => Err(ManagementError::NotFound("account")),
            Err(ManageError::PreconditionFailed)
                if self.0.manager.find_account(id).await?.is_none() =>
            {
                Err(ManagementError::NotFound("account"))
            }
            deleted => Ok(deleted.map(|_| ())?),
        }
    }

    async fn write_account(
        &self,
        caller: &Caller,
        id: &str,
        request: &ChangeRequest<'_>,
        draft: impl Fn(Option<&Account>) -> Result<AccountDraft, ManagementError>,
    ) -> Result<Arc<Account>, ManagementError> {
        caller.check_account_changes()?;
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            let seen = self.0.manager.find_account(id).await?;
            let after = draft(seen.as_deref())?;
            let account = after.account(id)?;
            self.check_account(caller, seen.as_deref(), &account)?;
            let present = seen.as_deref().map(Version::of_account);
            let precondition = match present {
                Some(version) => Precondition::Version(version),
                None => Precondition::Absent,
            };
            let wanted = request.version();
            let differs = wanted.is_some() && wanted != present;
            let taken = request.is_if_absent() && present.is_some();
            // Only a replay of an earlier change can still succeed.
            let precondition = if differs || taken { never() } else { precondition };
            let options = request.options(caller.key_id(), precondition);
            let unconditional = wanted.is_none() && !request.is_if_absent();
            match self.0.manager.apply(Command::SaveAccount(account), options).await {
                Err(ManageError::PreconditionFailed) if unconditional && attempts > 0 => {}
                saved => return saved?.account.ok_or(ManagementError::NotFound("account")),
            }
        }
    }

    /// Checks what an account gets.
    fn check_account(
        &self,
        caller: &Caller,
        before: Option<&Account>,
        after: &Account,
    ) -> Result<(), ManagementError> {
        let none = Account::builder(after.id().as_str()).build();
        let none = none.map_err(|problem| ManagementError::invalid("id", problem))?;
        let from = before.unwrap_or(&none);
        let same = from.scopes() == after.scopes()
            && from.quotas() == after.quotas()
            && from.plan() == after.plan();
        if !same && self.is_of_operators(after.id().as_str()) {
            caller.require(KEYS_GRANT_ANY)?;
        }
        if from.quotas() != after.quotas() || from.plan() != after.plan() || before.is_none() {
            let plans = self.0.plans.as_ref();
            let of_plan = || plans.and_then(|plans| plans.quotas(after.plan()?.as_str()));
            let given = after.quotas().cloned().or_else(of_plan);
            check_quotas(caller, given.as_ref())?;
        }
        let had = |scope: &str| before.is_some_and(|before| before.scopes().contains(scope));
        for (index, scope) in after.scopes().iter().enumerate().filter(|(_, scope)| !had(scope)) {
            if !caller.may_grant(scope, self.0.roles.as_ref()) {
                return Err(lacks_scope(&ScopeName::of(scope, index, self.is_known_scope(scope))));
            }
            self.check_known_scopes(&[scope.to_owned()])?;
        }
        if let (Some(plans), Some(plan)) = (&self.0.plans, after.plan()) {
            let kept = before.is_some_and(|before| before.plan() == Some(plan));
            if !kept && plans.quotas(plan.as_str()).is_none() {
                return Err(ManagementError::invalid("plan", "there is no such plan"));
            }
        }
        if after.is_disabled() && self.is_of_operators(after.id().as_str()) {
            return Err(ManagementError::OperatorAccount);
        }
        Ok(())
    }
}
