//! Why a profile cannot be written as a file.

use crate::config::profile::UnwritableRow;

/// A profile that no file can hold, because a function of the program makes a part of an answer.
#[derive(Debug, thiserror::Error)]
#[error(
    "the answer `{row}`{} is made by a function (`{made_by}`), which a file cannot hold: use texts with \
     placeholders, or write this profile in Rust",
    .prefix.as_ref().map(|prefix| format!(" of the paths under `{prefix}`")).unwrap_or_default()
)]
pub struct UnwritableProfile {
    row: &'static str,
    made_by: &'static str,
    prefix: Option<String>,
}

impl UnwritableProfile {
    pub(in crate::config) fn at(prefix: Option<&str>, row: &UnwritableRow) -> Self {
        let UnwritableRow { row, made_by } = *row;
        Self { row, made_by, prefix: prefix.map(str::to_owned) }
    }
}
