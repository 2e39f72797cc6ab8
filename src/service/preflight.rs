//! CORS preflights that the gate answers by itself.

use std::any::Any;
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

/// What a preflight's answer depends on (Fetch §3.2.5), for caches on the way.
const DEPENDS_ON: HeaderValue = HeaderValue::from_static(
    "origin, access-control-request-method, access-control-request-headers",
);

/// Describes what the gate answers to a CORS preflight (Fetch §3.2) that comes without a credential:
/// 204, and from a listed origin the methods and headers that its requests may have.
///
/// The allowed headers are those that carry the profile's keys, those that it demands, `Content-Type`,
/// and what [`headers`](Self::headers) adds.
///
/// A browser shows an answer to a page only if the answer itself has `Access-Control-Allow-Origin`. This
/// does not write it. Where a CORS layer outside of the gate does, refusals of the gate included, let that
/// layer answer preflights, too, and leave this out.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use tower::{Layer, ServiceExt, service_fn};
/// # use tower_api_key::{ApiKeyLayer, store::MemoryStore, vendors};
/// use std::time::Duration;
/// use tower_api_key::Preflight;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let preflight =
///     Preflight::from_origins(["https://app.example.com"]).max_age(Duration::from_secs(600));
/// # let builder = ApiKeyLayer::builder(vendors::POLYTEIA, MemoryStore::new()).assume_https();
/// let layer = builder.answer_preflight(preflight).build()?;
/// # let service = layer.layer(service_fn(|_: Request<()>| async {
/// #     panic!("the service is not called");
/// #     #[allow(unreachable_code)]
/// #     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
/// # }));
/// let request = Request::options("/api")
///     .header("origin", "https://app.example.com")
///     .header("access-control-request-method", "POST")
///     .body(())?;
/// let answer = service.oneshot(request).await?;
/// assert_eq!(answer.status(), 204);
/// assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com");
/// assert_eq!(answer.headers()["access-control-allow-headers"], "authorization,content-type");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a preflight is answered by a layer that has it"]
pub struct Preflight {
    /// `None` stands for every origin.
    origins: Option<Vec<String>>,
    methods: Vec<Method>,
    headers: Vec<String>,
    max_age: Option<Duration>,
}

impl Preflight {
    /// Answers pages of these origins, each a scheme, a host and a port that is not the scheme's own, as
    /// browsers write them: `https://app.example.com`.
    pub fn from_origins<S: Into<String>>(origins: impl IntoIterator<Item = S>) -> Self {
        Self { origins: Some(origins.into_iter().map(Into::into).collect()), ..Self::every() }
    }

    /// Answers pages of every origin. A page needs a key all the same; whoever puts one into a page
    /// gives it to all its readers.
    pub fn from_any_origin() -> Self {
        Self::every()
    }

    fn every() -> Self {
        use Method as M;
        let methods = vec![M::GET, M::HEAD, M::POST, M::PUT, M::PATCH, M::DELETE];
        Self { origins: None, methods, headers: Vec::new(), max_age: None }
    }

    /// Allows these methods; `GET`, `HEAD`, `POST`, `PUT`, `PATCH` and `DELETE` unless set.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods = methods.into_iter().collect();
        self
    }

    /// Allows these headers besides those of the profile.
    pub fn headers<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.headers.extend(names.into_iter().map(Into::into));
        self
    }

    /// Lets browsers keep the answer for this long, in whole seconds; five seconds unless set.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Makes the answer ready, with the headers that the profile reads.
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
            names.push(field_name("the headers that preflights allow, the name", &name)?);
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
            // Tokens with commas between them are always a value.
            headers.extend(HeaderValue::try_from(list).ok().map(|list| (name, list)));
        }
        if let Some(age) = self.max_age {
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(age.as_secs()));
        }
        Ok(PreparedPreflight { origins: origins.transpose()?, headers })
    }
}

/// Tells whether a request's body is of a type that shows content, and shows some.
pub(super) type HasContent = fn(&dyn Any) -> bool;

/// Returns true for a body of this type that has not ended; a gate does not know what bodies it is handed.
pub(super) fn has_content<B: Body + 'static>(body: &dyn Any) -> bool {
    body.downcast_ref::<B>().is_some_and(|body| !body.is_end_stream())
}

/// Returns true for an origin as browsers serialize it (RFC 6454 §6.2): nothing behind the port, nothing
/// that is not ASCII, no upper case.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let plain = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
    let of_host =
        |byte: u8| plain(byte) && !matches!(byte, b'/' | b'?' | b'#' | b'@' | b',' | b'*');
    !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && !host.is_empty()
        && host.bytes().all(of_host)
}

/// The answer to preflights, checked.
#[derive(Debug)]
pub(super) struct PreparedPreflight {
    origins: Option<Vec<HeaderValue>>,
    headers: HeaderMap,
}

impl PreparedPreflight {
    /// Answers a preflight with these headers.
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
