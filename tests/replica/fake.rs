//! A feed over a [`World`], which fails, hangs and is moved as a test says.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;
use tower_api_key::Reply;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, AccountId, KeyDigest, SharedRecord};
use tower_api_key::policy::Policies;
use tower_api_key::store::{
    Applied, Change, Command, CommandOptions, FeedAnswer, FeedChanges, FeedFuture, FeedPage,
    FeedPosition, Invalidation, Invalidations, KeyEntry, KeyFeed, KeyFilter, KeyManager, KeyStore,
    ManageError, ManageFuture, NewKey, SecretEntry, StoreError, TrailFilter,
};

use crate::world::World;

/// What the next calls of a feed do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    /// They answer.
    #[default]
    None,
    /// They fail.
    Fails,
    /// They never answer.
    Hangs,
}

/// A store and its feed. Clones share both.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    notices: watch::Sender<u64>,
}

pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) fault: Fault,
    /// The most lines of an answer.
    pub(crate) most: usize,
    /// How far the answers are behind.
    pub(crate) behind: std::time::Duration,
    /// How long an answer takes. It has the state of its end.
    pub(crate) delay: std::time::Duration,
    pub(crate) calls: usize,
    /// Whether pages of one account hold that account alone.
    pub(crate) reads_accounts: bool,
    /// Whether pages of one account never come.
    pub(crate) hangs_of_account: bool,
    /// The pages that were read of one account.
    pub(crate) pages_of_account: usize,
    /// The fault that comes after this many more calls.
    next: Option<(usize, Fault)>,
    /// The uses that were recorded.
    pub(crate) uses: Vec<KeyDigest>,
}

impl State {
    /// Lets this many calls be answered, and then has a fault.
    pub(crate) fn fault_after(&mut self, calls: usize, fault: Fault) {
        self.next = Some((calls, fault));
    }

    /// Lets all further calls be answered.
    pub(crate) fn heal(&mut self) {
        (self.fault, self.next) = (Fault::None, None);
        self.delay = std::time::Duration::ZERO;
    }

    fn begin_call(&mut self) -> Fault {
        self.calls += 1;
        if let Some((left, fault)) = self.next {
            self.next = left.checked_sub(1).map(|left| (left, fault));
            if left == 0 {
                self.fault = fault;
            }
        }
        self.fault
    }
}

impl Fake {
    pub(crate) fn new() -> Self {
        let state = State {
            world: World::default(),
            fault: Fault::None,
            most: 100,
            behind: std::time::Duration::ZERO,
            delay: std::time::Duration::ZERO,
            calls: 0,
            reads_accounts: true,
            hangs_of_account: false,
            pages_of_account: 0,
            next: None,
            uses: Vec::new(),
        };
        Self(Arc::new(Shared { state: Mutex::new(state), notices: watch::Sender::new(0) }))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// Sends a notice.
    pub(crate) fn notify(&self) {
        self.0.notices.send_modify(|sent| *sent += 1);
    }

    fn answer<'a, T: Send + 'a>(
        &'a self,
        answer: impl FnOnce(&State) -> T + Send + 'a,
    ) -> FeedFuture<'a, T> {
        Box::pin(async move {
            let (fault, delay) = {
                let mut state = self.state();
                (state.begin_call(), state.delay)
            };
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            match fault {
                Fault::None => Ok(answer(&self.state())),
                Fault::Fails => Err(StoreError::new("the connection was lost")),
                Fault::Hangs => std::future::pending().await,
            }
        })
    }

    fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut World) -> Result<T, ManageError>,
    ) -> ManageFuture<'_, T> {
        let changed = change(&mut self.state().world);
        Box::pin(std::future::ready(changed))
    }

    fn entry(world: &World, id: &str) -> Option<KeyEntry> {
        let key = world.keys.get(id)?;
        let secret = |(digest, expires): &(KeyDigest, Option<Timestamp>)| {
            let mut secret = SecretEntry::new(*digest, Timestamp::default());
            secret.expires = *expires;
            secret
        };
        let secrets = key.secrets.iter().map(secret).collect();
        Some(KeyEntry::new(key.record.clone(), Timestamp::default(), secrets))
    }
}

