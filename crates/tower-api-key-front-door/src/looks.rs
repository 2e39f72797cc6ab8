//! What a watcher of a file has seen.

use crate::error::OpenError;

/// The last look at a file, and what was reported.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    last: Option<Look>,
    reported: Option<String>,
    /// A file whose mistakes were found. They stay until it changes.
    mistaken: Option<[u8; 32]>,
}

/// What a look found: a file by its fingerprint, or an error by its text.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Read([u8; 32]),
    Failed(String),
}

impl Looks {
    /// Notes a look. Returns true if it found what the look before it found, and that is not what serves.
    pub(crate) fn is_settled(
        &mut self,
        found: Result<[u8; 32], &OpenError>,
        serving: [u8; 32],
    ) -> bool {
        let look = match found {
            Ok(found) if found == serving => {
                *self = Self::default();
                return false;
            }
            Ok(found) => Look::Read(found),
            Err(error) => Look::Failed(error.to_string()),
        };
        let is_settled = self.last.as_ref() == Some(&look);
        let is_mistaken = self.mistaken.is_some_and(|mistaken| look == Look::Read(mistaken));
        self.last = Some(look);
        is_settled && !is_mistaken
    }

    /// Notes what came of the last look.
    pub(crate) fn note(&mut self, result: &Result<(), OpenError>) {
        self.mistaken = match (&self.last, result) {
            (Some(Look::Read(found)), Err(OpenError::File(_))) => Some(*found),
            _ => None,
        };
    }

    /// Returns true if a result is to be reported: a change that was taken over, or a reason that was not told yet.
    pub(crate) fn is_news(&mut self, result: &Result<(), OpenError>) -> bool {
        let text = result.as_ref().err().map(ToString::to_string);
        let is_news = text.is_none() || self.reported != text;
        self.reported = text;
        is_news
    }
}
