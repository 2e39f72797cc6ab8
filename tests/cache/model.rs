//! Lookups, answers, changes and notices in every order that is drawn: nothing is answered that is older
//! than the last notice about it, or than the staleness.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower_api_key::Reply;
use tower_api_key::clock::{Clock, ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyDigest, KeyRecord, SharedRecord};
use tower_api_key::store::{
    Cached, Invalidation, Invalidations, KeyStore, ManageFuture, StoreError,
};

use crate::double::digest;

const SECRETS: usize = 3;
const ACCOUNTS: usize = 2;
const STALENESS: Duration = Duration::from_secs(5);
const GRACE: Duration = Duration::from_secs(4);
const UNKNOWN_FOR: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
enum Op {
    /// A request asks for a secret.
    Ask(usize),
    /// The store looks, for one of the lookups that it was asked for.
    Look(usize),
    /// The store answers what it has seen, or sees now.
    Answer(usize),
    Fail(usize),
    /// The key of a secret changes.
    Edit(usize),
    /// A secret goes, or comes, under an account.
    AddOrRemove(usize, usize),
    EditAccount(usize),
    /// The oldest notice that is under way is heard.
    Hear,
    /// All notices that are under way are lost, and that is heard.
    Lose,
    /// The source proves that all notices were heard, if they were.
    Prove,
    Wait(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..SECRETS).prop_map(Op::Ask),
        4 => (0..8usize).prop_map(Op::Look),
        5 => (0..8usize).prop_map(Op::Answer),
        1 => (0..8usize).prop_map(Op::Fail),
        2 => (0..SECRETS).prop_map(Op::Edit),
        2 => (0..SECRETS, 0..ACCOUNTS).prop_map(|(secret, account)| Op::AddOrRemove(secret, account)),
        2 => (0..ACCOUNTS).prop_map(Op::EditAccount),
        4 => Just(Op::Hear),
        1 => Just(Op::Lose),
        4 => Just(Op::Prove),
        2 => (1..2_000u64).prop_map(Op::Wait),
    ]
}

/// A state of a secret in the store: none, or a key under an account. States have numbers.
#[derive(Debug, Clone)]
struct State {
    number: usize,
    account: Option<usize>,
    /// When it was replaced, and when that was heard of, as the number of an event.
    replaced: Option<(Timestamp, Heard)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    NotYet,
    At(usize),
    /// As the loss of all word.
    AsLossAt(usize),
}

struct Lookup {
    secret: usize,
    seen: Option<State>,
    answer: oneshot::Sender<Result<State, ()>>,
}

#[derive(Default)]
struct World {
    /// All states of each secret, the present one last.
    states: Vec<Vec<State>>,
    lookups: Vec<Lookup>,
    next: usize,
}

#[derive(Clone)]
struct Store(Arc<Mutex<World>>);

fn name(secret: usize) -> KeyDigest {
    digest(&secret.to_string())
}

impl World {
    fn new() -> Self {
        let mut world = Self::default();
        for secret in 0..SECRETS {
            world.states.push(Vec::new());
            world.turns(secret, (secret < 2).then_some(secret), Timestamp::default());
        }
        world
    }

    fn present(&self, secret: usize) -> &State {
        self.states[secret].last().unwrap()
    }

    fn turns(&mut self, secret: usize, account: Option<usize>, now: Timestamp) {
        if let Some(before) = self.states[secret].last_mut() {
            before.replaced = Some((now, Heard::NotYet));
        }
        self.next += 1;
        self.states[secret].push(State { number: self.next, account, replaced: None });
    }
}

impl KeyStore for Store {
    fn find(&self, asked: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        let secret = (0..SECRETS).find(|secret| name(*secret) == *asked).unwrap();
        let (answer, answered) = oneshot::channel();
        self.0.lock().unwrap().lookups.push(Lookup { secret, seen: None, answer });
        Reply::later(async move {
            let state = answered.await.unwrap().map_err(|()| StoreError::new("down"))?;
            let Some(account) = state.account else { return Ok(None) };
            let account = Arc::new(Account::builder(format!("account_{account}")).build().unwrap());
            let record = KeyRecord::builder(format!("state_{}", state.number), account);
            Ok(Some(record.build().unwrap().into()))
        })
    }
}

