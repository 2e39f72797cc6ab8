//! The parts of the script that a question needs, and its text.

use std::sync::OnceLock;

use redis::Script;

use super::counted::Counted;
use super::question::{Question, Terms};
use tower_api_key::quota::Algorithm;

/// The parts of the script that a question needs.
///
/// A script makes its functions anew at each call, which would take most of its time. So the server gets a text for each
/// set of parts. There are at most 55, however many quotas there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScriptParts {
    purpose: Purpose,
    by_network: bool,
    /// The families of the quotas' algorithms, as bits by their place in [`FAMILIES`].
    families: usize,
}

/// What a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Charge,
    Lease,
    Refund,
}

/// Algorithms with the same functions.
struct Family {
    /// The names of the algorithms' functions, in the order of their numbers.
    kinds: &'static [&'static str],
    charge: &'static str,
    lease: &'static str,
    refund: &'static str,
}

/// The family of calendar windows uses functions of the first.
const FAMILIES: [Family; 4] = [
    Family {
        kinds: &["fixed"],
        charge: include_str!("script/fixed.lua"),
        lease: include_str!("script/lease/fixed.lua"),
        refund: include_str!("script/refund/fixed.lua"),
    },
    Family {
        kinds: &["day", "month"],
        charge: include_str!("script/calendar.lua"),
        lease: include_str!("script/lease/calendar.lua"),
        refund: include_str!("script/refund/calendar.lua"),
    },
    Family {
        kinds: &["bucket"],
        charge: include_str!("script/bucket.lua"),
        lease: include_str!("script/lease/bucket.lua"),
        refund: include_str!("script/refund/bucket.lua"),
    },
    Family {
        kinds: &["sliding"],
        charge: include_str!("script/sliding.lua"),
        lease: include_str!("script/lease/sliding.lua"),
        refund: include_str!("script/refund/sliding.lua"),
    },
];

/// The number of all parts that a question may need.
const ALL: usize = 3 * 2 * SETS;
/// The number of sets of families.
const SETS: usize = 1 << FAMILIES.len();

impl ScriptParts {
    /// Returns the parts for a question.
    pub(super) fn new(counted: &Counted, question: &Question<'_>) -> Self {
        let purpose = match question.terms {
            _ if question.refund.is_some() => Purpose::Refund,
            Terms::Lease { .. } => Purpose::Lease,
            Terms::Each => Purpose::Charge,
        };
        let families = counted.quotas().fold(0, |families, quota| {
            families
                | match quota.algorithm() {
                    Algorithm::FixedWindow => 0b0001,
                    Algorithm::CalendarDay | Algorithm::CalendarMonth => 0b0011,
                    Algorithm::LeakyBucket => 0b0100,
                    Algorithm::SlidingWindow => 0b1000,
                }
        });
        Self { purpose, by_network: counted.is_by_network(), families }
    }

    /// Returns true if a call may have several questions. A lease asks for many requests already, and a question that gives
    /// something back must not be repeated with others.
    pub(super) fn takes_many(self) -> bool {
        self.purpose == Purpose::Charge && !self.by_network
    }

    /// Returns a number below [`ALL`] that no other parts have.
    const fn index(self) -> usize {
        (self.purpose as usize * 2 + self.by_network as usize) * SETS + self.families
    }

    /// Returns the text of the script.
    fn text(self) -> String {
        let is_chosen = |bit: usize| self.families >> bit & 1 == 1;
        let families = || FAMILIES.iter().enumerate();
        let chosen = || families().filter(|(bit, _)| is_chosen(*bit)).map(|(_, family)| family);
        let mut text = include_str!("script/numbers.lua").to_owned();
        text.extend(chosen().map(|family| family.charge));
        match self.purpose {
            Purpose::Charge => {}
            Purpose::Lease => text.extend(chosen().map(|family| family.lease)),
            Purpose::Refund => text.extend(chosen().map(|family| family.refund)),
        }
        text.push_str("local KINDS = { ");
        for (bit, family) in families() {
            for kind in family.kinds {
                text.push_str(if is_chosen(bit) { kind } else { "false" });
                text.push(',');
            }
        }
        text.push_str(" }\n\n");
        text.push_str(include_str!("script/question.lua"));
        text.push_str(match self.purpose {
            Purpose::Charge => "",
            Purpose::Lease => include_str!("script/lease/question.lua"),
            Purpose::Refund => include_str!("script/refund/question.lua"),
        });
        if self.by_network {
            text.push_str(include_str!("script/network/question.lua"));
        }
        text.push_str(include_str!("script/instant.lua"));
        if self.by_network {
            text.push_str(include_str!("script/network/room.lua"));
        }
        text.push_str(include_str!("script/charge.lua"));
        text.push_str(if self.takes_many() {
            include_str!("script/together.lua")
        } else {
            include_str!("script/alone.lua")
        });
        text
    }
}

/// The scripts that questions needed so far.
pub(super) struct Scripts([OnceLock<Script>; ALL]);

impl Scripts {
    pub(super) const fn new() -> Self {
        Self([const { OnceLock::new() }; ALL])
    }

    /// Returns the script with these parts.
    #[allow(clippy::indexing_slicing)] // An index is below the length, which a test tries for all parts.
    pub(super) fn of(&self, parts: ScriptParts) -> &Script {
        self.0[parts.index()].get_or_init(|| Script::new(&parts.text()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_parts_have_a_place_and_a_text_of_their_own() {
        let scripts = Scripts::new();
        let mut hashes = HashSet::new();
        let mut count = 0;
        for purpose in [Purpose::Charge, Purpose::Lease, Purpose::Refund] {
            for by_network in [false, true] {
                for families in 0..SETS {
                    let parts = ScriptParts { purpose, by_network, families };
                    assert!(parts.index() < ALL);
                    hashes.insert(scripts.of(parts).get_hash().to_owned());
                    count += 1;
                }
            }
        }
        assert_eq!((hashes.len(), count), (ALL, ALL));
    }
}
