//! A line of the trail that is not numbered yet.

use super::super::manage::{Action, Difference};
use crate::clock::Timestamp;
use crate::key::KeyRecord;
use crate::policy::PolicySubject;

/// The instant, the author and the reason of a change.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) at: Timestamp,
    pub(super) by: &'a str,
    pub(super) reason: Option<&'a str>,
}

/// What a line of the trail says of a change.
pub(super) struct Line {
    pub(super) action: Action,
    pub(super) key: Option<String>,
    pub(super) account: String,
    pub(super) differences: Vec<Difference>,
}

impl Line {
    pub(super) fn of_key(action: Action, record: &KeyRecord) -> Self {
        let (key, account) = (record.id().to_string(), record.account().id().to_string());
        Self { action, key: Some(key), account, differences: Vec::new() }
    }

    pub(super) fn of_account(action: Action, account: &str) -> Self {
        Self { action, key: None, account: account.to_owned(), differences: Vec::new() }
    }

    pub(super) fn of_policy(action: Action, subject: &PolicySubject) -> Self {
        Self::of_account(action, subject.account())
    }

    pub(super) fn with(self, differences: Vec<Difference>) -> Self {
        Self { differences, ..self }
    }
}
