//! Random changes, policies and sweeps, on a store and on the model of policies. After each step both have to agree.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tower_api_key::clock::{ManualClock, Timestamp};
use tower_api_key::key::{Account, KeyDigest, KeyHasher, KeyRecord, KeyRecordBuilder};
use tower_api_key::policy::{KeyPolicy, KeyPolicyBuilder};
use tower_api_key::store::{Command, CommandOptions, Difference, KeyManager, ManageError, NewKey};

use crate::policy_model::{Broken, DAY, ModelKey, ModelPolicy, PolicyModel};

/// The first second of the model.
pub(crate) const START: u64 = 1_800_000_000;

/// Sweeps once. Returns how many keys it switched off, and how many got an expiry.
pub(crate) type Sweep<'a> = Box<dyn Fn() -> Pin<Box<dyn Future<Output = (u64, u64)> + 'a>> + 'a>;

/// How often each kind of step went each way, so that a test can see that all of them were tried.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) made: u32,
    pub(crate) refused: u32,
    pub(crate) policies: u32,
    pub(crate) off: u64,
    pub(crate) ended: u64,
}

pub(crate) struct Both<'a> {
    pub(crate) store: &'a dyn KeyManager,
    pub(crate) clock: ManualClock,
    pub(crate) sweep: Sweep<'a>,
    pub(crate) seed: u64,
}

/// A generator of numbers that are the same for each seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.place(texts.len())]
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.one_in(2) { Some(make(self)) } else { None }
    }

    fn scopes(&mut self) -> BTreeSet<String> {
        let all = ["read", "write", "admin"];
        all.into_iter().filter(|_| self.one_in(2)).map(str::to_owned).collect()
    }

    fn policy(&mut self) -> ModelPolicy {
        let time = |dice: &mut Self| (1 + dice.below(60)) * DAY;
        ModelPolicy {
            require_expiry: self.one_in(3),
            life: self.maybe(time),
            unused: self.maybe(time),
            most: self.maybe(|dice| u32::try_from(dice.below(5)).unwrap()),
            scopes: self.maybe(Self::scopes),
        }
    }

    fn key(&mut self, now: u64) -> ModelKey {
        ModelKey {
            account: self.of(&["acme", "other"]).to_owned(),
            kind: self.maybe(|dice| dice.of(&["web", "robot"]).to_owned()),
            scopes: self.maybe(Self::scopes),
            expires: self.maybe(|dice| now + dice.below(90 * DAY)),
            disabled: self.one_in(6),
            revoked: self.one_in(9),
            made: now,
            active: now,
        }
    }

    /// Changes one or two fields of a key.
    fn edit(&mut self, before: &ModelKey, now: u64) -> ModelKey {
        let (other, mut after) = (self.key(now), before.clone());
        match self.below(6) {
            0 => after.kind = other.kind.or(after.kind),
            1 => after.scopes = other.scopes,
            2 => after.expires = other.expires,
            3 => after.disabled = !after.disabled,
            4 => after.revoked |= other.revoked,
            _ => (after.expires, after.scopes) = (other.expires, other.scopes),
        }
        after.active = now;
        after
    }
}

fn secret(id: &str, made: u64) -> KeyDigest {
    KeyHasher::sha256().digest(format!("{id} {made}").as_bytes())
}

fn settings(mut record: KeyRecordBuilder, key: &ModelKey) -> KeyRecordBuilder {
    record = match &key.scopes {
        Some(scopes) => record.scopes(scopes),
        None => record.inherit_scopes(),
    };
    record = match key.expires {
        Some(expires) => record.expires(Timestamp::from_unix_seconds(expires)),
        None => record.never_expires(),
    };
    let record = key.kind.iter().fold(record, KeyRecordBuilder::kind);
    record.disabled(key.disabled).revoked(key.revoked)
}

fn new_key(id: &str, key: &ModelKey) -> NewKey {
    let account = Account::builder(&key.account).scopes(["read"]).build().unwrap();
    NewKey::new(
        secret(id, key.made),
        settings(KeyRecord::builder(id, account), key).build().unwrap(),
    )
}

fn policy(subject: &str, rules: &ModelPolicy) -> Option<KeyPolicy> {
    let mut policy = KeyPolicy::builder(subject.parse().unwrap());
    if rules.require_expiry {
        policy = policy.require_expiry();
    }
    policy = rules.life.iter().fold(policy, |it, life| it.longest_life(Duration::from_secs(*life)));
    policy = rules
        .unused
        .iter()
        .fold(policy, |it, time| it.switch_off_unused(Duration::from_secs(*time)));
    policy = rules.most.iter().fold(policy, |it, most| it.most_keys(*most));
    rules.scopes.iter().fold(policy, KeyPolicyBuilder::scopes).build().ok()
}

