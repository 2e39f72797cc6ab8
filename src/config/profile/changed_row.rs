//! How a row of a file changes the row that it names.

use bumpalo::Bump;

use super::answer::ChangedRow;
use super::optional_fields::{OptionalFields, with_status};
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
            answer.status = with_status(status, self.insecure_success, answer.body).status;
        }
        if !self.values.is_empty() {
            let ErrorBody::Json { shape, values } = answer.body else {
                return Err("`values` change the texts of a JSON body, and the other row has none");
            };
            let values = replaced(values, &self.values, str::eq, room);
            answer.body = ErrorBody::Json { shape, values };
        }
        if !self.headers.is_empty() {
            let same_name = str::eq_ignore_ascii_case;
            answer = answer.headers(replaced(answer.own_headers, &self.headers, same_name, room));
        }
        if let Some(challenge) = self.challenge {
            answer = answer.challenge(challenge.describe());
        }
        let fields = OptionalFields {
            challenges: &self.challenges,
            retry_after: self.retry_after,
            without_retry_after: self.without_retry_after,
            content_type: self.content_type.as_deref(),
            grpc: self.grpc,
            documentation_url: self.documentation_url.as_deref(),
        };
        Ok(fields.set(answer, room))
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
