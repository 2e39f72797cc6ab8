//! The orders in which a large import adds its rows, and a search for keys that come twice.
//!
//! Keys lie all over the memory. So their first bytes are copied beside them, and a comparison rarely reads a key. A million
//! keys are sorted in a fraction of the time, and need no table of hashes.

use tower_api_key::store::NewKey;

/// Sorts keys by their ids.
pub(super) fn by_id<'k>(keys: impl IntoIterator<Item = &'k NewKey>) -> Vec<&'k NewKey> {
    sorted(keys, id).into_iter().map(|(_, key)| key).collect()
}

/// Sorts keys by the digests of their secrets.
pub(super) fn by_digest<'k>(keys: impl IntoIterator<Item = &'k NewKey>) -> Vec<&'k NewKey> {
    sorted(keys, digest).into_iter().map(|(_, key)| key).collect()
}

/// Returns true if two keys have the same id or the same secret.
pub(super) fn has_repeats(keys: &[NewKey]) -> bool {
    [id, digest].into_iter().any(|bytes| {
        let sorted = sorted(keys, bytes);
        let mut pairs = sorted.iter().zip(sorted.iter().skip(1));
        pairs.any(|(one, other)| one.0 == other.0 && bytes(one.1) == bytes(other.1))
    })
}

fn id(key: &NewKey) -> &[u8] {
    key.record.id().as_str().as_bytes()
}

fn digest(key: &NewKey) -> &[u8] {
    key.digest.as_bytes()
}

/// Sorts keys by some bytes of theirs. Each comes with the first ones.
fn sorted<'k>(
    keys: impl IntoIterator<Item = &'k NewKey>,
    bytes: fn(&NewKey) -> &[u8],
) -> Vec<(u128, &'k NewKey)> {
    let mut sorted: Vec<_> = keys.into_iter().map(|key| (first(bytes(key)), key)).collect();
    sorted.sort_unstable_by(|one, other| {
        one.0.cmp(&other.0).then_with(|| bytes(one.1).cmp(bytes(other.1)))
    });
    sorted
}

/// Returns the first 16 bytes as a number. Shorter ones are filled up with zeros, which no id has.
fn first(bytes: &[u8]) -> u128 {
    let first = bytes.iter().take(16).fold(0_u128, |first, byte| first << 8 | u128::from(*byte));
    first << (8 * (16 - bytes.len().min(16)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower_api_key::key::{Account, KeyDigest, KeyRecord};

    fn key(id: &str, digest: u8) -> NewKey {
        let account = Account::builder("acme").build().unwrap();
        let mut bytes = [7; 32];
        bytes[31] = digest;
        NewKey::new(KeyDigest::from_bytes(bytes), KeyRecord::builder(id, account).build().unwrap())
    }

    #[test]
    fn keys_are_sorted_by_all_bytes() {
        let ids =
            ["b", "a", "ab", "a_long_text_of_17b", "a_long_text_of_17a", "a_long_text_of_1", "z"];
        let keys: Vec<_> = (9..).zip(ids).map(|(digest, id)| key(id, 20 - digest)).collect();
        let mut expected = ids;
        expected.sort_unstable();
        let sorted: Vec<_> = by_id(&keys).iter().map(|key| key.record.id().to_string()).collect();
        assert_eq!(sorted, expected);
        let digests: Vec<_> =
            by_digest(&keys).iter().map(|key| key.digest.as_bytes()[31]).collect();
        assert_eq!(digests, [5, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn keys_that_come_twice_are_found() {
        for (keys, has) in [
            (vec![], false),
            (vec![key("a", 1)], false),
            (vec![key("a", 1), key("b", 2), key("a_", 3)], false),
            (vec![key("a", 1), key("b", 2), key("a", 3)], true),
            (vec![key("a", 1), key("b", 2), key("c", 1)], true),
            (vec![key("a_long_text_of_17a", 1), key("a_long_text_of_17b", 2)], false),
            (vec![key("a_long_text_of_17a", 1), key("a_long_text_of_17a", 2)], true),
        ] {
            assert_eq!(has_repeats(&keys), has, "{keys:?}");
        }
    }
}
