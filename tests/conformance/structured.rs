//! A strict reader of lists of strings with integer parameters (RFC 9651 §4.2), which is all that
//! limit headers may be, but for `qu`, a string, and `pk`, a byte sequence. Of these two it keeps the length.

/// A string and its parameters, in their order.
pub(crate) type Item = (String, Vec<(String, i64)>);

/// Reads a list (RFC 9651 §4.2.1); `None` if a strict reader has to ignore the whole field.
pub(crate) fn list(text: &str) -> Option<Vec<Item>> {
    let mut rest = text.trim_start_matches(' ');
    let mut members = Vec::new();
    while !rest.is_empty() {
        let (member, after) = item(rest)?;
        members.push(member);
        let after = after.trim_start_matches([' ', '\t']);
        if after.is_empty() {
            break;
        }
        rest = after.strip_prefix(',')?.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            return None; // a comma at the end
        }
    }
    (!members.is_empty()).then_some(members)
}

/// Returns the value of an item's parameter.
pub(crate) fn parameter(item: &Item, name: &str) -> Option<i64> {
    item.1.iter().find(|(other, _)| other == name).map(|(_, value)| *value)
}

fn item(text: &str) -> Option<(Item, &str)> {
    let (value, mut rest) = string(text)?;
    let mut parameters: Vec<(String, i64)> = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        let after = after.trim_start_matches(' ');
        let end = after.find(|c: char| !is_key(c)).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        // A key starts with a lower-case letter or `*`.
        if !name.starts_with(|c: char| c.is_ascii_lowercase() || c == '*') {
            return None;
        }
        let after = after.strip_prefix('=')?;
        let (number, after) = match name {
            "qu" => string(after).map(|(text, after)| (length(&text), after))?,
            "pk" => bytes(after)?,
            _ => integer(after)?,
        };
        // Twice the same key is legal, the last counts; of our own making it is a mistake.
        if parameters.iter().any(|(other, _)| other == name) {
            return None;
        }
        parameters.push((name.to_owned(), number));
        rest = after;
    }
    Some(((value, parameters), rest))
}

/// Reads a string (RFC 9651 §4.2.5): printable ASCII, and no escape but of quote and backslash.
fn string(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &inner[at + 1..])),
            '\\' => match characters.next()?.1 {
                escaped @ ('"' | '\\') => value.push(escaped),
                _ => return None,
            },
            ' '..='~' => value.push(character),
            _ => return None,
        }
    }
    None
}

/// Reads an integer (RFC 9651 §4.2.4) of at most 15 digits.
fn integer(text: &str) -> Option<(i64, &str)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let count = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let end = text.len() - digits.len() + count;
    let (number, after) = text.split_at(end);
    let fits = (1..=15).contains(&count) && !after.starts_with('.');
    fits.then(|| number.parse().ok()).flatten().map(|number| (number, after))
}

/// Reads a byte sequence (RFC 9651 §4.2.7), padded; the length of its base64.
fn bytes(text: &str) -> Option<(i64, &str)> {
    let (encoded, after) = text.strip_prefix(':')?.split_once(':')?;
    let plain = encoded.strip_suffix("==").or(encoded.strip_suffix('=')).unwrap_or(encoded);
    let in_alphabet = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    let fits = encoded.len().is_multiple_of(4) && plain.chars().all(in_alphabet);
    fits.then(|| (length(encoded), after))
}

fn length(text: &str) -> i64 {
    text.len().try_into().unwrap()
}

const fn is_key(character: char) -> bool {
    character.is_ascii_lowercase()
        || character.is_ascii_digit()
        || matches!(character, '_' | '-' | '.' | '*')
}

#[test]
fn the_reader_is_strict() {
    let read = list("\"a\";q=1;w=60, \"b \\\"c\";r=-0").unwrap();
    assert_eq!((read.len(), read[1].0.as_str(), parameter(&read[0], "w")), (2, "b \"c", Some(60)));
    let read = list(r#""a";q=1;qu="requests";pk=:YWNtZQ==:"#).unwrap();
    assert_eq!((parameter(&read[0], "qu"), parameter(&read[0], "pk")), (Some(8), Some(8)));
    for text in [
        "",
        "\"a\";qu=1",
        "\"a\";pk=\"a\"",
        "\"a\";pk=:YW",
        "\"a\";pk=:YWN:",
        "a;q=1",
        "\"a\";q",
        "\"a\";Q=1",
        "\"a\";q=1,",
        "\"a\" ;q=1",
        "\"a\";q=1.5",
        "\"a\";q=1 \"b\"",
        "\"a\";q=1234567890123456",
        "\"a",
        "\"\\x\"",
        "\"a\";q=\"1\"",
        "\"é\"",
        "\"a\";q=1;q=2",
    ] {
        assert_eq!(list(text), None, "{text}");
    }
}
