//! What clap complains of, without the words that it complains of: one of them may be a key, and
//! complaints end up in logs.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The characters of an option's name at most.
const LONGEST_NAME: usize = 16;

/// Takes out of a complaint what was typed. Which option it is about stays, and so does what is expected,
/// which value parsers therefore say without the value.
pub(crate) fn unrepeated(mut complaint: Error) -> Error {
    let word = match complaint.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => {
            let value = complaint.get(ContextKind::InvalidValue);
            // Of an empty one clap says that it is empty.
            if matches!(value, Some(ContextValue::String(value)) if !value.is_empty()) {
                let unsaid = ContextValue::String("…".to_owned());
                complaint.insert(ContextKind::InvalidValue, unsaid);
            }
            return complaint;
        }
    };
    if matches!(complaint.get(word), Some(ContextValue::String(word)) if !is_like_an_option(word)) {
        complaint.remove(word);
        // It may say how the word is to be written.
        complaint.remove(ContextKind::Suggested);
    }
    complaint
}

/// Tells whether a word is written as options are, and too short for a key.
fn is_like_an_option(word: &str) -> bool {
    let is_of_a_name = |character: char| character.is_ascii_lowercase() || character == '-';
    match word.strip_prefix("--") {
        Some(name) => name.len() <= LONGEST_NAME && name.chars().all(is_of_a_name),
        None => {
            word.len() == 2 && word.starts_with('-') && word.bytes().all(|b| b.is_ascii_graphic())
        }
    }
}
