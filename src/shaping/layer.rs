//! The layer, which goes between a gate and its service.

use std::sync::Arc;

use tower_layer::Layer;

use super::builder::ShapingLayerBuilder;
use super::rules::{OnUnshaped, ShapingRules};
use super::service::ShapingService;

/// A tower layer that changes the JSON of responses, as the key of the request says. [The module](super) has the
/// rules and an example.
///
/// Put the layer inside of the gate. Cloning is cheap.
///
/// ```
/// use std::convert::Infallible;
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::{BodyExt, Full};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_api_key::shaping::{OnUnshaped, ShapingLayer};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let shaping = ShapingLayer::builder(64 * 1024, OnUnshaped::Refuse).blocklist(["birthdate"]).build()?;
/// let service = shaping.layer(service_fn(|_: Request<()>| async {
///     let json = Bytes::from(r#"{"name":"Ada","birthdate":"1815-12-10"}"#);
///     Ok::<_, Infallible>(Response::new(Full::new(json)))
/// }));
/// let response = service.oneshot(Request::new(())).await?;
/// assert_eq!(response.into_body().collect().await?.to_bytes(), r#"{"name":"Ada"}"#);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ShapingLayer {
    rules: Arc<ShapingRules>,
}

impl ShapingLayer {
    /// Starts the configuration of a layer. The layer collects a body of at most `max_bytes` bytes, and does with all
    /// responses that it cannot shape what `on_unshaped` says.
    ///
    /// One response takes about three times `max_bytes` of memory until its body is sent, and at most ten times.
    pub const fn builder(max_bytes: usize, on_unshaped: OnUnshaped) -> ShapingLayerBuilder {
        ShapingLayerBuilder::new(max_bytes, on_unshaped)
    }

    pub(super) fn new(rules: ShapingRules) -> Self {
        Self { rules: Arc::new(rules) }
    }
}

impl<S> Layer<S> for ShapingLayer {
    type Service = ShapingService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ShapingService::new(Arc::clone(&self.rules), inner)
    }
}
