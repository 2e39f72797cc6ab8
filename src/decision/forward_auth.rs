//! What a gate cannot do if it only decides for a proxy (forward auth).

use super::policy::Policy;
use crate::error::ConfigError;
use crate::rules::RouteTable;

impl Policy {
    /// Refuses rules that need the request itself or its response.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NoTrustedNetwork`], [`ConfigError::ForwardAuth`] or [`ConfigError::Route`].
    pub(crate) fn check_forward_auth(&self) -> Result<(), ConfigError> {
        if !self.proxies().trust_any() {
            return Err(ConfigError::NoTrustedNetwork);
        }
        let refused = |part, problem| Err(ConfigError::ForwardAuth { part, problem });
        if !self.proxies().always_proxy() {
            return refused(
                "`trusted_proxies`",
                "a proxy that forgets a header would count as the client: call `TrustedProxies::always_proxies`",
            );
        }
        let credentials = &self.profile.credentials;
        if credentials.are_in_target() {
            return refused(
                "the profile's field `credentials`",
                "a key in the query would reach the upstream server and its logs: take keys from headers",
            );
        }
        if credentials.are_in_protocols() {
            return refused(
                "the profile's field `credentials`",
                "a key among WebSocket protocols would reach the upstream server: take keys from headers",
            );
        }
        if self.options.preflight {
            return refused(
                "preflights",
                "the proxy does not say whether a request has content, so any `OPTIONS` could pass: let the proxy \
                or the upstream server answer preflights, on paths that the proxy does not ask about",
            );
        }
        if !self.grpc().is_empty() {
            return refused(
                "`grpc_services`",
                "a refused call has HTTP status 200, which a proxy takes for access: name no service",
            );
        }
        self.routes.as_ref().map_or(Ok(()), RouteTable::check_forward_auth)
    }
}
