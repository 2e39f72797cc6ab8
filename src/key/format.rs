//! Key formats, which describe how a vendor's keys look.

use super::alphabet::Alphabet;
use super::matcher::read;
use super::segment::Segment;

/// The most segments that a format can have.
pub(crate) const MAX_SEGMENTS: usize = 12;

/// Describes how a vendor's keys look: up to twelve segments, one after the other.
///
/// A format borrows its texts. Gates and issuers own copies of them.
///
/// ```
/// use tower_api_key::key::{Alphabet, KeyFormat};
///
/// /// `acme_live_…`: 24 random characters, 142 bits, and a checksum.
/// const ACME: KeyFormat = KeyFormat::new()
///     .literal("acme_")
///     .environment(&["live", "test"])
///     .literal("_")
///     .characters(Alphabet::Base62, 24)
///     .checksum();
///
/// assert_eq!(ACME.pattern(), r"acme_(?:live|test)_[0-9A-Za-z]{24}[0-9A-Za-z]{6}");
/// assert!(!ACME.matches(b"acme_live_000000000000000000000000000000"), "wrong checksum");
/// assert!(ACME.entropy_bits() > 142.0);
///
/// // Formats of keys from other issuers:
/// assert!(KeyFormat::hex(40).matches(b"FD09908F25BECB09D78EBEA1DADFB618651F612D"));
/// assert!(KeyFormat::uuid().matches(b"01890a5d-ac96-774b-bcce-b302099a8057"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFormat<'a> {
    segments: [Option<Segment<'a>>; MAX_SEGMENTS],
}

impl KeyFormat<'static> {
    /// Describes keys such as `key_live_…` and `key_test_…`: [`prefixed`](Self::prefixed) with `key`.
    pub const STANDARD: Self = Self::prefixed("key", &["live", "test"]);
}

impl<'a> KeyFormat<'a> {
    /// Starts a format without segments. Add at least one: a layer refuses an empty format.
    #[allow(clippy::new_without_default)] // A default would be a format that every layer refuses.
    pub const fn new() -> Self {
        Self { segments: [None; MAX_SEGMENTS] }
    }

    /// Describes keys such as `acme_live_…`: a prefix, the environment, 24 random characters (142 bits)
    /// and a checksum. A secret scanner finds such keys by their prefix.
    ///
    /// A key's record must have the environment that the key's text names. `NewKey::issued` sets it.
    ///
    /// ```
    /// use tower_api_key::key::KeyFormat;
    ///
    /// const ACME: KeyFormat = KeyFormat::prefixed("acme", &["live", "test"]);
    /// assert_eq!(ACME.pattern(), "acme_(?:live|test)_[0-9A-Za-z]{24}[0-9A-Za-z]{6}");
    /// ```
    pub const fn prefixed(prefix: &'a str, environments: &'a [&'a str]) -> Self {
        Self::new()
            .literal(prefix)
            .literal("_")
            .environment(environments)
            .literal("_")
            .characters(Alphabet::Base62, 24)
            .checksum()
    }

    /// Describes keys of this many hexadecimal digits, in either case.
    pub const fn hex(digits: u16) -> Self {
        Self::new().characters(Alphabet::Hex, digits)
    }

    /// Describes a UUID in its hyphenated form (RFC 9562 §4), with digits in either case.
    pub const fn uuid() -> Self {
        Self::new()
            .characters(Alphabet::Hex, 8)
            .literal("-")
            .characters(Alphabet::Hex, 4)
            .literal("-")
            .characters(Alphabet::Hex, 4)
            .literal("-")
            .characters(Alphabet::Hex, 4)
            .literal("-")
            .characters(Alphabet::Hex, 12)
    }

    /// Appends fixed text.
    ///
    /// # Panics
    ///
    /// If the format already has twelve segments. In a constant, this is a compile error.
    pub const fn literal(self, text: &'a str) -> Self {
        self.then(Segment::Literal(text))
    }

    /// Appends the environment, which is one of `tags`.
    ///
    /// # Panics
    ///
    /// As [`literal`](Self::literal).
    pub const fn environment(self, tags: &'a [&'a str]) -> Self {
        self.then(Segment::Environment(tags))
    }

    /// Appends exactly `count` characters of an alphabet.
    ///
    /// # Panics
    ///
    /// As [`literal`](Self::literal).
    pub const fn characters(self, alphabet: Alphabet, count: u16) -> Self {
        self.between(alphabet, count, count)
    }

    /// Appends `at_least` to `at_most` characters of an alphabet. Only the last segment may vary in
    /// length.
    ///
    /// # Panics
    ///
    /// As [`literal`](Self::literal).
    pub const fn between(self, alphabet: Alphabet, at_least: u16, at_most: u16) -> Self {
        self.then(Segment::Characters { alphabet, at_least, at_most })
    }

    /// Appends a checksum of all text before it, which must be the last segment.
    ///
    /// # Panics
    ///
    /// As [`literal`](Self::literal).
    pub const fn checksum(self) -> Self {
        self.then(Segment::Checksum)
    }

    #[allow(clippy::indexing_slicing)] // The assertion checks the index, mostly at compile time.
    const fn then(mut self, segment: Segment<'a>) -> Self {
        let mut index = 0;
        while index < MAX_SEGMENTS && self.segments[index].is_some() {
            index += 1;
        }
        assert!(index < MAX_SEGMENTS, "a key format has at most 12 segments");
        self.segments[index] = Some(segment);
        self
    }

