//! The fields of an answer that a row may leave out.

use bumpalo::Bump;

use super::challenge::{ChallengeTable, describe_all};
use super::grpc_name::GrpcName;
use crate::profile::{Answer, ErrorBody};

/// The fields that a row sets if they stand in it, whether it is written out or changes another one.
pub(super) struct OptionalFields<'a> {
    pub(super) challenges: &'a [ChallengeTable],
    pub(super) retry_after: Option<u32>,
    pub(super) without_retry_after: bool,
    pub(super) content_type: Option<&'a str>,
    pub(super) grpc: Option<GrpcName>,
    pub(super) documentation_url: Option<&'a str>,
}

impl<'a> OptionalFields<'a> {
    /// Sets what stands in the row.
    pub(super) fn set(self, mut answer: Answer<'a>, room: &'a Bump) -> Answer<'a> {
        if !self.challenges.is_empty() {
            answer = answer.challenges(describe_all(self.challenges, room));
        }
        if let Some(seconds) = self.retry_after {
            answer = answer.retry_after(seconds);
        }
        if self.without_retry_after {
            answer = answer.without_retry_after();
        }
        if let Some(media_type) = self.content_type {
            answer = answer.content_type(media_type);
        }
        if let Some(code) = self.grpc {
            answer = answer.grpc(code.describe());
        }
        if let Some(url) = self.documentation_url {
            answer = answer.documentation_url(url);
        }
        answer
    }
}

/// Creates an answer with a status from 400 to 599, or the 200 that a row asks for in so many words.
pub(super) fn with_status(status: u16, insecure_success: bool, body: ErrorBody<'_>) -> Answer<'_> {
    match (insecure_success, status) {
        (true, 200) => Answer::insecure_success(body),
        _ => Answer::of_code(status, body),
    }
}
