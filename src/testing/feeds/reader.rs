//! A reader of a feed, as plain as can be: a map from secrets to records.

#![allow(clippy::panic)] // A broken promise is reported by a panic.

use std::collections::{HashMap, HashSet};

use super::managed::ManagedFeed;
use super::support::done;
use crate::error::StoreError;
use crate::key::{Account, AccountId, KeyDigest, KeyId, KeyRecord};
use crate::store::{FeedAnswer, FeedChange, FeedChanges, FeedPage, FeedPosition, FeedSecret};

/// The most answers of one read. A feed that has always more never ends.
const MOST_ANSWERS: usize = 10_000;

/// A copy of the records of a store, and the position up to which it holds the changes.
#[derive(Clone)]
pub(super) struct FeedReader {
    pub(super) position: FeedPosition,
    /// The latest position of the last answer.
    seen: FeedPosition,
    pub(super) records: HashMap<KeyDigest, KeyRecord>,
}

impl FeedReader {
    /// Begins a copy, without any record.
    pub(super) async fn begin(store: &dyn ManagedFeed) -> Self {
        let position = done(store.position().await, "asking for the position");
        Self { position, seen: position, records: HashMap::new() }
    }

    /// Reads all pages and the changes since.
    pub(super) async fn whole(store: &dyn ManagedFeed) -> Self {
        let mut reader = Self::begin(store).await;
        let mut at = PageCursor::new(reader.position);
        while reader.read_page(store, &mut at).await {}
        reader.follow(store).await;
        reader
    }

    /// Reads a page. Returns false if it was the last one.
    pub(super) async fn read_page(&mut self, store: &dyn ManagedFeed, at: &mut PageCursor) -> bool {
        let answer = store.keys_after(at.position, at.after).await;
        self.add_page(answer, at)
    }

    /// Reads a page of one account. Returns false if it was the last one.
    pub(super) async fn read_page_of(
        &mut self,
        store: &dyn ManagedFeed,
        account: &str,
        at: &mut PageCursor,
    ) -> bool {
        let account = done(AccountId::new(account), "naming an account");
        let answer = store.keys_of_account(account, at.position, at.after).await;
        self.add_page(answer, at)
    }

    fn add_page(
        &mut self,
        answer: Result<FeedAnswer<FeedPage>, StoreError>,
        at: &mut PageCursor,
    ) -> bool {
        at.count += 1;
        assert!(at.count < MOST_ANSWERS, "{MOST_ANSWERS} pages, and no last one");
        let FeedPage { secrets, is_last, latest } = same(done(answer, "reading a page"), "a page");
        assert!(
            latest.sequence >= at.position.sequence,
            "the latest position of a page, {latest:?}, is before {:?}",
            at.position
        );
        assert!(is_last || !secrets.is_empty(), "a page that is not the last one has no secrets");
        at.position = latest;
        self.seen = latest;
        for secret in secrets {
            assert!(
                at.after.is_none_or(|after| after.as_bytes() < secret.digest.as_bytes()),
                "secrets are not in the order of their digests, each once"
            );
            at.after = Some(secret.digest);
            let (digest, record) = readable(secret);
            self.records.insert(digest, record);
        }
        !is_last
    }

    /// Reads changes until there are no more. Returns how many there were.
    pub(super) async fn follow(&mut self, store: &dyn ManagedFeed) -> usize {
        let mut changed = 0;
        for _ in 0..MOST_ANSWERS {
            let FeedChanges { changes, position, latest, more, .. } =
                changes_since(store, self.position, self.seen).await;
            assert!(
                position.sequence >= self.position.sequence,
                "the changes since {:?} end before it, at {position:?}",
                self.position
            );
            assert!(
                latest.sequence >= position.sequence,
                "the latest position {latest:?} is before the position {position:?}"
            );
            assert!(
                !more || position.sequence > self.position.sequence,
                "there are more changes, but the position stays {position:?}"
            );
            changed += changes.len();
            (self.position, self.seen) = (position, latest);
            self.apply(changes);
            if !more {
                return changed;
            }
        }
        panic!("{MOST_ANSWERS} answers, and always more changes");
    }

    fn apply(&mut self, changes: Vec<FeedChange>) {
        let (mut keys, mut accounts) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                FeedChange::Key { id, secrets } => keys.push((id, secrets)),
                FeedChange::Account { id, account } => accounts.push((id, account)),
            }
        }
        let named: HashSet<KeyId> = keys.iter().map(|(id, _)| id.clone()).collect();
        for (id, _) in accounts.iter().filter(|(_, account)| account.is_none()) {
            let stays =
                |record: &KeyRecord| record.account().id() != id || named.contains(record.id());
            self.records.retain(|_, record| stays(record));
        }
        for account in accounts.into_iter().filter_map(|(_, account)| account) {
            self.set_account(&account);
        }
        for (id, secrets) in keys {
            self.records.retain(|_, record| *record.id() != id);
            for (digest, record) in secrets.into_iter().map(readable) {
                assert_eq!(*record.id(), id, "a change of `{id}` has a secret of another key");
                self.records.insert(digest, record);
            }
        }
    }

    fn set_account(&mut self, account: &Account) {
        for record in
            self.records.values_mut().filter(|record| record.account().id() == account.id())
        {
            *record = done(record.clone().with_account(account.clone()), "changing an account");
        }
    }

    /// Compares the copy with the store, for these secrets.
    pub(super) async fn is_like(&self, store: &dyn ManagedFeed, secrets: &[KeyDigest], when: &str) {
        for secret in secrets {
            let expected = done(store.find(secret).await, "a lookup");
            let copied = self.records.get(secret);
            assert_eq!(copied, expected.as_deref(), "the copied record of {secret:?}, {when}");
        }
        let known = |digest: &&KeyDigest| !secrets.contains(digest);
        let unknown = self.records.keys().find(known);
        assert!(unknown.is_none(), "the copy has {unknown:?}, which nothing made, {when}");
    }
}

/// Where the next page begins.
pub(super) struct PageCursor {
    position: FeedPosition,
    after: Option<KeyDigest>,
    count: usize,
}

impl PageCursor {
    pub(super) const fn new(position: FeedPosition) -> Self {
        Self { position, after: None, count: 0 }
    }
}

/// Asks for the changes since a position of the store.
pub(super) async fn changes_since(
    store: &dyn ManagedFeed,
    since: FeedPosition,
    seen: FeedPosition,
) -> FeedChanges {
    same(done(store.changes_after(since, seen).await, "asking for changes"), "changes")
}

/// Returns the answer about a position that the store has.
fn same<T>(answer: FeedAnswer<T>, what: &str) -> T {
    match answer {
        FeedAnswer::Same(answer) => answer,
        FeedAnswer::Diverged => panic!("{what} of the store's own position: `Diverged`"),
    }
}

fn readable(secret: FeedSecret) -> (KeyDigest, KeyRecord) {
    match secret.record {
        Ok(record) => (secret.digest, record),
        Err(broken) => panic!("the feed cannot read `{}`: {}", broken.id, broken.problem),
    }
}
