//! Commands: one change of a key, an account or a policy, in one transaction.

use std::sync::Arc;

use super::connect::SqlStore;
use super::statement::Statement;
use super::storable::can_be_stored;
use super::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::policy::PolicySubject;
use tower_api_key::store::{
    Action, Applied, Command, CommandOptions, CommandTarget, IdempotencyKey, ManageError,
    Precondition, StoreError, Version,
};

impl SqlStore {
    pub(super) async fn run(
        &self,
        command: Command<'_>,
        options: CommandOptions<'_>,
    ) -> Result<Applied, ManageError> {
        options.check()?;
        let target = storable_target(&command)?;
        let existing = match &command {
            Command::Add(new) if options.is_in_existing_account() => {
                Some(new.record.account().id().to_string())
            }
            _ => None,
        };
        let mut step = self.begin(options).await?;
        if let Some(key) = options.idempotency_key()
            && step.has_made(key).await?
        {
            return Ok(step.present(&target).await?.replayed());
        }
        step.check(options.precondition(), &target).await?;
        // No other change runs until this one is committed.
        if let Some(account) = existing
            && step.readable_account(&account).await?.is_none()
        {
            return Err(ManageError::NotFound);
        }
        let applied = step.apply(command).await?;
        if let Some(key) = options.idempotency_key() {
            step.note_request(key).await?;
        }
        step.commit().await?;
        Ok(applied)
    }
}

impl Step<'_> {
    async fn apply(&mut self, command: Command<'_>) -> Result<Applied, ManageError> {
        Ok(match command {
            Command::Add(key) => {
                self.add(&key).await?;
                if key.revokes_others {
                    self.revoke_others(&key.record).await?;
                }
                Applied::key(self.shown(key.record.id().as_str()).await?)
            }
            Command::Update { id, change } => Applied::key(self.update(id, change).await?),
            Command::Rotate { id, secret, until } => {
                Applied::key(self.rotate(id, secret, until).await?)
            }
            Command::EndEarlierSecrets { id } => Applied::key(self.end_earlier_secrets(id).await?),
            Command::Revoke { id } => {
                self.revoke(id).await?;
                Applied::key(self.shown(id).await?)
            }
            Command::Delete { id } => {
                self.delete(id).await?;
                Applied::default()
            }
            Command::NoteRefund { id, used } => {
                let entry = self.locked(id).await?;
                let account = entry.record.account().id().as_str();
                self.note(Action::QuotaRefunded, Some(id), account, &[used]).await?;
                Applied::key(self.shown(id).await?)
            }
            Command::SaveAccount(account) => {
                self.save_account(&account).await?;
                Applied::account(Arc::new(account))
            }
            Command::DeleteAccount { id } => {
                self.delete_account(id).await?;
                Applied::default()
            }
            Command::SavePolicy(policy) => {
                self.save_policy(&policy).await?;
                Applied::policy(policy)
            }
            Command::DeletePolicy(subject) => {
                self.delete_policy(&subject).await?;
                Applied::default()
            }
            _ => return Err(unknown_command()),
        })
    }

    async fn check(
        &mut self,
        precondition: Precondition,
        target: &CommandTarget,
    ) -> Result<(), ManageError> {
        if precondition == Precondition::None {
            return Ok(());
        }
        let version = match target {
            CommandTarget::Key(id) => match self.locked(id).await {
                Ok(entry) => Some(Version::of_key(&entry)),
                Err(ManageError::NotFound) => None,
                Err(error) => return Err(error),
            },
            CommandTarget::Account(id) => self.account(id).await?.as_ref().map(Version::of_account),
            CommandTarget::Policy(subject) => self.policy_version(subject).await?,
            _ => return Err(unknown_command()),
        };
        precondition.check(version)
    }

    async fn present(&mut self, target: &CommandTarget) -> Result<Applied, ManageError> {
        Ok(match target {
            CommandTarget::Key(id) => Applied::key(self.shown(id).await?),
            CommandTarget::Account(id) => {
                Applied::account(self.readable_account(id).await?.map(Arc::new))
            }
            CommandTarget::Policy(subject) => Applied::policy(self.readable_policy(subject).await?),
            _ => return Err(unknown_command()),
        })
    }

    /// Returns true if the change was made before.
    async fn has_made(&mut self, key: &IdempotencyKey<'_>) -> Result<bool, ManageError> {
        let oldest = self.now().since(Timestamp::default()).saturating_sub(IdempotencyKey::KEPT);
        let oldest = i64::try_from(oldest.as_nanos()).unwrap_or(i64::MAX);
        self.execute(Statement::new(&self.store.queries.forget_requests).bind(oldest)).await?;
        let asked = Statement::new(&self.store.queries.made_request);
        let rows = self.fetch(asked.bind(self.author()).bind(key.as_str())).await?;
        let Some(found) = rows.first() else { return Ok(false) };
        let made = found.bytes("fingerprint").map_err(StoreError::new)?;
        if made.as_deref() == Some(key.fingerprint()) {
            Ok(true)
        } else {
            Err(ManageError::IdempotencyKeyReused)
        }
    }

    async fn note_request(&mut self, key: &IdempotencyKey<'_>) -> Result<(), ManageError> {
        let (author, at) = (self.author().to_owned(), self.at());
        let into = &self.store.queries.into_requests;
        self.insert(into, 4, &[key], "", |row, key| {
            let row = row.bind(author.as_str()).bind(key.as_str());
            row.bind(key.fingerprint().to_vec()).bind(at)
        })
        .await?;
        Ok(())
    }
}

/// Returns what a command changes.
///
/// # Errors
///
/// [`ManageError::NotFound`] for an id that no database can store.
fn storable_target(command: &Command<'_>) -> Result<CommandTarget, ManageError> {
    let target = command.target();
    match &target {
        CommandTarget::Key(id) | CommandTarget::Account(id) if !can_be_stored(id) => {
            Err(ManageError::NotFound)
        }
        CommandTarget::Policy(PolicySubject::Unknown(text)) if !can_be_stored(text) => {
            Err(ManageError::NotFound)
        }
        _ => Ok(target),
    }
}

fn unknown_command() -> ManageError {
    StoreError::new("this store does not know the command").into()
}
