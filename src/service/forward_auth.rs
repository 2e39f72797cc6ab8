//! Forward auth: a gate that decides for a proxy, which forwards the request itself.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};

use super::mark_connection::connection;
use super::shared::Shared;
use crate::decision::Policy;
use crate::error::ConfigError;
use crate::request::{OriginalRequest, OriginalRequestError};
use crate::response::Renderer;

/// Refuses what a gate cannot do if it sees neither the body of a request nor its response.
///
/// # Errors
///
/// [`ConfigError::ForwardAuth`], [`ConfigError::NoTrustedNetwork`] or [`ConfigError::Route`].
pub(super) fn check(
    original: &OriginalRequest,
    policy: &Policy,
    renderer: &mut Renderer,
    selects_protocol: bool,
) -> Result<(), ConfigError> {
    original.check()?;
    policy.check_forward_auth()?;
    let refused = |part, problem| Err(ConfigError::ForwardAuth { part, problem });
    if renderer.may_succeed() {
        return refused(
            "the profile's field `answers`",
            "a proxy takes a refusal with a status of success for access: leave `insecure_success` out",
        );
    }
    if selects_protocol {
        return refused(
            "`select_websocket_protocol`",
            "the gate does not see the answer to a handshake: let the upstream server select the protocol",
        );
    }
    Ok(())
}

/// Gives a proxy's question the method, path and host of the original request, if the gate decides for a proxy.
///
/// # Errors
///
/// [`OriginalRequestError`] if the peer is no trusted proxy, or does not state the request exactly once.
#[inline]
pub(super) fn restore<B>(
    shared: &Shared,
    question: &mut Request<B>,
) -> Result<(), OriginalRequestError> {
    match &shared.options.original {
        Some(original) => restore_stated(original, shared, question),
        None => Ok(()),
    }
}

#[cold]
fn restore_stated<B>(
    original: &OriginalRequest,
    shared: &Shared,
    question: &mut Request<B>,
) -> Result<(), OriginalRequestError> {
    if !shared.policy.proxies().trusts(connection(question)) {
        return Err(OriginalRequestError::Untrusted);
    }
    original.restore(question)
}

/// Renders the answer to a question that is not judged. It is for the operator, so it has no vendor's form.
#[cold]
pub(super) fn unstated(error: &OriginalRequestError) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("{error}\n")));
    *response.status_mut() = error.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(error.clone());
    response
}
