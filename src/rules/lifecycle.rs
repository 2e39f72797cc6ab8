//! The rule that a key is valid at an instant.

use crate::clock::Timestamp;
use crate::error::Denial;
use crate::key::KeyRecord;

/// Refuses a key that is revoked, disabled, expired or not valid yet.
pub(crate) fn is_alive(record: &KeyRecord, now: Timestamp) -> Result<(), Denial> {
    if record.is_revoked() {
        Err(Denial::KeyRevoked)
    } else if record.is_disabled() {
        Err(Denial::KeyDisabled)
    } else if record.expires().is_some_and(|expires| expires <= now) {
        Err(Denial::KeyExpired)
    } else if record.not_before().is_some_and(|begins| now < begins) {
        Err(Denial::KeyNotYetValid)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::key::{Account, KeyRecordBuilder};

    #[test]
    fn keys_live_between_two_instants() {
        let at = Timestamp::from_unix_seconds;
        type Edit = fn(KeyRecordBuilder) -> KeyRecordBuilder;
        let cases: [(Edit, u64, Result<(), Denial>); 9] = [
            (|key| key, 0, Ok(())),
            (|key| key.revoked(true), 100, Err(Denial::KeyRevoked)),
            (|key| key.disabled(true), 100, Err(Denial::KeyDisabled)),
            (|key| key.disabled(true).revoked(true), 100, Err(Denial::KeyRevoked)),
            (|key| key.expires(Timestamp::from_unix_seconds(100)), 99, Ok(())),
            (|key| key.expires(Timestamp::from_unix_seconds(100)), 100, Err(Denial::KeyExpired)),
            (
                |key| key.not_before(Timestamp::from_unix_seconds(100)),
                99,
                Err(Denial::KeyNotYetValid),
            ),
            (|key| key.not_before(Timestamp::from_unix_seconds(100)), 100, Ok(())),
            (|key| key.revoked(true).revoked(false), 100, Ok(())),
        ];
        let account = Arc::new(Account::builder("acme").build().unwrap());
        for (index, (change, now, expected)) in cases.into_iter().enumerate() {
            let record = change(KeyRecord::builder("key", account.clone())).build().unwrap();
            assert_eq!(is_alive(&record, at(now)), expected, "case {index}");
        }
    }

    #[test]
    fn a_disabled_account_disables_its_keys() {
        let account = Arc::new(Account::builder("acme").disabled(true).build().unwrap());
        let record = KeyRecord::builder("key", account).build().unwrap();
        let now = Timestamp::from_unix_seconds(0);
        assert_eq!(is_alive(&record, now), Err(Denial::KeyDisabled));
    }
}
