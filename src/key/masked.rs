//! A key without its secret part, for texts that name it.

use super::compiled_format::CompiledFormat;
use super::segment::Segment;

/// What stands for the secret part, however long it is.
const HIDDEN: &str = "****";

/// The characters at the end that are shown.
const SHOWN: usize = 4;

/// The characters that stay hidden beside those at the end. A key of base 62 then keeps 95 secret bits at least.
const LEAST_HIDDEN: usize = 16;

/// Returns a text that people know their key by: the public beginning of its format, four asterisks, and the last four
/// characters. A short key, or one without a format and with other characters than visible ASCII, keeps its end.
pub(crate) fn masked(key: &[u8], formats: &[CompiledFormat]) -> Box<str> {
    let public = formats.iter().filter_map(|format| format.public_length(key)).max();
    let (beginning, secret) = key.split_at_checked(public.unwrap_or(0)).unwrap_or((&[], key));
    let end = secret.len().checked_sub(SHOWN).filter(|hidden| *hidden >= LEAST_HIDDEN);
    let end = end.and_then(|end| secret.get(end..)).unwrap_or_default();
    let text = |bytes: &[u8]| -> String {
        let is_plain = bytes.iter().all(u8::is_ascii_graphic);
        bytes.iter().filter(|_| is_plain).map(|byte| char::from(*byte)).collect()
    };
    [text(beginning), HIDDEN.to_owned(), text(end)].concat().into()
}

impl CompiledFormat {
    /// Returns the length of the text before the first random character. `None` if the key does not match.
    fn public_length(&self, key: &[u8]) -> Option<usize> {
        let environment = self.read(key)?.environment.map_or(0, |(_, tag)| tag.len());
        let lengths = self.segments().map_while(|segment| match segment {
            Segment::Literal(text) => Some(text.len()),
            Segment::Environment(_) => Some(environment),
            Segment::Characters { .. } | Segment::Checksum => None,
        });
        Some(lengths.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::super::alphabet::Alphabet;
    use super::super::format::KeyFormat;
    use super::*;

    #[test]
    fn a_masked_key_shows_its_public_beginning_and_its_end() {
        let stripe = KeyFormat::new().literal("sk_").environment(&["live", "test"]).literal("_");
        let stripe = stripe.between(Alphabet::Base62, 16, 99);
        let free = KeyFormat::uuid().environment(&[":fx"]);
        let formats = [stripe, KeyFormat::hex(40), free].each_ref().map(CompiledFormat::from);
        for (key, expected) in [
            ("sk_test_0123456789abcdefWXYZ", "sk_test_****WXYZ"),
            ("sk_live_0123456789abcdef", "sk_live_****"),
            ("sk_live_0123456789abcdef789", "sk_live_****"),
            ("FD09908F25BECB09D78EBEA1DADFB618651F612D", "****612D"),
            ("01890a5d-ac96-774b-bcce-b302099a8057:fx", "****7:fx"),
            // Of no format, so no part of it is public.
            ("sk_prod_0123456789abcdefWXYZ", "****WXYZ"),
            ("password", "****"),
            ("", "****"),
            ("0123456789abcdef0123456789\u{e9}", "****"),
        ] {
            assert_eq!(&*masked(key.as_bytes(), &formats), expected, "{key}");
        }
    }
}
