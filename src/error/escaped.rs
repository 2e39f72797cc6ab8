//! Texts of a configuration as errors print them.

/// Escapes all but visible ASCII and blanks. The backslashes of a regular expression stay as they are.
pub(super) fn visible(pattern: &str) -> String {
    let plain = |character: char| character.is_ascii_graphic() || character == ' ';
    pattern.chars().fold(String::new(), |text, character| {
        if plain(character) {
            text + character.encode_utf8(&mut [0; 4])
        } else {
            text + &character.escape_default().to_string()
        }
    })
}
