//! The secrets of a key: a new one, and the end of the earlier ones.

use std::time::Duration;

use tower_api_key::clock::Timestamp;
use tower_api_key::events::EventKind;
use tower_api_key::store::{
    Action, Difference, Invalidation, KeyEntry, KeyState, ManageError, NewSecret,
    check_most_secrets,
};

use super::statement::Statement;
use super::step::bytes;
use super::trail::Step;
use super::{query, row};

impl Step<'_> {
    /// Gives a key another secret.
    pub(super) async fn rotate(
        &mut self,
        id: &str,
        secret: NewSecret,
        until: Timestamp,
    ) -> Result<KeyEntry, ManageError> {
        let before = self.locked(id).await?;
        match before.state(self.now()) {
            KeyState::Active => {}
            ended => return Err(ManageError::NotActive(ended)),
        }
        let until = self.end_of_earlier(&before, until).await?;
        check_most_secrets(&before.secrets, until, self.now())?;
        let account = before.record.account().id().clone();
        for gone in self.store.retention.to_delete(&before.secrets, self.now()) {
            let deleted = Statement::new(&self.store.queries.delete_secret).bind(bytes(&gone));
            self.execute(deleted).await?;
        }
        let ended = Statement::new(&self.store.queries.end_secrets);
        self.execute(ended.bind(id).bind(row::column(until))).await?;
        // The newest secret tells the version of a key, so it comes first also after a clock was set back.
        let newest = before.secrets.first().map_or(Timestamp::default(), |newest| newest.created);
        let back = newest > self.now();
        let at = if back { newest.plus(Duration::from_nanos(1)) } else { self.now() };
        let at = row::column(at);
        let into = &self.store.queries.into_secrets;
        let added = self
            .insert(into, 5, &[&secret], query::UNLESS_THERE, |row, secret| {
                let pepper = secret.pepper.as_ref().map(ToString::to_string);
                let tail = secret.tail.map(|tail| tail.to_string());
                row.bind(bytes(&secret.digest)).bind(id).bind(at).bind(pepper).bind(tail)
            })
            .await?;
        if added == 0 {
            return Err(ManageError::Exists);
        }
        self.note(Action::KeyRotated, Some(id), account.as_str(), &[]).await?;
        let until = [("old_secrets_until", until.to_string().into())];
        self.note_event(EventKind::Rotated, id, account.as_str(), &until).await?;
        let entry = self.locked(id).await?;
        // Announces the deleted secrets, too.
        self.announce_secrets(&before);
        self.announce(Invalidation::Secret(secret.digest));
        Ok(entry)
    }

    /// Ends the secrets of a key, except the newest one.
    pub(super) async fn end_earlier_secrets(&mut self, id: &str) -> Result<KeyEntry, ManageError> {
        let before = self.locked(id).await?;
        let Some((newest, earlier)) = before.secrets.split_first() else { return Ok(before) };
        let now = self.now();
        let valid = earlier.iter().filter(|old| old.expires.is_none_or(|ends| ends > now)).count();
        let ended = Statement::new(&self.store.queries.end_earlier_secrets);
        let ended = ended.bind(id).bind(row::column(now)).bind(bytes(&newest.digest));
        self.execute(ended).await?;
        self.announce_secrets(&before);
        let account = before.record.account().id().as_str();
        let differences = Difference::of_ended_secrets(valid);
        self.note(Action::KeyUpdated, Some(id), account, &differences).await?;
        self.note_leak(id, account).await?;
        self.locked(id).await
    }
}
