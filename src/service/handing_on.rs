//! Handing an admitted request on to the inner service.

use http::Request;

#[cfg(all(feature = "axum", feature = "tracing"))]
use super::admitted_anonymous::AdmittedAnonymous;
use super::exchange::Exchange;
use super::mark_connection::client_of;
use super::shared::Shared;
use crate::decision::Grant;
use crate::request::Head;

impl Exchange {
    /// Prepares an admitted request for the inner service: strips the credential, and adds the grant and the id.
    pub(super) fn hand_on<B>(&mut self, request: &mut Request<B>) {
        self.observe_admitted();
        // Nobody sees the headers of a refused request any more.
        self.shared.policy.mark_sensitive(request.headers_mut());
        if self.request.is_some() {
            self.leave_request_id(request);
        }
        let Self { shared, state, handshake, .. } = self;
        if shared.options.leave_client {
            leave_client(shared, request);
        }
        if shared.options.strip_credential && state.principal.is_some() {
            shared.policy.strip_credential(request.headers_mut());
        }
        shared.policy.hide_key(request);
        if let Some(protocol) = &shared.websocket_protocol {
            *handshake = protocol.offered_by(Head::of(request));
        }
        let grant = if shared.options.leave_grant { state.grant(&shared.policy) } else { None };
        if let Some(grant) = grant {
            request.extensions_mut().insert(grant);
            return;
        }
        // A grant of a gate further out says nothing of what this one admits.
        request.extensions_mut().remove::<Grant>();
        #[cfg(all(feature = "axum", feature = "tracing"))]
        if state.principal.is_none() {
            request.extensions_mut().insert(AdmittedAnonymous);
        }
    }

    /// Passes the id of the request to the inner service.
    #[cold]
    fn leave_request_id<B>(&self, request: &mut Request<B>) {
        if let (Some(id), Some(ids)) = (self.request_id(), self.shared.renderer.request_ids()) {
            ids.write_header(request.headers_mut(), id);
            request.extensions_mut().insert(id.clone());
        }
    }
}

/// Passes what is proven about the client to the inner service.
#[cold]
fn leave_client<B>(shared: &Shared, request: &mut Request<B>) {
    let client = client_of(&shared.policy, request);
    request.extensions_mut().insert(client);
}
