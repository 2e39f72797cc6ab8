//! The refusal that the inner service asks for.

use http::Response;

use crate::error::Denial;
use crate::response::RefusalRequest;

/// Returns the denial that the inner service asks the gate to answer.
pub(super) fn asked_refusal<R>(response: &Response<R>) -> Option<Denial> {
    let asked = response.extensions().get().map(|RefusalRequest(denial)| denial.clone());
    #[cfg(feature = "tonic")]
    let asked = asked.or_else(|| super::tonic::refusal(response));
    asked
}
