//! Finds the keys for which a policy may be due, by SQL.

use std::collections::BTreeMap;
use std::time::Duration;

use super::dates::{last_change_of_key, last_start_of_account, last_use_of_key};
use super::recorded_uses::RecordedUses;
use crate::dialect::Dialect;
use crate::row;
use crate::statement::Statement;
use crate::tables::Tables;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{AccountId, KeyKind};
use tower_api_key::policy::{KeyPolicy, Policies, PolicyAction, PolicySubject};

/// The keys that one statement looks at.
const WINDOW: usize = 2_000;

/// The accounts of one statement.
const ACCOUNTS: usize = 500;

/// The newest secret of a key. A key without secrets has the age of its row.
macro_rules! newest_secret {
    () => {
        "COALESCE((SELECT MAX(s.created) FROM {secrets} s WHERE s.key_id = k.id AND s.successor IS NULL), k.created)"
    };
}

/// A rule of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DueRule {
    /// Unused for this time.
    Unused(Duration),
    /// Without an expiry, or with one that is later than this time after the newest secret.
    Life(Option<Duration>),
    /// With a newest secret of this age, and without a reminder of it.
    Rotation(Duration),
}

impl DueRule {
    /// Returns true if a sweep may go by the rule: uses were recorded for the whole time of a rule about unused keys.
    pub(super) fn is_known(self, uses: Option<RecordedUses>, now: Timestamp) -> bool {
        match self {
            Self::Unused(time) => uses.is_some_and(|uses| uses.cover(time, now)),
            Self::Life(_) | Self::Rotation(_) => true,
        }
    }
}

/// The keys of some subjects that a rule may be due for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DueKeys {
    pub(super) rule: DueRule,
    covered: Covered,
}

/// Which keys policies with one rule cover.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Covered {
    All,
    Kind(KeyKind),
    Accounts(Vec<AccountId>),
}

impl DueKeys {
    /// Lists what to look for. Accounts with the same rule are looked up together.
    pub(super) fn of(policies: &Policies) -> Vec<Self> {
        let mut covered: BTreeMap<DueRule, Vec<PolicySubject>> = BTreeMap::new();
        for policy in policies.iter() {
            for rule in rules(policy) {
                covered.entry(rule).or_default().push(policy.subject().clone());
            }
        }
        covered.into_iter().flat_map(|(rule, subjects)| Self::of_rule(rule, subjects)).collect()
    }

    fn of_rule(rule: DueRule, subjects: Vec<PolicySubject>) -> Vec<Self> {
        // The keys of all subjects are among those of all keys.
        if subjects.contains(&PolicySubject::All) {
            return vec![Self { rule, covered: Covered::All }];
        }
        let (mut all, mut accounts) = (Vec::new(), Vec::new());
        for subject in subjects {
            match subject {
                // No policy that can be read has an unknown subject.
                PolicySubject::All | PolicySubject::Unknown(_) => {}
                PolicySubject::Account(id) => accounts.push(id),
                PolicySubject::Kind(kind) => all.push(Self { rule, covered: Covered::Kind(kind) }),
            }
        }
        let chunks = accounts.chunks(ACCOUNTS);
        all.extend(chunks.map(|ids| Self { rule, covered: Covered::Accounts(ids.to_vec()) }));
        all
    }

    /// Asks for the last of the next keys after an id. Without an answer, they are the last ones.
    pub(super) fn end_of_window(&self, tables: &Tables, after: &str) -> Statement {
        let condition = self.covered.condition(2);
        let sql = format!(
            "SELECT k.id FROM {{keys}} k WHERE k.id > $1{condition} ORDER BY k.id LIMIT 1 OFFSET {}",
            WINDOW - 1
        );
        self.covered.bind(Statement::made(tables.fill(&sql)).bind(after))
    }

