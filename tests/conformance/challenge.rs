//! A strict reader of one challenge (RFC 9110 §11.6.1), independent of what writes them.

/// A scheme and its parameters, in their order.
pub(crate) type Challenge = (String, Vec<(String, String)>);

/// Reads `auth-scheme 1*SP auth-param *( OWS "," OWS auth-param )`.
pub(crate) fn challenge(line: &str) -> Challenge {
    let wrong = |why: &str| -> ! { panic!("{why} in {line:?}") };
    let (scheme, mut rest) = line.split_once(' ').unwrap_or_else(|| wrong("no parameters"));
    assert!(is_token(scheme), "{line:?}");
    rest = rest.trim_start_matches(' ');
    let mut parameters: Vec<(String, String)> = Vec::new();
    loop {
        let (name, after) = rest.split_once('=').unwrap_or_else(|| wrong("no `=`"));
        assert!(is_token(name), "{name:?} is no token in {line:?}");
        let (value, after) = if let Some(quoted) = after.strip_prefix('"') {
            unquote(quoted).unwrap_or_else(|| wrong("an open quoted string"))
        } else {
            let end = after.find([',', ' ', '\t']).unwrap_or(after.len());
            let (token, after) = after.split_at(end);
            assert!(is_token(token), "{token:?} is no token in {line:?}");
            (token.to_owned(), after)
        };
        let name = name.to_ascii_lowercase();
        // RFC 9110 §11.2: each name once at most.
        assert!(!parameters.iter().any(|(other, _)| *other == name), "{name} twice in {line:?}");
        parameters.push((name, value));
        let blanks = [' ', '\t'];
        let Some(next) = after.trim_start_matches(blanks).strip_prefix(',') else {
            assert!(after.is_empty(), "{after:?} is left of {line:?}");
            return (scheme.to_owned(), parameters);
        };
        rest = next.trim_start_matches(blanks);
    }
}

/// Returns the value of a parameter.
pub(crate) fn parameter<'a>(challenge: &'a Challenge, name: &str) -> Option<&'a str> {
    let found = challenge.1.iter().find(|(other, _)| other == name);
    found.map(|(_, value)| value.as_str())
}

/// Reads the rest of a `quoted-string` (RFC 9110 §5.6.4); returns its value and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            ' '..='~' | '\t' => value.push(character),
            _ => return None,
        }
    }
    None
}

fn is_token(text: &str) -> bool {
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(tchar)
}

#[test]
fn the_reader_is_strict() {
    let read = |line: &'static str| std::panic::catch_unwind(|| challenge(line)).ok();
    let two = r#"Bearer realm="a \"b\"", error=x"#;
    assert_eq!(parameter(&read(two).unwrap(), "realm"), Some(r#"a "b""#));
    for line in [
        "Bearer",
        "Bearer realm",
        "Bearer realm=\"a",
        "Bearer realm=\"a\" error=\"b\"",
        "Bearer realm=\"a\", realm=\"b\"",
        "Bearer realm=\"a\",",
        "Bearer re alm=\"a\"",
        "Bearer realm=\"a\u{1}\"",
    ] {
        assert!(read(line).is_none(), "{line:?}");
    }
}
