//! Answers of their own for single required headers.

use super::answer::{Answer, HeaderAnswer};

impl<'a> Answer<'a> {
    /// Sets answers for single headers. Other headers have this answer. Only the row
    /// [`header_refused`](super::Answers::header_refused) may have them.
    ///
    /// [`build`](crate::ApiKeyLayerBuilder::build) refuses a header that is listed twice, one that the profile has no
    /// rule for, and an answer that has such a list itself.
    pub const fn by_header(mut self, answers: &'a [HeaderAnswer<'a>]) -> Self {
        self.by_header = answers;
        self
    }
}
