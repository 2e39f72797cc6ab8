//! The front door, the routing and the management of one file.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tower_api_key::ApiKeyLayer;
use tower_api_key_front_door::ManagementDoor;

use crate::forward::Routing;

/// The front door, the routing and the management of one file, which a reload replaces at once. A request keeps those with which it
/// began: it is never admitted by one file and routed by another.
pub(crate) struct InForce {
    pub(crate) gate: ApiKeyLayer,
    pub(crate) routing: Arc<Routing>,
    pub(crate) management: Option<ManagementDoor>,
}

/// What is in force now.
pub(crate) type Current = Arc<ArcSwap<InForce>>;
