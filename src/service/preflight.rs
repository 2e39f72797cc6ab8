//! The gate's own answer to CORS preflights.

use std::any::Any;
use std::net::Ipv6Addr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, CONTENT_TYPE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::Body;

use crate::error::ConfigError;
use crate::request::field_name;

/// The request headers that the answer depends on (Fetch §3.2.5), for caches.
const DEPENDS_ON: HeaderValue = HeaderValue::from_static(
    "origin, access-control-request-method, access-control-request-headers",
);

/// The gate's answer to CORS preflights (Fetch §3.2) without a credential.
///
/// The gate answers 204. For an allowed origin the answer lists the methods and headers that its requests may
/// have: the headers that carry the profile's keys, those that the profile requires, `Content-Type`, and those
/// of [`headers`](Self::headers).
///
/// A browser shows a response to a page only if the response itself has `Access-Control-Allow-Origin`. The
/// gate adds that header only to the answer to a preflight. If a CORS layer outside of the gate adds it to all
/// responses, refusals included, let that layer answer the preflights, too.
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, body::Body, routing::post};
/// use http::Request;
/// use tower::ServiceExt;
/// use tower_api_key::{ApiKeyLayer, Preflight, Profile, store::MemoryStore};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let preflight =
///     Preflight::from_origins(["https://app.example.com"]).max_age(Duration::from_secs(600));
/// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
/// let gate = builder.assume_https().answer_preflight(preflight).build()?;
/// let app = Router::new().route("/api", post(|| async { "created" })).layer(gate);
///
/// let request = Request::options("/api")
///     .header("origin", "https://app.example.com")
///     .header("access-control-request-method", "POST")
///     .body(Body::empty())?;
/// let answer = app.oneshot(request).await?;
/// assert_eq!(answer.status(), 204);
/// assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com");
/// let allowed = &answer.headers()["access-control-allow-headers"];
/// assert_eq!(allowed, "authorization,content-type,x-api-key");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "pass it to `ApiKeyLayerBuilder::answer_preflight`"]
pub struct Preflight {
    /// `None` allows every origin.
    origins: Option<Vec<String>>,
    methods: Vec<Method>,
    headers: Vec<String>,
    max_age: Option<Duration>,
}

impl Preflight {
    /// Allows pages of these origins. Write an origin as browsers do: a scheme, a host, and a port if it is not
    /// the scheme's default, as `https://app.example.com`.
    pub fn from_origins<S: Into<String>>(origins: impl IntoIterator<Item = S>) -> Self {
        Self { origins: Some(origins.into_iter().map(Into::into).collect()), ..Self::every() }
    }

    /// Allows pages of every origin. The requests of a page still need a key. A key inside of a page is visible
    /// to every reader of the page.
    pub fn from_any_origin() -> Self {
        Self::every()
    }

    fn every() -> Self {
        use Method as M;
        let methods = vec![M::GET, M::HEAD, M::POST, M::PUT, M::PATCH, M::DELETE];
        Self { origins: None, methods, headers: Vec::new(), max_age: None }
    }

    /// Sets the allowed methods: `GET`, `HEAD`, `POST`, `PUT`, `PATCH` and `DELETE` unless set.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods = methods.into_iter().collect();
        self
    }

    /// Adds allowed headers to those of the profile.
    pub fn headers<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.headers.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets how long browsers may keep the answer, in whole seconds. Without a call they keep it for 5 seconds.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Prepares the answer, with the headers that the profile reads.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a list is empty, or an origin or a header name is not valid.
    pub(super) fn prepare(
        self,
        of_profile: impl Iterator<Item = HeaderName>,
    ) -> Result<PreparedPreflight, ConfigError> {
        let origin = |origin: String| {
            let invalid = ConfigError::Origin { origin: origin.clone() };
            if is_origin(&origin) {
                HeaderValue::try_from(origin).map_err(|_| invalid)
            } else {
                Err(invalid)
            }
        };
        let origins = self.origins.map(|origins| {
            if origins.is_empty() {
                let place = "the answer to preflights".to_owned();
                return Err(ConfigError::NoAlternative { place, list: "from_origins" });
            }
            origins.into_iter().map(origin).collect::<Result<Vec<_>, _>>()
        });
        if self.methods.is_empty() {
            let place = "the answer to preflights".to_owned();
            return Err(ConfigError::NoAlternative { place, list: "methods" });
        }
        let mut names: Vec<HeaderName> = of_profile.chain([CONTENT_TYPE]).collect();
        for name in self.headers {
            names.push(field_name("the preflight answer, a name in `headers`,", &name)?);
        }
        names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        names.dedup();
        let names: Vec<&str> = names.iter().map(HeaderName::as_str).collect();
        let methods: Vec<&str> = self.methods.iter().map(Method::as_str).collect();
        let mut headers = HeaderMap::new();
        for (name, list) in [
            (ACCESS_CONTROL_ALLOW_HEADERS, names.join(",")),
            (ACCESS_CONTROL_ALLOW_METHODS, methods.join(",")),
        ] {
            // Tokens with commas between them always make a valid value.
            headers.extend(HeaderValue::try_from(list).ok().map(|list| (name, list)));
        }
        if let Some(age) = self.max_age {
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(age.as_secs()));
        }
        Ok(PreparedPreflight { origins: origins.transpose()?, headers })
    }
}

