//! Does the key have the scopes that the request needs?

use std::sync::Arc;

use crate::error::Denial;
use crate::key::ScopeSet;

/// Refuses a key that lacks one of `all_of`, or has none of `any_of`. No key has one of no scopes; `None`
/// asks for none.
pub(crate) fn has_scopes<S: AsRef<str>>(
    held: &ScopeSet,
    all_of: &[S],
    any_of: Option<&[S]>,
) -> Result<(), Denial> {
    let all = all_of.iter().all(|scope| held.contains(scope.as_ref()));
    let any = any_of.is_none_or(|any_of| any_of.iter().any(|scope| held.contains(scope.as_ref())));
    if all && any { Ok(()) } else { Err(missing(all_of, any_of.unwrap_or_default())) }
}

/// Names the scopes that would do. Of `any_of` all are named, since the attribute has no "or"
/// (RFC 6750 §3).
fn missing<S: AsRef<str>>(all_of: &[S], any_of: &[S]) -> Denial {
    let scopes = all_of.iter().chain(any_of).map(AsRef::as_ref);
    let needed = scopes.collect::<Vec<_>>().join(" ");
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
