//! Whose counters a meter has.

use crate::key::{AccountId, KeyId, KeyRecord};

/// Whose requests are counted together: those of an account, or of one key of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Subject<'a> {
    pub(super) account: &'a AccountId,
    pub(super) key: Option<&'a KeyId>,
}

/// Recognizes a subject's meter at a place that was remembered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Claim<'a> {
    /// By a hash of the account's id under a secret seed, so that the account need not be looked at.
    /// It would mistake another account's meter only if that has taken this one's place and has the
    /// same 64 bits.
    Tag(u64),
    /// By the ids themselves.
    Subject(Subject<'a>),
}

impl<'a> Subject<'a> {
    /// Names a record's account.
    pub(super) fn of_account(record: &'a KeyRecord) -> Self {
        Self { account: record.account().id(), key: None }
    }

    /// Names a record's key.
    pub(super) fn of_key(record: &'a KeyRecord) -> Self {
        Self { account: record.account().id(), key: Some(record.id()) }
    }
}
