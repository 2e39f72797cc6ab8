//! Issues keys: a secret for the owner, a digest for the store.

use crate::key::CompiledFormat;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::checksum::checksum;
use super::form::{FormPart, KeyForm};
use super::format::KeyFormat;
use super::hasher::KeyHasher;
use super::issue_error::IssueError;
use super::issued_key::IssuedKey;
use super::name::Environment;
use super::tail::SecretTail;

/// The fewest random bits of an issued key. With so many, a key needs no slow hash.
const MIN_ENTROPY_BITS: f64 = 128.0;

/// Issues keys of one format, from the operating system's random source.
///
/// ```
/// use tower_api_key::key::{Issuer, KeyFormat, KeyHasher};
///
/// const FORMAT: KeyFormat = KeyFormat::prefixed("acme", &["live", "test"]);
///
/// let hasher = KeyHasher::sha256();
/// let issued = Issuer::new(FORMAT, hasher.clone()).issue(Some("test"))?;
/// let text = issued.expose(); // show it to its owner, once
/// assert!(text.starts_with("acme_test_") && FORMAT.matches(text.as_bytes()));
/// assert_eq!(*issued.digest(), hasher.digest(text.as_bytes()));
/// # Ok::<(), tower_api_key::key::IssueError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Issuer {
    template: Template,
    hasher: KeyHasher,
    keeps_tails: bool,
}

/// What the keys of an issuer look like.
#[derive(Debug, Clone)]
enum Template {
    /// A format, whose environment the caller chooses for each key.
    Format(CompiledFormat),
    /// The form of an earlier key.
    Form(KeyForm),
}

impl Issuer {
    /// Creates an issuer for keys of a format. Pass the hasher of the gate that will read the keys.
    pub fn new(format: KeyFormat<'_>, hasher: KeyHasher) -> Self {
        let template = Template::Format(CompiledFormat::from(&format));
        Self { template, hasher, keeps_tails: false }
    }

    /// Creates an issuer for keys of the same form as an earlier key, environment included. See
    /// [`KeyForm`] for an example.
    pub const fn of_form(form: KeyForm, hasher: KeyHasher) -> Self {
        Self { template: Template::Form(form), hasher, keeps_tails: false }
    }

    /// Returns an issuer for keys of the same form as an earlier key, which otherwise issues as this one does.
    #[must_use]
    pub fn for_form(&self, form: KeyForm) -> Self {
        Self { template: Template::Form(form), ..self.clone() }
    }

    /// Lets a store keep the last 4 characters of each key, so that people can tell keys apart and find them by these.
    ///
    /// Who reads the store then learns up to 27 of the random bits of each key. It has at least 128, so it stays out of
    /// reach. A key whose format ends with text of its own has no tail, because all keys would have the same.
    ///
    /// ```
    /// use tower_api_key::key::{Issuer, KeyFormat, KeyHasher};
    ///
    /// let issuer = Issuer::new(KeyFormat::hex(40), KeyHasher::sha256()).keep_tails();
    /// let issued = issuer.issue(None)?;
    /// assert!(issued.expose().ends_with(issued.tail().unwrap().as_str()));
    /// # Ok::<(), tower_api_key::key::IssueError>(())
    /// ```
    #[must_use]
    pub fn keep_tails(self) -> Self {
        Self { keeps_tails: true, ..self }
    }

    /// Issues a key for an environment of the format. Pass `None` if the format has no environment
    /// segment.
    ///
    /// An issuer [of a form](Self::of_form) knows the environment: pass `None`, or the same one.
    ///
    /// # Errors
    ///
    /// * [`IssueError::WeakFormat`] if keys of the format have fewer than 128 random bits.
    /// * [`IssueError::UnknownEnvironment`] if the format does not have the environment, or has
    ///   environments and none is passed.
    /// * [`IssueError::Random`] or [`IssueError::StuckSource`] if the random source fails.
    pub fn issue(&self, environment: Option<&str>) -> Result<IssuedKey, IssueError> {
        self.insecure_issue_from(environment, |bytes| {
            getrandom::fill(bytes).map_err(|error| IssueError::Random(error.into()))
        })
    }