/// The source of notices.
struct Source(UnboundedReceiver<Invalidation>);

impl Invalidations for Source {
    fn next(&mut self) -> ManageFuture<'_, Invalidation> {
        Box::pin(async { Ok(self.0.recv().await.unwrap()) })
    }
}

/// A request that waits: what it asks for, and when it came.
struct Request {
    secret: usize,
    began: (Timestamp, usize),
    /// Whether the store failed at the latest lookup before it came, or since.
    store_failed: bool,
    /// What was true when it came.
    first: usize,
    answer: JoinHandle<Result<Option<SharedRecord>, StoreError>>,
}

struct Run {
    world: Arc<Mutex<World>>,
    cache: Cached<Store>,
    clock: ManualClock,
    source: UnboundedSender<Invalidation>,
    requests: Vec<Request>,
    notices: VecDeque<(Invalidation, Vec<(usize, usize)>)>,
    failing: bool,
    event: usize,
}

impl Run {
    fn new() -> Self {
        let world = Arc::new(Mutex::new(World::new()));
        let clock = ManualClock::starting_at(Timestamp::from_unix_seconds(1_000));
        let cache = Cached::builder(Store(Arc::clone(&world))).staleness(STALENESS).grace(GRACE);
        let cache = cache.unknown_for(UNKNOWN_FOR).timeout(Duration::from_secs(1_000_000));
        let cache = cache.clock(clock.clone()).build();
        let (source, said) = unbounded_channel();
        tokio::spawn(cache.listen(Source(said)));
        Self {
            world,
            cache,
            clock,
            source,
            requests: Vec::new(),
            notices: VecDeque::new(),
            failing: false,
            event: 0,
        }
    }

    async fn step(&mut self, op: Op) {
        self.event += 1;
        let now = self.clock.now();
        match op {
            Op::Ask(secret) => {
                let cache = self.cache.clone();
                let first = self.world.lock().unwrap().present(secret).number;
                let answer = tokio::spawn(async move { cache.find(&name(secret)).await });
                let began = (now, self.event);
                let store_failed = self.failing;
                self.requests.push(Request { secret, began, store_failed, first, answer });
            }
            Op::Look(which) => {
                let mut world = self.world.lock().unwrap();
                if let Some(index) = which.checked_rem(world.lookups.len()) {
                    let seen = world.present(world.lookups[index].secret).clone();
                    world.lookups[index].seen.get_or_insert(seen);
                }
            }
            Op::Answer(which) | Op::Fail(which) => {
                let mut world = self.world.lock().unwrap();
                if let Some(index) = which.checked_rem(world.lookups.len()) {
                    let lookup = world.lookups.remove(index);
                    let present = world.present(lookup.secret).clone();
                    self.failing = matches!(op, Op::Fail(_));
                    if self.failing {
                        self.requests.iter_mut().for_each(|request| request.store_failed = true);
                    }
                    let seen = lookup.seen.unwrap_or(present);
                    let _ = lookup.answer.send(if self.failing { Err(()) } else { Ok(seen) });
                }
            }
            Op::Edit(secret) => self.changes(&[secret], Invalidation::Secret(name(secret))),
            Op::AddOrRemove(secret, account) => {
                let mut world = self.world.lock().unwrap();
                let (account, what) = match world.present(secret).account {
                    Some(_) => (None, Invalidation::Secret(name(secret))),
                    None => (Some(account), Invalidation::Added),
                };
                let before = world.present(secret).number;
                world.turns(secret, account, now);
                self.notices.push_back((what, vec![(secret, before)]));
            }
            Op::EditAccount(account) => {
                let secrets: Vec<usize> = (0..SECRETS)
                    .filter(|secret| {
                        self.world.lock().unwrap().present(*secret).account == Some(account)
                    })
                    .collect();
                let account = Account::builder(format!("account_{account}")).build().unwrap();
                self.changes(&secrets, Invalidation::Account(account.id().clone()));
            }
            Op::Hear => {
                if let Some((what, about)) = self.notices.pop_front() {
                    self.source.send(what).unwrap();
                    self.heard(&about, Heard::At(self.event));
                }
            }
            Op::Lose => {
                self.source.send(Invalidation::Everything).unwrap();
                for (_, about) in std::mem::take(&mut self.notices) {
                    self.heard(&about, Heard::AsLossAt(self.event));
                }
            }
            Op::Prove => {
                if self.notices.is_empty() {
                    let now = tokio::time::Instant::now().into_std();
                    self.source.send(Invalidation::UpToDate(now)).unwrap();
                }
            }
            Op::Wait(milliseconds) => {
                let time = Duration::from_millis(milliseconds);
                self.clock.advance(time);
                tokio::time::advance(time).await;
            }
        }
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        self.check().await;
    }

