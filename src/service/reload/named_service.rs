//! The name of a gated gRPC service, by which tonic's server finds it.

use tonic::server::NamedService;

use super::gate::ReloadableGate;

impl<S: NamedService> NamedService for ReloadableGate<S> {
    const NAME: &'static str = S::NAME;
}
