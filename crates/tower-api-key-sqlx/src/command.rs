//! Commands: one change of a key or an account, in one transaction.

use std::sync::Arc;

use super::connect::SqlStore;
use super::most_keys::BoundedKey;
use super::statement::Statement;
use super::storable::can_be_stored;
use super::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::store::{
    Action, Applied, Command, CommandOptions, IdempotencyKey, ManageError, Precondition,
    StoreError, Version,
};

/// The key or the account that a command changes.
enum CommandTarget {
    Key(String),
    Account(String),
}

impl CommandTarget {
    /// Returns `None` for an id that no database can store.
    fn of(command: &Command<'_>) -> Option<Self> {
        let key = |id: &str| can_be_stored(id).then(|| Self::Key(id.to_owned()));
        match command {
            Command::Add(new) => Some(Self::Key(new.record.id().to_string())),
            Command::Update { id, .. }
            | Command::Rotate { id, .. }
            | Command::Revoke { id }
            | Command::NoteRefund { id, .. }
            | Command::Delete { id } => key(id),
            Command::SaveAccount(account) => Some(Self::Account(account.id().to_string())),
            Command::DeleteAccount { id } => {
                can_be_stored(id).then(|| Self::Account((*id).to_owned()))
            }
            _ => None,
        }
    }
}

impl SqlStore {
    pub(super) async fn run(
        &self,
        command: Command<'_>,
        options: CommandOptions<'_>,
    ) -> Result<Applied, ManageError> {
        options.check()?;
        let target = CommandTarget::of(&command).ok_or(ManageError::NotFound)?;
        let existing = match &command {
            Command::Add(new) if options.is_in_existing_account() => {
                Some(new.record.account().id().to_string())
            }
            _ => None,
        };
        let bounded = options.most_keys().and_then(|most| Some((most, BoundedKey::of(&command)?)));
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
        if let Some((most, new @ BoundedKey::New(_))) = &bounded {
            step.check_most_keys(new, *most).await?;
        }
        let applied = step.apply(command).await?;
        // The change may give the key another owner, so the state after it counts. Nothing is committed yet.
        if let Some((most, known @ BoundedKey::Known(_))) = &bounded {
            step.check_most_keys(known, *most).await?;
        }
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
            _ => return Err(StoreError::new("this store does not know the command").into()),
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
        };
        precondition.check(version)
    }

    async fn present(&mut self, target: &CommandTarget) -> Result<Applied, ManageError> {
        Ok(match target {
            CommandTarget::Key(id) => Applied::key(self.shown(id).await?),
            CommandTarget::Account(id) => {
                Applied::account(self.readable_account(id).await?.map(Arc::new))
            }
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