impl KeyFeed for Fake {
    fn position(&self) -> FeedFuture<'_, FeedPosition> {
        self.answer(|state| state.world.position())
    }

    fn keys_after(
        &self,
        position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        self.answer(move |state| state.world.page(None, position, after, state.most))
    }

    fn keys_of_account(
        &self,
        account: AccountId,
        position: FeedPosition,
        after: Option<KeyDigest>,
    ) -> FeedFuture<'_, FeedAnswer<FeedPage>> {
        self.state().pages_of_account += 1;
        if self.state().hangs_of_account {
            return Box::pin(std::future::pending());
        }
        if !self.state().reads_accounts {
            return self.keys_after(position, after);
        }
        self.answer(move |state| state.world.page(Some(&account), position, after, state.most))
    }

    fn changes_after(
        &self,
        since: FeedPosition,
        seen: FeedPosition,
    ) -> FeedFuture<'_, FeedAnswer<FeedChanges>> {
        self.answer(move |state| match state.world.changes(since, seen, state.most) {
            FeedAnswer::Same(changes) => {
                FeedAnswer::Same(FeedChanges { behind: state.behind, ..changes })
            }
            FeedAnswer::Diverged => FeedAnswer::Diverged,
        })
    }

    fn notices(&self) -> Option<Box<dyn Invalidations>> {
        Some(Box::new(Notices(self.0.notices.subscribe())))
    }
}

struct Notices(watch::Receiver<u64>);

impl Invalidations for Notices {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        Box::pin(async {
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            Ok(Invalidation::Added)
        })
    }
}

impl KeyStore for Fake {
    fn find(&self, digest: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let found = self.state().world.find(digest).transpose();
        Reply::now(match found {
            Ok(record) => Ok(record.map(Into::into)),
            Err(broken) => Err(StoreError::new(broken.problem)),
        })
    }
}

impl KeyManager for Fake {
    fn apply<'a>(
        &'a self,
        command: Command<'a>,
        _options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        self.change(|world| {
            let id = match command {
                Command::Add(key) => {
                    let id = key.record.id().to_string();
                    world.add(key)?;
                    id
                }
                Command::Update { id, change } => {
                    world.update(id, |record| change(record.edit()).build().unwrap())?;
                    id.to_owned()
                }
                Command::Rotate { id, secret, until } => {
                    world.rotate(id, secret.digest, until)?;
                    id.to_owned()
                }
                Command::Revoke { id } => {
                    world.update(id, |record| record.edit().revoked(true).build().unwrap())?;
                    id.to_owned()
                }
                Command::Delete { id } => {
                    world.delete(id)?;
                    return Ok(Applied::default());
                }
                Command::SaveAccount(account) => {
                    world.save_account(account);
                    return Ok(Applied::default());
                }
                Command::DeleteAccount { id } => {
                    world.delete_account(id)?;
                    return Ok(Applied::default());
                }
                _ => panic!("a command that the model does not know"),
            };
            Ok(Applied::key(Self::entry(world, &id)))
        })
    }

    fn import<'a>(&'a self, keys: Vec<NewKey>, _by: &'a str) -> ManageFuture<'a, u64> {
        self.change(|world| Ok(keys.into_iter().map(|key| u64::from(world.add(key).is_ok())).sum()))
    }

    fn get<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<KeyEntry>> {
        self.change(|world| Ok(Self::entry(world, id)))
    }

    fn list<'a>(
        &'a self,
        _filter: &'a KeyFilter,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<KeyEntry>> {
        self.change(|world| {
            let later =
                world.keys.keys().filter(|id| after.is_none_or(|after| id.as_str() > after));
            Ok(later.take(limit).filter_map(|id| Self::entry(world, id)).collect())
        })
    }

    fn find_account<'a>(&'a self, id: &'a str) -> ManageFuture<'a, Option<Arc<Account>>> {
        self.change(|world| Ok(world.accounts.get(id).cloned()))
    }

    fn list_accounts<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> ManageFuture<'a, Vec<Arc<Account>>> {
        self.change(|world| {
            let later = world.accounts.iter();
            let later = later.filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
            Ok(later.take(limit).map(|(_, account)| Arc::clone(account)).collect())
        })
    }

    fn policies(&self) -> ManageFuture<'_, Policies> {
        Box::pin(std::future::ready(Ok(Policies::default())))
    }

    fn changes(&self, _sequence: u64, _limit: usize) -> ManageFuture<'_, Vec<Change>> {
        self.change(|_| Ok(Vec::new()))
    }

    fn trail<'a>(
        &'a self,
        _filter: &'a TrailFilter,
        _before: Option<u64>,
        _limit: usize,
    ) -> ManageFuture<'a, Vec<Change>> {
        self.change(|_| Ok(Vec::new()))
    }

    fn note_uses(&self, uses: Vec<(KeyDigest, Timestamp)>) -> ManageFuture<'_, ()> {
        self.state().uses.extend(uses.into_iter().map(|(digest, _)| digest));
        Box::pin(std::future::ready(Ok(())))
    }
}
