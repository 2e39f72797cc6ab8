//! The form of one key: how its text was made, so that a rotation makes another of the same form.

use crate::key::matcher::Step;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use smol_str::SmolStr;

use super::alphabet::Alphabet;
use super::checksum::CHECKSUM_LENGTH;
use super::format::KeyFormat;
use super::issue_error::IssueError;
use super::name::Environment;

/// Remembers how the text of a key was made: the segments of its [`KeyFormat`], and the environment that
/// the text names. Says nothing of the random characters.
///
/// It is written as one line of text, which stores keep beside the key. Braces hold what varies.
///
/// ```
/// use tower_api_key::key::{Alphabet, Issuer, KeyForm, KeyFormat, KeyHasher};
///
/// const ACME: KeyFormat = KeyFormat::new()
///     .literal("acme_")
///     .environment(&["live", "test"])
///     .literal("_")
///     .characters(Alphabet::Base62, 24)
///     .checksum();
///
/// let issued = Issuer::new(ACME, KeyHasher::sha256()).issue(Some("test"))?;
/// let form = issued.form();
/// assert_eq!(form.to_string(), "acme_{environment:test}_{base62:24}{checksum}");
/// assert_eq!(form.environment().unwrap(), "test");
///
/// let again: KeyForm = form.to_string().parse()?;
/// let rotated = Issuer::of_form(again, KeyHasher::sha256()).issue(None)?;
/// assert_eq!(rotated.form(), form);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyForm(Arc<[Part]>);

/// A segment of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Literal(SmolStr),
    Environment(Environment),
    Characters { alphabet: Alphabet, at_least: u16, at_most: u16 },
    Checksum,
}

/// Reports a text that is not a key's form.
///
/// ```
/// use tower_api_key::key::KeyForm;
///
/// let error = "acme_{base63:24}".parse::<KeyForm>().unwrap_err();
/// assert_eq!(error.to_string(), "the form of a key: braces hold something unknown");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the form of a key: {0}")]
pub struct InvalidForm(&'static str);

impl KeyForm {
    /// Narrows a format to one environment; `None` if the format has no such tag.
    ///
    /// # Errors
    ///
    /// [`IssueError::UnknownEnvironment`] if the format has tags and `environment` is not one of them, or
    /// it has none and an environment is named.
    pub fn of(format: &KeyFormat<'_>, environment: Option<&str>) -> Result<Self, IssueError> {
        Self::narrowed(format.steps(), environment)
    }

    pub(super) fn narrowed<'a, T: AsRef<str> + 'a>(
        steps: impl Iterator<Item = Step<'a, T>>,
        environment: Option<&str>,
    ) -> Result<Self, IssueError> {
        let mut tagged = false;
        let part = |step| {
            Ok(match step {
                Step::Literal(text) => Part::Literal(SmolStr::new(text)),
                Step::Environment(tags) => {
                    let is_tag = |name: &&str| tags.iter().any(|tag: &T| tag.as_ref() == *name);
                    let tag = environment.filter(is_tag);
                    let tag = tag.and_then(|tag| Environment::new(tag).ok());
                    tagged = true;
                    Part::Environment(tag.ok_or(IssueError::UnknownEnvironment)?)
                }
                Step::Characters { alphabet, at_least, at_most } => {
                    Part::Characters { alphabet, at_least, at_most }
                }
                Step::Checksum => Part::Checksum,
            })
        };
        let parts: Vec<Part> = steps.map(part).collect::<Result<_, IssueError>>()?;
        if environment.is_some() && !tagged {
            return Err(IssueError::UnknownEnvironment);
        }
        Ok(Self(parts.into()))
    }

    /// Returns the environment that the key's text names, if it names one.
    pub fn environment(&self) -> Option<&Environment> {
        self.0.iter().find_map(|part| match part {
            Part::Environment(environment) => Some(environment),
            _ => None,
        })
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Returns the random bits of the shortest key of this form.
    pub(super) fn entropy_bits(&self) -> f64 {
        self.0.iter().map(Part::entropy_bits).sum()
    }

    /// Returns the length of the text that is issued, in bytes.
    pub(super) fn issued_length(&self) -> usize {
        self.0.iter().map(Part::issued_length).sum()
    }
}

impl Part {
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
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(text) => formatter.write_str(&text.replace('{', "{{").replace('}', "}}")),
            Part::Environment(environment) => write!(formatter, "{{environment:{environment}}}"),
            Part::Characters { alphabet, at_least, at_most } if at_least == at_most => {
                write!(formatter, "{{{}:{at_least}}}", alphabet.name())
            }
            Part::Characters { alphabet, at_least, at_most } => {
                write!(formatter, "{{{}:{at_least}-{at_most}}}", alphabet.name())
            }
            Part::Checksum => formatter.write_str("{checksum}"),
        })
    }
}

