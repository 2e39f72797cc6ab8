//! The checked credential sources of a profile.

use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderName};

use super::authorization::Schemes;
use super::head::Head;
#[cfg(feature = "axum")]
use super::original_path;
use super::source::{Carrier, Source, SourceIndex};
use super::{query, websocket};
use crate::error::ConfigError;
use crate::profile::CredentialSource;

/// The checked credential sources of a profile.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(super) sources: Box<[Source]>,
    pub(super) schemes: Schemes,
    /// The vendor's own headers. Both headers of a pair have the same source.
    pub(super) headers: Vec<(HeaderName, usize)>,
    /// The query parameters.
    pub(super) parameters: Vec<(Box<str>, usize)>,
    /// The prefixes of protocols that a WebSocket client offers.
    pub(super) protocols: Vec<(Box<str>, usize)>,
    pub(super) reads_authorization: bool,
    reads_ids: bool,
    /// Whether a request may carry the same key in two sources.
    pub(super) allows_equal: bool,
}

impl Credentials {
    pub(crate) fn new(described: &[CredentialSource<'_>]) -> Result<Self, ConfigError> {
        if described.is_empty() {
            return Err(ConfigError::NoCredentialSource);
        }
        let repeated = |name: &HeaderName| ConfigError::RepeatedCredentialSource(name.to_string());
        let mut schemes = Schemes::default();
        let mut headers: Vec<(HeaderName, usize)> = Vec::new();
        let mut parameters: Vec<(Box<str>, usize)> = Vec::new();
        let mut protocols: Vec<(Box<str>, usize)> = Vec::new();
        let mut sources = Vec::new();
        for (index, described) in described.iter().enumerate() {
            let source = Source::new(described)?;
            if matches!(source.carrier, Carrier::Scheme(_)) {
                schemes.add(described.scheme.label(), index)?;
            }
            if source.is_in_query() {
                let name = described.scheme.label();
                if parameters.iter().any(|(other, _)| **other == *name) {
                    return Err(ConfigError::RepeatedCredentialSource(name.to_owned()));
                }
                parameters.push((name.into(), index));
            }
            if source.is_in_protocol() {
                let prefix = described.scheme.label();
                let overlaps = |(other, _): &(Box<str>, usize)| {
                    other.starts_with(prefix) || prefix.starts_with(&**other)
                };
                if protocols.iter().any(overlaps) {
                    return Err(ConfigError::RepeatedCredentialSource(prefix.to_owned()));
                }
                protocols.push((prefix.into(), index));
            }
            for name in source.own_headers() {
                if headers.iter().any(|(other, _)| other == name) {
                    return Err(repeated(name));
                }
                headers.push((name.clone(), index));
            }
            sources.push(source);
        }
        let reads_authorization = !schemes.is_empty();
        if reads_authorization && headers.iter().any(|(name, _)| *name == AUTHORIZATION) {
            return Err(repeated(&AUTHORIZATION));
        }
        if !protocols.is_empty() && headers.iter().any(|(name, _)| *name == SEC_WEBSOCKET_PROTOCOL)
        {
            return Err(repeated(&SEC_WEBSOCKET_PROTOCOL));
        }
        let reads_ids = sources.iter().any(Source::has_id);
        let allows_equal = sources.iter().any(|source| source.allows_equal);
        Ok(Self {
            sources: sources.into(),
            schemes,
            headers,
            parameters,
            protocols,
            reads_authorization,
            reads_ids,
            allows_equal,
        })
    }

    /// Returns the source of a key that was read.
    pub(crate) fn source(&self, index: SourceIndex) -> Option<&Source> {
        self.sources.get(index.0)
    }

    /// Returns true if a source has the id of its key beside the key.
    pub(crate) const fn reads_ids(&self) -> bool {
        self.reads_ids
    }

    /// Lists the headers that carry keys.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        let authorization = self.reads_authorization.then_some(&AUTHORIZATION);
        authorization.into_iter().chain(self.headers.iter().map(|(name, _)| name))
    }

