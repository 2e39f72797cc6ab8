//! The name of a gated gRPC service, by which tonic's server finds it.

use tonic::server::NamedService;

use super::gate::ApiKeyGate;

impl<S: NamedService> NamedService for ApiKeyGate<S> {
    const NAME: &'static str = S::NAME;
}
