//! Serves all front doors of the gallery, each below its own first segment.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::uri::PathAndQuery;
use axum::http::{Request, StatusCode, Uri};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tower::{ServiceExt, service_fn};

use super::door::{GalleryDoor, GatedService};
use super::page;
use crate::telemetry;

/// Builds the app. Its page lists the front doors.
pub(crate) fn router(doors: Vec<GalleryDoor>) -> Router {
    let page = page::html(&doors);
    let services: BTreeMap<String, GatedService> =
        doors.into_iter().map(|door| (door.vendor, door.service)).collect();
    let services = Arc::new(services);
    let enter = service_fn(move |request: Request<Body>| {
        let services = Arc::clone(&services);
        async move {
            let found = entered(request.uri())
                .and_then(|(vendor, target)| Some((services.get(&vendor)?.clone(), target)));
            match found {
                Some((service, target)) => service.oneshot(at(request, target)).await,
                None => Ok(StatusCode::NOT_FOUND.into_response()),
            }
        }
    });
    let page = Router::new().route("/", get(|| async { Html(page) }));
    page.merge(telemetry::router()).fallback_service(enter)
}

/// Returns the first segment, and the target behind it, which is all that the front door sees. It is another origin's
/// path for it, as if it had a host of its own.
fn entered(uri: &Uri) -> Option<(String, PathAndQuery)> {
    let target = uri.path_and_query()?.as_str().strip_prefix('/')?;
    let end = target.find(['/', '?']).unwrap_or(target.len());
    let (vendor, rest) = target.split_at_checked(end)?;
    let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    Some((vendor.to_owned(), rest.parse().ok()?))
}

fn at(mut request: Request<Body>, target: PathAndQuery) -> Request<Body> {
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(target);
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_segment_names_the_front_door() {
        for (uri, vendor, target) in [
            ("/github/user", "github", "/user"),
            ("/github", "github", "/"),
            ("/github/", "github", "/"),
            ("/github?a=/b", "github", "/?a=/b"),
            ("/github//user", "github", "//user"),
            ("https://localhost:8443/github/a/b?c=d", "github", "/a/b?c=d"),
        ] {
            let (found, rest) = entered(&uri.parse().unwrap()).unwrap();
            assert_eq!((found.as_str(), rest.as_str()), (vendor, target), "{uri}");
        }
    }
}
