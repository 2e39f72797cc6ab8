//! Prints files, and the mistakes of files.

use std::io::{self, Write};

use serde_json::json;
use tower_api_key::config::Mistake;

use crate::escape;
use crate::failure::Failure;
use crate::output::{Output, print};

impl Output {
    /// Prints a file as it is.
    #[allow(clippy::unused_self)] // A method like the other prints.
    pub(crate) fn file(&self, text: &str) -> Result<(), Failure> {
        print(text.trim_end())
    }

    /// Prints the mistakes of a file as JSON; without `--json` nothing.
    pub(crate) fn mistakes(&self, mistakes: &[Mistake]) -> Result<(), Failure> {
        if !self.is_json() {
            return Ok(());
        }
        let values = mistakes.iter().map(|mistake| {
            json!({
                "line": mistake.line(),
                "column": mistake.column(),
                "field": mistake.field(),
                "message": mistake.message(),
                "help": mistake.help(),
            })
        });
        print(&escape::json(&values.collect()))
    }
}

/// Prints the mistakes of a file on standard error, escaped.
pub(crate) fn complain_of_file(text: &str) {
    let _ = writeln!(io::stderr(), "{}", escape::lines(text));
}
