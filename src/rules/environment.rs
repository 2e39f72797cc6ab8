//! Does the key belong to this environment?

use crate::denial::Denial;
use crate::key::{Environment, KeyRecord};

/// Refuses a key of another environment than the gate's; a gate that is not pinned takes all.
pub(crate) fn belongs_to(record: &KeyRecord, pinned: Option<&Environment>) -> Result<(), Denial> {
    match pinned {
        Some(pinned) if record.environment() != Some(pinned) => Err(Denial::EnvironmentMismatch),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::key::Account;

    #[test]
    fn a_pinned_gate_takes_its_own_environment_only() {
        let account = Arc::new(Account::builder("acme").build().unwrap());
        let bare = KeyRecord::builder("key", account).build().unwrap();
        let production = bare.edit().environment("production").build().unwrap();
        let pinned = Environment::new("production").unwrap();
        let other = Environment::new("sandbox").unwrap();
        for (record, pinned, passes) in [
            (&bare, None, true),
            (&production, None, true),
            (&production, Some(&pinned), true),
            (&production, Some(&other), false),
            (&bare, Some(&pinned), false),
        ] {
            assert_eq!(belongs_to(record, pinned).is_ok(), passes, "{record:?} {pinned:?}");
        }
    }
}