    /// Asks for the keys between two ids for which the rule may be due.
    pub(super) fn between(
        &self,
        (tables, dialect): (&Tables, Dialect),
        (after, last): (&str, &str),
        now: Timestamp,
    ) -> Statement {
        let earlier = |time: Duration| row::column(now) - nanoseconds(time);
        let (due, values) = match self.rule {
            DueRule::Unused(time) => {
                // Subqueries of one row each, which no plan makes a scan of a whole table of.
                let [used, counted, changed, started] = [
                    "SELECT MAX(s.last_used) FROM {secrets} s WHERE s.key_id = k.id".to_owned(),
                    last_use_of_key("k.id"),
                    last_change_of_key(&dialect.in_trail("k.id")),
                    last_start_of_account(&dialect.in_trail("k.account")),
                ]
                .map(|at| format!("COALESCE(({at}), 0) <= $4"));
                let secret = newest_secret!();
                let due = format!(
                    "k.created <= $4 AND (k.not_before IS NULL OR k.not_before <= $4) AND {secret} <= $4 AND {used} \
                     AND {counted} AND {changed} AND {started}"
                );
                (due, vec![earlier(time)])
            }
            DueRule::Life(None) => ("k.expires IS NULL".to_owned(), Vec::new()),
            DueRule::Life(Some(life)) => {
                let due = concat!(
                    "(k.expires IS NULL OR (k.expires > $4 AND k.expires > ",
                    newest_secret!(),
                    " + $5))"
                );
                let notice = row::column(now.plus(PolicyAction::NOTICE));
                (due.to_owned(), vec![notice, nanoseconds(life)])
            }
            DueRule::Rotation(age) => {
                let due = concat!(
                    newest_secret!(),
                    " <= $4 AND NOT EXISTS (SELECT 1 FROM {event_occasions} o WHERE o.key_id = k.id \
                     AND o.kind = 'key.rotation_due' AND o.name = CAST(",
                    newest_secret!(),
                    " AS TEXT))"
                );
                (due.to_owned(), vec![earlier(age)])
            }
        };
        let condition = self.covered.condition(4 + values.len());
        let sql = format!(
            "SELECT k.id FROM {{keys}} k WHERE k.id > $1 AND k.id <= $2 AND k.revoked = 0 AND k.disabled = 0 \
             AND (k.expires IS NULL OR k.expires > $3) AND {due} \
             AND k.account NOT IN (SELECT id FROM {{accounts}} WHERE disabled <> 0){condition} ORDER BY k.id"
        );
        let asked = Statement::made(tables.fill(&sql)).bind(after).bind(last);
        let asked = asked.bind(row::column(now));
        self.covered.bind(values.into_iter().fold(asked, Statement::bind))
    }
}

impl Covered {
    /// Returns the condition of the covered keys. `first` is the number of its first parameter.
    fn condition(&self, first: usize) -> String {
        match self {
            Self::All => String::new(),
            Self::Kind(_) => format!(" AND k.kind = ${first}"),
            Self::Accounts(ids) => {
                format!(" AND k.account IN ({})", Dialect::numbered(first, ids.len()))
            }
        }
    }

    fn bind(&self, asked: Statement) -> Statement {
        match self {
            Self::All => asked,
            Self::Kind(kind) => asked.bind(kind.as_str()),
            Self::Accounts(ids) => ids.iter().fold(asked, |asked, id| asked.bind(id.as_str())),
        }
    }
}

fn rules(policy: &KeyPolicy) -> impl Iterator<Item = DueRule> {
    let life = policy.requires_expiry().then(|| DueRule::Life(policy.longest_life()));
    let unused = policy.switches_off_unused().map(DueRule::Unused);
    [unused, life, policy.rotation_reminder().map(DueRule::Rotation)].into_iter().flatten()
}

fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn subjects_with_one_rule_are_looked_up_together() {
        let policy = |subject: &str, days: u32| {
            let policy = KeyPolicy::builder(subject.parse().unwrap());
            policy.remind_of_rotation(DAY * days).build().unwrap()
        };
        let accounts = (0..501).map(|number| policy(&format!("account:a{number}"), 30));
        let due = DueKeys::of(&Policies::new(accounts.chain([policy("kind:x", 30)])));
        let sizes: Vec<_> = due
            .iter()
            .map(|due| match &due.covered {
                Covered::All => 0,
                Covered::Kind(_) => 1,
                Covered::Accounts(ids) => ids.len(),
            })
            .collect();
        assert_eq!(sizes, [1, 500, 1]);
        let with_all = ["all", "account:a", "kind:x"].map(|subject| policy(subject, 30));
        let other = policy("account:b", 60);
        let due = DueKeys::of(&Policies::new(with_all.into_iter().chain([other])));
        let covered: Vec<_> = due.iter().map(|due| (due.rule, due.covered.clone())).collect();
        let of_b = Covered::Accounts(vec![AccountId::new("b").unwrap()]);
        let rotation = |days| DueRule::Rotation(DAY * days);
        assert_eq!(covered, [(rotation(30), Covered::All), (rotation(60), of_b)]);
    }
}
