//! Lengths of time as people write them.

use std::time::Duration;

/// The units, the longest first: seconds, and the word that names one.
const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];

/// Writes a length of time for people, in the longest unit of which it is a whole number. Parts of a second are left out.
///
/// All texts for people use this function, so that a rule reads the same everywhere. Formats for machines keep their
/// seconds.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key::clock::in_words;
///
/// assert_eq!(in_words(Duration::from_secs(7_776_000)), "90 days");
/// assert_eq!(in_words(Duration::from_secs(3_600)), "1 hour");
/// ```
pub fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    let whole = |(unit, _): &&(u64, &str)| seconds >= *unit && seconds.is_multiple_of(*unit);
    let (unit, name) = UNITS.iter().find(whole).copied().unwrap_or((1, "second"));
    match seconds / unit {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_longest_whole_unit() {
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (61, "61 seconds"),
            (120, "2 minutes"),
            (3_600, "1 hour"),
            (86_400, "1 day"),
            (90_000, "25 hours"),
            (7_776_000, "90 days"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), text);
        }
    }
}
