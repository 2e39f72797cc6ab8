//! The right name that a wrong one is nearest to.

use strsim::damerau_levenshtein;

/// Returns the known name that a name is nearest to, if one letter in three agrees.
pub(super) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = name.to_lowercase().replace(['-', ' '], "_");
    let distance = |known: &&'static str| (damerau_levenshtein(&plain, known), *known);
    let (distance, nearest) = known.iter().map(distance).min()?;
    (distance <= (plain.chars().count() / 3).max(1)).then_some(nearest)
}
