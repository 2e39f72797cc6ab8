//! A straight function that does the work of a gate with the same primitives: no layer, no profile, no queue, and
//! nothing that is chosen at run time. What a gate costs beyond it is what structure costs.

use std::convert::Infallible;
use std::future::ready;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, Request, Response, StatusCode};
use tower::Service;
use tower_api_key::caller::Caller;
use tower_api_key::clock::{Clock, Timestamp};
use tower_api_key::key::{Alphabet, KeyFormat, KeyHasher, KeyRecord, SharedRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, MemoryLimiter};
use tower_api_key::quota::{AppliedQuotas, Quotas, Verdict};
use tower_api_key::request::{Connection, MAX_CREDENTIAL_BYTES};
use tower_api_key::store::{KeyStore, MemoryStore};
use tower_api_key::{Denial, Malformation};

use super::gates::BEARER_ONLY;
use super::keys::FORMAT;
use super::limit_template::{LimitTemplate, insert};
use super::service::{Served, answer_now, serve};
use super::straight_routes::StraightRoutes;

/// What a straight function leaves on a request and its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    /// What a grant holds in the extensions, and three headers, each inserted by its name.
    GrantAndHeaders,
    /// The same, with the headers copied from a map that is built once, as the gate does it.
    GrantAndTemplate,
}

/// What a [`Grant`](tower_api_key::Grant) holds.
#[derive(Clone)]
#[allow(dead_code, reason = "a handler would read it")]
struct Proof {
    record: SharedRecord,
    verdict: Verdict,
    quotas: Quotas,
}

/// The straight function, with what it reads.
pub(crate) struct Straight<C> {
    format: KeyFormat<'static>,
    hasher: KeyHasher,
    store: MemoryStore,
    limiter: Arc<MemoryLimiter>,
    clock: C,
    routes: StraightRoutes,
    quotas: Quotas,
    left: Left,
    /// Lets the limiter load its counters beside the record, as a gate does.
    loads_ahead: bool,
    template: LimitTemplate,
}

impl<C: Clock> Straight<C> {
    pub(crate) fn new(
        clock: C,
        store: &MemoryStore,
        limiter: &Arc<MemoryLimiter>,
        left: Left,
    ) -> Self {
        Self {
            // A gate does not know its format when it is compiled. Neither may this.
            format: black_box(FORMAT),
            hasher: black_box(KeyHasher::sha256()),
            store: store.clone(),
            limiter: Arc::clone(limiter),
            clock,
            routes: StraightRoutes::new(),
            quotas: Quotas::new(BEARER_ONLY.quotas.iter().cloned()).expect("valid"),
            left,
            loads_ahead: false,
            template: LimitTemplate::new(),
        }
    }

    /// The same, whose store lets the limiter load its counters beside the record.
    pub(crate) fn loading_ahead(self) -> Self {
        Self { loads_ahead: true, ..self }
    }

    /// Lets a request pass, or refuses it for the reason for which a gate refuses it.
    #[inline]
    pub(crate) fn pass(&self, mut request: Request<()>) -> Result<Response<Body>, Denial> {
        let address = secure_peer(request.extensions())?;
        let token = token(request.headers())?;
        if !self.format.matches(token) {
            return Err(not_a_key(token));
        }
        let digest = self.hasher.digest(token);
        let found = if self.loads_ahead {
            self.store.find_and_preload(&digest, &|place| self.limiter.preload(place))
        } else {
            self.store.find(&digest)
        };
        let found = answer_now(found).map_err(|_| Denial::StoreUnavailable)?;
        let record = found.filter(|record| record.audience().is_none());
        let record = record.ok_or(Denial::KeyUnknown)?;
        let now = self.clock.now();
        is_alive(&record, now)?;
        if let Some(networks) = record.networks()
            && !address.is_some_and(|address| networks.contains(address))
        {
            return Err(Denial::NetworkNotAllowed);
        }
        let scope = self.routes.find(request.method(), request.uri().path());
        let scope = scope.ok_or(Denial::RouteUnknown)?;
        if !record.scopes().contains(scope) {
            return Err(Denial::ScopeMissing { needed: scope.into() });
        }
        let general = record.quotas().unwrap_or(&self.quotas);
        let charge = Charge {
            caller: Caller::Key(&record),
            quotas: AppliedQuotas { general: general.as_slice(), route: &[] },
            cost: 1,
            mode: ChargeMode::IfAllowed,
            now,
        };
        let verdict = answer_now(self.limiter.charge(charge));
        let verdict = verdict.map_err(|_| Denial::LimiterUnavailable)?;
        if let Some(retry_after) = verdict.retry_after() {
            return Err(Denial::RateLimited { retry_after });
        }
        if let Some(value) = request.headers_mut().get_mut(AUTHORIZATION) {
            value.set_sensitive(true);
        }
        if self.left == Left::Nothing {
            return Ok(serve(request));
        }
        let quotas = general.clone();
        request.extensions_mut().insert(Proof { record, verdict: verdict.clone(), quotas });
        let mut response = serve(request);
        if let Some((_, nearest)) = verdict.nearest() {
            match self.left {
                Left::GrantAndTemplate => *response.headers_mut() = self.template.copy(&nearest),
                _ => insert(response.headers_mut(), &nearest),
            }
        }
        Ok(response)
    }
}

