//! The caller of a request.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use tower_api_key::Grant;

use super::problem::Problem;
use crate::management::{Caller, Management};

/// The caller of a request, from the grant that the gate has left.
pub(super) struct Asking(pub(super) Caller);

impl FromRequestParts<Management> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        management: &Management,
    ) -> Result<Self, Problem> {
        let grant = Grant::from_request_parts(parts, management).await;
        let grant = grant.map_err(|_| Problem::no_gate())?;
        Ok(Self(management.caller(&grant)?))
    }
}

/// The id in the path of a request.
pub(super) struct PathId(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        path_parameter(parts, state, "id").await.map(Self)
    }
}

/// Returns a parameter of a request's path.
pub(super) async fn path_parameter<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &str,
) -> Result<String, Problem> {
    let unreadable = || Problem::bad_request("the path has an escape that is no UTF-8");
    let parameters = RawPathParams::from_request_parts(parts, state).await;
    let parameters = parameters.map_err(|_| unreadable())?;
    // A mount point may have parameters of its own.
    let found = parameters.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.to_owned()).ok_or_else(unreadable)
}
