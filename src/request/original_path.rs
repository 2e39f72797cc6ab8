//! The path as the client sent it, before axum's nesting cut it.

use axum::extract::{NestedPath, OriginalUri};
use http::{Request, Uri};

use super::path::is_unambiguous;

/// Returns the path as the client sent it. Under `Router::nest` axum cuts the path, and keeps the original.
///
/// Returns an ambiguous original path unchanged, so that it matches no route. axum cuts an empty segment off
/// together with the prefix, and `/v1//users` would become a path that looks unambiguous.
///
/// Returns the empty path, which matches no route, if the path was cut in another way than by nesting. Then a
/// layer has rewritten it, and nothing shows which part the nesting has cut. The same holds for a nest at a
/// part of a segment (`/v{n}`) inside of another nest: put the gate outside of it.
pub(super) fn original_path<B>(request: &Request<B>) -> &str {
    let current = request.uri().path();
    let extensions = request.extensions();
    // First, because few routers are nested and each lookup takes 5 ns.
    let Some(nesting) = extensions.get::<NestedPath>() else {
        return current;
    };
    let Some(OriginalUri(original)) = extensions.get() else {
        return "";
    };
    let original = original.path();
    let is_cut_by_nesting = || {
        // The prefix may have parameters, so its segments are counted, not compared.
        let cut = nesting.as_str().split('/').filter(|segment| !segment.is_empty()).count();
        let start = original.match_indices('/').nth(cut).map(|(start, _)| start);
        current == start.and_then(|start| original.get(start..)).unwrap_or("/")
    };
    // axum does not cut the path at a parameter that is a part of a segment.
    if current == original || !is_unambiguous(original) || is_cut_by_nesting() {
        original
    } else {
        ""
    }
}

/// Changes the URI that axum keeps besides the request's own.
pub(super) fn change_original_uri<B>(
    request: &mut Request<B>,
    change: impl FnOnce(&Uri) -> Option<Uri>,
) {
    if let Some(OriginalUri(original)) = request.extensions_mut().get_mut()
        && let Some(changed) = change(original)
    {
        *original = changed;
    }
}