impl Both<'_> {
    /// Checks that a change was made or refused as the model says. Returns true if it was made.
    fn check<T>(
        &self,
        answer: Result<T, ManageError>,
        broken: &Broken,
        what: &str,
        seen: &mut Seen,
    ) -> bool {
        let seed = self.seed;
        match answer {
            Ok(_) => assert!(broken.is_empty(), "{what} of seed {seed} should break {broken:?}"),
            Err(ManageError::PolicyViolated(violation)) => {
                let told = (violation.subject().to_string(), violation.field().unwrap_or_default());
                assert!(
                    broken.contains(&told),
                    "{what} of seed {seed}: {violation}, not {broken:?}"
                );
            }
            Err(other) => panic!("{what} of seed {seed}: {other}"),
        }
        let counter = if broken.is_empty() { &mut seen.made } else { &mut seen.refused };
        *counter += 1;
        broken.is_empty()
    }

    /// Makes random steps, and compares after each.
    pub(crate) async fn agree(&self, steps: u32) -> Seen {
        let (mut dice, mut model) =
            (Dice(self.seed), PolicyModel { now: START, ..PolicyModel::default() });
        let (store, by, mut seen) = (self.store, "ada", Seen::default());
        let mut number = 0;
        for _ in 0..steps {
            let passed = 61 + if dice.one_in(3) { dice.below(9 * DAY) } else { 0 };
            model.now += passed;
            let now = model.now;
            self.clock.set(Timestamp::from_unix_seconds(now));
            let ids: Vec<_> = model.keys.keys().cloned().collect();
            let id =
                if ids.is_empty() { String::new() } else { ids[dice.place(ids.len())].clone() };
            let subject =
                dice.of(&["all", "account:acme", "account:other", "kind:web", "kind:robot"]);
            let before = model.keys.get(&id).cloned();
            match (dice.below(12), before) {
                (0, _) => {
                    let rules = dice.policy();
                    let Some(policy) = policy(subject, &rules) else { continue };
                    store.apply(Command::SavePolicy(policy), CommandOptions::by(by)).await.unwrap();
                    model.policies.insert(subject.to_owned(), rules);
                    seen.policies += 1;
                }
                (1, _) => {
                    let delete = Command::DeletePolicy(subject.parse().unwrap());
                    let deleted = store.apply(delete, CommandOptions::by(by)).await;
                    assert_eq!(
                        deleted.is_ok(),
                        model.policies.remove(subject).is_some(),
                        "{subject}"
                    );
                }
                (2, _) => {
                    // One is used now, so uses are recorded.
                    let used: Vec<_> =
                        model.keys.iter().take(1).map(|(id, key)| (id.clone(), key.made)).collect();
                    for (id, made) in used {
                        let used = vec![(secret(&id, made), Timestamp::from_unix_seconds(now))];
                        store.note_uses(used).await.unwrap();
                        model.keys.get_mut(&id).unwrap().active = now;
                        let (off, ended) = (self.sweep)().await;
                        assert_eq!((off, ended), model.sweep(), "a sweep of seed {}", self.seed);
                        (seen.off, seen.ended) = (seen.off + off, seen.ended + ended);
                    }
                }
                (3, Some(before)) => {
                    let used = vec![(secret(&id, before.made), Timestamp::from_unix_seconds(now))];
                    store.note_uses(used).await.unwrap();
                    model.keys.get_mut(&id).unwrap().active = now;
                }
                (4, Some(before)) => {
                    let until = Timestamp::default();
                    let rotated = store.rotate(&id, secret(&id, now), until, by).await;
                    assert_eq!(
                        rotated.is_ok(),
                        before.is_active(now),
                        "a rotation of seed {}",
                        self.seed
                    );
                    if rotated.is_ok() {
                        let key = model.keys.get_mut(&id).unwrap();
                        (key.made, key.active) = (now, now);
                    }
                }
                (5..=8, Some(before)) => {
                    let after = dice.edit(&before, now);
                    let broken = model.change_breaks(&id, &before, &after);
                    let given = after.clone();
                    let change = Box::new(move |key| settings(key, &given));
                    if self.check(
                        store.update(&id, change, by).await,
                        &broken,
                        "a change",
                        &mut seen,
                    ) {
                        model.keys.insert(id, after);
                    }
                }
                (step, _) => {
                    number += 1;
                    let (id, key) = (format!("key_{number:03}"), dice.key(now));
                    let broken = model.new_key_breaks(&id, &key);
                    let new = new_key(&id, &key);
                    let added = if step.is_multiple_of(2) {
                        store.add(new, by).await
                    } else {
                        store.import(vec![new], by).await.map(|_| ())
                    };
                    if self.check(added, &broken, "a new key", &mut seen) {
                        model.keys.insert(id, key);
                    }
                }
            }
            self.compare(&model).await;
        }
        seen
    }

    /// Compares all policies and keys.
    async fn compare(&self, model: &PolicyModel) {
        let policies = self.store.policies().await.unwrap();
        let expected = model.policies.iter().filter_map(|(subject, rules)| policy(subject, rules));
        assert_eq!(policies, tower_api_key::policy::Policies::new(expected), "seed {}", self.seed);
        let listed = self.store.list(&<_>::default(), None, 1_000).await.unwrap();
        assert_eq!(listed.len(), model.keys.len(), "seed {}", self.seed);
        for (entry, (id, key)) in listed.iter().zip(&model.keys) {
            let expected = settings(new_key(id, key).record.edit(), key).build().unwrap();
            let differences = Difference::of_keys(Some(&entry.record), Some(&expected));
            assert!(differences.is_empty(), "{id} of seed {}: {differences:?}", self.seed);
        }
    }
}