    /// The keys of secrets change, as far as there are any.
    fn changes(&mut self, secrets: &[usize], what: Invalidation) {
        let (mut world, mut about) = (self.world.lock().unwrap(), Vec::new());
        for secret in secrets {
            let before = world.present(*secret).clone();
            if before.account.is_some() {
                world.turns(*secret, before.account, self.clock.now());
                about.push((*secret, before.number));
            }
        }
        drop(world);
        self.notices.push_back((what, about));
    }

    fn heard(&self, about: &[(usize, usize)], heard: Heard) {
        let mut world = self.world.lock().unwrap();
        for (secret, number) in about {
            let state = world.states[*secret].iter_mut().find(|state| state.number == *number);
            state.unwrap().replaced.as_mut().unwrap().1 = heard;
        }
    }

    /// Looks at the answers that came.
    async fn check(&mut self) {
        let (ended, waiting): (Vec<_>, Vec<_>) =
            self.requests.drain(..).partition(|request| request.answer.is_finished());
        self.requests = waiting;
        for request in ended {
            let Request { secret, began: (at, event), store_failed, first, answer } = request;
            let Ok(found) = answer.await.unwrap() else {
                assert!(store_failed, "a request failed, and the store had not");
                continue;
            };
            let world = self.world.lock().unwrap();
            let number = found.as_ref().map(|record| {
                record.id().as_str().strip_prefix("state_").unwrap().parse::<usize>().unwrap()
            });
            // Of several times at which there was no key, the latest one excuses most.
            let states = world.states[secret].iter();
            let mut states = states.filter(|state| match number {
                Some(number) => state.number == number,
                None => state.account.is_none(),
            });
            let state = states.next_back().expect("it was never so");
            let Some((replaced, heard)) = state.replaced else { continue };
            if state.number >= first {
                continue; // It was true after the request came.
            }
            let age = at.since(replaced);
            let longest = match (number, store_failed) {
                (None, _) => UNKNOWN_FOR,
                (Some(_), false) => STALENESS,
                (Some(_), true) => STALENESS + GRACE,
            };
            let is_told = match heard {
                Heard::NotYet => false,
                Heard::At(heard) => heard < event,
                Heard::AsLossAt(heard) => heard < event && !(store_failed && number.is_some()),
            };
            assert!(
                !is_told,
                "{state:?} of {secret} was answered to a request that came at {event}"
            );
            // Lookups here take as long as they are let, and who waited may have joined one.
            let waited = self.event > event;
            assert!(age < longest || waited, "{state:?} of {secret} was answered at {at:?}");
        }
    }
}

#[test]
fn nothing_is_answered_that_is_older_than_a_notice_about_it_or_the_staleness() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) };
    proptest!(config, |(ops in prop::collection::vec(op(), 1..120))| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
            let mut run = Run::new();
            for op in ops {
                run.step(op).await;
            }
        });
    });
}
