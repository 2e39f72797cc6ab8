//! The rule that a key belongs to the gate's environment.

use crate::error::Denial;
use crate::key::{Environment, KeyRecord};

/// Refuses a key whose environment differs from the gate's, or from the one that the key's text names.
/// A gate that is not pinned accepts all environments, and so does a text that names none.
pub(crate) fn belongs_to(
    record: &KeyRecord,
    pinned: Option<&Environment>,
    named: Option<&str>,
) -> Result<(), Denial> {
    let is_of = |environment: &str| record.environment().is_some_and(|own| *own == *environment);
    let by_gate = pinned.is_none_or(|pinned| is_of(pinned.as_str()));
    let by_text = named.is_none_or(is_of);
    if by_gate && by_text { Ok(()) } else { Err(Denial::EnvironmentMismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Account;

    #[test]
    fn a_pinned_gate_takes_its_own_environment_only() {
        let account = Account::builder("acme").build().unwrap();
        let bare = KeyRecord::builder("key", account).build().unwrap();
        let production = bare.edit().environment("production").build().unwrap();
        let pinned = Environment::new("production").unwrap();
        let other = Environment::new("sandbox").unwrap();
        for (record, pinned, named, passes) in [
            (&bare, None, None, true),
            (&production, None, None, true),
            (&production, Some(&pinned), None, true),
            (&production, Some(&other), None, false),
            (&bare, Some(&pinned), None, false),
            (&production, None, Some("production"), true),
            (&production, Some(&pinned), Some("production"), true),
            (&production, None, Some("sandbox"), false),
            (&production, Some(&pinned), Some("sandbox"), false),
            (&bare, None, Some("production"), false),
        ] {
            let decided = belongs_to(record, pinned, named);
            assert_eq!(decided.is_ok(), passes, "{record:?} {pinned:?} {named:?}");
        }
    }
}
