//! The names that one header of a profile can have.

use http::HeaderName;

/// What a pattern has in place of the name of a quota.
const PLACE: &str = "{quota}";

/// The name of a header, or a name for each quota.
#[derive(Debug, Clone)]
pub(super) enum NamePattern {
    One(HeaderName),
    /// A name for each quota, between two parts in lower case.
    Each {
        before: Box<str>,
        after: Box<str>,
    },
}

impl NamePattern {
    /// Splits a pattern at `{quota}`. Returns `None` for a name without it.
    pub(super) fn each(pattern: &str) -> Option<Self> {
        let (before, after) = pattern.split_once(PLACE)?;
        let lower = |part: &str| part.to_ascii_lowercase().into();
        Some(Self::Each { before: lower(before), after: lower(after) })
    }

    /// Returns the pattern with a word in place of the name of a quota, so that the whole is checked as a name.
    pub(super) fn example(pattern: &str) -> String {
        pattern.replacen(PLACE, "quota", 1)
    }

    /// Returns true if a header of this name, in lower case, can be written.
    pub(super) fn covers(&self, name: &str) -> bool {
        match self {
            Self::One(own) => own == name,
            Self::Each { before, after } => {
                let rest = name.strip_prefix(&**before);
                let quota = rest.and_then(|rest| rest.strip_suffix(&**after));
                quota.is_some_and(|quota| !quota.is_empty())
            }
        }
    }

    /// Returns true if two headers can have the same name, whatever the names of quotas are. The order of the two
    /// makes no difference.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(name), pattern) | (pattern, Self::One(name)) => {
                pattern.covers(name.as_str())
            }
            (
                Self::Each { before, after },
                Self::Each { before: other_before, after: other_after },
            ) => {
                let begin_alike =
                    before.starts_with(&**other_before) || other_before.starts_with(&**before);
                let end_alike = after.ends_with(&**other_after) || other_after.ends_with(&**after);
                begin_alike && end_alike
            }
        }
    }

    /// Returns the name of the header about this quota. Returns `None` if the quota's name has characters that no
    /// header has.
    pub(super) fn of_quota(&self, quota: &str) -> Option<HeaderName> {
        match self {
            Self::One(name) => Some(name.clone()),
            Self::Each { before, after } => {
                HeaderName::from_bytes(format!("{before}{quota}{after}").as_bytes()).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> NamePattern {
        let one = || NamePattern::One(text.parse().unwrap());
        NamePattern::each(text).unwrap_or_else(one)
    }

    /// Compares `overlaps` with the names of all short quotas.
    #[test]
    fn patterns_overlap_if_a_name_fits_both() {
        let texts = [
            "a",
            "aa",
            "a-",
            "a-a",
            "a-b",
            "a-{quota}",
            "a-a{quota}",
            "a-{quota}a",
            "a-{quota}b",
            "a-{quota}-b",
            "a-{quota}ab",
            "a-b-{quota}",
            "b-{quota}",
            "b-a",
            "{quota}",
            "A-{quota}",
        ];
        let letters = ["", "a", "b", "-"];
        let mut quotas = vec![String::new()];
        for _ in 0..6 {
            let longer =
                quotas.iter().flat_map(|quota| letters.map(|letter| format!("{quota}{letter}")));
            quotas = longer.collect();
            quotas.sort();
            quotas.dedup();
        }
        quotas.retain(|quota| !quota.is_empty());
        for one in texts.map(pattern) {
            for other in texts.map(pattern) {
                let mut names = quotas.iter().filter_map(|quota| one.of_quota(quota));
                let meet = names.any(|name| other.covers(name.as_str()));
                assert_eq!(one.overlaps(&other), meet, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_quota_has_a_name_if_http_allows_it() {
        let left = pattern("X-Left-{quota}-now");
        assert_eq!(left.of_quota("Minute").unwrap(), "x-left-minute-now");
        assert_eq!(left.of_quota("a:b"), None);
        assert_eq!(left.of_quota("a b"), None);
        assert!(!left.covers("x-left--now") && !left.covers("x-left-now"));
    }
}
