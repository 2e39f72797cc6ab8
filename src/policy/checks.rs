//! The rules that a new or changed key must follow, one by one.

use super::policy::KeyPolicy;
use super::violation::PolicyViolation;
use crate::clock::Timestamp;
use crate::key::KeyRecord;

/// Returns the latest expiry that the longest life of a policy allows.
pub(super) fn latest_expiry(policy: &KeyPolicy, newest_secret: Timestamp) -> Option<Timestamp> {
    policy.longest_life().map(|life| newest_secret.plus(life))
}

/// Returns true if a change may give a key a scope: one that the key did not list, or those of its account.
///
/// A list in place of the account's scopes counts, too. The account may lose a scope later, and the list would keep it.
pub(super) fn may_do_more(before: &KeyRecord, after: &KeyRecord) -> bool {
    match (before.own_scopes(), after.own_scopes()) {
        (None, None) => false,
        (Some(before), Some(after)) => after.iter().any(|scope| !before.contains(scope)),
        _ => true,
    }
}

/// Checks that a key has an expiry if the policy requires one, and none after `latest`.
pub(super) fn check_expiry(
    policy: &KeyPolicy,
    record: &KeyRecord,
    latest: Option<Timestamp>,
) -> Result<(), PolicyViolation> {
    let subject = || policy.subject().clone();
    let Some(expires) = record.expires() else {
        let violation = PolicyViolation::ExpiryRequired { subject: subject() };
        return if policy.requires_expiry() { Err(violation) } else { Ok(()) };
    };
    match policy.longest_life().zip(latest) {
        Some((life, latest)) if expires > latest => {
            // Whole seconds, because people copy the text.
            let latest = Timestamp::from_unix_seconds(latest.unix_seconds());
            Err(PolicyViolation::LivesTooLong { subject: subject(), life, latest })
        }
        _ => Ok(()),
    }
}

