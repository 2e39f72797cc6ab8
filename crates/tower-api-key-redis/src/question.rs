//! The arguments of the script for one question.

use redis::Cmd;
use smallvec::SmallVec;

use super::network::{MOST_COUNTERS, MOST_SHARED, NetworkName};
use super::numbers::Numbers;
use super::subject::{Field, Subject};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{AccountId, KeyId, KeyRecord};
use tower_api_key::limits::ChargeMode;
use tower_api_key::quota::arithmetic::{capacity, interval, part_length};
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

/// A question for the cost of a request.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) cost: u32,
    pub(super) mode: ChargeMode,
    /// The instant; `None` for the server's clock.
    pub(super) now: Option<Timestamp>,
    pub(super) terms: Terms,
    pub(super) back: Option<&'a Unspent>,
    /// The instant by the server's clock after which the question takes nothing, in microseconds. Nothing waits for
    /// its answer then. `None` for no such instant.
    pub(super) until: Option<u64>,
    /// Gives the cost back, and takes nothing.
    pub(super) refund: Option<Refunded>,
}

/// The charge whose cost is given back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refunded {
    pub(super) taken_at: Timestamp,
    /// The quotas from which the charge took nothing, as bits by their index.
    pub(super) untaken: u16,
}

/// Tokens that are given back.
#[derive(Debug)]
pub(super) struct Unspent {
    pub(super) tokens: u32,
    /// The mark of each quota for these tokens.
    pub(super) marks: Marks,
}

/// A pair of numbers for each quota.
pub(super) type Marks = SmallVec<[[u64; 2]; 2]>;

/// How many tokens are taken beyond the cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// None.
    Each,
    /// Up to `demand` for waiting requests. Up to `want` for later requests, and at most one in `left` of what is
    /// left, if the node may hold them for at least `shortest` microseconds.
    Lease { demand: u32, want: u32, left: u32, shortest: u64 },
}

impl Terms {
    /// Takes the cost alone, under quotas of which other requests take leases.
    pub(super) const ALONE: Self = Self::Lease { demand: 0, want: 0, left: 1, shortest: 0 };
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

impl Question<'_> {
    /// Adds what to take, the cost and the instant.
    fn write(&self, numbers: &mut Numbers) {
        numbers.byte(match self.mode {
            _ if self.refund.is_some() => 3,
            ChargeMode::Peek => 0,
            ChargeMode::IfAllowed => 1,
            ChargeMode::Force => 2,
        });
        numbers.long(self.cost);
        match self.now {
            Some(now) => numbers.pair(now.unix_nanoseconds()),
            None => numbers.no_instant(),
        }
    }

    /// Adds the numbers of a refund or of a lease.
    fn write_purpose(&self, numbers: &mut Numbers) {
        if let Some(refund) = self.refund {
            numbers.pair(refund.taken_at.unix_nanoseconds());
        } else if let Terms::Lease { demand, want, left, shortest } = self.terms {
            numbers.long(demand.max(self.cost));
            numbers.long(want);
            numbers.long(left);
            numbers.double(shortest);
            numbers.long(self.back.map_or(0, |back| back.tokens));
            numbers.double(self.until.unwrap_or(0));
        }
    }

    /// Adds the numbers of the quota with an index.
    fn write_quota(&self, numbers: &mut Numbers, quota: &Quota, index: usize) {
        let untaken = self.refund.is_some_and(|refund| refund.untaken >> index & 1 == 1);
        self.terms.write(quota, untaken, numbers);
        if let Some(back) = self.back {
            let [mark, rest] = back.marks.get(index).copied().unwrap_or_default();
            numbers.double(mark);
            numbers.short(u32::try_from(rest).unwrap_or_default());
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

impl Terms {
    /// Adds the numbers of a quota.
    fn write(self, quota: &Quota, untaken: bool, numbers: &mut Numbers) {
        numbers.long(quota.limit());
        numbers.byte(if untaken { 2 } else { quota.is_in_shadow().into() });
        match quota.algorithm() {
            Algorithm::FixedWindow => numbers.pair(quota.window_nanoseconds()),
            Algorithm::LeakyBucket => {
                let (capacity, brim) = (capacity(quota), self.brim(quota));
                numbers.pair(interval(quota));
                numbers.pair(capacity);
                numbers.pair(brim);
                // Tokens may be held for as long as the part that is kept free takes to drain.
                numbers.double(capacity.saturating_sub(brim) / 1_000);
            }
            Algorithm::SlidingWindow => numbers.double(part_length(quota)),
            Algorithm::CalendarDay | Algorithm::CalendarMonth => {}
        }
    }

    /// Returns the level up to which requests may fill a bucket, in nanoseconds.
    ///
    /// A token that was taken in advance drains while a node holds it, and would make room for another. So a
    /// sixteenth of the bucket is kept free, and still at most `2 × limit` requests pass in one window's
    /// length. It is in whole requests, so that `remaining` shows it.
    pub(super) fn brim(self, quota: &Quota) -> u64 {
        let kept = match self {
            Self::Each => 0,
            Self::Lease { .. } => quota.limit() / 16,
        };
        interval(quota).saturating_mul(u64::from(quota.limit() - kept))
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

    #[test]
    fn a_bucket_is_described_by_its_rate_and_by_what_is_kept_free() {
        let lease = Terms::Lease { demand: 1, want: 8, left: 8, shortest: 0 };
        // A request drains in 1 s and 7 ns. A sixteenth of 40 requests is 2.
        let window = Duration::from_nanos(40 * 1_000_000_007);
        let quota = Quota::new("q", 40, window).with_algorithm(Algorithm::LeakyBucket);
        for (terms, brim, kept) in
            [(Terms::Each, 40_000_000_280, 0), (lease, 38_000_000_266, 2_000_000)]
        {
            let mut numbers = Numbers::default();
            terms.write(&quota, false, &mut numbers);
            let mut expected = Numbers::default();
            expected.long(40);
            expected.byte(0);
            expected.pair(1_000_000_007);
            expected.pair(40_000_000_280);
            expected.pair(brim);
            expected.double(kept);
            assert_eq!(numbers.bytes(), expected.bytes(), "{terms:?}");
        }
    }
}
