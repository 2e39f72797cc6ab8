//! Configuring what a layer reads the time from, whom it reports to, and what the inner service sees.

use std::sync::Arc;

use super::ApiKeyLayerBuilder;
use crate::clock::Clock;
use crate::service::observer::Observer;

impl ApiKeyLayerBuilder {
    /// Reads the time from another clock than the system's; a test that needs one finds an example
    /// at [`ManualClock`](crate::clock::ManualClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.options.clock = Arc::new(clock);
        self
    }

    /// Tells an observer of refusals, exposed keys, and failures; [`Observer`] has an example.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.options.observer = Some(Arc::new(observer));
        self
    }

    /// Removes the credential from the request before the inner service sees it: for gateways,
    /// whose backends have no business with their clients' keys.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use http::{Request, Response};
    /// # use http_body_util::Full;
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
    /// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
    /// use tower_api_key::Grant;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new();
    /// # let record = KeyRecord::builder("key_1", Account::builder("acme").build()?).build()?;
    /// # store.add_now(KeyHasher::sha256().digest(b"0123456789abcdef"), record);
    /// # let builder = ApiKeyLayer::builder(vendors::REST_INTEGRATIONS, store).without_limits();
    /// # let builder = builder.assume_https();
    /// let layer = builder.strip_credential().without_grant().build()?;
    /// let service = layer.layer(service_fn(|request: Request<()>| async move {
    ///     assert!(!request.headers().contains_key("authorization"));
    ///     assert!(request.extensions().get::<Grant>().is_none());
    /// #     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
    /// }));
    /// # let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef").body(())?;
    /// assert_eq!(service.oneshot(request).await?.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    pub fn strip_credential(mut self) -> Self {
        self.options.strip_credential = true;
        self
    }

    /// Leaves no [`Grant`](crate::Grant) in the request's extensions, which spares an allocation
    /// where no service behind the gate asks who its caller is. There is an example at
    /// [`strip_credential`](Self::strip_credential).
    pub fn without_grant(mut self) -> Self {
        self.options.leave_grant = false;
        self
    }
}
