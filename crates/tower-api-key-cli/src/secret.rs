//! Reads a secret for `check` and `whose`. It is never an argument, because every user of the machine can
//! read arguments.

use std::env::{self, VarError};
use std::io::{self, Read};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The environment variable that is read before standard input.
const VARIABLE: &str = "TOWER_API_KEY_KEY";
/// The most bytes that are read.
const LONGEST: u16 = 4_096;

/// Reads a secret and removes white space around it.
pub(crate) fn read() -> Result<SecretString, Failure> {
    let text = match env::var(VARIABLE) {
        Ok(text) => Zeroizing::new(text),
        Err(VarError::NotPresent) => from_standard_input()?,
        Err(VarError::NotUnicode(_)) => {
            return Err(Failure::Invalid(format!(
                "{VARIABLE} is not UTF-8: set it to the text of the key"
            )));
        }
    };
    // No credential of a request begins or ends with white space.
    let secret = text.trim();
    if secret.is_empty() {
        return Err(Failure::Invalid(format!(
            "the secret is missing: write it to standard input, or set {VARIABLE}"
        )));
    }
    Ok(SecretString::from(secret))
}

fn from_standard_input() -> Result<Zeroizing<String>, Failure> {
    // Allocated once: growing would leave copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::from(LONGEST) + 1));
    let read = io::stdin().take(u64::from(LONGEST) + 1).read_to_string(&mut text);
    let read = read.map_err(Failure::io("cannot read the secret from standard input"))?;
    if read > usize::from(LONGEST) {
        return Err(Failure::Invalid(format!(
            "the secret is longer than {LONGEST} bytes: pass the key alone, or the line that holds it"
        )));
    }
    Ok(text)
}