    /// Returns true if this header can carry a key.
    pub(crate) fn are_carried_in(&self, name: &HeaderName) -> bool {
        let in_protocols = !self.protocols.is_empty() && *name == SEC_WEBSOCKET_PROTOCOL;
        in_protocols || self.header_names().any(|other| other == name)
    }

    /// Returns true if a key may come in the query.
    pub(crate) fn are_in_target(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// Returns true if a key may come among the protocols of a WebSocket.
    pub(crate) fn are_in_protocols(&self) -> bool {
        !self.protocols.is_empty()
    }

    /// Returns true if all keys come in the same header.
    pub(crate) fn are_in_one_header(&self) -> bool {
        self.parameters.is_empty()
            && self.protocols.is_empty()
            && self.header_names().nth(1).is_none()
    }

    /// Returns true for a preflight whose only key is in its query. A browser sends no credential with a
    /// preflight (Fetch §4.8), but repeats the URL of the request that it asks about.
    pub(crate) fn is_keyless_preflight(&self, head: Head<'_>) -> bool {
        !self.parameters.is_empty()
            && head.is_preflight()
            && !self.header_names().any(|name| head.headers.contains_key(name))
    }

    /// Removes the key from the URI of a request, so that no code behind the gate can log it.
    #[inline]
    pub(crate) fn hide_in_uri<B>(&self, request: &mut http::Request<B>) {
        if !self.parameters.is_empty() {
            self.remove_parameters(request);
        }
    }

    /// Returns true if a protocol of this name would carry a key.
    pub(crate) fn is_key_protocol(&self, name: &str) -> bool {
        self.protocols.iter().any(|(prefix, _)| name.starts_with(&**prefix))
    }

    /// Removes the key from the protocols that a client offers, so that no code behind the gate can select it.
    #[inline]
    pub(crate) fn hide_in_protocols(&self, headers: &mut HeaderMap) {
        if !self.protocols.is_empty() && headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
            websocket::remove(headers, &self.protocols);
        }
    }

    #[cold]
    fn remove_parameters<B>(&self, request: &mut http::Request<B>) {
        if let Some(uri) = query::without(request.uri(), &self.parameters) {
            *request.uri_mut() = uri;
        }
        query::remove_referrer(request.headers_mut(), &self.parameters);
        #[cfg(feature = "axum")]
        original_path::change_original_uri(request, |uri| query::without(uri, &self.parameters));
    }

    /// Marks the credential as sensitive, so that code that prints or compresses headers does not show
    /// it.
    pub(crate) fn mark_sensitive(&self, headers: &mut HeaderMap) {
        let mut mark = |name: &HeaderName| {
            if let Some(value) = headers.get_mut(name) {
                value.set_sensitive(true);
            }
        };
        if self.reads_authorization {
            mark(&AUTHORIZATION);
        }
        self.own_header_names().for_each(mark);
        if !self.protocols.is_empty() {
            websocket::mark_sensitive(headers);
        }
    }

    /// Lists the vendor's own headers that carry keys. Caches do not know them, unlike `Authorization`.
    pub(crate) fn own_header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.headers.iter().map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictory_sources_are_refused() {
        const TWICE: &[CredentialSource<'_>] =
            &[CredentialSource::bearer(), CredentialSource::bearer()];
        const WHOLE: &[CredentialSource<'_>] =
            &[CredentialSource::bearer(), CredentialSource::header("Authorization")];
        assert!(Credentials::new(&[]).is_err());
        assert!(Credentials::new(TWICE).is_err());
        assert!(Credentials::new(WHOLE).is_err());
        const NO_KIND: &[CredentialSource<'_>] = &[CredentialSource::bearer().only(&[])];
        let error = Credentials::new(NO_KIND).unwrap_err();
        assert!(matches!(error, ConfigError::NoAlternative { list: "only", .. }), "{error}");
    }
}
