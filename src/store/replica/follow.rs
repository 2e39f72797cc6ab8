//! The task that copies a store and follows its changes.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::select;
use tokio::time::{Instant, timeout};

use super::super::MemoryStore;
use super::super::feed::{FeedAnswer, FeedChanges, FeedFuture, FeedPage, KeyFeed};
use super::applying::{PendingChanges, add_page, make_room};
use super::cursor::Cursor;
use super::freshness::Proof;
use super::notices::listen;
use super::pace::Pace;
use super::progress::Wake;
use super::repairs::Repairs;
use super::settings::FollowSettings;
use super::shared::SharedReplica;
use super::unproven::NoFeedAnswer;
use crate::error::StoreError;

/// Copies and follows until the replica is dropped.
pub(super) fn follow<F: KeyFeed>(
    feed: Arc<F>,
    shared: &Arc<SharedReplica>,
) -> impl Future<Output = ()> + Send + 'static {
    let mut end = shared.end.subscribe();
    let replica = Arc::downgrade(shared);
    let settings = shared.settings.clone();
    let wake = Arc::clone(&shared.wake);
    async move {
        let Some(_following) = wake.begin() else { return };
        let listening = listen(feed.notices(), Arc::clone(&wake));
        let seed = settings.jitter_seed.or_else(|| getrandom::u64().ok()).unwrap_or_default();
        let pace = Pace::new(settings.poll_interval, seed);
        let mut follower = Follower {
            feed,
            replica,
            wake: Arc::clone(&wake),
            settings,
            pace,
            repairs: Repairs::default(),
        };
        let (running, listening) = (pin!(follower.run()), pin!(listening));
        let following = select(running, listening);
        // The sender of `end` is dropped with the replica.
        select(pin!(end.changed()), following).await;
    }
}

struct Follower<F> {
    feed: Arc<F>,
    /// Weak, so that a question that hangs keeps no replica.
    replica: Weak<SharedReplica>,
    wake: Arc<Wake>,
    settings: FollowSettings,
    pace: Pace,
    repairs: Repairs,
}

/// What came of a question for changes.
enum FollowStep {
    UpToDate(Option<Proof>, Option<u64>),
    More,
    Failed,
    Diverged,
}

impl<F: KeyFeed> Follower<F> {
    /// Copies the store, follows it, and copies it anew when its history is another one.
    async fn run(&mut self) {
        loop {
            let copy = MemoryStore::new();
            let Some(mut cursor) = self.copy(&copy).await else {
                self.pause().await;
                continue;
            };
            let Some((proof, answered)) = self.catch_up(&copy, &mut cursor).await else {
                self.pause().await;
                continue;
            };
            let Some(replica) = self.replica.upgrade() else { return };
            let replaced = replica.adopt(copy, proof);
            let keys = replica.keys.clone();
            drop(replica);
            self.publish(proof, answered);
            // Dropping millions of records takes a while.
            tokio::task::spawn_blocking(move || drop(replaced));
            self.keep_up(&keys, &mut cursor).await;
            self.pause().await;
        }
    }

    /// Reads all pages. Returns `None` if the history of the store became another one meanwhile.
    async fn copy(&mut self, copy: &MemoryStore) -> Option<Cursor> {
        self.repairs = Repairs::default();
        let mut cursor = loop {
            match self.ask(self.settings.timeout, |feed| feed.position()).await {
                Some(position) => break Cursor::new(position),
                None => self.pause().await,
            }
        };
        let mut after = None;
        loop {
            let seen = cursor.seen;
            let answer =
                self.ask(self.settings.page_timeout, |feed| feed.keys_after(seen, after)).await;
            let page = match answer {
                Some(FeedAnswer::Same(page)) => page,
                Some(FeedAnswer::Diverged) => return None,
                None => {
                    self.pause().await;
                    continue;
                }
            };
            if after.is_none() {
                make_room(copy, &page);
            }
            let FeedPage { secrets, is_last, latest } = page;
            cursor.seen = latest;
            let last = secrets.last().map(|secret| secret.digest);
            if last.is_none() && !is_last {
                self.fails(NoFeedAnswer::EmptyPage);
                self.pause().await;
                continue;
            }
            after = last.or(after);
            self.repairs.note_unreadable(add_page(copy, secrets).await);
            if is_last {
                return Some(cursor);
            }
        }
    }

    /// Applies the changes since the copy began. Returns `None` if the history of the store became another one.
    async fn catch_up(
        &mut self,
        copy: &MemoryStore,
        cursor: &mut Cursor,
    ) -> Option<(Option<Proof>, Option<u64>)> {
        let mut pending = PendingChanges::default();
        loop {
            let step = self.step(cursor, &mut pending).await;
            // No request finds these records yet, so they need not wait for further changes.
            pending.apply(copy, &mut self.repairs).await;
            match step {
                FollowStep::UpToDate(proof, answered) => return Some((proof, answered)),
                FollowStep::More => {}
                FollowStep::Failed => self.pause().await,
                FollowStep::Diverged => return None,
            }
        }
    }

