//! The right name that a wrong one is nearest to.

use strsim::damerau_levenshtein;

/// The longest name that can be a mistyped one, in bytes.
const LONGEST: usize = 64;

/// Returns the known name that a name is nearest to, if one letter in three agrees.
pub(super) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    if name.len() > LONGEST {
        return None;
    }
    let plain = name.to_lowercase().replace(['-', ' '], "_");
    let distance = |known: &&'static str| (damerau_levenshtein(&plain, known), *known);
    let (distance, nearest) = known.iter().map(distance).min()?;
    (distance <= (plain.chars().count() / 3).max(1)).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_has_a_nearest_one() {
        let known = &["realm", "routes", "routes_of", "strip_credential"];
        for (name, expected) in [
            ("relam", Some("realm")),
            ("Realm", Some("realm")),
            ("strip-credentials", Some("strip_credential")),
            ("routes-of", Some("routes_of")),
            ("xyz", None),
            ("", None),
            (&*"realm".repeat(20), None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert_eq!(nearest("realm", &[]), None);
    }
}
