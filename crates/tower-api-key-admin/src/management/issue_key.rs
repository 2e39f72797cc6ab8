//! Creates keys, and gives them new secrets.

use std::fmt::Write;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tower_api_key::key::{Environment, IssueError, IssuedKey};
use tower_api_key::store::{
    Command, CommandOptions, IdempotencyKey, KeyEntry, KeyState, ManageError, NewKey, NewSecret,
    Precondition, Version,
};
use uuid::Uuid;

use super::caller::Caller;
use super::change_request::ChangeRequest;
use super::error::ManagementError;
use super::issued_entry::IssuedEntry;
use super::key_draft::KeyDraft;
use super::management::Management;
use super::scope_name::is_known;

impl Management {
    /// The longest time for which earlier secrets stay valid after a rotation: 90 days.
    pub const LONGEST_OVERLAP: Duration = Duration::from_secs(90 * 24 * 60 * 60);

    /// Creates a key.
    ///
    /// # Errors
    ///
    /// [`ManagementError::MissingScope`] without `keys.write`; [`ManagementError::Invalid`] for a field that is not valid;
    /// [`ManagementError::NotGrantable`] if the key would have more than the caller's; [`ManagementError::TooManyKeys`] if
    /// an owner has as many keys as the policy allows; [`ManagementError::IdempotencyKeyReused`] if the idempotency key
    /// was used for something else; [`ManagementError::PolicyViolated`] if the key would break a rule of a policy.
    pub async fn create_key(
        &self,
        caller: &Caller,
        mut draft: KeyDraft,
        request: &ChangeRequest<'_>,
    ) -> Result<IssuedEntry, ManagementError> {
        caller.check_key_changes()?;
        if !caller.is_operator() {
            complete(&mut draft, caller);
        }
        let Some(id) = draft.account.clone().filter(|id| caller.sees(id)) else {
            return Err(match &draft.account {
                Some(_) => ManagementError::NotGrantable {
                    field: "account",
                    problem: "it must be your own".to_owned(),
                },
                None => ManagementError::invalid("account", "it is required"),
            });
        };
        let account = self.0.manager.find_account(&id).await?;
        let Some(account) = account else {
            return Err(no_such_account());
        };
        if draft.expires.is_some_and(|expires| expires <= self.now()) {
            return Err(ManagementError::invalid("expires", "it must be later than now"));
        }
        if draft.expires.is_some() && draft.not_before >= draft.expires {
            return Err(ManagementError::invalid(
                "not_before",
                "it must be earlier than `expires`",
            ));
        }
        self.check_known_scopes(draft.scopes.as_deref().unwrap_or_default())?;
        let bounds = self.bounds(caller, &id);
        if draft.quotas.is_none() {
            draft.quotas = bounds.quotas();
        }
        let environment = draft.environment.clone();
        let key_id = key_id(caller, request.idempotency_key());
        let record = draft.record(&key_id, (*account).clone())?;
        let issued = self.issue(environment.as_deref())?;
        let key = NewKey::issued(&issued, record);
        let key = key.map_err(|_| {
            let problem = "keys of this deployment name another one in their text";
            ManagementError::invalid("environment", problem)
        })?;
        bounds.check_new(&key.record)?;
        let options = request.options(caller.key_id(), Precondition::None);
        let options = self.within_most_keys(caller, options).in_existing_account();
        let record = key.record.clone();
        match self.0.manager.apply(Command::Add(key), options).await {
            Err(ManageError::NotFound) => Err(no_such_account()),
            Err(ManageError::NotYetApplied(_)) => self.issued_late(&key_id, issued).await,
            // The store has forgotten the request, and not the key that it made.
            Err(ManageError::Exists) if request.idempotency_key().is_some() => {
                Err(ManagementError::IdempotencyKeyReused)
            }
            Err(error) => {
                let is_known = |scope: &str| self.is_known_scope(scope);
                Err(ManagementError::of_key(error, &record, is_known))
            }
            Ok(mut applied) => {
                // A key of another account may have got the id since an earlier request was made.
                applied.key.take_if(|key| key.record.account().id().as_str() != id);
                IssuedEntry::of(applied, issued)
            }
        }
    }

