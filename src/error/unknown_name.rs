//! A text that names no value of a closed list.

/// Reports that a text names no value of a closed list, such as
/// [`Algorithm`](crate::quota::Algorithm). The error lists the names; it does not repeat the text.
///
/// ```
/// use tower_api_key::quota::Algorithm;
///
/// let error = "gcra".parse::<Algorithm>().unwrap_err();
/// assert!(error.to_string().contains("`leaky_bucket`"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what}: write {names}")]
pub struct UnknownName {
    what: &'static str,
    names: &'static str,
}

impl UnknownName {
    /// Names the list, and the values in it.
    pub(crate) const fn new(what: &'static str, names: &'static str) -> Self {
        Self { what, names }
    }
}
