//! A Redis Cluster: which primary has which slot, and a link to each primary, with a breaker of its own. One task
//! follows the cluster's changes. Requests never ask for them.

mod doubt;
mod lookout;
mod router;
mod slot;
mod slot_map;
mod topology;
mod view;

pub(crate) use router::Cluster;
