//! Lists, shows, saves and deletes policies.

use tower_api_key::key::{AccountId, KeyKind};
use tower_api_key::policy::{KeyPolicy, Policies, PolicySubject};
use tower_api_key::store::{Command, ManageError, Page, Precondition};

use super::caller::Caller;
use super::change_request::ChangeRequest;
use super::error::ManagementError;
use super::keys::checked_limit;
use super::listed::Listed;
use super::management::Management;
use super::policy_draft::PolicyDraft;
use super::scopes::POLICIES_READ;

impl Management {
    /// Lists policies, one page after another: for all keys, then by account, then by kind. `broken` has the policies that
    /// this version cannot read, each with the text of its subject.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `policies.read`; [`ManagementError::OperatorsOnly`] for owners;
    /// [`ManagementError::Invalid`] for a limit that is not from 1 to 200, or an `after` that is no subject.
    pub async fn list_policies(
        &self,
        caller: &Caller,
        after: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Listed<KeyPolicy>, ManagementError> {
        caller.require_operator(POLICIES_READ)?;
        let limit = checked_limit(limit)?;
        let after = after.map(str::parse::<PolicySubject>).transpose();
        let after = after.map_err(|problem| ManagementError::invalid("after", problem))?;
        let Page { mut found, broken } = self.0.manager.page_of_policies().await?;
        let is_later = |subject: &PolicySubject| after.as_ref().is_none_or(|after| subject > after);
        found.retain(|policy| is_later(policy.subject()));
        found.truncate(limit + 1);
        let page = Page { found, broken };
        let mut listed = Listed::new(page, limit, |policy| policy.subject().to_string());
        // Those of other pages are listed there.
        let end = listed.next.as_ref().and(listed.found.last()).map(KeyPolicy::subject);
        listed.broken.retain(|row| {
            let subject = PolicySubject::stored(&row.id);
            is_later(&subject) && end.is_none_or(|end| subject <= *end)
        });
        Ok(listed)
    }

    /// Shows the policy for a subject.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `policies.read`; [`ManagementError::OperatorsOnly`] for owners;
    /// [`ManagementError::NotFound`] if there is no such policy; [`ManagementError::PolicyUnreadable`] if this version cannot
    /// read it.
    pub async fn show_policy(
        &self,
        caller: &Caller,
        subject: &PolicySubject,
    ) -> Result<KeyPolicy, ManagementError> {
        caller.require_operator(POLICIES_READ)?;
        self.stored_policy(subject).await?.ok_or(ManagementError::NotFound("policy"))
    }

    /// Saves the policy for a subject, and replaces the one that was there. Keys that exist stay as they are, until a
    /// sweep runs. Name the version that the caller saw, or that there was none: without either, the policy is replaced
    /// whatever it is.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `policies.write` and `policies.read`, or without `keys.grant-any` if the
    /// policy may cover keys of operators; [`ManagementError::OperatorsOnly`] for owners; [`ManagementError::Invalid`] for
    /// a rule that is not valid, no rule at all, or an account that does not exist; [`ManagementError::VersionDiffers`] if the policy
    /// has another version than the request names.
    pub async fn save_policy(
        &self,
        caller: &Caller,
        subject: &PolicySubject,
        draft: &PolicyDraft,
        request: &ChangeRequest<'_>,
    ) -> Result<KeyPolicy, ManagementError> {
        self.check_policy_save(caller, subject)?;
        let policy = draft.policy(subject.clone())?;
        // A policy that cannot be read can be replaced.
        let before = match self.stored_policy(subject).await {
            Err(ManagementError::PolicyUnreadable(_)) => None,
            stored => stored?,
        };
        if let (None, PolicySubject::Account(id)) = (&before, subject)
            && self.0.manager.find_account(id.as_str()).await?.is_none()
        {
            // A mistyped name would be a rule that binds no key.
            let problem = "there is no such account: save it first";
            return Err(ManagementError::invalid("account", problem));
        }
        let had = before.as_ref().and_then(KeyPolicy::scopes);
        let new = policy.scopes().into_iter().flat_map(tower_api_key::key::ScopeSet::iter);
        let new = new.filter(|scope| had.is_none_or(|had| !had.contains(scope)));
        self.check_known_scopes(&new.map(str::to_owned).collect::<Vec<_>>())?;
        let precondition = match request.version() {
            Some(version) => Precondition::Version(version),
            None if request.is_if_absent() => Precondition::Absent,
            None => Precondition::None,
        };
        let options = request.options(caller.key_id(), precondition);
        let saved = self.0.manager.apply(Command::SavePolicy(policy), options).await?;
        // The policy of a replay may have been deleted since.
        saved.policy.ok_or(ManagementError::NotFound("policy"))
    }

    /// Deletes the policy for a subject. Keys stay as they are. A policy that this version cannot read has no version: delete it
    /// without one.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `policies.write`, or without `keys.grant-any` if the policy may cover
    /// keys of operators; [`ManagementError::OperatorsOnly`] for owners; [`ManagementError::NotFound`] if there is no such
    /// policy; [`ManagementError::VersionDiffers`] if the policy has another version than the request names.
    pub async fn delete_policy(
        &self,
        caller: &Caller,
        subject: &PolicySubject,
        request: &ChangeRequest<'_>,
    ) -> Result<(), ManagementError> {
        self.check_policy_change(caller, subject)?;
        let version = request.version().map_or(Precondition::None, Precondition::Version);
        let options = request.options(caller.key_id(), version);
        match self.0.manager.apply(Command::DeletePolicy(subject.clone()), options).await {
            Err(ManageError::NotFound) => Err(ManagementError::NotFound("policy")),
            Err(ManageError::PreconditionFailed)
                if self.stored_policy(subject).await?.is_none() =>
            {
                Err(ManagementError::NotFound("policy"))
            }
            deleted => Ok(deleted.map(|_| ())?),
        }
    }

    /// Returns the policy for a subject, whatever other policies are.
    async fn stored_policy(
        &self,
        subject: &PolicySubject,
    ) -> Result<Option<KeyPolicy>, ManagementError> {
        let Page { found, broken } = self.0.manager.page_of_policies().await?;
        let text = subject.to_string();
        if broken.iter().any(|row| row.id == text) {
            return Err(ManagementError::PolicyUnreadable(text));
        }
        Ok(found.into_iter().find(|policy| policy.subject() == subject))
    }

    /// Returns true if a caller may save and delete the policy for a subject.
    pub fn may_change_policy(&self, caller: &Caller, subject: &PolicySubject) -> bool {
        self.check_policy_change(caller, subject).is_ok()
    }

    /// Lists the policies that will cover a new key of an account and a kind, as far as they are known. An owner gets
    /// those that cover keys like its own: it can create no others.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.read`.
    pub async fn policies_of_new_key(
        &self,
        caller: &Caller,
        account: Option<&str>,
        kind: Option<&str>,
    ) -> Result<Policies, ManagementError> {
        caller.check_key_reads()?;
        let subjects: Vec<PolicySubject> = if caller.is_operator() {
            let account = account.and_then(|id| AccountId::new(id).ok());
            let kind = kind.and_then(|name| KeyKind::new(name).ok());
            let account = account.map(PolicySubject::Account);
            [Some(PolicySubject::All), account, kind.map(PolicySubject::Kind)]
                .into_iter()
                .flatten()
                .collect()
        } else {
            PolicySubject::all_of(caller.record()).collect()
        };
        let all = self.0.manager.policies().await?;
        Ok(Policies::new(subjects.iter().filter_map(|subject| all.find(subject).cloned())))
    }
}