pub(super) fn check_scopes(policy: &KeyPolicy, record: &KeyRecord) -> Result<(), PolicyViolation> {
    let Some(allowed) = policy.scopes() else { return Ok(()) };
    let subject = || policy.subject().clone();
    let Some(own) = record.own_scopes() else {
        return Err(PolicyViolation::ScopesRequired { subject: subject() });
    };
    match own.iter().find(|scope| !allowed.contains(scope)) {
        Some(scope) => Err(PolicyViolation::Scope { subject: subject(), scope: scope.to_owned() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{KeyPolicy, KeyPolicyBuilder, Policies, PolicySubject};
    use super::*;
    use crate::key::{Account, KeyRecordBuilder};

    const DAY: u64 = 86_400;

    const fn day(day: u64) -> Timestamp {
        Timestamp::from_unix_seconds(day * DAY)
    }

    const fn days(days: u64) -> Duration {
        Duration::from_secs(days * DAY)
    }

    fn key() -> KeyRecordBuilder {
        let account = Account::builder("acme").scopes(["read", "write"]).build().unwrap();
        KeyRecord::builder("key_1", account).kind("personal")
    }

    fn record(key: KeyRecordBuilder) -> KeyRecord {
        key.build().unwrap()
    }

    fn policy(subject: &str, rules: fn(KeyPolicyBuilder) -> KeyPolicyBuilder) -> KeyPolicy {
        rules(KeyPolicy::builder(subject.parse().unwrap())).build().unwrap()
    }

    /// The subject and the field of a violation, or two empty texts.
    fn told(checked: Result<(), PolicyViolation>) -> (String, &'static str) {
        let told = |violation: PolicyViolation| {
            (violation.subject().to_string(), violation.field().unwrap_or("number"))
        };
        checked.err().map_or_else(Default::default, told)
    }

    /// Longest life 90 days and `read` alone for personal keys, an expiry for the account's, `read` and `write` for all.
    fn policies() -> Policies {
        Policies::new([
            policy("all", |it| it.scopes(["read", "write"])),
            policy("account:acme", KeyPolicyBuilder::require_expiry),
            policy("kind:personal", |it| it.longest_life(days(90)).scopes(["read"])),
            policy("account:other", |it| it.longest_life(days(1)).scopes(["none"])),
            policy("kind:other", |it| it.longest_life(days(1)).scopes(["none"])),
        ])
    }

    #[test]
    fn a_new_key_follows_the_strictest_rule() {
        let fine = || key().scopes(["read"]).expires(day(100));
        for (number, (key, subject, field)) in [
            (fine(), "", ""),
            (fine().scopes([""; 0]), "", ""),
            (fine().disabled(true).not_before(day(50)), "", ""),
            (fine().expires(day(1)), "", ""),
            (fine().expires(day(100).plus_nanoseconds(1)), "kind:personal", "expires"),
            (fine().not_before(day(50)).expires(day(140)), "kind:personal", "expires"),
            (fine().never_expires(), "account:acme", "expires"),
            (fine().never_expires().revoked(true), "", ""),
            (fine().disabled(true).never_expires(), "account:acme", "expires"),
            (fine().inherit_scopes(), "all", "scopes"),
            (fine().inherit_scopes().expires(day(1)), "all", "scopes"),
            (fine().scopes(["read", "write"]), "kind:personal", "scopes"),
            (fine().scopes(["admin", "read"]), "all", "scopes"),
            (fine().scopes(["rea", "READ", "read.*", "*"]), "all", "scopes"),
            (fine().kind("service").scopes(["write"]).expires(day(9_999)), "", ""),
            (fine().kind("service").never_expires(), "account:acme", "expires"),
            (fine().kind("other").scopes(["write"]).expires(day(11)), "kind:other", "scopes"),
        ]
        .into_iter()
        .enumerate()
        {
            let checked = policies().check_new(&record(key), day(10));
            assert_eq!(told(checked), (subject.to_owned(), field), "case {number}");
        }
    }

    #[test]
    fn a_change_is_checked_by_the_rules_for_what_it_gives() {
        // A key from before the policies: without an expiry, and with the scopes of its account.
        let old = key;
        let listed = || key().scopes(["admin", "read"]).expires(day(500));
        let fine = || key().scopes(["read"]).expires(day(100));
        let not_mine = || fine().kind("service").scopes(["write"]).expires(day(9_999));
        for (number, (before, after, subject, field)) in [
            (old(), old(), "", ""),
            (old(), old().name("backup").disabled(true), "", ""),
            (old().disabled(true), old(), "", ""),
            // An earlier expiry passes within two weeks, a later one only within the life of the secret.
            (old(), old().expires(day(100)), "", ""),
            (old(), old().expires(day(101)), "kind:personal", "expires"),
            (listed(), listed().expires(day(101)), "kind:personal", "expires"),
            (listed(), listed().expires(day(501)), "kind:personal", "expires"),
            (listed(), listed().never_expires(), "account:acme", "expires"),
            (fine(), fine().expires(day(101)), "kind:personal", "expires"),
            (fine().expires(day(20)), fine(), "", ""),
            (fine().expires(day(1)), fine(), "", ""),
            (fine(), fine().never_expires(), "account:acme", "expires"),
            (fine(), fine().not_before(day(99)), "", ""),
            // Fewer scopes always pass, another one only if the policies allow it.
            (listed(), listed().scopes(["admin"]), "", ""),
            (listed(), listed().scopes([""; 0]), "", ""),
            (listed(), listed().scopes(["admin", "write"]), "all", "scopes"),
            (listed(), listed().inherit_scopes(), "all", "scopes"),
            (old(), old().scopes(["admin"]), "all", "scopes"),
            (old(), old().scopes(["read"]), "", ""),
            (fine(), fine().scopes(["write"]), "kind:personal", "scopes"),
            // Another kind is checked by all rules, in both directions.
            (not_mine(), not_mine().kind("personal"), "kind:personal", "expires"),
            (not_mine(), not_mine().kind("personal").expires(day(100)), "kind:personal", "scopes"),
            (fine(), fine().kind("service").expires(day(9_999)), "", ""),
            (listed(), listed().kind("service"), "all", "scopes"),
            (old(), old().kind("service"), "all", "scopes"),
            // What is revoked stays so, whatever else changes.
            (fine(), fine().revoked(true).never_expires(), "", ""),
            (old().revoked(true), old().revoked(true).scopes(["admin"]), "", ""),
        ]
        .into_iter()
        .enumerate()
        {
            let (before, after) = (record(before), record(after));
            let checked = policies().check_change(&before, &after, day(10), day(20));
            assert_eq!(told(checked), (subject.to_owned(), field), "case {number}");
        }
    }

    /// The secret was made on day 0, so its life ended on day 90. It is day 200.
    #[test]
    fn a_key_that_is_too_old_ends_within_two_weeks_or_is_rotated() {
        let policies = Policies::new([policy("all", |it| it.longest_life(days(90)))]);
        for (number, (before, after, latest)) in [
            (key(), key().expires(day(214)), None),
            (key(), key().expires(day(201)), None),
            (key(), key().expires(day(10)), None),
            (key(), key().expires(day(215)), Some(214)),
            (key().expires(day(500)), key().expires(day(214)), None),
            (key().expires(day(500)), key().expires(day(499)), Some(214)),
            (key().expires(day(500)), key().expires(day(501)), Some(214)),
            // Nobody gets the two weeks twice, and an expired key does not come back.
            (key().expires(day(214)), key().expires(day(213)), None),
            (key().expires(day(205)), key().expires(day(206)), Some(205)),
            (key().expires(day(200)), key().expires(day(201)), Some(200)),
            (key().expires(day(50)), key().expires(day(60)), None),
            (key().expires(day(50)), key().expires(day(201)), Some(90)),
            // As another kind it would be another policy's key.
            (key(), key().kind("other").expires(day(214)), Some(90)),
        ]
        .into_iter()
        .enumerate()
        {
            let (before, after) = (record(before), record(after));
            let checked = policies.check_change(&before, &after, day(0), day(200));
            let told = checked.err().map(|violation| match violation {
                PolicyViolation::LivesTooLong { latest, .. } => latest,
                other => panic!("{other}"),
            });
            assert_eq!(told, latest.map(day), "case {number}");
        }
    }

    #[test]
    fn a_life_beyond_the_last_instant_still_requires_an_expiry() {
        let policies = Policies::new([policy("all", |it| it.longest_life(days(36_525)))]);
        let late = Timestamp::from_unix_nanoseconds(u64::MAX - 1);
        assert_eq!(told(policies.check_new(&record(key()), late)).1, "expires");
        assert_eq!(policies.check_new(&record(key().expires(late)), late), Ok(()));
        assert_eq!(PolicySubject::All.account(), "");
    }

    #[test]
    fn the_latest_expiry_that_a_violation_names_passes() {
        let policies = Policies::new([policy("all", |it| it.longest_life(days(90)))]);
        let made = day(10).plus_nanoseconds(987_654_321);
        let refused = policies.check_new(&record(key().expires(day(500))), made);
        let Err(PolicyViolation::LivesTooLong { latest, .. }) = refused else { panic!() };
        assert_eq!(latest, day(100));
        assert_eq!(policies.check_new(&record(key().expires(latest)), made), Ok(()));
    }
}
