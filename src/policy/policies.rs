//! The policies of a store, applied to one key.

use std::collections::BTreeMap;

use super::checks::{check_expiry, check_scopes, latest_expiry, may_do_more};
use super::due::{self, PolicyAction};
use super::key_dates::KeyDates;
use super::policy::KeyPolicy;
use super::subject::PolicySubject;
use super::violation::PolicyViolation;
use crate::clock::Timestamp;
use crate::key::KeyRecord;

/// Policies of a store. Those that cover a key apply together, so the strictest rule decides.
///
/// ```
/// use tower_api_key::clock::Timestamp;
/// use tower_api_key::key::{Account, KeyRecord};
/// use tower_api_key::policy::{KeyPolicy, Policies, PolicySubject, PolicyViolation};
///
/// let subject = PolicySubject::Kind("personal".try_into()?);
/// let policies = Policies::new([KeyPolicy::builder(subject.clone()).require_expiry().build()?]);
///
/// let now = Timestamp::from_unix_seconds(1_000);
/// let acme = Account::builder("acme").build()?;
/// let service = KeyRecord::builder("key_1", acme).kind("service").build()?;
/// assert_eq!(policies.check_new(&service, now), Ok(()));
///
/// let personal = service.edit().kind("personal").build()?;
/// let violation = PolicyViolation::ExpiryRequired { subject };
/// assert_eq!(policies.check_new(&personal, now), Err(violation.clone()));
/// assert_eq!(policies.check_change(&service, &personal, now, now), Err(violation));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policies(
    /// In the order of their subjects, each of which has one policy.
    Vec<KeyPolicy>,
);

impl Policies {
    /// Collects policies. Of two with one subject the later one counts.
    pub fn new(policies: impl IntoIterator<Item = KeyPolicy>) -> Self {
        let by_subject = policies.into_iter().map(|policy| (policy.subject().clone(), policy));
        Self(by_subject.collect::<BTreeMap<_, _>>().into_values().collect())
    }

    /// Adds or replaces a policy. Returns the one that had the same subject.
    pub fn save(&mut self, policy: KeyPolicy) -> Option<KeyPolicy> {
        match self.place(policy.subject()) {
            Ok(place) => self.0.get_mut(place).map(|before| std::mem::replace(before, policy)),
            Err(place) => {
                self.0.insert(place, policy);
                None
            }
        }
    }

    /// Removes the policy for a subject, and returns it.
    pub fn remove(&mut self, subject: &PolicySubject) -> Option<KeyPolicy> {
        Some(self.0.remove(self.place(subject).ok()?))
    }

    /// Returns the policy for a subject.
    pub fn find(&self, subject: &PolicySubject) -> Option<&KeyPolicy> {
        self.0.get(self.place(subject).ok()?)
    }

    /// Returns the place of the policy for a subject, or the one where it would be.
    fn place(&self, subject: &PolicySubject) -> Result<usize, usize> {
        self.0.binary_search_by(|policy| policy.subject().cmp(subject))
    }

    /// Lists all policies: for all keys, then by account, then by kind.
    pub fn iter(&self) -> impl Iterator<Item = &KeyPolicy> {
        self.0.iter()
    }

    /// Returns true if there is no policy.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lists the policies that cover a key.
    pub fn covering<'a>(&'a self, record: &'a KeyRecord) -> impl Iterator<Item = &'a KeyPolicy> {
        PolicySubject::all_of(record).filter_map(|subject| self.find(&subject))
    }