impl FromStr for KeyForm {
    type Err = InvalidForm;

    fn from_str(text: &str) -> Result<Self, InvalidForm> {
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
        let finish = |literal: &mut String, parts: &mut Vec<Part>| {
            if !literal.is_empty() {
                parts.push(Part::Literal(SmolStr::new(std::mem::take(literal))));
            }
        };
        while let Some(next) = rest.chars().next() {
            if let Some(tail) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                literal.push(next);
                rest = tail;
            } else if next == '{' {
                finish(&mut literal, &mut parts);
                let (inside, tail) =
                    rest[1..].split_once('}').ok_or(InvalidForm("a brace is not closed"))?;
                parts.push(part(inside)?);
                rest = tail;
            } else if next == '}' {
                return Err(InvalidForm("a brace is not opened"));
            } else if next.is_ascii_graphic() {
                literal.push(next);
                rest = &rest[1..];
            } else {
                return Err(InvalidForm("a literal is not visible ASCII"));
            }
        }
        finish(&mut literal, &mut parts);
        check(&parts)?;
        Ok(Self(parts.into()))
    }
}

/// Reads what stands between braces.
fn part(inside: &str) -> Result<Part, InvalidForm> {
    if inside == "checksum" {
        return Ok(Part::Checksum);
    }
    let unknown = InvalidForm("braces hold something unknown");
    let (name, value) = inside.split_once(':').ok_or(unknown)?;
    if name == "environment" {
        let environment = Environment::new(value);
        return environment.map(Part::Environment).map_err(|_| unknown);
    }
    let alphabet = Alphabet::ALL.into_iter().find(|alphabet| alphabet.name() == name);
    let alphabet = alphabet.ok_or(unknown)?;
    let (at_least, at_most) = value.split_once('-').unwrap_or((value, value));
    let count = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|count| digits && *count > 0)
    };
    match (count(at_least), count(at_most)) {
        (Some(at_least), Some(at_most)) if at_least <= at_most => {
            Ok(Part::Characters { alphabet, at_least, at_most })
        }
        _ => Err(InvalidForm("a number of characters is none")),
    }
}

/// Refuses forms that no format has.
fn check(parts: &[Part]) -> Result<(), InvalidForm> {
    let Some((_, all_but_last)) = parts.split_last() else {
        return Err(InvalidForm("it is empty"));
    };
    let varies = |part: &Part| matches!(part, Part::Characters { at_least, at_most, .. } if at_least < at_most);
    let is_checksum = |part: &Part| matches!(part, Part::Checksum);
    if all_but_last.iter().any(varies) {
        return Err(InvalidForm("only the last segment may vary in length"));
    }
    if all_but_last.iter().any(is_checksum) || parts.first().is_some_and(is_checksum) {
        return Err(InvalidForm("a checksum stands last, after other segments"));
    }
    // It is stored and shown, and a text without random characters may be a key that was put there.
    if !parts.iter().any(|part| matches!(part, Part::Characters { .. })) {
        return Err(InvalidForm("nothing in it is random"));
    }
    let tags = parts.iter().filter(|part| matches!(part, Part::Environment(_))).count();
    if tags > 1 {
        return Err(InvalidForm("a key names one environment"));
    }
    Ok(())
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

    #[test]
    fn other_texts_are_no_form() {
        for text in [
            "",
            "a b",
            "é{hex:40}",
            "{",
            "}",
            "{hex:40",
            "hex:40}",
            "{hex}",
            "{hex:}",
            "{hex:0}",
            "{hex:+4}",
            "{hex:-4}",
            "{hex:65536}",
            "{hex:5-4}",
            "{hex:4-5-6}",
            "{Hex:40}",
            "{base63:40}",
            "{environment:}",
            "{environment:two words}",
            "{environment:a}{environment:b}",
            "{token:1-2}x",
            "{checksum}",
            "{checksum}x",
            "x{checksum}x",
            "key_0123456789abcdef",
            "{environment:live}",
        ] {
            assert!(text.parse::<KeyForm>().is_err(), "{text}");
        }
    }
}
