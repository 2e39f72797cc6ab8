//! Random changes and faults: at each step no answer is older than the staleness allows, and after quiet the replica
//! equals its store.

use std::time::Duration;

use proptest::prelude::*;
use tower_api_key::clock::{Clock, Timestamp};
use tower_api_key::key::{Account, KeyDigest, KeyRecord};
use tower_api_key::store::{KeyStore, NewKey, WhenStale};

use crate::fake::{Fake, Fault};
use crate::support::{Node, SECOND, digest};
use crate::world::World;

const KEYS: usize = 4;
const SECRETS: usize = 6;
const ACCOUNTS: usize = 2;
const STALENESS: Duration = Duration::from_secs(5);
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
enum Op {
    /// A key is added with a secret, under an account. If the account is new, it is disabled or not.
    Add(usize, usize, usize, bool),
    Edit(usize),
    Rotate(usize, usize),
    Delete(usize),
    SaveAccount(usize, bool),
    DeleteAccount(usize),
    /// An account is deleted, and a key makes it anew.
    RemakeAccount(usize, usize, usize, bool),
    MoveSecret(usize, usize),
    Break(usize, bool),
    /// The row of an account is broken, until the account is saved.
    BreakAccount(usize),
    /// Pages of one account hold that account alone, or all keys.
    ReadAccounts(bool),
    /// A notice comes, whether there is a change or not.
    Notify,
    /// The next call but so many has a fault.
    Fault(usize, bool),
    /// The store answers again.
    Heal,
    /// A backup is made.
    Backup,
    /// The latest backup is restored: the changes since are lost.
    Restore,
    Prune,
    /// The most lines of an answer.
    Most(usize),
    /// Milliseconds that each answer takes, so that changes come between two of them.
    Delay(u64),
    /// Milliseconds that pass, for all.
    Pass(u64),
    /// Milliseconds that the process is stopped.
    Stop(u64),
    /// The wall clock is set back.
    SetBack,
}

fn op() -> impl Strategy<Value = Op> {
    let (key, secret, account) = (0..KEYS, 0..SECRETS, 0..ACCOUNTS);
    prop_oneof![
        6 => (key.clone(), secret.clone(), account.clone(), any::<bool>())
            .prop_map(|(key, secret, account, disabled)| Op::Add(key, secret, account, disabled)),
        3 => (key.clone(), secret.clone(), account.clone(), any::<bool>())
            .prop_map(|(key, secret, account, disabled)| Op::RemakeAccount(key, secret, account, disabled)),
        4 => key.clone().prop_map(Op::Edit),
        4 => (key.clone(), secret).prop_map(|(key, secret)| Op::Rotate(key, secret)),
        3 => key.clone().prop_map(Op::Delete),
        3 => (account.clone(), any::<bool>()).prop_map(|(account, disabled)| Op::SaveAccount(account, disabled)),
        2 => account.clone().prop_map(Op::DeleteAccount),
        2 => account.prop_map(Op::BreakAccount),
        1 => any::<bool>().prop_map(Op::ReadAccounts),
        2 => (key.clone(), key.clone()).prop_map(|(from, to)| Op::MoveSecret(from, to)),
        2 => (key, any::<bool>()).prop_map(|(key, broken)| Op::Break(key, broken)),
        6 => Just(Op::Notify),
        3 => (0..8usize, any::<bool>()).prop_map(|(calls, hangs)| Op::Fault(calls, hangs)),
        4 => Just(Op::Heal),
        1 => Just(Op::Backup),
        1 => Just(Op::Restore),
        1 => Just(Op::Prune),
        1 => (1..4usize).prop_map(Op::Most),
        3 => (0..300u64).prop_map(Op::Delay),
        6 => (1..1_500u64).prop_map(Op::Pass),
        1 => (1..8_000u64).prop_map(Op::Stop),
        1 => Just(Op::SetBack),
    ]
}

/// What a secret led to. `None` if no key had it, `Err` if its row was broken.
type Answer = Option<Result<KeyRecord, ()>>;

/// The answers for a secret, each with the time of the steady clock at which it was replaced.
struct Past {
    answer: Answer,
    until: Option<Duration>,
}

struct Run {
    node: Node,
    backup: World,
    pasts: Vec<Vec<Past>>,
    grace: Duration,
    number: u32,
}

fn secret(number: usize) -> KeyDigest {
    digest(&format!("secret_{number}"))
}

fn key(number: usize) -> String {
    format!("key_{number}")
}

fn under_account(id: usize, secret_number: usize, account: usize, disabled: bool) -> NewKey {
    let account = Account::builder(format!("account_{account}")).disabled(disabled);
    let record = KeyRecord::builder(key(id), account.build().unwrap()).build().unwrap();
    NewKey::new(secret(secret_number), record)
}

impl Run {
    fn new(when_stale: WhenStale) -> Self {
        let store = Fake::new();
        store.state().most = 2;
        let node =
            Node::with(&store, |builder| builder.when_stale(when_stale).staleness(STALENESS));
        let pasts = (0..SECRETS).map(|_| vec![Past { answer: None, until: None }]).collect();
        let grace = if when_stale == WhenStale::Refuse { Duration::ZERO } else { GRACE };
        Self { node, backup: World::default(), pasts, grace, number: 0 }
    }

    /// Changes the store, and records the former answers.
    fn change(&mut self, change: impl FnOnce(&mut World)) {
        let mut state = self.node.store.state();
        change(&mut state.world);
        let now = self.node.clock.steady();
        for (number, pasts) in self.pasts.iter_mut().enumerate() {
            let answer = state.world.find(&secret(number)).map(|found| found.map_err(|_| ()));
            let last = pasts.last_mut().unwrap();
            if last.answer != answer {
                last.until = Some(now);
                pasts.push(Past { answer, until: None });
            }
        }
    }

