//! Answers of their own for single quotas.

use super::answer::{Answer, QuotaAnswer};

impl<'a> Answer<'a> {
    /// Sets answers for single quotas, for a vendor that tells a rate from a quota that is used up. Other quotas have
    /// this answer. Only the row [`rate_limited`](super::Answers::rate_limited) may have them.
    ///
    /// If several quotas refuse a request, the one that makes the client wait longest counts, as in
    /// [`Refusal::quota`](super::Refusal::quota). [`build`](crate::ApiKeyLayerBuilder::build) refuses a quota that is
    /// listed twice, and an answer that has answers by quota itself.
    pub const fn by_quota(mut self, answers: &'a [QuotaAnswer<'a>]) -> Self {
        self.by_quota = answers;
        self
    }

    /// Sends no `Retry-After`, not even with status 429 (RFC 6585 §4 leaves it open). Use it where a client should
    /// not wait and retry, as for a quota of a month: some clients sleep for whatever the header says.
    pub const fn without_retry_after(mut self) -> Self {
        self.sends_retry_after = false;
        self
    }
}
