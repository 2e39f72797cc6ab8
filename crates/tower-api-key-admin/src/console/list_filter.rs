//! The form that filters the lists of keys.

use std::time::Duration;

use form_urlencoded::Serializer;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::SecretTail;
use tower_api_key::store::{KeyFilter, KeyOrder, KeyState};

use super::fields::Fields;
use crate::management::ManagementError;

/// The days within which keys expire that the page of expiring keys lists, unless asked for others.
const SOON: &str = "30";

/// The most days that the page takes.
const LATEST: u64 = 3_650;

const A_DAY: u64 = 86_400;

/// The characters of a secret by which the list finds its key.
const TAIL: usize = 4;

const NO_TAIL: &str = "write the last 4 characters of the secret, or more of its end";

/// The values of the form.
pub(super) struct ListFilter {
    pub(super) name: String,
    pub(super) tail: String,
    pub(super) account: String,
    pub(super) owner: String,
    pub(super) kind: String,
    pub(super) environment: String,
    pub(super) state: String,
    pub(super) days: String,
}

impl ListFilter {
    /// Returns the values that were sent. A text that is longer than a tail may be a secret, and no page shows it again.
    pub(super) fn of(fields: &Fields) -> Self {
        let owned = |name| fields.text(name).to_owned();
        let is_short = |text: &&str| text.chars().count() <= TAIL;
        Self {
            name: owned("name"),
            tail: Some(fields.text("tail")).filter(is_short).unwrap_or_default().to_owned(),
            account: owned("account"),
            owner: owned("owner"),
            kind: owned("kind"),
            environment: owned("environment"),
            state: owned("state"),
            days: fields.filled("days").unwrap_or(SOON).to_owned(),
        }
    }

    /// Returns the address of the list without its path: what was filled in. Of a secret that was pasted, its tail alone is in
    /// the address.
    pub(super) fn address(fields: &Fields) -> Result<String, ManagementError> {
        let tail = tail(fields.text("tail"))?;
        let mut query = Serializer::new(String::new());
        for (name, value) in &fields.0 {
            let value = match (name.as_str(), &tail) {
                ("form_token", _) => "",
                ("tail", Some(tail)) => tail.as_str(),
                _ => value.trim(),
            };
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        Ok(if query.is_empty() { query } else { format!("?{query}") })
    }

    /// Returns the filter of a list: of all keys, or of those that expire `soon`.
    pub(super) fn keys(
        fields: &Fields,
        soon: bool,
        now: Timestamp,
    ) -> Result<KeyFilter, ManagementError> {
        let some = |name| fields.filled(name).map(str::to_owned);
        let state = fields.filled("state").map(|state| {
            let known = KeyState::ALL.into_iter().find(|known| known.name() == state);
            known.ok_or_else(|| ManagementError::invalid("state", "there is no such state"))
        });
        let state = state.transpose()?;
        // More than a tail is taken from the form alone: an address that has a whole secret is in logs.
        let tail = fields.filled("tail").map(SecretTail::new).transpose();
        let tail = tail.map_err(|_| ManagementError::invalid("tail", NO_TAIL))?;
        let days = fields.filled("days").unwrap_or(SOON).parse().ok();
        let days = days.filter(|days| (1..=LATEST).contains(days)).ok_or_else(|| {
            ManagementError::invalid("days", format!("must be from 1 to {LATEST}"))
        })?;
        // Each order has an index that finds the first row at once.
        let order = match (soon, fields.filled("name")) {
            (true, _) => KeyOrder::Expiry,
            (false, Some(_)) => KeyOrder::Name,
            (false, None) => KeyOrder::Id,
        };
        Ok(KeyFilter {
            account: some("account"),
            owner: some("owner"),
            kind: some("kind"),
            environment: some("environment"),
            state: state.or(soon.then_some(KeyState::Active)),
            name_prefix: some("name"),
            tail,
            expires_before: soon.then(|| now.plus(Duration::from_secs(days * A_DAY))),
            order,
            ..KeyFilter::default()
        })
    }
}

/// Reads the tail at the end of what was typed; `None` for nothing.
fn tail(typed: &str) -> Result<Option<SecretTail>, ManagementError> {
    if typed.is_empty() {
        return Ok(None);
    }
    let begin = typed.char_indices().rev().nth(TAIL - 1);
    let last = begin.and_then(|(begin, _)| typed.get(begin..));
    let tail = last.and_then(|last| SecretTail::new(last).ok());
    tail.map(Some).ok_or_else(|| ManagementError::invalid("tail", NO_TAIL))
}
