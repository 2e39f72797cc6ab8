//! Places in a list of keys, and the ends of prefixes.

use crate::driver::Columns;
use crate::row;
use tower_api_key::store::{KeyOrder, KeyPosition, StoreError};

/// Returns the place of a row in a list.
pub(crate) fn position(row: &dyn Columns, order: KeyOrder) -> Result<String, StoreError> {
    let id = row::text(row, "id")?;
    Ok(match order {
        KeyOrder::Name => KeyPosition::Name(&row::text(row, "name")?, &id).to_string(),
        KeyOrder::Expiry => {
            let expires = row::timestamp(row::number(row, "expires")?);
            KeyPosition::Expiry(expires, &id).to_string()
        }
        _ => id,
    })
}

/// Returns the first text behind all texts with a prefix; `None` if no text is.
pub(super) fn behind_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The range skips the surrogates.
        if let Some(next) = (last..=char::MAX).nth(1) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_text() {
        for (prefix, end) in [
            ("a", Some("b")),
            ("a\u{10ffff}", Some("b")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(behind_prefix(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