    /// Returns the environments that a key's text can name; `None` if the format has no environment
    /// segment.
    ///
    /// ```
    /// use tower_api_key::{key::KeyFormat, vendors};
    ///
    /// let tags = vendors::PERSONA.formats.iter().find_map(KeyFormat::environments);
    /// assert_eq!(tags, Some(&["sandbox", "production"][..]));
    /// ```
    pub fn environments(&self) -> Option<&[&str]> {
        self.segments().find_map(|segment| match segment {
            Segment::Environment(tags) => Some(tags),
            _ => None,
        })
    }

    /// Lists the segments.
    #[doc(hidden)] // Tests and fuzz targets need it, to write keys of any format.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'a>> {
        self.segments.iter().map_while(|segment| *segment)
    }

    /// Returns true if a text is a key of this format, checksum included.
    ///
    /// The check takes one pass. Its time shows an attacker only how far their own text fits a public
    /// pattern.
    pub fn matches(&self, key: &[u8]) -> bool {
        read(self.segments(), key).is_some()
    }

    /// Returns the environment that a key's text names; `None` if the format has no environment
    /// segment, or if the text does not match.
    ///
    /// ```
    /// use tower_api_key::vendors;
    ///
    /// let [format] = vendors::PERSONA.formats else { unreachable!() };
    /// assert_eq!(format.environment_of(b"persona_sandbox_0123456789abcdef"), Some("sandbox"));
    /// assert_eq!(format.environment_of(b"persona_staging_0123456789abcdef"), None);
    /// ```
    pub fn environment_of(&self, key: &[u8]) -> Option<&'a str> {
        let (_, tag) = read(self.segments(), key)?.environment?;
        Some(tag)
    }

    /// Returns the format as a regular expression, to be registered with a secret scanner. A scanner
    /// that can run code can also check a checksum: the last six characters are the CRC-32 in base 62.
    pub fn pattern(&self) -> String {
        self.segments().map(Segment::pattern).collect()
    }

    /// Returns the number of random bits in the shortest key of this format.
    pub fn entropy_bits(&self) -> f64 {
        self.segments().map(Segment::entropy_bits).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::checksum::checksum;
    use super::*;

    const CHECKED: KeyFormat = KeyFormat::new()
        .literal("acme_")
        .environment(&["live", "test"])
        .literal("_")
        .characters(Alphabet::Base62, 24)
        .checksum();

    fn with_checksum(text: &str) -> Vec<u8> {
        [text.as_bytes(), &checksum(text.as_bytes())].concat()
    }

    #[test]
    #[should_panic(expected = "a key format has at most 12 segments")]
    fn a_format_has_at_most_twelve_segments() {
        let twelve = (0..12).fold(KeyFormat::new(), |format, _| format.literal("a"));
        assert_eq!(twelve.segments().count(), 12);
        let _ = twelve.literal("a");
    }

    #[test]
    fn a_contradictory_format_matches_nothing() {
        let format = KeyFormat::new().between(Alphabet::Hex, 5, 4);
        for key in [&b""[..], b"abcd", b"abcde", b"abcdef"] {
            assert!(!format.matches(key));
        }
    }

    #[test]
    fn formats_match_their_keys_and_nothing_else() {
        let live = KeyFormat::new().literal("pk_live_").characters(Alphabet::LowerHex, 32);
        let open = KeyFormat::new().literal("p_").between(Alphabet::Token, 4, 6);
        for (format, key, expected) in [
            (KeyFormat::hex(40), "FD09908F25BECB09D78EBEA1DADFB618651F612D", true),
            (KeyFormat::hex(40), "fd09908f25becb09d78ebea1dadfb618651f612d", true),
            (KeyFormat::hex(40), "FD09908F25BECB09D78EBEA1DADFB618651F612", false),
            (KeyFormat::hex(40), "FD09908F25BECB09D78EBEA1DADFB618651F612DD", false),
            (KeyFormat::hex(40), "GD09908F25BECB09D78EBEA1DADFB618651F612D", false),
            (KeyFormat::uuid(), "248df4b7-aa70-47b8-a036-33ac447e668d", true),
            (KeyFormat::uuid(), "248df4b7aa7047b8a03633ac447e668d", false),
            (live, "pk_live_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c", true),
            (live, "pk_live_4F8A9B2C7D3E4F1A9B0C2D3E4F5A6B7C", false),
            (live, "pk_test_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b7c", false),
            (open, "p_ab+/", true),
            (open, "p_ab+/.~", true),
            (open, "p_ab+", false),
            (open, "p_ab+/.~x", false),
            (open, "", false),
        ] {
            assert_eq!(format.matches(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn every_one_byte_change_of_a_checked_key_is_refused() {
        let key = with_checksum("acme_live_0123456789abcdefghijklmn");
        assert!(CHECKED.matches(&key));
        for position in 0..key.len() {
            for byte in 0..=255 {
                let mut changed = key.clone();
                changed[position] = byte;
                assert_eq!(CHECKED.matches(&changed), changed == key, "{position} {byte}");
            }
        }
    }

    #[test]
    fn entropy_counts_random_characters_only() {
        assert!((KeyFormat::hex(40).entropy_bits() - 160.0).abs() < 1e-9);
        assert!(CHECKED.entropy_bits() > 142.0 && CHECKED.entropy_bits() < 143.0);
    }

    #[test]
    fn patterns_escape_what_is_special() {
        let format = KeyFormat::new().literal("a.b+").between(Alphabet::Token, 4, 6);
        assert_eq!(format.pattern(), r"a\.b\+[0-9A-Za-z._~+/-]{4,6}");
        assert_eq!(KeyFormat::hex(40).pattern(), "[0-9A-Fa-f]{40}");
    }
}
