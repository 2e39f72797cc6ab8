//! Headers that keep answers to authenticated requests out of shared caches.

use http::header::{AUTHORIZATION, CACHE_CONTROL, REFERRER_POLICY, SEC_WEBSOCKET_PROTOCOL, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::ConfigError;
use crate::profile::{CredentialSource, Scheme};
use crate::request::{elements, field_name};

/// The headers that may carry a credential, for `Vary`.
#[derive(Debug)]
pub(super) struct CredentialHeaders {
    names: Vec<HeaderName>,
    /// All names in one line, written once. `None` without a header.
    line: Option<HeaderValue>,
}

impl CredentialHeaders {
    pub(super) fn new(sources: &[CredentialSource<'_>]) -> Result<Self, ConfigError> {
        let mut names: Vec<HeaderName> = Vec::new();
        for source in sources {
            let own = |name| field_name("the profile's field `credentials`, a header", name);
            let named = match source.scheme {
                // The query is a part of what caches look answers up by.
                Scheme::InsecureQuery(_) => Vec::new(),
                Scheme::WebSocketProtocol(_) => vec![SEC_WEBSOCKET_PROTOCOL],
                Scheme::Header(name) => vec![own(name)?],
                Scheme::IdAndSecret { id, secret } => vec![own(secret)?, own(id)?],
                Scheme::Basic(_)
                | Scheme::Bearer
                | Scheme::WideBearer
                | Scheme::Named(_)
                | Scheme::NamedPair(..) => vec![AUTHORIZATION],
            };
            for name in named {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let line = names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", ");
        // Header names always make a valid value. `*` would fail closed: no cache reuses the answer.
        let line = HeaderValue::try_from(line).unwrap_or(HeaderValue::from_static("*"));
        let line = (!names.is_empty()).then_some(line);
        Ok(Self { names, line })
    }

    /// Returns the problem of a header that the gate would write although it carries the credential.
    pub(super) fn problem_of(&self, name: &HeaderName) -> Option<&'static str> {
        let problem = "this header carries the credential: choose another name";
        self.names.contains(name).then_some(problem)
    }

    /// Returns the value of `Vary` that names all of the headers.
    pub(super) const fn line(&self) -> Option<&HeaderValue> {
        self.line.as_ref()
    }

    /// Adds each of the headers to `Vary`, also those that the request does not have. So a cache does not
    /// serve the answer of an anonymous request to a client with a key, or the reverse (RFC 9110 §12.5.5).
    /// Keeps the service's own `Vary`, and repeats no name.
    pub(super) fn vary(&self, headers: &mut HeaderMap) {
        let Some(line) = &self.line else { return };
        if !headers.contains_key(VARY) {
            headers.insert(VARY, line.clone());
            return;
        }
        if self.names.iter().any(|name| varies_by(headers, name)) {
            self.names.iter().for_each(|name| vary_by(headers, name));
        } else {
            headers.append(VARY, line.clone());
        }
    }
}

/// Marks the answer to a request whose key came in another header than `Authorization`. Shared caches
/// store no answer to `Authorization` by default (RFC 9111 §3.5), but they do not know other headers. Keeps
/// a `Cache-Control` that the service has set. Without one, removes the service's targeted headers, which some
/// caches would prefer to the gate's `private`. Adds `Vary` in any case.
pub(super) fn keep_private(headers: &mut HeaderMap, credential: &HeaderName) {
    if !headers.contains_key(CACHE_CONTROL) {
        remove_targeted(headers);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
    vary_by(headers, credential);
}

/// Keeps shared caches from storing a response, as for a request whose key came in its query (RFC 6750 §2.3). The
/// service's own `Cache-Control` stays only if it says `private` or `no-store`. None of its targeted
/// headers stays.
pub(crate) fn force_private(headers: &mut HeaderMap) {
    remove_targeted(headers);
    let is_private = elements(headers, &CACHE_CONTROL).any(|directive| {
        directive.eq_ignore_ascii_case(b"private") || directive.eq_ignore_ascii_case(b"no-store")
    });
    if !is_private {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}

/// Forbids browsers to send the URL of the response on. A page would else send it with each request that it makes.
pub(super) fn forbid_referrer(headers: &mut HeaderMap) {
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

/// Returns true for a header that some caches prefer to `Cache-Control`: targeted fields, which end in
/// `-Cache-Control` (RFC 9213 §2.2 and §3), `Surrogate-Control` (Edge Architecture Specification), Akamai's
/// `Edge-Control`, and nginx's `X-Accel-Expires`.
pub(super) fn is_targeted(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.ends_with("-cache-control")
        || matches!(name, "surrogate-control" | "edge-control" | "x-accel-expires")
}

/// Removes what the service says to some caches alone.
fn remove_targeted(headers: &mut HeaderMap) {
    let targeted: Vec<HeaderName> =
        headers.keys().filter(|name| is_targeted(name)).cloned().collect();
    for name in targeted {
        headers.remove(name);
    }
}

/// Adds a header to `Vary`, if it is not in it.
pub(crate) fn vary_by(headers: &mut HeaderMap, name: &HeaderName) {
    if !varies_by(headers, name) {
        headers.append(VARY, HeaderValue::from(name.clone()));
    }
}

/// Returns true if `Vary` names this header, or `*`.
fn varies_by(headers: &HeaderMap, credential: &HeaderName) -> bool {
    elements(headers, &VARY)
        .any(|name| name == b"*" || name.eq_ignore_ascii_case(credential.as_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sources: &[CredentialSource<'_>]) -> CredentialHeaders {
        CredentialHeaders::new(sources).unwrap()
    }

    #[test]
    fn a_service_keeps_its_own_cache_control() {
        let key = HeaderName::from_static("x-api-key");
        for (before, after) in
            [(&[][..], &["private"][..]), (&["public, max-age=60"], &["public, max-age=60"])]
        {
            let mut headers = HeaderMap::new();
            for value in before {
                headers.append(CACHE_CONTROL, value.parse().unwrap());
            }
            keep_private(&mut headers, &key);
            keep_private(&mut headers, &key);
            let values: Vec<_> = headers.get_all(CACHE_CONTROL).iter().collect();
            assert_eq!(values, after);
            assert_eq!(headers.get_all(VARY).iter().count(), 1);
        }
    }

    #[test]
    fn each_header_is_named_once() {
        let bearer = CredentialSource::bearer();
        let basic = CredentialSource::basic(crate::profile::BasicKey::UserOrPassword);
        let own = CredentialSource::header("x-api-key");
        for (sources, line) in [
            (&[bearer][..], "authorization"),
            (&[basic, bearer], "authorization"),
            (&[own, bearer], "x-api-key, authorization"),
            (&[bearer, own, CredentialSource::header("Authorization")], "authorization, x-api-key"),
        ] {
            let named = names(sources);
            let mut headers = HeaderMap::new();
            named.vary(&mut headers);
            named.vary(&mut headers);
            assert_eq!(headers.get_all(VARY).iter().collect::<Vec<_>>(), [line]);
            assert_eq!(named.line().unwrap(), line);
        }
    }
}
