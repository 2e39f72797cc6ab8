//! Builder methods for the clock, the observer, and the request that the inner service gets.

use std::sync::Arc;

use super::ApiKeyLayerBuilder;
use crate::clock::Clock;
use crate::service::observer::Observer;

impl ApiKeyLayerBuilder {
    /// Reads the time from this clock instead of the system's. [`ManualClock`](crate::clock::ManualClock) has
    /// an example for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.options.clock = Arc::new(clock);
        self
    }

    /// Reports refusals, exposed keys and failures to an observer. [`Observer`] has an example. A second call adds an
    /// observer.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.options.observers.add(Arc::new(observer));
        self
    }

    /// Removes the credential from an admitted request before the inner service gets it. Use it in a
    /// gateway, so that backends do not see the keys of clients; `examples/gateway` is one.
    ///
    /// ```
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
    ///     .strip_credential() // the backend gets no key
    ///     .without_grant() // the gateway itself needs no grant
    ///     .build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn strip_credential(mut self) -> Self {
        self.options.strip_credential = true;
        self
    }

    /// Refuses calls of these gRPC services in gRPC's own form. Their names are full, such as `vendors.v1.Users`;
    /// tonic has each in `NamedService::NAME`. A second call adds names.
    ///
    /// A call is a `POST` on a path such as `/vendors.v1.Users/ListUsers`, with the `Content-Type`
    /// `application/grpc`, alone or with a suffix. Its refusal has HTTP status 200 and the reason in
    /// `grpc-status`; [`profile`](crate::profile) tells more. A vendor's rule about `Content-Type` does not hold
    /// for such a call.
    ///
    /// Other requests are refused over HTTP, because a client chooses the type of its request: a REST API must
    /// not answer 200 to a bad key. So do not name services on a gate that a proxy asks about requests. Such a
    /// proxy reads the HTTP status, and would admit a refused call.
    ///
    /// ```
    /// use http::Request;
    /// use tower_api_key::clock::Timestamp;
    /// use tower_api_key::request::Connection;
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let gate = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
    ///     .grpc_services(["vendors.v1.Users"])
    ///     .assume_https() // on your own machine only
    ///     .build()?;
    /// for (path, status) in [("/vendors.v1.Users/ListUsers", 200), ("/v1/users", 401)] {
    ///     let call = Request::post(path).header("content-type", "application/grpc").body(())?;
    ///     let explanation = gate.explain(&call, Connection::unknown(), None, Timestamp::default());
    ///     assert_eq!(explanation.answer().unwrap().status(), status);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn grpc_services(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.served.grpc_services.extend(names.into_iter().map(Into::into));
        self
    }

    /// Serves nothing but gRPC: the gate takes each `POST` of gRPC's type for a call, as if all
    /// [services](Self::grpc_services) were named. Use it for a gate around a whole tonic server, and for no
    /// other: a client chooses the type of its request, so each refusal of the gate can have HTTP status 200.
    ///
    /// ```
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let gate = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).only_grpc().build()?;
    /// // tonic::transport::Server::builder().layer(gate)
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn only_grpc(mut self) -> Self {
        self.served.only_grpc = true;
        self
    }

    /// Puts what is proven about the client into the extensions of each admitted request, as a
    /// [`Client`](crate::request::Client): the address behind trusted proxies, and whether the client used
    /// HTTPS. Requests without a key have it, too. Needs one allocation for each request.
    ///
    /// With the feature `axum` a handler takes the `Client` as an argument. Take the client from here, and never
    /// from a header such as `X-Forwarded-For`, which any client can send. Of two gates, one in the other, the inner one
    /// replaces the `Client` if it has this option, too. Otherwise that of the outer gate stays.
    ///
    /// ```
    /// use http::{Request, Response};
    /// use tower_api_key::request::Client;
    /// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
    ///
    /// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
    /// let layer = builder.client_in_request().build()?;
    ///
    /// fn whoami<B>(request: &Request<B>) -> Response<String> {
    ///     let client = request.extensions().get::<Client>();
    ///     let address = client.and_then(|client| client.address);
    ///     Response::new(address.map_or("unknown".to_owned(), |address| address.to_string()))
    /// }
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub fn client_in_request(mut self) -> Self {
        self.options.leave_client = true;
        self
    }

    /// Puts the decision into the extensions of each response, as a
    /// [`GateDecision`](crate::decision::GateDecision): whose request it was, and why it was refused. Use it for a
    /// layer outside of the gate that logs or counts requests; `GateDecision` has an example. Needs one
    /// allocation for each response.
    pub fn decision_in_response(mut self) -> Self {
        self.options.leave_decision = true;
        self
    }

    /// Puts no [`Grant`](crate::Grant) into the request's extensions, which saves an allocation for each
    /// request. Use it if no service behind the gate needs to know its caller.
    /// [`strip_credential`](Self::strip_credential) has an example.
    pub fn without_grant(mut self) -> Self {
        self.options.leave_grant = false;
        self
    }

    /// Puts the [`Grant`](crate::Grant) into the request's extensions, whatever was said before. That is the default.
    /// Call it on a builder that comes from a file, if your service must know its caller.
    ///
    /// ```
    /// use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, ConfigError};
    ///
    /// fn gateway(from_file: ApiKeyLayerBuilder) -> Result<ApiKeyLayer, ConfigError> {
    ///     from_file.strip_credential().grant_in_request().build()
    /// }
    /// ```
    pub fn grant_in_request(mut self) -> Self {
        self.options.leave_grant = true;
        self
    }
}
