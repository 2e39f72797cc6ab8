//! Families of endpoints, each with answers of its own: which one a path belongs to.

use super::path::is_ambiguous;
use super::vendor::{Reason, Reply, Vendor};

/// What a vendor answers below a prefix.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) prefix: &'static str,
    pub(crate) replies: fn(Reason) -> Reply,
}

pub(crate) const FAMILIES: &[Family] = &[
    Family { prefix: "/scopes", replies: denied },
    Family { prefix: "/accounts", replies: empty },
    Family { prefix: "/accounts/acme/data", replies: used },
];

/// Finds the family of a path: the one whose segments it begins with, and of several the longest.
pub(crate) fn family(vendor: &Vendor, path: &str) -> Option<&'static Family> {
    if is_ambiguous(path) {
        return None;
    }
    let segments: Vec<&str> = path.split('/').collect();
    let begins = |family: &&Family| {
        let wanted: Vec<&str> = family.prefix.split('/').collect();
        segments.get(..wanted.len()).is_some_and(|first| first == wanted)
    };
    vendor.families.iter().filter(begins).max_by_key(|family| family.prefix.len())
}

/// The code of a refusal in a family, whose rows are equal except for the one of an outage.
pub(crate) fn code(reason: Reason) -> u8 {
    if reason == Reason::StoreDown { 14 } else { 16 }
}

fn denied(_: Reason) -> Reply {
    (200, Some(r#"{"error":"REQUEST_DENIED"}"#))
}

fn empty(_: Reason) -> Reply {
    (403, Some(""))
}

fn used(reason: Reason) -> Reply {
    (if reason == Reason::StoreDown { 529 } else { 456 }, Some("No."))
}
