//! The script that charges a request.

use redis::Script;

/// Its parts, which are one text to the server.
const CHARGE: &str = concat!(
    include_str!("script/numbers.lua"),
    include_str!("script/fixed.lua"),
    include_str!("script/bucket.lua"),
    include_str!("script/sliding.lua"),
    include_str!("script/charge.lua"),
);

/// Returns the script that charges a request to all of its quotas.
pub(super) fn charge() -> Script {
    Script::new(CHARGE)
}
