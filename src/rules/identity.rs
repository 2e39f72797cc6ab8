//! The rule about the id that a client presents beside a secret.

use crate::error::Denial;
use crate::key::KeyRecord;

/// Refuses a secret that was presented with the id of another key. The answer is that to an unknown key: the
/// pair of id and secret is as unknown as a secret alone.
pub(crate) fn is_named(record: &KeyRecord, id: &[u8]) -> Result<(), Denial> {
    if record.id().as_str().as_bytes() == id { Ok(()) } else { Err(Denial::KeyUnknown) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Account;

    #[test]
    fn an_id_is_the_whole_id() {
        let account = Account::builder("acme").build().unwrap();
        let record = KeyRecord::builder("key_1", account).build().unwrap();
        for (id, passes) in [
            (&b"key_1"[..], true),
            (b"key_", false),
            (b"key_12", false),
            (b"KEY_1", false),
            (b"key_1 ", false),
            (b"acme", false),
            (b"", false),
        ] {
            let expected = if passes { Ok(()) } else { Err(Denial::KeyUnknown) };
            assert_eq!(is_named(&record, id), expected, "{id:?}");
        }
    }
}