    /// Issues a key from the caller's random source, for demonstrations and tests that need the same
    /// keys again. An attacker who can guess the source can guess the key.
    ///
    /// # Errors
    ///
    /// Those of [`issue`](Self::issue), and the errors of `random`. [`IssueError::StuckSource`] if none of
    /// 64 bytes of `random` stands for a character.
    ///
    /// ```
    /// use tower_api_key::key::{Issuer, KeyFormat, KeyHasher};
    ///
    /// let demo = Issuer::new(KeyFormat::hex(32), KeyHasher::sha256());
    /// let issue = || demo.insecure_issue_from(None, |bytes| Ok(bytes.fill(7)));
    /// assert_eq!(issue()?.digest(), issue()?.digest(), "the same key again");
    /// # Ok::<(), tower_api_key::key::IssueError>(())
    /// ```
    pub fn insecure_issue_from(
        &self,
        environment: Option<&str>,
        mut random: impl FnMut(&mut [u8]) -> Result<(), IssueError>,
    ) -> Result<IssuedKey, IssueError> {
        let form = self.form(environment)?;
        let bits = form.entropy_bits();
        if bits < MIN_ENTROPY_BITS {
            return Err(IssueError::WeakFormat { bits });
        }
        // Reserved in full: growing would leave a copy of the secret in freed memory.
        let mut key = Zeroizing::new(Vec::with_capacity(form.issued_length()));
        for part in form.parts() {
            match part {
                FormPart::Literal(text) => key.extend_from_slice(text.as_bytes()),
                FormPart::Environment(tag) => key.extend_from_slice(tag.as_str().as_bytes()),
                FormPart::Characters { alphabet, at_least, .. } => {
                    draw(&mut key, alphabet.characters(), *at_least, &mut random)?;
                }
                FormPart::Checksum => {
                    let digits = checksum(&key);
                    key.extend_from_slice(&digits);
                }
            }
        }
        let tail = (self.keeps_tails && form.has_tail()).then(|| SecretTail::of(&key)).flatten();
        let digest = self.hasher.digest(&key);
        // A format has ASCII characters only, so the conversion changes nothing.
        let secret = SecretString::from(String::from_utf8_lossy(&key).into_owned());
        debug_assert_eq!(secret.expose_secret().len(), key.len());
        let pepper = self.hasher.pepper().cloned();
        Ok(IssuedKey { secret, digest, pepper, form, tail })
    }

    /// Returns the form of the next key.
    fn form(&self, environment: Option<&str>) -> Result<KeyForm, IssueError> {
        match &self.template {
            Template::Format(format) => KeyForm::narrowed(format.segments(), environment),
            Template::Form(form) => {
                let own = form.environment().map(Environment::as_str);
                let same = environment.is_none() || environment == own;
                same.then(|| form.clone()).ok_or(IssueError::UnknownEnvironment)
            }
        }
    }
}

