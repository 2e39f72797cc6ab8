//! Removes what the user typed from clap's errors: it may be a key, and errors end up in logs.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The longest name of an option, in characters.
const LONGEST_NAME: usize = 16;

/// Removes what the user typed from an error. The error still names the option and the expected value. So
/// our value parsers write errors that do not quote the value.
pub(crate) fn unrepeated(mut complaint: Error) -> Error {
    let word = match complaint.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => {
            let value = complaint.get(ContextKind::InvalidValue);
            // clap has a text of its own for an empty value.
            if matches!(value, Some(ContextValue::String(value)) if !value.is_empty()) {
                let unsaid = ContextValue::String("…".to_owned());
                complaint.insert(ContextKind::InvalidValue, unsaid);
            }
            return complaint;
        }
    };
    if matches!(complaint.get(word), Some(ContextValue::String(word)) if !is_like_an_option(word)) {
        complaint.remove(word);
        // The suggestion may reveal the word.
        complaint.remove(ContextKind::Suggested);
    }
    complaint
}

/// Returns true if a word is written like an option and is too short for a key.
fn is_like_an_option(word: &str) -> bool {
    let is_of_a_name = |character: char| character.is_ascii_lowercase() || character == '-';
    match word.strip_prefix("--") {
        Some(name) => name.len() <= LONGEST_NAME && name.chars().all(is_of_a_name),
        None => {
            word.len() == 2 && word.starts_with('-') && word.bytes().all(|b| b.is_ascii_graphic())
        }
    }
}
