//! The builder method for bodies of refusals.

use super::ApiKeyLayerBuilder;
use crate::profile::{CustomBody, Refusal};
use crate::response::BodyFunction;

impl ApiKeyLayerBuilder {
    /// Makes the bodies of refusals by this function, which may own what it needs, as texts in several languages. If it
    /// returns `None`, the client gets the body of the profile's row. Status and headers are the row's in any case.
    ///
    /// Do not tell a client that has no valid key more than the row does: an unknown key and a revoked one must look
    /// alike. The function must escape what the client chose, as the path, for the format of the body.
    ///
    /// The gate cannot know which bodies the function makes equal. So gRPC calls get one
    /// [code](crate::profile::GrpcCode) for all rows that differ over HTTP in their bodies only, unless a row names its
    /// code.
    ///
    /// The gate keeps the method and path of each request, because the function may ask for them.
    ///
    /// ```
    /// use http::HeaderValue;
    /// use tower_api_key::profile::{CustomBody, Refusal};
    /// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore};
    ///
    /// let contact = String::from("help@example.com"); // known at run time
    /// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
    ///     .body_from(move |refusal: &Refusal<'_>| {
    ///         let Denial::RateLimited { .. } = refusal.denial() else { return None };
    ///         let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    ///         Some(CustomBody { content_type, content: format!("Ask {contact}").into() })
    ///     })
    ///     .build()?;
    /// let limited = Denial::RateLimited { retry_after: std::time::Duration::from_secs(1) };
    /// assert_eq!(layer.answer(&limited).body(), "Ask help@example.com");
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn body_from(
        mut self,
        make: impl Fn(&Refusal<'_>) -> Option<CustomBody> + Send + Sync + 'static,
    ) -> Self {
        self.body = Some(BodyFunction::new(make));
        self
    }
}
