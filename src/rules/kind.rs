//! Is this the kind of key that may come this way?

use crate::error::Denial;
use crate::key::KeyRecord;

/// Refuses a key whose kind is not served through the source that carried it.
pub(crate) fn served_through<S: AsRef<str>>(
    kinds: Option<&[S]>,
    record: &KeyRecord,
) -> Result<(), Denial> {
    listed(kinds, record, Denial::SchemeNotForKind)
}

/// Refuses a key whose kind the route does not serve.
pub(crate) fn served_by_route<S: AsRef<str>>(
    kinds: Option<&[S]>,
    record: &KeyRecord,
) -> Result<(), Denial> {
    listed(kinds, record, Denial::KindNotAllowed)
}

/// A list serves no key without a kind, and an empty one none at all; `None` serves every key.
fn listed<S: AsRef<str>>(
    kinds: Option<&[S]>,
    record: &KeyRecord,
    otherwise: Denial,
) -> Result<(), Denial> {
    let Some(kinds) = kinds else { return Ok(()) };
    let is_listed = |kind: &str| kinds.iter().any(|listed| listed.as_ref() == kind);
    let serves = record.kind().is_some_and(|kind| is_listed(kind.as_str()));
    if serves { Ok(()) } else { Err(otherwise) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Account;

    #[test]
    fn a_list_of_kinds_serves_what_it_lists() {
        let account = Account::builder("acme").build().unwrap();
        let bare = KeyRecord::builder("key", account).build().unwrap();
        let partner = bare.edit().kind("partner").build().unwrap();
        for (record, kinds, passes) in [
            (&bare, None, true),
            (&partner, None, true),
            (&partner, Some(&["deployment", "partner"][..]), true),
            (&partner, Some(&["deployment"]), false),
            (&partner, Some(&[]), false),
            (&bare, Some(&["partner"]), false),
            (&bare, Some(&[]), false),
        ] {
            let expected = if passes { Ok(()) } else { Err(Denial::KindNotAllowed) };
            assert_eq!(served_by_route(kinds, record), expected, "{kinds:?}");
        }
        assert_eq!(
            served_through(Some(&["organization"]), &partner),
            Err(Denial::SchemeNotForKind)
        );
    }
}
