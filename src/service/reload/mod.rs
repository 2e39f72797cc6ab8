//! Reload while serving: a layer whose gates change between two requests.
//!
//! This module replaces the front door of a running server. A [`ReloadableLayer`] goes into the router, and its
//! [`ReloadHandle`] to the code that learns of changes. Each request is decided, charged, refused and answered by the
//! layer that was current when the request came. Requests of open connections see the new layer as well, over
//! HTTP/1.1 and HTTP/2, and so do routers and tonic servers that were built before.
//!
//! ```
//! use tower::{Layer, service_fn};
//! use tower_api_key::reload::ReloadableLayer;
//! use tower_api_key::rules::{Route, Routes};
//! use tower_api_key::store::MemoryStore;
//! use tower_api_key::{ApiKeyLayer, ConfigError, Profile};
//! use std::sync::Arc;
//!
//! let store = Arc::new(MemoryStore::new());
//! let front_door = |scope: &str| {
//!     let routes = Routes::new().get("/users", Route::new().all_of(&[scope]));
//!     ApiKeyLayer::builder(Profile::STANDARD, Arc::clone(&store)).routes(routes)
//! };
//! let (layer, handle) = ReloadableLayer::new(front_door("users.read").build()?);
//! // Router::new().route(…).layer(layer)
//!
//! // Later, from any thread:
//! handle.reload(|previous| front_door("users.list").build_after(previous))?;
//!
//! // A broken description keeps the layer that serves, and says why.
//! let refused = handle.reload(|previous| front_door("two words").build_after(previous));
//! assert!(matches!(refused, Err(ConfigError::Route(_))));
//! # Ok::<(), ConfigError>(())
//! ```
//!
//! # What survives
//!
//! The new layer has the state that you give it, and with
//! [`build_after`](crate::ApiKeyLayerBuilder::build_after) the state of the layer before it:
//!
//! | state | survives if |
//! |---|---|
//! | keys, and a cache in front of them | you give the same store to the new layer, as an `Arc` |
//! | counts of quotas | you give the same limiter, as an `Arc`; each quota that [shares its counter](crate::quota::Quota::shares_counter) keeps its count, whatever its new limit is |
//! | plans and roles | you give clones of the same [`Plans`](crate::limits::Plans) and [`Roles`](crate::rules::Roles) |
//! | permits of simultaneous requests | you give the same limiter or none; permits belong to an account and a route's methods and pattern |
//! | failed attempts, with lookups under way | `build_after`, and the prefixes are the same |
//! | refused requests of a key | `build_after` |
//! | the limit on alarms | `build_after`; alarms by network, if the prefixes are the same |
//! | what was counted while a limiter could not answer, and [how often](crate::ApiKeyLayer::limiter_failures) | `build_after` |
//!
//! A limit that changes clears nothing. Of failed attempts, refused requests and alarms, each network or key keeps the
//! part of its limit that it has used: after 5 of 10 failures, it has room for 50 more of 100. One that has used its
//! whole limit has used the whole new limit.
//!
//! If the window changes, or the number of networks or keys that are remembered, the counts are copied when the layer
//! is built. Lookups that are under way then count as failed, and drain. Failures between the build and the swap are
//! not in the copy.
//!
//! A limit that is removed forgets its counts. A limit that is added starts without any. The observer, the clock and
//! the functions that you hand to the builder keep their own state: hand the same ones to the new layer.
//!
//! # Requests in flight
//!
//! A request keeps its layer to its end, also while it waits for the store, the limiter or a permit. Its time budget,
//! its refund and its response are those of that layer. A layer is dropped when its last request has ended and no
//! clone is left. Idle connections hold no layer.
//!
//! A permit that an old request holds counts against the limit of the new layer. A request that waits for a permit is
//! admitted by the limit of its own layer.
//!
//! # Deployment
//!
//! What is outside of the gate stays: listeners, certificates, marks of connections, and the routes of your router.
//! The gate and the router must agree on paths, so change the two together.

mod current;
mod gate;
mod handle;
mod layer;
#[cfg(feature = "tonic")]
mod named_service;
#[cfg(all(test, shuttle))]
mod schedules;

pub use gate::ReloadableGate;
pub use handle::ReloadHandle;
pub use layer::ReloadableLayer;
