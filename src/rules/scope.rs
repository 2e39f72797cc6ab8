//! Does the key have the scopes that the request needs?

use std::sync::Arc;

use crate::error::Denial;
use crate::key::ScopeSet;

/// Refuses a key that lacks one of `all_of`, or has none of `any_of`. No key has one of no scopes; `None`
/// asks for none.
pub(crate) fn has_scopes(
    held: &ScopeSet,
    all_of: &[&str],
    any_of: Option<&[&str]>,
) -> Result<(), Denial> {
    let all = all_of.iter().all(|scope| held.contains(scope));
    let any = any_of.is_none_or(|any_of| any_of.iter().any(|scope| held.contains(scope)));
    if all && any { Ok(()) } else { Err(missing(all_of, any_of.unwrap_or_default())) }
}

/// Names the scopes that would do. Of `any_of` all are named, since the attribute has no "or"
/// (RFC 6750 §3).
fn missing(all_of: &[&str], any_of: &[&str]) -> Denial {
    let needed = [all_of, any_of].concat().join(" ");
    Denial::ScopeMissing { needed: Arc::from(needed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_and_any_of() {
        let held = ScopeSet::new(["a", "b"]).unwrap();
        for (all_of, any_of, passes) in [
            (&[][..], None, true),
            (&["a"], None, true),
            (&["a", "b"], None, true),
            (&["a", "c"], None, false),
            (&[], Some(&["c", "b"][..]), true),
            (&[], Some(&["c", "d"]), false),
            (&[], Some(&[]), false),
            (&["a"], Some(&[]), false),
            (&["a"], Some(&["c"]), false),
            (&["A"], None, false),
        ] {
            let decided = has_scopes(&held, all_of, any_of);
            assert_eq!(decided.is_ok(), passes, "{all_of:?} {any_of:?}");
        }
        let needed = Arc::from("a c d");
        assert_eq!(missing(&["a"], &["c", "d"]), Denial::ScopeMissing { needed });
    }
}
