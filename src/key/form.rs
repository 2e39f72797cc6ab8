//! The form of a key's text, so that a rotation issues another key of the same form.

use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use super::alphabet::Alphabet;
use super::checksum::CHECKSUM_LENGTH;
use super::format::KeyFormat;
use super::issue_error::IssueError;
use super::name::Environment;
use super::segment::Segment;

/// Records how the text of a key was made: the segments of its [`KeyFormat`], and the environment that
/// the text names. It holds none of the random characters.
///
/// A store keeps the form as one line of text beside the key. Braces enclose the parts that vary.
///
/// ```
/// use tower_api_key::key::{Issuer, KeyForm, KeyFormat, KeyHasher};
///
/// const ACME: KeyFormat = KeyFormat::prefixed("acme", &["live", "test"]);
///
/// let issued = Issuer::new(ACME, KeyHasher::sha256()).issue(Some("test"))?;
/// let form = issued.form();
/// assert_eq!(form.to_string(), "acme_{environment:test}_{base62:24}{checksum}");
/// assert_eq!(form.environment().unwrap(), "test");
///
/// let again: KeyForm = form.to_string().parse()?;
/// let rotated = Issuer::of_form(again, KeyHasher::sha256()).issue(None)?;
/// assert!(rotated.expose().starts_with("acme_test_"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyForm(pub(super) Arc<[FormPart]>);

/// A segment of one key's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FormPart {
    Literal(SmolStr),
    Environment(Environment),
    Characters { alphabet: Alphabet, at_least: u16, at_most: u16 },
    Checksum,
}

impl KeyForm {
    /// Returns the form of a format's keys in one environment. Pass `None` if the format has no
    /// environment segment.
    ///
    /// # Errors
    ///
    /// [`IssueError::UnknownEnvironment`] if the format does not have the environment, or has
    /// environments and none is passed.
    pub fn of(format: &KeyFormat<'_>, environment: Option<&str>) -> Result<Self, IssueError> {
        Self::narrowed(format.segments(), environment)
    }

    pub(super) fn narrowed<'a, T: AsRef<str> + 'a>(
        steps: impl Iterator<Item = Segment<'a, T>>,
        environment: Option<&str>,
    ) -> Result<Self, IssueError> {
        let mut tagged = false;
        let part = |step| {
            Ok(match step {
                Segment::Literal(text) => FormPart::Literal(SmolStr::new(text)),
                Segment::Environment(tags) => {
                    let is_tag = |name: &&str| tags.iter().any(|tag: &T| tag.as_ref() == *name);
                    let tag = environment.filter(is_tag);
                    let tag = tag.and_then(|tag| Environment::new(tag).ok());
                    tagged = true;
                    FormPart::Environment(tag.ok_or(IssueError::UnknownEnvironment)?)
                }
                Segment::Characters { alphabet, at_least, at_most } => {
                    FormPart::Characters { alphabet, at_least, at_most }
                }
                Segment::Checksum => FormPart::Checksum,
            })
        };
        let parts: Vec<FormPart> = steps.map(part).collect::<Result<_, IssueError>>()?;
        if environment.is_some() && !tagged {
            return Err(IssueError::UnknownEnvironment);
        }
        Ok(Self(parts.into()))
    }

    /// Returns the environment that the key's text names; `None` if the text names none.
    pub fn environment(&self) -> Option<&Environment> {
        self.0.iter().find_map(|part| match part {
            FormPart::Environment(environment) => Some(environment),
            _ => None,
        })
    }

    pub(super) fn parts(&self) -> &[FormPart] {
        &self.0
    }

    /// Returns the number of random bits in the shortest key of this form.
    pub(super) fn entropy_bits(&self) -> f64 {
        self.0.iter().map(FormPart::entropy_bits).sum()
    }

    /// Returns true if the last four characters of keys differ.
    pub(super) fn has_tail(&self) -> bool {
        match self.0.last() {
            Some(FormPart::Characters { at_least, .. }) => *at_least >= 4,
            Some(FormPart::Checksum) => true,
            _ => false,
        }
    }

    /// Returns the length of an issued key's text, in bytes.
    pub(super) fn issued_length(&self) -> usize {
        self.0.iter().map(FormPart::issued_length).sum()
    }
}

impl FormPart {
    fn entropy_bits(&self) -> f64 {
        match self {
            Self::Characters { alphabet, at_least, .. } => {
                alphabet.entropy_bits() * f64::from(*at_least)
            }
            Self::Literal(_) | Self::Environment(_) | Self::Checksum => 0.0,
        }
    }

    fn issued_length(&self) -> usize {
        match self {
            Self::Literal(text) => text.len(),
            Self::Environment(environment) => environment.as_str().len(),
            Self::Characters { at_least, .. } => usize::from(*at_least),
            Self::Checksum => CHECKSUM_LENGTH,
        }
    }
}

impl fmt::Display for KeyForm {
    /// Writes the form as one line of text.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            FormPart::Literal(text) => {
                formatter.write_str(&text.replace('{', "{{").replace('}', "}}"))
            }
            FormPart::Environment(environment) => {
                write!(formatter, "{{environment:{environment}}}")
            }
            FormPart::Characters { alphabet, at_least, at_most } if at_least == at_most => {
                write!(formatter, "{{{}:{at_least}}}", alphabet.name())
            }
            FormPart::Characters { alphabet, at_least, at_most } => {
                write!(formatter, "{{{}:{at_least}-{at_most}}}", alphabet.name())
            }
            FormPart::Checksum => formatter.write_str("{checksum}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_is_written() {
        let tagged = KeyFormat::new().literal("a{b}_").environment(&["live", "test"]);
        for (format, environment, text) in [
            (KeyFormat::hex(40), None, "{hex:40}"),
            (KeyFormat::new().between(Alphabet::Token, 16, 256), None, "{token:16-256}"),
            (
                tagged.literal("_").characters(Alphabet::Base62, 24).checksum(),
                Some("test"),
                "a{{b}}_{environment:test}_{base62:24}{checksum}",
            ),
            (KeyFormat::new().characters(Alphabet::LowerHex, 32), None, "{lower-hex:32}"),
            (KeyFormat::new().characters(Alphabet::Base64Url, 22), None, "{base64url:22}"),
        ] {
            let form = KeyForm::of(&format, environment).unwrap();
            assert_eq!(form.to_string(), text);
            assert_eq!(text.parse(), Ok(form.clone()), "{text}");
            assert_eq!(form.environment().map(Environment::as_str), environment);
            assert!((form.entropy_bits() - format.entropy_bits()).abs() < 1e-9);
        }
        for environment in [None, Some("tes"), Some("")] {
            assert!(KeyForm::of(&tagged, environment).is_err(), "{environment:?}");
        }
        assert!(KeyForm::of(&KeyFormat::hex(40), Some("live")).is_err());
    }
}
