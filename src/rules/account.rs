//! The rule that a request targets the key's own account.

use crate::error::Denial;
use crate::key::KeyRecord;
use crate::request::decodes_to;

/// The account that a request targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Targets<'a> {
    /// The route takes no account from the path, so the key alone decides.
    None,
    /// The account that the path names, still percent-encoded.
    Account(&'a str),
}

/// Refuses a request whose path names another account than the key's.
///
/// The name is decoded once, as the service behind decodes it. A path that can be read in two ways has
/// matched no route before.
pub(crate) fn targets_own_account(target: Targets<'_>, record: &KeyRecord) -> Result<(), Denial> {
    match target {
        Targets::Account(named) if !decodes_to(named, record.account().id().as_str()) => {
            Err(Denial::AccountMismatch)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Account;

    #[test]
    fn the_path_must_name_the_keys_account() {
        let account = Account::builder("acme").build().unwrap();
        let record = KeyRecord::builder("key", account).build().unwrap();
        for (target, passes) in [
            (Targets::None, true),
            (Targets::Account("acme"), true),
            (Targets::Account("Acme"), false),
            (Targets::Account("acm%65"), true),
            (Targets::Account("acm%6"), false),
            (Targets::Account("acm%65%"), false),
            (Targets::Account("acme%00"), false),
            (Targets::Account(""), false),
        ] {
            assert_eq!(targets_own_account(target, &record).is_ok(), passes, "{target:?}");
        }
    }
}
