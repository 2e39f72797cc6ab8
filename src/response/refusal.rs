//! Refusals by a service behind the gate, which the gate renders.

use http::{Response, StatusCode};

use crate::error::Denial;

/// The extension of a response that the nearest gate renders.
#[derive(Debug, Clone)]
pub(crate) struct RefusalRequest(pub(crate) Denial);

/// Returns a response that the gate around the service replaces by the vendor's answer to this denial.
/// Without a gate it stays as it is: an empty 403.
///
/// ```
/// use http::Response;
/// use tower_api_key::{Denial, Grant, refusal};
///
/// fn create(grant: &Grant) -> Response<String> {
///     match grant.require("dataset.write") {
///         Ok(()) => Response::new("created".to_owned()),
///         Err(denial) => refusal(denial),
///     }
/// }
/// assert_eq!(refusal::<String>(Denial::InternalError).status(), 403); // without a gate
/// ```
pub fn refusal<B: Default>(denial: Denial) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.extensions_mut().insert(RefusalRequest(denial));
    response
}