    /// Lists every rule for the expiry and the scopes that a key breaks whose newest secret was made at this instant. A
    /// revoked key breaks none, because nothing revives it.
    pub fn violations<'a>(
        &'a self,
        record: &'a KeyRecord,
        newest_secret: Timestamp,
    ) -> impl Iterator<Item = PolicyViolation> + 'a {
        let policies = self.covering(record).filter(|_| !record.is_revoked());
        policies.flat_map(move |policy| {
            let latest = latest_expiry(policy, newest_secret);
            let checked = [check_expiry(policy, record, latest), check_scopes(policy, record)];
            checked.into_iter().filter_map(Result::err)
        })
    }

    /// Checks a key that is added at this instant. [`most_keys`](Self::most_keys) says what else to count.
    ///
    /// # Errors
    ///
    /// The first of the [violations](Self::violations).
    pub fn check_new(&self, record: &KeyRecord, now: Timestamp) -> Result<(), PolicyViolation> {
        self.violations(record, now).next().map_or(Ok(()), Err)
    }

    /// Checks a change of a key, whose newest secret was made at this instant. Only rules for what the change changes
    /// count. A change of the kind is checked by all rules, because other policies may cover the key.
    ///
    /// A key from before the policy can be ended and narrowed. An earlier expiry passes if it is at most two weeks from
    /// now, as a sweep sets it, and fewer scopes always pass.
    ///
    /// # Errors
    ///
    /// The first rule that the changed key breaks.
    pub fn check_change(
        &self,
        before: &KeyRecord,
        after: &KeyRecord,
        newest_secret: Timestamp,
        now: Timestamp,
    ) -> Result<(), PolicyViolation> {
        // A revoked key cannot be used, and nothing revives it.
        if after.is_revoked() {
            return Ok(());
        }
        let other_kind = before.kind() != after.kind();
        self.covering(after).try_for_each(|policy| {
            let latest = latest_expiry(policy, newest_secret);
            if other_kind {
                check_expiry(policy, after, latest)?;
            } else if before.expires() != after.expires() {
                let latest = latest.map(|latest| due::end_of_life(before, latest, now));
                check_expiry(policy, after, latest)?;
            }
            if other_kind || may_do_more(before, after) {
                check_scopes(policy, after)?;
            }
            Ok(())
        })
    }

    /// Lists the policies that bound the number of keys, and must be counted for a key that is added (`before` is
    /// `None`) or changed at this instant. A change need not be counted unless the key begins to count.
    ///
    /// A bound counts the keys of the same account that its policy [covers](PolicySubject::covers) and that
    /// [count](Self::counts). With the key itself there may be as many as [`KeyPolicy::most_keys`].
    pub fn most_keys<'a>(
        &'a self,
        before: Option<&'a KeyRecord>,
        after: &'a KeyRecord,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a PolicySubject, u32)> {
        let counted = move |policy: &KeyPolicy| {
            before
                .is_some_and(|before| Self::counts(before, now) && policy.subject().covers(before))
        };
        let bounds = self.covering(after).filter(move |_| Self::counts(after, now));
        bounds
            .filter(move |policy| !counted(policy))
            .filter_map(|policy| policy.most_keys().map(|most| (policy.subject(), most)))
    }

    /// Returns true if a key counts for a bound: it is neither revoked nor expired. A key that is switched off counts,
    /// because it can be switched on.
    pub fn counts(record: &KeyRecord, now: Timestamp) -> bool {
        !record.is_revoked() && record.expires().is_none_or(|expires| expires > now)
    }

    /// Returns when the earlier secrets of a key end at the latest that gets a new secret at this instant. Without a longest
    /// life that is `until`, the end that the caller names.
    ///
    /// Otherwise each rotation, with a late end and a later expiry of the key after it, would let an old secret live on.
    /// The life of an earlier secret counts from `newest_secret`, when the newest of them was made. A key from before the
    /// policy may live longer than that. Its secrets end as a sweep ends the key: two weeks from now at the earliest, and
    /// no later than they would have.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::key::{Account, KeyRecord};
    /// use tower_api_key::policy::{KeyPolicy, Policies, PolicySubject};
    ///
    /// let day = |day: u64| Timestamp::from_unix_seconds(day * 86_400);
    /// let life = Duration::from_secs(90 * 86_400);
    /// let policy = KeyPolicy::builder(PolicySubject::All).longest_life(life).build()?;
    /// let policies = Policies::new([policy]);
    ///
    /// // The secret was made on day 0, and the key is rotated on day 80.
    /// let acme = Account::builder("acme").build()?;
    /// let record = KeyRecord::builder("key_1", acme).expires(day(90)).build()?;
    /// assert_eq!(policies.end_of_earlier(&record, day(0), day(85), day(80)), day(85));
    /// assert_eq!(policies.end_of_earlier(&record, day(0), day(500), day(80)), day(90));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_of_earlier(
        &self,
        record: &KeyRecord,
        newest_secret: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> Timestamp {
        let ends = self.covering(record).filter_map(|policy| latest_expiry(policy, newest_secret));
        ends.map(|end| due::end_of_life(record, end, now)).fold(until, Timestamp::min)
    }

    /// Lists what a sweep does with a key at this instant. A key that is revoked, expired or switched off is left as it is.
    pub fn due(&self, record: &KeyRecord, dates: &KeyDates, now: Timestamp) -> Vec<PolicyAction> {
        due::actions(self.covering(record), record, dates, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRecordBuilder;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_000);

    fn at_most(subject: &str, most: u32) -> KeyPolicy {
        KeyPolicy::builder(subject.parse().unwrap()).most_keys(most).build().unwrap()
    }

    #[test]
    fn a_key_is_counted_when_it_begins_to_count() {
        let key = || KeyRecord::bare("key_1", "acme").edit();
        let personal = || key().kind("personal");
        let expired = || personal().expires(NOW);
        let policies = Policies::new([
            at_most("all", 9),
            at_most("account:acme", 5),
            at_most("account:other", 1),
            at_most("kind:personal", 2),
            at_most("kind:service", 3),
        ]);
        let everywhere = &["all 9", "account:acme 5"][..];
        let with_personal = &["all 9", "account:acme 5", "kind:personal 2"][..];
        for (number, (before, after, expected)) in [
            (None, key(), everywhere),
            (None, personal(), with_personal),
            (None, personal().disabled(true).not_before(NOW), with_personal),
            (None, expired(), &[][..]),
            (None, personal().revoked(true), &[]),
            (Some(personal()), personal().name("backup"), &[]),
            (Some(personal().disabled(true)), personal(), &[]),
            (Some(personal()), personal().kind("service"), &["kind:service 3"]),
            (Some(key()), personal(), &["kind:personal 2"]),
            (Some(personal()), key(), &[]),
            (Some(expired()), personal(), with_personal),
            (Some(expired()), personal().expires(NOW.plus_nanoseconds(1)), with_personal),
            (Some(expired()), expired().kind("service"), &[]),
            (Some(personal()), expired(), &[]),
            (Some(personal()), personal().revoked(true), &[]),
        ]
        .into_iter()
        .enumerate()
        {
            let build = |key: KeyRecordBuilder| key.build().unwrap();
            let (before, after) = (before.map(build), build(after));
            let bounds = policies.most_keys(before.as_ref(), &after, NOW);
            let bounds: Vec<_> = bounds.map(|(on, most)| format!("{on} {most}")).collect();
            assert_eq!(bounds, expected, "case {number}");
        }
    }

    #[test]
    fn of_two_policies_with_one_subject_the_later_one_counts() {
        let mut policies = Policies::new([at_most("kind:a", 1), at_most("all", 1)]);
        assert_eq!(policies.save(at_most("kind:a", 2)), Some(at_most("kind:a", 1)));
        policies.save(at_most("account:a", 3));
        let listed: Vec<_> = policies.iter().map(|it| it.subject().to_string()).collect();
        assert_eq!(listed, ["all", "account:a", "kind:a"]);
        assert_eq!(policies.remove(&PolicySubject::All), Some(at_most("all", 1)));
        assert_eq!(policies.remove(&PolicySubject::All), None);
        assert_eq!(policies.find(&"kind:a".parse().unwrap()), Some(&at_most("kind:a", 2)));
        assert!(!policies.is_empty() && Policies::default().is_empty());
    }
}
