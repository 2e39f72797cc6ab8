//! How a row of a file changes the row that it names.

use bumpalo::Bump;

use super::answer::ChangedRow;
use super::challenge::describe_all;
use super::pairs::Pairs;
use crate::profile::{Answer, ErrorBody};

impl ChangedRow {
    /// Describes the row, without the answers of single quotas and headers. `other` is the row that it changes.
    ///
    /// # Errors
    ///
    /// The problem of a field that cannot change the other row.
    pub(super) fn describe<'a>(
        &'a self,
        other: Answer<'a>,
        room: &'a Bump,
    ) -> Result<Answer<'a>, &'static str> {
        let mut answer = Answer { by_quota: &[], by_header: &[], ..other };
        if let Some(body) = &self.body {
            answer.body = body.describe(room);
        }
        if let Some(status) = self.status {
            let numbered = match (self.insecure_success, status) {
                (true, 200) => Answer::insecure_success(answer.body),
                _ => Answer::of_code(status, answer.body),
            };
            answer.status = numbered.status;
        }
        if !self.values.0.is_empty() {
            let ErrorBody::Json { shape, values } = answer.body else {
                return Err("`values` change the texts of a JSON body, and the other row has none");
            };
            let values = replaced(values, &self.values, str::eq, room);
            answer.body = ErrorBody::Json { shape, values };
        }
        if !self.headers.0.is_empty() {
            let same_name = str::eq_ignore_ascii_case;
            answer = answer.headers(replaced(answer.own_headers, &self.headers, same_name, room));
        }
        if let Some(challenge) = self.challenge {
            answer = answer.challenge(challenge.describe());
        }
        if !self.challenges.is_empty() {
            answer = answer.challenges(describe_all(&self.challenges, room));
        }
        if let Some(seconds) = self.retry_after {
            answer = answer.retry_after(seconds);
        }
        if self.without_retry_after {
            answer = answer.without_retry_after();
        }
        if let Some(media_type) = &self.content_type {
            answer = answer.content_type(media_type);
        }
        if let Some(code) = self.grpc {
            answer = answer.grpc(code.describe());
        }
        if let Some(url) = &self.documentation_url {
            answer = answer.documentation_url(url);
        }
        Ok(answer)
    }
}

/// Replaces pairs by those of the same name, and adds the rest.
fn replaced<'a>(
    pairs: &[(&'a str, &'a str)],
    changes: &'a Pairs,
    is_same: fn(&str, &str) -> bool,
    room: &'a Bump,
) -> &'a [(&'a str, &'a str)] {
    let changes = changes.describe(room);
    let is_kept = |name: &str| !changes.iter().any(|(changed, _)| is_same(changed, name));
    let kept = pairs.iter().filter(|(name, _)| is_kept(name));
    let all: Vec<(&str, &str)> = kept.chain(changes).copied().collect();
    room.alloc_slice_fill_iter(all)
}
