//! An independent model of policies, written from `docs/policies.md`; it is slow and obvious. Times are whole seconds.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) const DAY: u64 = 86_400;

/// What a sweep leaves to a key that lives too long.
const TWO_WEEKS: u64 = 14 * DAY;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelKey {
    pub(crate) account: String,
    pub(crate) kind: Option<String>,
    /// `None` for the scopes of the account.
    pub(crate) scopes: Option<BTreeSet<String>>,
    pub(crate) expires: Option<u64>,
    pub(crate) disabled: bool,
    pub(crate) revoked: bool,
    /// When the newest secret was made.
    pub(crate) made: u64,
    /// When the key was last added, used, rotated or changed by somebody.
    pub(crate) active: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ModelPolicy {
    pub(crate) require_expiry: bool,
    pub(crate) life: Option<u64>,
    pub(crate) unused: Option<u64>,
    pub(crate) most: Option<u32>,
    pub(crate) scopes: Option<BTreeSet<String>>,
}

/// A rule that a change would break: the subject of the policy, and the field, which is empty for the number of keys.
pub(crate) type Broken = BTreeSet<(String, &'static str)>;

#[derive(Debug, Default)]
pub(crate) struct PolicyModel {
    pub(crate) now: u64,
    pub(crate) keys: BTreeMap<String, ModelKey>,
    pub(crate) policies: BTreeMap<String, ModelPolicy>,
}

impl ModelKey {
    fn has_expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether the key counts for the most keys of an account.
    fn counts(&self, now: u64) -> bool {
        !self.revoked && !self.has_expired(now)
    }

    pub(crate) fn is_active(&self, now: u64) -> bool {
        self.counts(now) && !self.disabled
    }

    fn is_covered_by(&self, subject: &str) -> bool {
        match subject.split_once(':') {
            None => true,
            Some(("account", id)) => self.account == id,
            Some((_, kind)) => self.kind.as_deref() == Some(kind),
        }
    }
}

impl ModelPolicy {
    /// A longest life requires an expiry, too.
    fn wants_expiry(&self) -> bool {
        self.require_expiry || self.life.is_some()
    }

    fn allows_expiry(&self, expires: Option<u64>, latest: Option<u64>) -> bool {
        match expires {
            None => !self.wants_expiry(),
            Some(expires) => latest.is_none_or(|latest| expires <= latest),
        }
    }

    fn allows_scopes(&self, key: &ModelKey) -> bool {
        match (&self.scopes, &key.scopes) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(allowed), Some(own)) => own.is_subset(allowed),
        }
    }
}

impl PolicyModel {
    fn covering<'a>(
        &'a self,
        key: &'a ModelKey,
    ) -> impl Iterator<Item = (&'a String, &'a ModelPolicy)> {
        self.policies.iter().filter(|(subject, _)| key.is_covered_by(subject))
    }

    /// Lists what a new key breaks.
    pub(crate) fn new_key_breaks(&self, id: &str, key: &ModelKey) -> Broken {
        let mut broken = Broken::new();
        for (subject, policy) in self.covering(key) {
            // A key that begins its life as a revoked one can never be used.
            if !key.revoked {
                let latest = policy.life.map(|life| key.made + life);
                if !policy.allows_expiry(key.expires, latest) {
                    broken.insert((subject.clone(), "expires"));
                }
                if !policy.allows_scopes(key) {
                    broken.insert((subject.clone(), "scopes"));
                }
            }
        }
        broken.extend(self.too_many(id, None, key));
        broken
    }

    /// Lists what a change breaks.
    pub(crate) fn change_breaks(&self, id: &str, before: &ModelKey, after: &ModelKey) -> Broken {
        let mut broken = Broken::new();
        if after.revoked {
            return broken;
        }
        let other_kind = before.kind != after.kind;
        let gains = match (&before.scopes, &after.scopes) {
            (None, None) => false,
            (Some(before), Some(after)) => !after.is_subset(before),
            _ => true,
        };
        for (subject, policy) in self.covering(after) {
            let mut latest = policy.life.map(|life| after.made + life);
            if !other_kind {
                // A key that is too old can be ended within two weeks, but nobody gets them twice.
                latest = latest.map(|latest| latest.max(self.notice(before)));
            }
            let is_checked = other_kind || before.expires != after.expires;
            if is_checked && !policy.allows_expiry(after.expires, latest) {
                broken.insert((subject.clone(), "expires"));
            }
            if (other_kind || gains) && !policy.allows_scopes(after) {
                broken.insert((subject.clone(), "scopes"));
            }
        }
        broken.extend(self.too_many(id, Some(before), after));
        broken
    }

    /// Two weeks from now, or the end of the key if that is sooner.
    fn notice(&self, key: &ModelKey) -> u64 {
        let notice = self.now + TWO_WEEKS;
        key.expires.map_or(notice, |expires| expires.min(notice))
    }

    /// Lists the policies whose most keys a key exceeds that begins to count for them.
    fn too_many(&self, id: &str, before: Option<&ModelKey>, after: &ModelKey) -> Broken {
        let (now, mut broken) = (self.now, Broken::new());
        if !after.counts(now) {
            return broken;
        }
        for (subject, policy) in self.covering(after) {
            let counted = |key: &&ModelKey| key.counts(now) && key.is_covered_by(subject);
            if before.as_ref().is_some_and(counted) {
                continue;
            }
            let others = self.keys.iter().filter(|(other, _)| *other != id).map(|(_, key)| key);
            let others = others.filter(|other| other.account == after.account).filter(counted);
            if policy.most.is_some_and(|most| others.count() >= most as usize) {
                broken.insert((subject.clone(), ""));
            }
        }
        broken
    }

    /// Does what a sweep does. Returns how many keys it switched off, and how many got an expiry.
    pub(crate) fn sweep(&mut self) -> (u64, u64) {
        let (now, mut off, mut ended) = (self.now, 0, 0);
        let mut keys = std::mem::take(&mut self.keys);
        for key in keys.values_mut().filter(|key| key.is_active(now)) {
            let policies: Vec<_> = self.covering(key).map(|(_, policy)| policy).collect();
            let times = policies.iter().filter_map(|policy| policy.unused);
            if times.min().is_some_and(|time| key.active + time <= now) {
                key.disabled = true;
                off += 1;
                continue;
            }
            let life = policies.iter().filter_map(|policy| policy.life).min();
            let is_missing = key.expires.is_none() && policies.iter().any(|it| it.wants_expiry());
            let end = match life {
                Some(life) => Some((key.made + life).max(self.notice(key))),
                None => is_missing.then(|| now + TWO_WEEKS),
            };
            if let Some(end) = end.filter(|end| key.expires.is_none_or(|expires| *end < expires)) {
                key.expires = Some(end);
                ended += 1;
            }
        }
        self.keys = keys;
        (off, ended)
    }
}
