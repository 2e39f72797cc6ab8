//! The request that a proxy asks about, restored from what the proxy says of it (forward auth).

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::original_request_error::OriginalRequestError;
use crate::error::ConfigError;

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Where a proxy states the request that it asks about, in forward auth: nginx's `auth_request`, Traefik's
/// `ForwardAuth`, Caddy's `forward_auth` and Envoy's `ext_authz`.
///
/// A gate with [`forward_auth`](crate::ApiKeyLayerBuilder::forward_auth) restores the request. It reads these headers
/// from trusted proxies only. Each of them must have exactly one line. The proxy must overwrite them: any client can
/// send headers of these names.
///
/// The path is taken as it stands, still percent-encoded and with its query. State the path that the upstream server
/// gets. If the proxy states one path and forwards another, the gate judges the wrong one.
///
/// ```
/// use http::HeaderName;
/// use tower_api_key::request::OriginalRequest;
///
/// let traefik_or_caddy = OriginalRequest::x_forwarded();
/// let envoy = OriginalRequest::below("/check"); // its `path_prefix`
/// // proxy_set_header X-Original-Method $request_method;
/// // proxy_set_header X-Original-URI $request_uri;
/// let nginx = OriginalRequest::headers(
///     HeaderName::from_static("x-original-method"),
///     HeaderName::from_static("x-original-uri"),
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginalRequest(Statement);

/// The place of the method and of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Statement {
    Headers { method: HeaderName, target: HeaderName },
    Below(String),
}

impl OriginalRequest {
    /// Reads `X-Forwarded-Method`, `X-Forwarded-Uri` and `X-Forwarded-Host`, as Traefik and Caddy write them.
    pub fn x_forwarded() -> Self {
        let method = HeaderName::from_static("x-forwarded-method");
        Self::headers(method, HeaderName::from_static("x-forwarded-uri"))
    }

    /// Reads the method and the path with its query from these headers, and the host from `X-Forwarded-Host`.
    pub const fn headers(method: HeaderName, path_and_query: HeaderName) -> Self {
        Self(Statement::Headers { method, target: path_and_query })
    }

    /// Takes the method of the question itself, and its path after this prefix, as Envoy writes them.
    pub fn below(prefix: impl Into<String>) -> Self {
        Self(Statement::Below(prefix.into()))
    }

    /// Refuses headers that mean something else, and a prefix that no path can have.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ForwardAuth`].
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let problem = match &self.0 {
            Statement::Headers { method, target } => {
                let taken = [HOST, FORWARDED_HOST];
                if method == target || taken.contains(method) || taken.contains(target) {
                    "the method, the path and the host need three headers: name another one"
                } else {
                    return Ok(());
                }
            }
            Statement::Below(prefix) => {
                let is_path = prefix.parse::<PathAndQuery>().is_ok_and(|path| path == **prefix);
                if !prefix.starts_with('/') || prefix.ends_with('/') {
                    "write the prefix with a slash before it and none after it, as `/check`"
                } else if !is_path || prefix.contains('?') {
                    "write a path without query, as `/check`"
                } else {
                    return Ok(());
                }
            }
        };
        Err(ConfigError::ForwardAuth { part: "the original request", problem })
    }

    /// Gives a question of a trusted proxy the method, path, query and host of the request that it is about.
    ///
    /// # Errors
    ///
    /// [`OriginalRequestError`] if one of them is missing, is stated twice, or is not valid.
    pub(crate) fn restore<B>(&self, question: &mut Request<B>) -> Result<(), OriginalRequestError> {
        let target = match &self.0 {
            Statement::Headers { method, target } => {
                let headers = question.headers_mut();
                let stated = only_line(headers, method)?;
                let stated_method = Method::from_bytes(stated.as_bytes())
                    .map_err(|_| OriginalRequestError::Unreadable { part: "method" })?;
                let stated_target = path_and_query(only_line(headers, target)?.as_bytes())?;
                let host = match only_line(headers, &FORWARDED_HOST) {
                    Ok(host) => Some(host.clone()),
                    Err(OriginalRequestError::Missing { .. }) => None,
                    Err(error) => return Err(error),
                };
                for name in [method, target, &FORWARDED_HOST, &HOST] {
                    headers.remove(name);
                }
                headers.extend(host.map(|host| (HOST, host)));
                *question.method_mut() = stated_method;
                stated_target
            }
            Statement::Below(prefix) => {
                let target = question.uri().path_and_query().map_or("", PathAndQuery::as_str);
                let rest = target.strip_prefix(&**prefix).filter(|rest| rest.starts_with('/'));
                let rest = rest.ok_or(OriginalRequestError::Elsewhere)?;
                path_and_query(rest.as_bytes())?
            }
        };
        if *question.method() == Method::CONNECT {
            return Err(OriginalRequestError::Unreadable { part: "method" });
        }
        *question.uri_mut() = Uri::from(target);
        Ok(())
    }
}

/// Returns the only line of a header. Of two lines, one may be the client's.
fn only_line<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<&'a HeaderValue, OriginalRequestError> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(line),
        (None, _) => Err(OriginalRequestError::Missing { header: name.clone() }),
        (Some(_), Some(_)) => Err(OriginalRequestError::Repeated { header: name.clone() }),
    }
}

