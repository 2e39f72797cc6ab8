//! Reads the form of a key from its text.

use std::str::FromStr;

use smol_str::SmolStr;

use super::alphabet::Alphabet;
use super::form::{FormPart, KeyForm};
use super::name::Environment;

/// Reports a text that is not the form of a key.
///
/// ```
/// use tower_api_key::key::KeyForm;
///
/// let error = "acme_{base63:24}".parse::<KeyForm>().unwrap_err();
/// assert!(error.to_string().starts_with("key form: unknown text in braces"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("key form: {0}")]
pub struct InvalidForm(&'static str);

impl FromStr for KeyForm {
    type Err = InvalidForm;

    /// Reads the text that `Display` writes.
    fn from_str(text: &str) -> Result<Self, InvalidForm> {
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
        let finish = |literal: &mut String, parts: &mut Vec<FormPart>| {
            if !literal.is_empty() {
                parts.push(FormPart::Literal(SmolStr::new(std::mem::take(literal))));
            }
        };
        while let Some(next) = rest.chars().next() {
            if let Some(tail) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                literal.push(next);
                rest = tail;
            } else if next == '{' {
                finish(&mut literal, &mut parts);
                let (inside, tail) = rest[1..]
                    .split_once('}')
                    .ok_or(InvalidForm("a `{` is not closed: add `}`, or write `{{`"))?;
                parts.push(part(inside)?);
                rest = tail;
            } else if next == '}' {
                return Err(InvalidForm("a `}` is not opened: add `{`, or write `}}`"));
            } else if next.is_ascii_graphic() {
                literal.push(next);
                rest = &rest[1..];
            } else {
                return Err(InvalidForm("a literal may have visible ASCII characters only"));
            }
        }
        finish(&mut literal, &mut parts);
        check(&parts)?;
        Ok(Self(parts.into()))
    }
}

/// Reads the text between two braces.
fn part(inside: &str) -> Result<FormPart, InvalidForm> {
    if inside == "checksum" {
        return Ok(FormPart::Checksum);
    }
    let unknown = InvalidForm(
        "unknown text in braces: write an alphabet with a count, such as `{base62:24}`, or `{environment:NAME}`, \
        or `{checksum}`",
    );
    let (name, value) = inside.split_once(':').ok_or(unknown)?;
    if name == "environment" {
        let environment = Environment::new(value);
        return environment.map(FormPart::Environment).map_err(|_| unknown);
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
            Ok(FormPart::Characters { alphabet, at_least, at_most })
        }
        _ => Err(InvalidForm(
            "a count of characters must be 1 to 65535, or a range, such as `16-256`",
        )),
    }
}

/// Refuses a form that no format can have.
fn check(parts: &[FormPart]) -> Result<(), InvalidForm> {
    let Some((_, all_but_last)) = parts.split_last() else {
        return Err(InvalidForm("the text is empty: write at least one random segment"));
    };
    let varies = |part: &FormPart| matches!(part, FormPart::Characters { at_least, at_most, .. } if at_least < at_most);
    let is_checksum = |part: &FormPart| matches!(part, FormPart::Checksum);
    if all_but_last.iter().any(varies) {
        return Err(InvalidForm(
            "only the last segment may vary in length: give the others a fixed length",
        ));
    }
    if all_but_last.iter().any(is_checksum) || parts.first().is_some_and(is_checksum) {
        return Err(InvalidForm("a checksum must be the last segment, after at least one other"));
    }
    // A form is stored and shown. Without a random segment, the text may be a key by mistake.
    if !parts.iter().any(|part| matches!(part, FormPart::Characters { .. })) {
        return Err(InvalidForm("no segment is random: add one, such as `{base62:24}`"));
    }
    let tags = parts.iter().filter(|part| matches!(part, FormPart::Environment(_))).count();
    if tags > 1 {
        return Err(InvalidForm("a key can name one environment only: keep one of them"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