    async fn step(&mut self, op: Op) {
        self.number += 1;
        let number = self.number;
        match op {
            Op::Add(id, secret_number, account, disabled) => self.change(|world| {
                let _ = world.add(under_account(id, secret_number, account, disabled));
            }),
            Op::RemakeAccount(id, secret_number, account, disabled) => {
                // Two changes: in between its secrets lead to no key.
                self.change(|world| {
                    let _ = world.delete_account(&format!("account_{account}"));
                });
                self.change(|world| {
                    let _ = world.add(under_account(id, secret_number, account, disabled));
                });
            }
            Op::Edit(id) => self.change(|world| {
                let name = format!("edit {number}");
                let _ = world.update(&key(id), |record| record.edit().name(name).build().unwrap());
            }),
            Op::Rotate(id, secret_number) => self.change(|world| {
                let until = Timestamp::from_unix_seconds(2_000_000_000 + u64::from(number % 7));
                let _ = world.rotate(&key(id), secret(secret_number), until);
            }),
            Op::Delete(id) => self.change(|world| {
                let _ = world.delete(&key(id));
            }),
            Op::SaveAccount(account, disabled) => self.change(|world| {
                let account = Account::builder(format!("account_{account}")).disabled(disabled);
                let scopes = [format!("scope.{number}")];
                world.save_account(account.scopes(scopes).build().unwrap());
            }),
            Op::DeleteAccount(account) => self.change(|world| {
                let _ = world.delete_account(&format!("account_{account}"));
            }),
            Op::MoveSecret(from, to) => {
                self.change(|world| world.move_secret(&key(from), &key(to)));
            }
            Op::Break(id, broken) => self.change(|world| world.set_broken(&key(id), broken)),
            Op::BreakAccount(account) => {
                self.change(|world| world.break_account(&format!("account_{account}")));
            }
            Op::ReadAccounts(alone) => self.node.store.state().reads_accounts = alone,
            Op::Notify => self.node.store.notify(),
            Op::Fault(calls, hangs) => {
                let fault = if hangs { Fault::Hangs } else { Fault::Fails };
                self.node.store.state().fault_after(calls, fault);
            }
            Op::Heal => self.node.store.state().heal(),
            Op::Backup => self.backup = self.node.store.state().world.clone(),
            Op::Restore => {
                let backup = self.backup.clone();
                self.change(|world| *world = backup);
            }
            Op::Prune => self.change(World::prune),
            Op::Delay(milliseconds) => {
                self.node.store.state().delay = Duration::from_millis(milliseconds);
            }
            Op::Most(most) => self.node.store.state().most = most,
            Op::Pass(milliseconds) => self.node.pass(Duration::from_millis(milliseconds)).await,
            Op::Stop(milliseconds) => self.node.clock.advance(Duration::from_millis(milliseconds)),
            Op::SetBack => self.node.clock.set(Timestamp::from_unix_seconds(7)),
        }
        self.check().await;
        for _ in 0..number % 5 {
            tokio::task::yield_now().await;
            self.check().await;
        }
    }

    /// Each answer was true at some instant that is no longer ago than the records may be old.
    async fn check(&self) {
        let longest = STALENESS + self.grace;
        let now = self.node.clock.steady();
        for (number, pasts) in self.pasts.iter().enumerate() {
            let answer: Answer = match self.answer(number).await {
                None => continue, // refused, which is always allowed
                Some(answer) => answer,
            };
            let was = pasts.iter().filter(|past| past.answer == answer);
            let youngest =
                was.map(|past| past.until.map_or(Duration::ZERO, |until| now - until)).min();
            let age = youngest.unwrap_or_else(|| panic!("{answer:?} was never so"));
            // A key that could not be read is refused, too, until the replica has read it again: a store that fails
            // meanwhile can make that longer than the staleness.
            let is_refused = matches!(answer, Some(Err(())));
            assert!(is_refused || age < longest, "{number}: {answer:?} is {age:?} old");
        }
    }

    /// Returns the answer of the replica for a secret. `None` if it refuses because its records may be too old.
    async fn answer(&self, number: usize) -> Option<Answer> {
        match self.node.replica.find(&secret(number)).await {
            Ok(found) => Some(found.map(|record| Ok(KeyRecord::clone(&record)))),
            Err(error) if error.to_string().contains("is not valid") => Some(Some(Err(()))),
            Err(_) => None,
        }
    }

    /// After quiet, the replica equals its store.
    async fn settle(&mut self) {
        self.node.store.state().heal();
        self.node.pass(40 * SECOND).await;
        for (number, pasts) in self.pasts.iter().enumerate() {
            let answer = self.answer(number).await;
            let answer = answer.expect("the store answers");
            assert_eq!(answer, pasts.last().unwrap().answer, "secret {number} after quiet");
        }
        let keys = self.node.store.state().world.keys.len();
        assert_eq!(self.node.replica.len(), keys, "the number of keys after quiet");
    }
}

#[test]
fn no_answer_is_older_than_the_staleness_and_after_quiet_all_are_equal() {
    let cases = std::env::var("REPLICA_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::with_cases(cases.unwrap_or(100))
    };
    proptest!(config, |(ops in prop::collection::vec(op(), 1..80), grace in any::<bool>())| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
            let when_stale = if grace { WhenStale::ServeFor(GRACE) } else { WhenStale::Refuse };
            let mut run = Run::new(when_stale);
            for op in ops {
                run.step(op).await;
            }
            run.settle().await;
        });
    });
}
