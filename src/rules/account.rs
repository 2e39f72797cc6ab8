//! Does the request target the key's own account?

use crate::denial::Denial;
use crate::key::KeyRecord;

/// The account that a request targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Targets<'a> {
    /// The route names none: the key alone says whose data is meant.
    None,
    /// The one that the path names.
    Account(&'a str),
}

/// Refuses a request whose path names another account than the key's. Ids are compared as they
/// stand in the path: an id with reserved characters never matches, and is refused.
pub(crate) fn targets_own_account(target: Targets<'_>, record: &KeyRecord) -> Result<(), Denial> {
    match target {
        Targets::Account(id) if record.account().id() != id => Err(Denial::AccountMismatch),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::key::Account;

    #[test]
    fn the_path_must_name_the_keys_account() {
        let account = Arc::new(Account::builder("acme").build().unwrap());
        let record = KeyRecord::builder("key", account).build().unwrap();
        for (target, passes) in [
            (Targets::None, true),
            (Targets::Account("acme"), true),
            (Targets::Account("Acme"), false),
            (Targets::Account("acm%65"), false),
            (Targets::Account(""), false),
        ] {
            assert_eq!(targets_own_account(target, &record).is_ok(), passes, "{target:?}");
        }
    }
}