    /// Follows the changes until the history of the store is another one.
    async fn keep_up(&mut self, keys: &MemoryStore, cursor: &mut Cursor) {
        let mut pending = PendingChanges::default();
        loop {
            self.pace.wait(&self.wake).await;
            loop {
                match self.step(cursor, &mut pending).await {
                    FollowStep::UpToDate(proof, answered) => {
                        pending.apply(keys, &mut self.repairs).await;
                        if let (Some(proof), Some(replica)) = (proof, self.replica.upgrade()) {
                            replica.freshness.prove(proof);
                        }
                        self.publish(proof, answered);
                        // A page counts together with the changes since, so they are asked for at once.
                        if !self.repair(keys, cursor, &mut pending).await {
                            break;
                        }
                    }
                    FollowStep::More => {}
                    FollowStep::Failed => break,
                    FollowStep::Diverged => return,
                }
            }
        }
    }

    /// Reads a page of keys that may be readable again. Returns false if there is none to read.
    async fn repair(
        &mut self,
        keys: &MemoryStore,
        cursor: &mut Cursor,
        pending: &mut PendingChanges,
    ) -> bool {
        let asked = Instant::now();
        let Some((account, after)) = self.repairs.due(asked) else { return false };
        // No changes are followed meanwhile, so it takes no longer than the records may wait for a proof.
        let longest = self.settings.page_timeout.min(self.settings.staleness / 2);
        let seen = cursor.seen;
        let answer = self.ask(longest, |feed| feed.keys_of_account(account, seen, after)).await;
        let Some(FeedAnswer::Same(page)) = answer else {
            self.repairs.fail(asked, self.settings.poll_interval);
            return true;
        };
        cursor.seen = page.latest;
        let last = page.secrets.last().filter(|_| !page.is_last).map(|secret| secret.digest);
        self.repairs.note_unreadable(pending.repair(keys, page.secrets).await);
        self.repairs.read(asked, last);
        true
    }

    /// Asks for the changes since a position.
    async fn step(&mut self, cursor: &mut Cursor, pending: &mut PendingChanges) -> FollowStep {
        let Some(replica) = self.replica.upgrade() else { return FollowStep::Failed };
        let asked = replica.freshness.ask();
        drop(replica);
        let requested = self.pace.asks(&self.wake);
        let Cursor { position, seen } = *cursor;
        let answer =
            self.ask(self.settings.timeout, |feed| feed.changes_after(position, seen)).await;
        let answer: FeedChanges = match answer {
            Some(FeedAnswer::Same(answer)) => answer,
            Some(FeedAnswer::Diverged) => {
                self.note(Some(StoreError::new(NoFeedAnswer::Diverged)));
                return FollowStep::Diverged;
            }
            None => return FollowStep::Failed,
        };
        let moved = cursor.advance(&answer);
        let FeedChanges { changes, more, behind, .. } = answer;
        pending.add(changes);
        if !moved {
            self.fails(NoFeedAnswer::NoProgress);
            return FollowStep::Failed;
        }
        if more {
            return FollowStep::More;
        }
        let answered = behind.is_zero().then_some(requested);
        FollowStep::UpToDate(asked.behind(behind), answered)
    }

    /// Asks the feed. Returns `None`, and records why, if it fails or does not answer in time.
    async fn ask<T>(
        &mut self,
        longest: Duration,
        question: impl FnOnce(&F) -> FeedFuture<'_, T>,
    ) -> Option<T> {
        let answer = timeout(longest, question(&self.feed)).await;
        match answer.unwrap_or_else(|_| Err(StoreError::new(NoFeedAnswer::Timeout(longest)))) {
            Ok(answer) => {
                self.pace.succeeded();
                self.note(None);
                Some(answer)
            }
            Err(error) => {
                self.note_failure(error);
                None
            }
        }
    }

    /// Waits before a question is repeated, or the store is read anew.
    async fn pause(&mut self) {
        self.pace.wait_after_failure().await;
    }

    fn fails(&mut self, why: NoFeedAnswer) {
        self.note_failure(StoreError::new(why));
    }

    fn note_failure(&mut self, error: StoreError) {
        self.pace.failed();
        self.note(Some(error));
    }

    /// Records why there is no answer, or that there is one.
    fn note(&self, failure: Option<StoreError>) {
        if let Some(replica) = self.replica.upgrade() {
            replica.note(failure.map(Arc::new));
        }
    }

    /// Publishes how far the copy is.
    fn publish(&self, proof: Option<Proof>, answered: Option<u64>) {
        self.wake.progress.send_modify(|progress| {
            progress.is_copied = true;
            progress.answered = answered.unwrap_or(progress.answered);
            progress.proof = proof.max(progress.proof);
        });
    }
}