/// Returns true if a request's body is of a known type and has content.
pub(super) type HasContent = fn(&dyn Any) -> bool;

/// Returns true for a body of this type that has not ended. `Any`, because a gate is generic over bodies.
pub(super) fn has_content<B: Body + 'static>(body: &dyn Any) -> bool {
    body.downcast_ref::<B>().is_some_and(|body| !body.is_end_stream())
}

/// Returns true for an origin as browsers serialize it (RFC 6454 §6.2): ASCII, with nothing after the port, and
/// without the scheme's default port. Host names on the web are in lower case. Browser extensions have other
/// schemes, and hosts that may have upper case.
fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let of_scheme = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.')
    };
    if !scheme.starts_with(|first: char| first.is_ascii_lowercase())
        || !scheme.bytes().all(of_scheme)
    {
        return false;
    }
    let own_port = match scheme {
        "http" => Some("80"),
        "https" => Some("443"),
        _ => None,
    };
    let (is_host, port) = if let Some(rest) = rest.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        (address.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let end = rest.find(':').unwrap_or(rest.len());
        let (host, port) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let of_host = |byte: u8| {
            byte.is_ascii_graphic()
                && !(own_port.is_some() && byte.is_ascii_uppercase())
                && !matches!(byte, b'/' | b'?' | b'#' | b'@' | b',' | b'*' | b'[' | b']')
        };
        (!host.is_empty() && host.bytes().all(of_host), port)
    };
    let is_port = |port: &str| {
        let plain = !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok();
        plain && Some(port) != own_port
    };
    is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// The checked answer to preflights.
#[derive(Debug)]
pub(super) struct PreparedPreflight {
    origins: Option<Vec<HeaderValue>>,
    headers: HeaderMap,
}

impl PreparedPreflight {
    /// Returns the answer to a preflight with these headers.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response<Bytes> {
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        let origin = request.get(ORIGIN);
        let allowed = match &self.origins {
            None => Some(HeaderValue::from_static("*")),
            Some(origins) => origin.filter(|origin| origins.contains(origin)).cloned(),
        };
        if let Some(allowed) = allowed {
            answer.headers_mut().clone_from(&self.headers);
            answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
        answer.headers_mut().insert(VARY, DEPENDS_ON);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send() {
        for (text, expected) in [
            ("https://app.example.com", true),
            ("http://localhost:3000", true),
            ("https://[::1]:8443", true),
            ("capacitor://localhost", true),
            ("chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb", true),
            ("moz-extension://6f7d1f1e-6f35-4a0e-9d1c-0a6f6d8f4a11", true),
            ("safari-web-extension://6F7D1F1E-6F35-4A0E-9D1C-0A6F6D8F4A11", true),
            ("https://app.example.com:8443", true),
            ("http://app.example.com:443", true),
            ("https://app.example.com:443", false),
            ("http://app.example.com:80", false),
            ("https://[::1]:443", false),
            ("https://app.example.com:", false),
            ("https://app.example.com:08443", false),
            ("https://app.example.com:65536", false),
            ("https://app.example.com:x", false),
            ("https://app.example.com:1:2", false),
            ("https://[::1", false),
            ("https://[app]", false),
            ("https://[::1]x", false),
            ("https://::1", false),
            ("1a://x", false),
            ("app.example.com", false),
            ("https://", false),
            ("://x", false),
            ("https://app.example.com/", false),
            ("https://app.example.com/path", false),
            ("https://App.example.com", false),
            ("HTTPS://app.example.com", false),
            ("https://*.example.com", false),
            ("https://user@example.com", false),
            ("https://a.example, https://b.example", false),
            ("*", false),
            ("null", false),
        ] {
            assert_eq!(is_origin(text), expected, "{text}");
        }
    }
}
