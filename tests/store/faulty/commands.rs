//! Commands, with one planted fault.

use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyDigest};
use tower_api_key::store::{
    Action, Applied, Command, CommandOptions, KeyEntry, KeyFilter, KeyManager, KeyState, KeyUpdate,
    ManageError, ManageFuture, NewKey, NewSecret, Precondition, StoreError,
};

use super::{Faulty, secrets, to_the_microsecond};
use crate::faults::Fault;

impl<S: KeyManager> Faulty<S> {
    pub(super) fn run<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        if matches!(command, Command::SavePolicy(_) | Command::DeletePolicy(_)) {
            return self.change_policy(command, options);
        }
        if let Command::Add(new) = &command
            && new.record.name().len() > 255
            && self.has(Fault::TakesNoLongName)
        {
            let problem = StoreError::new("the row is too large for its index");
            return Box::pin(async { Err(problem.into()) });
        }
        let by = options.author();
        let bare = CommandOptions::by(by);
        let is_bare = options.precondition() == Precondition::None
            && options.idempotency_key().is_none()
            && options.reason().is_none()
            && options.most_keys().is_none()
            && !options.is_in_existing_account();
        if !is_bare {
            let given = match self.fault {
                Fault::IgnoresVersions if options.precondition() != Precondition::Absent => bare,
                Fault::SavesOverAnAccount if options.precondition() == Precondition::Absent => bare,
                Fault::MakesAReplayAgain if options.idempotency_key().is_some() => bare,
                Fault::IgnoresTheMostKeys if options.most_keys().is_some() => bare,
                Fault::AddsToADeletedAccount if options.is_in_existing_account() => bare,
                Fault::ForgetsTheReason if options.reason().is_some() => bare,
                _ => options,
            };
            return self.inner.apply(command, given);
        }
        // A command that returns the key, and one that returns nothing.
        let key = |key: ManageFuture<'a, KeyEntry>| -> ManageFuture<'a, Applied> {
            Box::pin(async move { Ok(Applied::key(key.await?)) })
        };
        let done = |done: ManageFuture<'a, ()>| -> ManageFuture<'a, Applied> {
            Box::pin(async move { done.await.map(|()| Applied::default()) })
        };
        match command {
            Command::Add(new) => done(self.add_faultily(new, by)),
            Command::Update { id, change } => key(self.update_faultily(id, change, by)),
            Command::Rotate { id, secret, until } => {
                key(self.rotate_faultily(id, secret, until, by))
            }
            Command::EndEarlierSecrets { id } => key(self.end_faultily(id, by)),
            Command::Revoke { id } => done(self.revoke_faultily(id, by)),
            Command::Delete { id } => done(self.delete_faultily(id, by)),
            Command::NoteRefund { id, .. } if self.has(Fault::ForgetsARefund) => Box::pin(async {
                let found = self.inner.get(id).await?;
                found.map(Applied::key).ok_or(ManageError::NotFound)
            }),
            refund @ Command::NoteRefund { .. } => self.inner.apply(refund, bare),
            Command::SaveAccount(account) => done(self.save_account_faultily(account, by)),
            Command::DeleteAccount { id } => done(self.delete_account_faultily(id, by)),
            _ => panic!("a command without a planted fault"),
        }
    }

    fn add_faultily<'a>(&'a self, mut key: NewKey, by: &'a str) -> ManageFuture<'a, ()> {
        let by = self.author(Action::KeyAdded, by);
        Box::pin(async move {
            let (digest, sound, force) = (key.digest, key.record.clone(), key.revokes_others);
            let (id, account) = (sound.id().as_str(), sound.account().id().to_string());
            self.memory().known.push(digest);
            let owner = sound.owner().map(str::to_owned);
            let same_owner = KeyFilter { owner, ..KeyFilter::default() };
            let edited = match self.fault {
                Fault::ForgetsADescription => sound.edit().description(""),
                Fault::ForgetsTheAudience => sound.edit().without_audience(),
                Fault::WritesAnotherForm => sound.edit().form("{hex:40}".parse().unwrap()),
                Fault::RoundsInstants => match sound.not_before() {
                    Some(at) => sound.edit().not_before(to_the_microsecond(at)),
                    None => sound.edit(),
                },
                _ => sound.edit(),
            };
            key.record = edited.build().unwrap();
            if force && self.has(Fault::ForceRevokesThoughItFails) {
                let filter = KeyFilter { account: Some(account.clone()), ..same_owner.clone() };
                self.revoke_all(filter, id).await;
            }
            let returning = self.memory().deleted_accounts.remove(&account);
            if let (Fault::DeletedAccountsComeBack, Some(account)) = (self.fault, returning) {
                self.inner.save_account(account, by).await?;
            }
            key.revokes_others = force && !self.has(Fault::ForceRevokesNothing);
            let added = self.inner.add(key, by).await;
            if let Err(ManageError::PolicyViolated(violation)) = &added
                && self.has_made_against(violation, Fault::AddsAgainstAPolicy)
            {
                return Ok(());
            }
            match self.fault {
                Fault::LeavesTheSecretOfAFailedAdd if added.is_err() => {
                    self.memory().ghosts.insert(digest, sound.into());
                }
                Fault::ForceRevokesOtherOwners if force && added.is_ok() => {
                    self.revoke_all(KeyFilter::account(account), id).await;
                }
                Fault::ForceReachesOtherAudiences if force && added.is_ok() => {
                    let account = Some(account);
                    self.revoke_all(KeyFilter { account, ..same_owner }, id).await;
                }
                Fault::ForceReachesOtherAccounts if force && added.is_ok() => {
                    self.revoke_all(same_owner, id).await;
                }
                Fault::NewKeysBringTheirAccount if added.is_ok() => {
                    self.inner.save_account((**sound.account()).clone(), by).await?;
                }
                _ => {}
            }
            added
        })
    }

    fn update_faultily<'a>(
        &'a self,
        id: &'a str,
        change: KeyUpdate,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        let by = self.author(Action::KeyUpdated, by);
        Box::pin(async move {
            let before = self.inner.get(id).await?;
            match (self.fault, &before) {
                (Fault::UpdatesUnrevoke, Some(entry)) if entry.record.is_revoked() => {
                    let record = change(entry.record.edit()).build()?;
                    self.replace(entry.secrets[0].digest, record).await;
                    return Ok(self.inner.get(id).await?.unwrap());
                }
                (Fault::UpdatesResurrect, None) => {
                    let deleted = self.memory().deleted.remove(id).ok_or(ManageError::NotFound)?;
                    let record = change(deleted.record.edit()).build()?;
                    self.replace(deleted.secrets[0].digest, record).await;
                    return Err(ManageError::NotFound);
                }
                (Fault::LosesUpdates, Some(entry)) => {
                    let changed = change(entry.record.edit());
                    tokio::task::yield_now().await;
                    return self.inner.update(id, Box::new(|_| changed), by).await;
                }
                _ => {}
            }
            let by = if self.has(Fault::ForgetsWho) { "" } else { by };
            let updated = self.inner.update(id, change, by).await;
            if let Err(ManageError::PolicyViolated(violation)) = &updated
                && self.has_made_against(violation, Fault::UpdatesAgainstAPolicy)
            {
                return self.inner.get(id).await?.ok_or(ManageError::NotFound);
            }
            match self.fault {
                Fault::LeavesHalfAnUpdate if updated.is_err() && before.is_some() => {
                    self.inner.update(id, Box::new(|key| key.name("half")), by).await?;
                }
                Fault::ForgetsWhenAKeyWasMade => {
                    self.memory().updated.insert(id.to_owned(), Timestamp::MAX);
                }
                Fault::ALineForAFailure if updated.is_err() => {
                    let lines = self.inner.changes(0, usize::MAX).await?.len();
                    self.memory().failures.push(lines);
                }
                _ => {}
            }
            updated
        })
    }

    fn rotate_faultily<'a>(
        &'a self,
        id: &'a str,
        mut secret: NewSecret,
        until: Timestamp,
        by: &'a str,
    ) -> ManageFuture<'a, KeyEntry> {
        let (by, digest) = (self.author(Action::KeyRotated, by), secret.digest);
        if self.has(Fault::RotationForgetsTheTail) {
            secret.tail = None;
        }
        let until = match self.fault {
            Fault::RotationEndsTheOldSecretAtOnce => Timestamp::from_unix_seconds(1),
            Fault::RotationGivesTheOldSecretNoEnd => Timestamp::MAX,
            _ => until,
        };
        Box::pin(async move {
            let entry = match self.rotate_by_policies(id, secret, until, by).await {
                Err(ManageError::NotActive(state)) => {
                    return self.rotate_dead(id, state, digest).await;
                }
                Err(ManageError::TooManySecrets(_)) if self.has(Fault::GivesANinthSecret) => {
                    return self.inner.get(id).await?.ok_or(ManageError::NotFound);
                }
                rotated => rotated?,
            };
            if self.has(Fault::RotationProlongsAnOldSecret) {
                let record = entry.record.edit().expires(until).build()?;
                for old in &entry.secrets[1..] {
                    self.memory().ghosts.insert(old.digest, record.clone().into());
                }
            }
            Ok(entry)
        })
    }

    fn revoke_faultily<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        let by = self.author(Action::KeyRevoked, by);
        Box::pin(async move {
            if self.has(Fault::RevokesTheNewestSecretOnly) {
                let entry = self.inner.get(id).await?.ok_or(ManageError::NotFound)?;
                self.haunt(secrets(std::slice::from_ref(&entry)).split_off(1)).await;
            }
            self.inner.revoke(id, by).await
        })
    }

    fn delete_faultily<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        let by = self.author(Action::KeyDeleted, by);
        Box::pin(async move {
            let entry = self.inner.get(id).await?.ok_or(ManageError::NotFound)?;
            if self.has(Fault::DeletesTheNewestSecretOnly) {
                self.haunt(secrets(std::slice::from_ref(&entry)).split_off(1)).await;
            }
            self.memory().deleted.insert(id.to_owned(), entry);
            self.inner.delete(id, by).await
        })
    }

    fn save_account_faultily<'a>(&'a self, account: Account, by: &'a str) -> ManageFuture<'a, ()> {
        let by = self.author(Action::AccountSaved, by);
        Box::pin(async move {
            if self.has(Fault::AccountsReachNoKeys) {
                let entries = self.entries(KeyFilter::account(account.id().as_str())).await;
                self.haunt(secrets(&entries)).await;
            }
            let account = if self.has(Fault::ForgetsThePlan) {
                let without =
                    Account::builder(account.id().as_str()).scopes(account.scopes().iter());
                let without = without.disabled(account.is_disabled());
                match account.quotas() {
                    Some(quotas) => without.quotas(quotas.as_slice().iter().cloned()),
                    None => without,
                }
                .build()?
            } else {
                account
            };
            self.inner.save_account(account, by).await
        })
    }

    fn delete_account_faultily<'a>(&'a self, id: &'a str, by: &'a str) -> ManageFuture<'a, ()> {
        let by = self.author(Action::AccountDeleted, by);
        Box::pin(async move {
            if self.has(Fault::DeletedAccountsKeepTheirKeys) {
                let entries = self.entries(KeyFilter::account(id)).await;
                self.haunt(secrets(&entries)).await;
            }
            if let Some(account) = self.inner.find_account(id).await? {
                self.memory().deleted_accounts.insert(id.to_owned(), (*account).clone());
            }
            self.inner.delete_account(id, by).await
        })
    }

    /// Does what it should not with a key that was not rotated because it serves no more.
    async fn rotate_dead(
        &self,
        id: &str,
        state: KeyState,
        secret: KeyDigest,
    ) -> Result<KeyEntry, ManageError> {
        let entry = self.inner.get(id).await?.ok_or(ManageError::NotFound)?;
        let record = entry.record.clone();
        match self.fault {
            Fault::RotationRevives if state == KeyState::Revoked => {
                let record = record.edit().revoked(false).build()?;
                self.memory().ghosts.insert(secret, record.into());
                Ok(entry)
            }
            Fault::Rotates(rotated) if rotated == state => {
                self.memory().ghosts.insert(secret, record.into());
                Ok(entry)
            }
            Fault::RefusesARotationAndKeepsTheSecret => {
                self.memory().ghosts.insert(secret, record.into());
                Err(ManageError::NotActive(state))
            }
            Fault::RefusesARotationAndEndsTheOldSecret => {
                let ended = record.edit().expires(Timestamp::from_unix_seconds(2)).build()?;
                self.memory().ghosts.insert(entry.secrets[0].digest, ended.into());
                Err(ManageError::NotActive(state))
            }
            _ => Err(ManageError::NotActive(state)),
        }
    }
}