/// Draws `count` characters without bias: a byte that stands for no character is drawn again.
///
/// More than half of all bytes stand for a character. So if none of 64 bytes does (a chance below
/// 2⁻⁶⁴), the source is stuck.
fn draw(
    key: &mut Vec<u8>,
    characters: &[u8],
    count: u16,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), IssueError>,
) -> Result<(), IssueError> {
    let mask = characters.len().next_power_of_two() - 1;
    let end = key.len() + usize::from(count);
    let mut pool = Zeroizing::new([0u8; 64]);
    while key.len() < end {
        random(&mut pool[..])?;
        let drawn = pool.iter().filter_map(|&byte| characters.get(usize::from(byte) & mask));
        let before = key.len();
        key.extend(drawn.take(end - before));
        if key.len() == before {
            return Err(IssueError::StuckSource);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::alphabet::Alphabet;
    use super::*;

    #[test]
    fn issued_keys_fit_their_format_and_differ() {
        let formats = [
            KeyFormat::hex(40),
            KeyFormat::new().literal("x_").characters(Alphabet::Base62, 24).checksum(),
            KeyFormat::new().between(Alphabet::Token, 40, 80),
        ];
        for format in formats {
            let issuer = Issuer::new(format, KeyHasher::sha256());
            let mut seen = HashSet::new();
            for _ in 0..200 {
                let issued = issuer.issue(None).unwrap();
                let secret = issued.expose();
                assert!(format.matches(secret.as_bytes()));
                let reserved = issued.form().issued_length();
                assert_eq!(reserved, secret.len(), "no growth leaves a copy behind");
                assert!(seen.insert(*issued.digest()));
            }
        }
    }

    #[test]
    fn every_character_of_the_alphabet_comes_up_evenly() {
        let issuer =
            Issuer::new(KeyFormat::new().characters(Alphabet::Base62, 62_000), KeyHasher::sha256());
        let issued = issuer.issue(None).unwrap();
        let text = issued.expose().as_bytes();
        for character in Alphabet::Base62.characters() {
            let count = text.iter().filter(|byte| *byte == character).count();
            // 1000 are expected, with a standard deviation of 31. The bounds are eight of those away.
            assert!((750..1250).contains(&count), "{count} of {}", *character as char);
        }
    }

    #[test]
    fn weak_formats_and_unknown_environments_are_refused() {
        let weak = Issuer::new(KeyFormat::hex(31), KeyHasher::sha256());
        assert!(matches!(weak.issue(None), Err(IssueError::WeakFormat { .. })));
        let tagged = KeyFormat::new().environment(&["live"]).characters(Alphabet::Hex, 40);
        let tagged = Issuer::new(tagged, KeyHasher::sha256());
        assert!(Issuer::new(KeyFormat::hex(32), KeyHasher::sha256()).issue(None).is_ok());
        for environment in [None, Some("test")] {
            assert!(matches!(tagged.issue(environment), Err(IssueError::UnknownEnvironment)));
        }
        let untagged = Issuer::new(KeyFormat::hex(40), KeyHasher::sha256());
        assert!(matches!(untagged.issue(Some("live")), Err(IssueError::UnknownEnvironment)));
    }

    #[test]
    fn a_stuck_source_is_an_error_and_no_endless_loop() {
        let issuer =
            Issuer::new(KeyFormat::new().characters(Alphabet::Base62, 24), KeyHasher::sha256());
        for (byte, stuck) in [(0xff, true), (0x3e, true), (0x3d, false), (0x00, false)] {
            let fill = |bytes: &mut [u8]| -> Result<(), IssueError> {
                bytes.fill(byte);
                Ok(())
            };
            let issued = issuer.insecure_issue_from(None, fill);
            assert_eq!(matches!(issued, Err(IssueError::StuckSource)), stuck, "{byte:#x}");
        }
    }

    #[test]
    fn a_tail_is_kept_only_if_asked_for_and_only_of_characters_that_differ() {
        let random = KeyFormat::new().literal("x_").characters(Alphabet::Base62, 24);
        for (format, has_one) in [
            (random, true),
            (random.checksum(), true),
            (random.literal("_key"), false),
            (random.characters(Alphabet::Hex, 3), false),
        ] {
            let issuer = Issuer::new(format, KeyHasher::sha256());
            assert_eq!(issuer.issue(None).unwrap().tail(), None);
            let issuer = issuer.keep_tails();
            let issued = issuer.issue(None).unwrap();
            assert_eq!(issued.tail().is_some(), has_one, "{}", issued.form());
            let again = issuer.for_form(issued.form().clone()).issue(None).unwrap();
            let tail = again.tail().map(|tail| again.expose().ends_with(tail.as_str()));
            assert_eq!(tail, has_one.then_some(true));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let issuer = Issuer::new(KeyFormat::hex(40), KeyHasher::sha256());
        let issued = issuer.issue(None).unwrap();
        let shown = format!("{issued:?}");
        assert!(!shown.contains(issued.expose()), "{shown}");
        assert!(shown.contains(r#"secret: "REDACTED", digest: KeyDigest("#), "{shown}");
    }
}
