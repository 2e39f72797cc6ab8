//! The names of kinds of events, as they stand in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::events::EventKind;

/// Defines the names, and what each stands for.
macro_rules! kinds_of_events {
    ($($variant:ident = $name:literal,)*) => {
        /// A kind of events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
        pub(in crate::config) enum EventKindName {
            $(#[serde(rename = $name)] $variant,)*
        }

        impl EventKindName {
            /// Returns the kind of the name.
            pub(in crate::config) const fn describe(self) -> EventKind {
                match self {
                    $(Self::$variant => EventKind::$variant,)*
                }
            }
        }
    };
}

kinds_of_events! {
    Created = "key.created",
    FirstUse = "key.first_use",
    Rotated = "key.rotated",
    Expiring = "key.expiring",
    Expired = "key.expired",
    Revoked = "key.revoked",
    Deleted = "key.deleted",
    Leaked = "key.leaked",
    SeenInClear = "key.seen_in_clear",
    UsedElsewhere = "key.used_elsewhere",
    NearLimit = "key.near_limit",
    Unused = "key.unused",
    SwitchedOff = "key.switched_off",
    RotationDue = "key.rotation_due",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_name_in_files() {
        for kind in EventKind::ALL {
            let read: EventKindName = serde_json::from_value(kind.name().into()).unwrap();
            assert_eq!(read.describe(), kind);
        }
    }
}
