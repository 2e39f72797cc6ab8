//! Forwards one request, and its answer.

use std::sync::Arc;

use http::header::{CONNECTION, EXPECT, HOST, TE, TRANSFER_ENCODING, VIA};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use hyper::upgrade::OnUpgrade;
use tower_api_key::Grant;
use tower_api_key::request::Client;
use tracing::debug;

use super::failure::{Failure, TOO_LARGE};
use super::response_body::ResponseBody;
use super::routing::Routing;
use super::table::Target;
use super::tunnel::Tunnel;
use super::upgrade::Upgrade;
use super::{fields, forwarded, shape};
use crate::drain::{Drain, Drained};
use crate::listen::Place;
use crate::upstream::{Answered, Outgoing, Upload};

/// Forwards a request to the upstream of its route.
///
/// # Errors
///
/// [`Failure`], the gateway's own answer.
pub(super) async fn forward(
    routing: &Routing,
    drain: &Drain,
    mut request: Request<Drained>,
) -> Result<Response<ResponseBody>, Failure> {
    let client_io = request.extensions_mut().remove::<OnUpgrade>();
    let (mut parts, content) = request.into_parts();
    shape::check(&parts)?;
    let host = fields::host(parts.version, &parts.uri, &parts.headers)
        .map_err(|text| Failure::new(StatusCode::BAD_REQUEST, text))?;
    let target = routing
        .table
        .find(host.to_str().unwrap_or_default(), parts.uri.path())
        .ok_or(Failure::new(StatusCode::NOT_FOUND, "no route\n"))?;
    let upgrade = Upgrade::asked(&parts, &target.upgrades).filter(|_| client_io.is_some());
    if upgrade.is_some() {
        check_upgrade(target, &content)?;
    } else if parts.method == Method::CONNECT {
        let text = "the route passes no WebSockets on\n";
        return Err(Failure::new(StatusCode::NOT_IMPLEMENTED, text));
    }
    if content.size_hint().lower() > target.max_content_bytes {
        return Err(TOO_LARGE);
    }
    let grant = parts.extensions.remove::<Grant>();
    let client = parts.extensions.remove::<Client>();
    let place = parts.extensions.remove::<Place>();

    let headers = &mut parts.headers;
    let takes_trailers = fields::lists(headers, &TE, "trailers");
    let continues = headers.contains_key(EXPECT) && !content.is_end_stream();
    fields::strip_odd_names(headers);
    let named = fields::strip_hop_by_hop(headers);
    headers.remove(EXPECT);
    if continues && parts.version == Version::HTTP_11 && target.upstream.takes_upgrades() {
        headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
    }
    forwarded::write(headers, client, &host, parts.version);
    headers.insert(HOST, host);
    routing.identity.write(headers, grant.as_ref());
    match &upgrade {
        Some(upgrade) => upgrade.write(headers),
        None if takes_trailers => write_te(headers, target),
        None => {}
    }

    let path = parts.uri.path_and_query().cloned();
    let path = path.unwrap_or(PathAndQuery::from_static("/"));
    // An upstream reads the handshake of HTTP/1.1, whatever the client speaks.
    let method = if upgrade.is_some() { Method::GET } else { parts.method };
    let outgoing = Outgoing { method, path, headers: parts.headers };
    let refused = if named.is_empty() {
        Arc::clone(&routing.identity_names)
    } else {
        routing.identity_names.iter().cloned().chain(named).collect()
    };
    let upload = Upload::new(content, refused, target.max_content_bytes);
    let answered = target.upstream.send(&outgoing, &upload).await.map_err(|error| {
        debug!(%error, "a request was not answered");
        Failure::of(&error)
    })?;
    let switch = Switch { upgrade, client_io, place };
    let mut answer = answer(target, answered, switch, grant.as_ref(), drain)?;
    answer.extensions_mut().insert(target.served_by.clone());
    Ok(answer)
}

/// What a switch of protocols needs of its request.
struct Switch {
    upgrade: Option<Upgrade>,
    client_io: Option<OnUpgrade>,
    place: Option<Place>,
}

/// Hands an answer on.
fn answer(
    target: &Target,
    answered: Answered,
    switch: Switch,
    grant: Option<&Grant>,
    drain: &Drain,
) -> Result<Response<ResponseBody>, Failure> {
    const PERMIT_GONE: Failure =
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "the permit of the request is gone\n");
    const UNASKED: Failure =
        Failure::new(StatusCode::BAD_GATEWAY, "the upstream switched to a protocol unasked\n");
    let Answered { mut response, in_flight, hold } = answered;
    let Switch { upgrade, client_io, place } = switch;
    let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let via = forwarded::via(response.version());
    let is_feigned = upgrade.as_ref().is_some_and(|asked| asked.is_feigned_by(response.status()));
    if !switched && is_feigned {
        let text = "the upstream does not switch protocols\n";
        return Err(Failure::new(StatusCode::BAD_GATEWAY, text));
    }
    let upgrade = if switched {
        let upgrade = upgrade.filter(|upgrade| upgrade.is_accepted_by(response.headers()));
        Some(upgrade.zip(client_io).ok_or(UNASKED)?)
    } else {
        None
    };
    check_coding(response.headers())?;
    // The version is that of the gateway, not of the upstream (RFC 9110 §7.6.3).
    *response.version_mut() = Version::HTTP_11;
    let refused = fields::strip_hop_by_hop(response.headers_mut());
    response.headers_mut().append(VIA, via);
    let Some((upgrade, client)) = upgrade else {
        let idle = target.upstream.idle_timeout();
        return Ok(
            response.map(|body| ResponseBody::forwarded(body, idle, refused, in_flight, hold))
        );
    };
    *response.status_mut() = upgrade.write_answer(response.headers_mut());
    let server = hyper::upgrade::on(&mut response);
    // The permit is given back when the answer is sent, unless the tunnel holds it.
    let permit = grant.map(Grant::permit).transpose().map_err(|_| PERMIT_GONE)?.flatten();
    let is_websocket = upgrade.is_websocket();
    Tunnel { client, server, is_websocket, permit, in_flight, place }.open(drain);
    Ok(response.map(|_| ResponseBody::own(bytes::Bytes::new())))
}

/// Refuses an answer with another transfer coding than `chunked`, which would reach the client as content.
fn check_coding(headers: &HeaderMap) -> Result<(), Failure> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Ok(());
    }
    let text = "the upstream uses an unknown transfer coding\n";
    Err(Failure::new(StatusCode::BAD_GATEWAY, text))
}

/// Refuses a switch with content, which the server would read as the other protocol, and one that the upstream
/// cannot make.
fn check_upgrade(target: &Target, content: &Drained) -> Result<(), Failure> {
    if !content.is_end_stream() {
        let text = "a request that switches protocols has no content\n";
        return Err(Failure::new(StatusCode::BAD_REQUEST, text));
    }
    if !target.upstream.takes_upgrades() {
        let text = "the upstream speaks HTTP/2 only\n";
        return Err(Failure::new(StatusCode::NOT_IMPLEMENTED, text));
    }
    Ok(())
}

/// Tells the upstream that the client takes trailers, as gRPC requires (RFC 9110 §10.1.4).
fn write_te(headers: &mut HeaderMap, target: &Target) {
    headers.insert(TE, HeaderValue::from_static("trailers"));
    if target.upstream.takes_upgrades() {
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
}
