//! Numbers of rows, as people write them.

/// Reads a number of rows.
pub(crate) fn at_least_one(text: &str) -> Result<usize, &'static str> {
    let number = text.parse().ok();
    number.filter(|number| *number > 0).ok_or("write a whole number, 1 or more")
}
