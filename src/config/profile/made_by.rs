//! What a file cannot hold: functions.

/// Names what sets a function, which no file can hold.
#[derive(Debug)]
pub(super) struct MadeBy(pub(super) &'static str);