/// As a service, so that it is called and timed as a gate is.
impl<C: Clock> Service<Request<()>> for Straight<C> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Served;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Served {
        ready(Ok(self.pass(request).unwrap_or_else(|_| {
            let mut refusal = Response::new(Body::empty());
            *refusal.status_mut() = StatusCode::FORBIDDEN;
            refusal
        })))
    }
}

/// Returns the address of a client that came over TLS.
fn secure_peer(extensions: &Extensions) -> Result<Option<IpAddr>, Denial> {
    let connection = extensions.get::<Connection>().filter(|connection| connection.is_tls());
    connection.map(Connection::peer).ok_or(Denial::InsecureTransport)
}

/// Reads the token of the one `Authorization`.
fn token(headers: &HeaderMap) -> Result<&[u8], Denial> {
    let value = headers.get(AUTHORIZATION).ok_or(Denial::CredentialsMissing)?;
    if headers.len() > headers.keys_len() && headers.get_all(AUTHORIZATION).iter().nth(1).is_some()
    {
        return Err(Denial::CredentialsAmbiguous);
    }
    let value = value.as_bytes();
    match value.strip_prefix(b"Bearer ").filter(|token| !token.starts_with(b" ")) {
        Some(token) => Ok(token),
        None => unusual(value),
    }
}

/// Reads a scheme that is written in an unusual way.
#[cold]
fn unusual(value: &[u8]) -> Result<&[u8], Denial> {
    let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at(end);
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if scheme.is_empty() || !scheme.iter().all(is_tchar) {
        return Err(Denial::CredentialsMalformed(Malformation::Scheme));
    }
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(Denial::SchemeUnsupported);
    }
    let spaces = token.iter().take_while(|byte| **byte == b' ').count();
    Ok(token.get(spaces..).unwrap_or_default())
}

/// Returns why a token is no key: it is no token, or of no known format.
#[cold]
fn not_a_key(token: &[u8]) -> Denial {
    let body = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    if token.len() > MAX_CREDENTIAL_BYTES {
        Denial::CredentialsMalformed(Malformation::TooLong)
    } else if body == 0 {
        Denial::CredentialsMalformed(Malformation::Empty)
    } else if KeyFormat::new().between(Alphabet::Token, 1, u16::MAX).matches(&token[..body]) {
        Denial::KeyMalformed
    } else {
        Denial::CredentialsMalformed(Malformation::Alphabet)
    }
}

fn is_alive(record: &KeyRecord, now: Timestamp) -> Result<(), Denial> {
    if record.is_revoked() {
        Err(Denial::KeyRevoked)
    } else if record.is_disabled() {
        Err(Denial::KeyDisabled)
    } else if record.expires().is_some_and(|expires| expires <= now) {
        Err(Denial::KeyExpired)
    } else if record.not_before().is_some_and(|begins| now < begins) {
        Err(Denial::KeyNotYetValid)
    } else {
        Ok(())
    }
}
