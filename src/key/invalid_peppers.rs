//! The error of a keyring of peppers.

use super::name::{InvalidName, PepperName};

/// Reports peppers that cannot be used together. The error names peppers, and never shows one.
///
/// ```
/// use tower_api_key::key::{InvalidPeppers, Pepper, Peppers};
///
/// let pepper = || Pepper::new(*b"32 bytes of the random generator");
/// let twice = Peppers::builder("2027", pepper()?).former("2026", pepper()?).build().unwrap_err();
/// assert!(matches!(twice, InvalidPeppers::Equal(_, _)));
/// # Ok::<(), tower_api_key::key::WeakPepper>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPeppers {
    /// The name of a pepper is not valid.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Two peppers have this name.
    #[error("two peppers are named `{0}`: give each a name of its own")]
    SameName(PepperName),
    /// Two names stand for the same secret, so nothing would change with the newer one.
    #[error("the peppers `{0}` and `{1}` are equal: make a new pepper of random bytes")]
    Equal(PepperName, PepperName),
    /// The end of this pepper has passed, so no key is found by it.
    #[error("the end of the pepper `{0}` has passed: leave the pepper out, or set a later end")]
    Ended(PepperName),
    /// Two peppers are named as the next one.
    #[error("the peppers `{0}` and `{1}` are both the next one: keep one of them")]
    TwoNext(PepperName, PepperName),
    /// Each pepper beside the current one costs a lookup for an unknown key, so there are at most 4.
    #[error(
        "there are more than 4 peppers beside the current one: leave out those that no key needs"
    )]
    TooMany,
}
