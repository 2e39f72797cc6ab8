//! The stylesheet, the script and the icon, which are part of the program.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use tower_api_key::key::KeyHasher;

/// The name of an asset has its content's hash, so a browser may keep it for a year.
const KEPT: &str = "public, max-age=31536000, immutable";

/// A file that pages load.
pub(super) struct Asset {
    /// The last segment of its path.
    pub(super) name: String,
    content_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(extension: &str, content_type: &'static str, content: &'static str) -> Self {
        let hash = KeyHasher::sha256().digest(content.as_bytes()).to_hex();
        let hash = hash.get(..16).unwrap_or_default();
        Self { name: format!("console-{hash}.{extension}"), content_type, content }
    }
}

pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("css", "text/css; charset=utf-8", include_str!("assets/console.css"))
});
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("js", "text/javascript; charset=utf-8", include_str!("assets/console.js"))
});
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("svg", "image/svg+xml", include_str!("assets/icon.svg")));

/// Answers with an asset.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let all: [&'static Asset; 3] = [&*STYLE, &*SCRIPT, &*ICON];
    let Some(asset) = all.into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, KEPT)];
    (headers, asset.content).into_response()
}
