//! What the script is asked for one request.

use redis::{Cmd, ToRedisArgs};
use smallvec::SmallVec;

use super::super::leaky_bucket::{capacity, interval};
use super::super::limiter::{Applicable, Charge, Taking};
use super::super::sliding_window::part_length;
use super::subject::{Field, Subject, kind};
use crate::clock::Timestamp;
use crate::key::{Algorithm, Per, Quota};

/// Asks for the cost of a request.
pub(super) struct Question<'a> {
    pub(super) charge: Charge<'a>,
    /// The instant, if not the server's counts.
    pub(super) now: Option<Timestamp>,
    pub(super) terms: Terms,
}

/// On what terms tokens are taken beyond the cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// None are.
    Each,
    /// As many as there is demand for now, and more to be spent later, if that may be for at least so
    /// many microseconds.
    Lease { demand: u32, want: u32, shortest: u64 },
}

/// The quotas of a request, as its answer needs them.
pub(super) type Asked = SmallVec<[Quota; 2]>;

impl Question<'_> {
    /// Lists the quotas in the order of the answer.
    pub(super) fn asked(&self) -> Asked {
        self.charge.quotas.iter().map(|(quota, _)| quota.clone()).collect()
    }

    /// Writes it out.
    pub(super) fn write(&self, command: &mut Cmd, prefix: &str) {
        let Charge { record, quotas, cost, taking, .. } = self.charge;
        let account = Subject { prefix, account: record.account().id(), key: None };
        let key = Subject { key: Some(record.id()), ..account };
        let by_account = quotas.count_by(Per::Account);
        let by_key = quotas.count_by(Per::Key);
        command.arg(usize::from(by_account) + usize::from(by_key));
        if by_account {
            command.arg(account.to_string());
        }
        if by_key {
            command.arg(key.to_string());
        }
        command.arg(match taking {
            Taking::Nothing => "nothing",
            Taking::IfRoom => "room",
            Taking::Always => "always",
        });
        let (demand, want, shortest) = match self.terms {
            Terms::Each => (cost, 0, 0),
            Terms::Lease { demand, want, shortest } => (demand.max(cost), want, shortest),
        };
        command.arg(cost).arg(demand).arg(want).arg(shortest);
        match self.now {
            Some(now) => Pair(now.unix_nanoseconds()).write(command),
            None => {
                command.arg("").arg("");
            }
        }
        self.write_quotas(quotas, by_account, command);
    }

    fn write_quotas(&self, quotas: Applicable<'_>, by_account: bool, command: &mut Cmd) {
        for (quota, of_route) in quotas.iter() {
            let second = by_account && quota.per() == Per::Key;
            command.arg(1 + u32::from(second));
            command.arg(Field { quota, of_route }.to_string());
            command.arg(kind(quota.algorithm())).arg(quota.limit()).arg(0);
            match quota.algorithm() {
                Algorithm::FixedWindow => Pair(quota.window_nanoseconds()).write(command),
                Algorithm::LeakyBucket => {
                    Pair(interval(quota)).write(command);
                    Pair(capacity(quota)).write(command);
                    Pair(self.terms.brim(quota)).write(command);
                    command.arg((capacity(quota) - self.terms.brim(quota)) / 1_000);
                }
                Algorithm::SlidingWindow => {
                    command.arg(part_length(quota));
                }
                Algorithm::CalendarDay | Algorithm::CalendarMonth => {}
            }
        }
    }
}

impl Terms {
    /// Returns up to where requests may fill a bucket, in nanoseconds.
    ///
    /// A token that was taken in advance drains while it is held, and would make room for another: so
    /// what may be held for a time is kept free, and then at most `2 × limit` pass in a window's
    /// length after all. It is a sixteenth, in whole requests, so that it is seen in `remaining`.
    pub(super) fn brim(self, quota: &Quota) -> u64 {
        let kept = match self {
            Self::Each => 0,
            Self::Lease { .. } => quota.limit() / 16,
        };
        interval(quota).saturating_mul(u64::from(quota.limit() - kept))
    }
}

/// A span or an instant in nanoseconds, which the script takes in two numbers.
struct Pair(u64);

impl Pair {
    fn write(&self, command: &mut Cmd) {
        (self.0 / 1_000, self.0 % 1_000).write_redis_args(command);
    }
}
