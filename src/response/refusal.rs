//! How a service behind the gate refuses in the vendor's words.

use http::{Response, StatusCode};

use crate::error::Denial;

/// Marks a response that the nearest gate is to render.
#[derive(Debug, Clone)]
pub(crate) struct Asked(pub(crate) Denial);

/// Makes a response that the gate around the service replaces by the vendor's own answer to this
/// denial. Outside of any gate it stays what it is: an empty 403.
///
/// ```
/// use http::Response;
/// use tower_api_key::{Grant, refusal};
///
/// fn create(grant: &Grant) -> Response<String> {
///     match grant.require("dataset.write") {
///         Ok(()) => Response::new("created".to_owned()),
///         Err(denial) => refusal(denial),
///     }
/// }
/// # let response = refusal::<String>(tower_api_key::Denial::InternalError);
/// # assert_eq!((response.status().as_u16(), response.body().as_str()), (403, ""));
/// ```
pub fn refusal<B: Default>(denial: Denial) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.extensions_mut().insert(Asked(denial));
    response
}
