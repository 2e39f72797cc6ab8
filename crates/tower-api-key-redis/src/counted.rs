//! The subjects whose requests are counted, as the script's arguments name them.

use redis::Cmd;
use smallvec::SmallVec;

use super::network::{MOST_COUNTERS, MOST_SHARED, NetworkName};
use super::numbers::Numbers;
use super::question::Question;
use super::subject::{Field, Subject};
use tower_api_key::key::{AccountId, KeyId, KeyRecord};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Per, Quota};

/// The subjects whose requests are counted, and their quotas.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    subject: CountedSubject,
    /// The quotas in the order of the verdict, each with true if it is a route's.
    quotas: SmallVec<[(Quota, bool); 2]>,
    /// True if quotas count by account and by key, so that there are two subjects.
    are_two: bool,
}

/// The subjects whose requests are counted.
#[derive(Debug, Clone)]
enum CountedSubject {
    /// An account, and the key if a quota counts by key.
    Account(AccountId, Option<KeyId>),
    Network(NetworkName),
}

impl Counted {
    pub(super) fn new(record: &KeyRecord, quotas: AppliedQuotas<'_>) -> Self {
        let key = quotas.count_by(Per::Key).then(|| record.id().clone());
        Self::of(CountedSubject::Account(record.account().id().clone(), key), quotas)
    }

    /// Counts the requests of a network, which has no keys.
    pub(super) fn by_network(name: NetworkName, quotas: AppliedQuotas<'_>) -> Self {
        Self::of(CountedSubject::Network(name), quotas)
    }

    fn of(subject: CountedSubject, quotas: AppliedQuotas<'_>) -> Self {
        let are_two = quotas.count_by(Per::Key) && quotas.count_by(Per::Account);
        let quotas = quotas.iter().map(|(quota, of_route)| (quota.clone(), of_route)).collect();
        Self { subject, quotas, are_two }
    }

    /// Returns the quotas.
    pub(super) fn quotas(&self) -> impl ExactSizeIterator<Item = &Quota> + Clone {
        self.quotas.iter().map(|(quota, _)| quota)
    }

    /// Returns true if the record and the quotas have the same subjects, the same quotas and the same limits.
    pub(super) fn is_of(&self, record: &KeyRecord, quotas: AppliedQuotas<'_>) -> bool {
        let own = self.quotas.iter().map(|(quota, of_route)| (quota, *of_route));
        let CountedSubject::Account(account, key) = &self.subject else { return false };
        *account == *record.account().id()
            && key.as_ref().is_none_or(|key| key == record.id())
            && own.eq(quotas.iter())
    }

    /// Returns true if a network is counted.
    pub(super) const fn is_by_network(&self) -> bool {
        matches!(self.subject, CountedSubject::Network(_))
    }

    /// Returns a Redis key of the subject. All of its keys lie in one slot of a cluster.
    pub(super) fn key(&self, prefix: &str) -> String {
        match &self.subject {
            CountedSubject::Account(account, _) => {
                Subject { prefix, account, key: None }.to_string()
            }
            CountedSubject::Network(name) => name.key(prefix),
        }
    }

    /// Returns true if a quota counts the second subject, which is the key.
    fn is_of_second(&self, quota: &Quota) -> bool {
        self.are_two && quota.per() == Per::Key
    }

    /// Returns the place of each quota in the question and its answer, which have the quotas of the first subject first.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        let (mut first, mut second) = (0, self.quotas_of_first());
        self.quotas().map(move |quota| {
            let next = if self.is_of_second(quota) { &mut second } else { &mut first };
            *next += 1;
            *next - 1
        })
    }

    fn quotas_of_first(&self) -> usize {
        self.quotas().filter(|quota| !self.is_of_second(quota)).count()
    }

    /// Returns the count of subjects, each of which has a Redis key.
    pub(super) fn subjects(&self) -> usize {
        1 + usize::from(self.are_two)
    }

    /// Adds the keys and arguments of a question to a command.
    pub(super) fn ask(&self, question: &Question<'_>, command: &mut Cmd, prefix: &str) {
        command.arg(self.subjects());
        self.write_keys(command, prefix);
        self.write_arguments(question, command);
    }

    /// Adds the Redis keys of the subjects.
    pub(super) fn write_keys(&self, command: &mut Cmd, prefix: &str) {
        match &self.subject {
            CountedSubject::Account(account, key) => {
                let account = Subject { prefix, account, key: None };
                if key.is_none() || self.are_two {
                    command.arg(account.to_string());
                }
                if let Some(key) = key {
                    command.arg(Subject { key: Some(key), ..account }.to_string());
                }
            }
            CountedSubject::Network(name) => {
                command.arg(name.key(prefix));
            }
        }
    }

    /// Adds the arguments of a question.
    pub(super) fn write_arguments(&self, question: &Question<'_>, command: &mut Cmd) {
        let network = match &self.subject {
            CountedSubject::Account(..) => None,
            CountedSubject::Network(name) => Some(name),
        };
        let mut numbers = Numbers::default();
        numbers.byte(u8::try_from(self.quotas.len()).unwrap_or(u8::MAX));
        numbers.byte(u8::try_from(self.quotas_of_first()).unwrap_or(u8::MAX));
        question.write(&mut numbers);
        let kinds = self.quotas().zip(self.places());
        numbers.double(kinds.fold(0, |all, (quota, place)| all | kind(quota) << (3 * place)));
        question.write_purpose(&mut numbers);
        if network.is_some() {
            numbers.short(MOST_COUNTERS);
            numbers.short(MOST_COUNTERS + MOST_SHARED);
        }
        for of_second in [false, true] {
            for (index, (quota, _)) in self.quotas.iter().enumerate() {
                if self.is_of_second(quota) == of_second {
                    question.write_quota(&mut numbers, quota, index);
                }
            }
        }
        command.arg(numbers.bytes());
        if let Some(network) = network {
            command.arg(network.site());
        }
        for of_second in [false, true] {
            for (quota, of_route) in &self.quotas {
                if self.is_of_second(quota) == of_second {
                    command.arg(Field { network, quota, of_route: *of_route }.to_string());
                }
            }
        }
    }
}

/// Returns the number of a quota's algorithm, an octal digit.
fn kind(quota: &Quota) -> u64 {
    match quota.algorithm() {
        Algorithm::FixedWindow => 1,
        Algorithm::CalendarDay => 2,
        Algorithm::CalendarMonth => 3,
        Algorithm::LeakyBucket => 4,
        Algorithm::SlidingWindow => 5,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Quota = Quota::new("minute", 10, Duration::from_secs(60));

    #[test]
    fn subjects_differ_by_account_by_quotas_and_if_a_quota_counts_by_key_by_key() {
        let by_account = [MINUTE];
        let by_key = [MINUTE.with_per(Per::Key)];
        let larger = [Quota::new("minute", 11, Duration::from_secs(60))];
        let of = |general| AppliedQuotas { general, route: &[] };
        for (quotas, of_other_key) in [(of(&by_account), true), (of(&by_key), false)] {
            let counted = Counted::new(&crate::bare("key_1", "acme"), quotas);
            assert!(counted.is_of(&crate::bare("key_1", "acme"), quotas));
            assert_eq!(counted.is_of(&crate::bare("key_2", "acme"), quotas), of_other_key);
            assert!(!counted.is_of(&crate::bare("key_1", "globex"), quotas));
            for others in
                [of(&[]), of(&larger), AppliedQuotas { general: &[], route: quotas.general }]
            {
                assert!(!counted.is_of(&crate::bare("key_1", "acme"), others), "{others:?}");
            }
        }
    }
}
