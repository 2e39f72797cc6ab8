//! Answers of their own for single quotas.

use super::answer::Answer;

/// Gives requests that exceed one quota an answer of their own: an entry of [`Answer::by_quota`].
///
/// ```
/// use std::time::Duration;
/// use http::StatusCode;
/// use tower_api_key::profile::{Answer, Answers, ErrorBody, QuotaAnswer};
/// use tower_api_key::quota::Quota;
/// use tower_api_key::{Profile, vendors};
///
/// const SPENT: Answer = Answer::of_code(456, ErrorBody::Error("Your month's quota is used up."))
///     .without_retry_after();
/// const LIMITED: Answer = Answer::new(StatusCode::TOO_MANY_REQUESTS, ErrorBody::Error("Slow down."))
///     .by_quota(&[QuotaAnswer { quota: "month", answer: SPENT }]);
/// const OURS: Profile = Profile {
///     quotas: &[
///         Quota::new("minute", 100, Duration::from_secs(60)),
///         Quota::by_month("month", 50_000),
///     ],
///     answers: Answers { rate_limited: LIMITED, ..vendors::REST_INTEGRATIONS.answers },
///     ..vendors::REST_INTEGRATIONS
/// };
/// ```
#[derive(Debug, Clone, Copy)]
pub struct QuotaAnswer<'a> {
    /// The name of the quota, which may be one of the profile, a plan, a key or a route.
    pub quota: &'a str,
    /// The answer to requests that this quota refuses.
    pub answer: Answer<'a>,
}

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