    /// Gives a key a new secret. The earlier secrets stay valid for `overlap`, which is at most 90 days.
    ///
    /// # Errors
    ///
    /// Those of [`create_key`](Self::create_key); [`ManagementError::NotFound`] if the caller sees no such key;
    /// [`ManagementError::NotActive`] if the new secret would not be valid; [`ManagementError::TooManySecrets`] if the
    /// key would get more than 8 valid secrets; [`ManagementError::VersionDiffers`] if the key
    /// has another version than the request names; [`ManagementError::NotGrantable`] if the key may do more than the
    /// caller's key, because the caller gets its secret.
    pub async fn rotate_key(
        &self,
        caller: &Caller,
        id: &str,
        overlap: Duration,
        request: &ChangeRequest<'_>,
    ) -> Result<IssuedEntry, ManagementError> {
        caller.check_key_changes()?;
        if overlap > Self::LONGEST_OVERLAP {
            let days = Self::LONGEST_OVERLAP.as_secs() / 86_400;
            return Err(ManagementError::invalid("overlap", format!("at most {days} days")));
        }
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            let seen = self.seen_key(caller, id).await?;
            let record = &seen.record;
            self.check_key_rotation(caller, record)?;
            let issued = match record.form() {
                Some(form) => {
                    let issuer = self.0.issuer.for_form(form.clone());
                    issuer.issue(None).map_err(ManagementError::NotIssued)?
                }
                None => self.issue(record.environment().map(Environment::as_str))?,
            };
            let until = self.now().plus(overlap);
            let options = request.options(caller.key_id(), condition(request, &seen));
            let command = Command::Rotate { id, secret: NewSecret::issued(&issued), until };
            match self.0.manager.apply(command, options).await {
                Err(ManageError::PreconditionFailed)
                    if request.version().is_none() && attempts > 0 => {}
                Err(ManageError::NotActive(KeyState::Active)) => {
                    return Err(ManagementError::VersionDiffers);
                }
                Err(ManageError::NotYetApplied(_)) => return self.issued_late(id, issued).await,
                applied => return IssuedEntry::of(applied?, issued),
            }
        }
    }

    /// Issues a key for an environment. A format without environments fits every environment.
    fn issue(&self, environment: Option<&str>) -> Result<IssuedKey, ManagementError> {
        let issuer = &self.0.issuer;
        let issued = match issuer.issue(environment) {
            Err(IssueError::UnknownEnvironment) if environment.is_some() => issuer.issue(None),
            issued => issued,
        };
        issued.map_err(|error| match error {
            IssueError::UnknownEnvironment => {
                ManagementError::invalid("environment", "keys of this deployment have no such one")
            }
            error => ManagementError::NotIssued(error),
        })
    }

    /// Bounds the number of keys that an owner has after a change.
    pub(super) fn within_most_keys<'a>(
        &self,
        caller: &Caller,
        options: CommandOptions<'a>,
    ) -> CommandOptions<'a> {
        let policy = self.0.owners.filter(|_| !caller.is_operator());
        policy.map_or(options, |policy| options.at_most_keys(policy.most_keys()))
    }

    /// Checks scopes against the catalogue, if there is one.
    pub(super) fn check_known_scopes(&self, scopes: &[String]) -> Result<(), ManagementError> {
        if self.0.catalogue.is_empty() || scopes.iter().all(|scope| self.is_known_scope(scope)) {
            return Ok(());
        }
        Err(ManagementError::invalid("scopes", "one is not in the catalogue of this deployment"))
    }

    pub(super) fn is_known_scope(&self, scope: &str) -> bool {
        is_known(scope, &self.0.catalogue, self.0.roles.as_ref())
    }
}

/// How often a change without a condition is tried again, because another change came between.
pub(super) const ATTEMPTS: u8 = 5;

/// Returns the condition under which a change that was checked on `seen` may be made.
pub(super) fn condition(request: &ChangeRequest<'_>, seen: &KeyEntry) -> Precondition {
    let version = Version::of_key(seen);
    match request.version() {
        // Only a replay of an earlier change can still succeed: no key has this version.
        Some(wanted) if wanted != version => never(),
        _ => Precondition::Version(version),
    }
}

/// Returns a condition that no key and no account meets, except by a chance of 2⁻¹²⁸.
pub(super) fn never() -> Precondition {
    let none = "00000000000000000000000000000000".parse();
    none.map_or(Precondition::Absent, Precondition::Version)
}

fn no_such_account() -> ManagementError {
    ManagementError::invalid("account", "there is no such account: save it first")
}

/// Gives a draft of an owner what the owner's own key has.
fn complete(draft: &mut KeyDraft, caller: &Caller) {
    let own = caller.record();
    let take = |field: &mut Option<String>, own: Option<&str>| {
        if field.is_none() {
            *field = own.map(str::to_owned);
        }
    };
    take(&mut draft.account, Some(caller.account().as_str()));
    take(&mut draft.owner, own.owner());
    take(&mut draft.kind, own.kind().map(AsRef::as_ref));
    take(&mut draft.environment, own.environment().map(Environment::as_str));
    take(&mut draft.audience, own.audience().map(AsRef::as_ref));
}

/// Returns the id of a new key. A request that is sent again gets the same id, so that a replay finds the key.
fn key_id(caller: &Caller, once: Option<IdempotencyKey<'_>>) -> String {
    let Some(once) = once else { return format!("key_{}", Uuid::now_v7().simple()) };
    let mut hash = Sha256::new();
    for part in ["tower-api-key id of a key", caller.key_id(), once.as_str()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut id = "key_".to_owned();
    for byte in hash.finalize().iter().take(16) {
        // Writing to a string does not fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}
