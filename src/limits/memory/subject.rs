//! The subject of a meter: an account, or a key of it.

use crate::key::{AccountId, KeyId, KeyRecord};

/// An account, or one key of it, whose requests a meter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Subject<'a> {
    pub(super) account: &'a AccountId,
    pub(super) key: Option<&'a KeyId>,
}

/// How a request recognizes its subject's meter at a place from a bookmark.
#[derive(Debug, Clone, Copy)]
pub(super) enum Claim<'a> {
    /// By a 64-bit hash of the account's id under a secret seed, which spares reading the account. A mistake
    /// needs another account that has taken this place and has the same hash.
    Tag(u64),
    /// By the ids.
    Subject(Subject<'a>),
}

impl<'a> Subject<'a> {
    /// Returns a record's account as subject.
    pub(super) fn of_account(record: &'a KeyRecord) -> Self {
        Self { account: record.account().id(), key: None }
    }

    /// Returns a record's key as subject.
    pub(super) fn of_key(record: &'a KeyRecord) -> Self {
        Self { account: record.account().id(), key: Some(record.id()) }
    }
}