/// Reads a path with its query, as the server of the gate reads one.
fn path_and_query(stated: &[u8]) -> Result<PathAndQuery, OriginalRequestError> {
    let parsed = PathAndQuery::try_from(stated).ok();
    // The parser cuts off a fragment, and the upstream server may not.
    parsed
        .filter(|target| stated.starts_with(b"/") && target.as_str().as_bytes() == stated)
        .ok_or(OriginalRequestError::Unreadable { part: "path" })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Restores a request, and returns its method, target and host.
    fn restored(
        original: &OriginalRequest,
        target: &str,
        lines: &[(&str, &str)],
    ) -> Result<String, OriginalRequestError> {
        let mut question = Request::put(target).body(()).unwrap();
        for (name, value) in lines {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            question.headers_mut().append(name.parse::<HeaderName>().unwrap(), value);
        }
        original.restore(&mut question)?;
        assert!(!question.headers().keys().any(|name| name.as_str().starts_with("x-forwarded-")));
        let host = question.headers().get(HOST).map_or("-", |host| host.to_str().unwrap());
        Ok(format!("{} {} {host}", question.method(), question.uri()))
    }

    #[test]
    fn each_header_states_its_part_once() {
        const METHOD: (&str, &str) = ("x-forwarded-method", "GET");
        const URI: (&str, &str) = ("x-forwarded-uri", "/v1/users?a=1");
        const HOST: (&str, &str) = ("x-forwarded-host", "api.example.com");
        let unreadable = |part| Err(OriginalRequestError::Unreadable { part });
        let missing =
            |header| Err(OriginalRequestError::Missing { header: HeaderName::from_static(header) });
        let repeated = |header| {
            Err(OriginalRequestError::Repeated { header: HeaderName::from_static(header) })
        };
        let path = |path| ("x-forwarded-uri", path);
        let method = |method| ("x-forwarded-method", method);
        for (lines, expected) in [
            (&[METHOD, URI, HOST][..], Ok("GET /v1/users?a=1 api.example.com")),
            (&[METHOD, URI, ("host", "gate.internal")], Ok("GET /v1/users?a=1 -")),
            (&[METHOD, URI, HOST, ("host", "gate")], Ok("GET /v1/users?a=1 api.example.com")),
            (&[method("PURGE"), URI], Ok("PURGE /v1/users?a=1 -")),
            // Judged as they stand.
            (&[METHOD, path("/a%2Fb/../c//d;e?f=/../g")], Ok("GET /a%2Fb/../c//d;e?f=/../g -")),
            (&[METHOD, path("//evil.example/a")], Ok("GET //evil.example/a -")),
            (&[METHOD, path("/a?")], Ok("GET /a? -")),
            (&[URI], missing("x-forwarded-method")),
            (&[METHOD], missing("x-forwarded-uri")),
            (&[METHOD, METHOD, URI], repeated("x-forwarded-method")),
            (&[METHOD, URI, URI], repeated("x-forwarded-uri")),
            (&[METHOD, URI, HOST, HOST], repeated("x-forwarded-host")),
            // Merged lines.
            (&[method("GET, POST"), URI], unreadable("method")),
            (&[METHOD, path("/a, /b")], unreadable("path")),
            (&[method(""), URI], unreadable("method")),
            (&[method("CONNECT"), URI], unreadable("method")),
            (&[METHOD, path("")], unreadable("path")),
            (&[METHOD, path("*")], unreadable("path")),
            (&[METHOD, path("?a=1")], unreadable("path")),
            (&[METHOD, path("v1/users")], unreadable("path")),
            (&[METHOD, path("http://a.example/v1")], unreadable("path")),
            (&[METHOD, path("/v1#/../admin")], unreadable("path")),
            (&[METHOD, path("/v1/a b")], unreadable("path")),
            (&[METHOD, path("/v1/<")], unreadable("path")),
        ] {
            let told = restored(&OriginalRequest::x_forwarded(), "/check", lines);
            assert_eq!(told, expected.map(str::to_owned), "{lines:?}");
        }
    }

    #[test]
    fn a_prefix_is_cut_off_once() {
        let below = OriginalRequest::below("/check");
        for (target, expected) in [
            ("/check/v1/users?a=1", Some("PUT /v1/users?a=1 -")),
            ("/check/check/a", Some("PUT /check/a -")),
            ("/check/", Some("PUT / -")),
            ("/check//a/../b", Some("PUT //a/../b -")),
            ("http://gate.internal/check/a", Some("PUT /a -")),
            ("/check", None),
            ("/check?a=/b", None),
            ("/checked/a", None),
            ("/v1/users", None),
            ("/a/../check/v1", None),
        ] {
            let told = restored(&below, target, &[("x-forwarded-uri", "/forged")][..0]);
            let expected = expected.map(str::to_owned).ok_or(OriginalRequestError::Elsewhere);
            assert_eq!(told, expected, "{target}");
        }
    }

    #[test]
    fn a_statement_that_cannot_be_read_is_refused_when_it_is_configured() {
        let headers = |method: &str, target: &str| {
            OriginalRequest::headers(method.parse().unwrap(), target.parse().unwrap())
        };
        for (original, fine) in [
            (OriginalRequest::x_forwarded(), true),
            (headers("x-original-method", "x-original-uri"), true),
            (headers("x-original", "x-original"), false),
            (headers("host", "x-original"), false),
            (headers("x-original", "x-forwarded-host"), false),
            (OriginalRequest::below("/check"), true),
            (OriginalRequest::below("/internal/check"), true),
            (OriginalRequest::below(""), false),
            (OriginalRequest::below("/"), false),
            (OriginalRequest::below("check"), false),
            (OriginalRequest::below("/check/"), false),
            (OriginalRequest::below("/check?a"), false),
            (OriginalRequest::below("/check#a"), false),
            (OriginalRequest::below("/che ck"), false),
        ] {
            assert_eq!(original.check().is_ok(), fine, "{original:?}");
        }
    }
}
