//! Whole answers, as the vendors' contract has them.

/// What the service behind a gate says of a plain `GET`.
pub(crate) const SERVED: &str = "\
HTTP/1.1 200 OK
content-length: 12

acme GET / 0";

/// What hyper says of bytes that are no request.
pub(crate) const NO_REQUEST: &str = "\
HTTP/1.1 400 Bad Request
connection: close
content-length: 0

";

/// Personyze's answer to a header that is absent or malformed.
pub(crate) const LOG_IN: &str = "\
HTTP/1.1 401 Unauthorized
cache-control: no-store
content-length: 14
content-type: text/plain; charset=utf-8
www-authenticate: Basic realm=\"Personyze\", charset=\"UTF-8\"

Please, log in";

/// Personyze's answer to a text that is no key, and to a key that serves no more.
pub(crate) const UNKNOWN: &str = "\
HTTP/1.1 401 Unauthorized
cache-control: no-store
content-length: 15
content-type: text/plain; charset=utf-8
www-authenticate: Basic realm=\"Personyze\", charset=\"UTF-8\"

Unknown API key";

/// Personyze's answer to a key that matches no account.
pub(crate) const NO_ACCOUNT: &str = "\
HTTP/1.1 400 Bad Request
cache-control: no-store
content-length: 15
content-type: text/plain; charset=utf-8

Invalid API key";

/// Personyze's answer over plain HTTP.
pub(crate) const HTTPS_LOG_IN: &str = "\
HTTP/1.1 401 Unauthorized
cache-control: no-store
content-length: 17
content-type: text/plain; charset=utf-8
www-authenticate: Basic realm=\"Personyze\", charset=\"UTF-8\"

HTTPS is required";

/// The REST API's answer to a request without a Bearer token.
pub(crate) const MISSING: &str = "\
HTTP/1.1 401 Unauthorized
cache-control: no-store
content-length: 28
content-type: application/json
www-authenticate: Bearer realm=\"REST API Integrations\"

{\"error\":\"Missing API key.\"}";

/// The REST API's answer to a malformed header, and to more than one.
pub(crate) const MALFORMED: &str = "\
HTTP/1.1 400 Bad Request
cache-control: no-store
content-length: 43
content-type: application/json
www-authenticate: Bearer realm=\"REST API Integrations\", error=\"invalid_request\"

{\"error\":\"Malformed Authorization header.\"}";

/// The REST API's answer to a key that does not serve.
pub(crate) const INVALID: &str = "\
HTTP/1.1 401 Unauthorized
cache-control: no-store
content-length: 37
content-type: application/json
www-authenticate: Bearer realm=\"REST API Integrations\", error=\"invalid_token\"

{\"error\":\"Invalid API key provided.\"}";

/// The REST API's answer over plain HTTP.
pub(crate) const HTTPS: &str = "\
HTTP/1.1 400 Bad Request
cache-control: no-store
content-length: 30
content-type: application/json
www-authenticate: Bearer realm=\"REST API Integrations\", error=\"invalid_request\"

{\"error\":\"HTTPS is required.\"}";

/// The REST API's answer to a key that may not, on a route that the table does not have.
pub(crate) const FORBIDDEN: &str = "\
HTTP/1.1 403 Forbidden
cache-control: no-store
content-length: 62
content-type: application/json

{\"error\":\"You do not have permission to perform this action.\"}";

/// Polytomic's answer, on premises, to a key that does not serve.
pub(crate) const ON_PREMISES_INVALID: &str = "\
HTTP/1.1 401 Unauthorized
cache-control: no-store
content-length: 82
content-type: application/json
www-authenticate: Basic realm=\"Polytomic\", charset=\"UTF-8\"
www-authenticate: Bearer realm=\"Polytomic\", error=\"invalid_token\"

{\"code\":401,\"context\":{},\"error\":\"The API key is invalid\",\"status\":\"Unauthorized\"}";

/// Polyteia's answer to a request without its media type.
pub(crate) const WRONG_TYPE: &str = "\
HTTP/1.1 400 Bad Request
cache-control: no-store
content-length: 92
content-type: application/json
www-authenticate: Bearer realm=\"Polyteia\", error=\"invalid_request\"

{\"error\":{\"code\":\"invalid_content_type\",\"message\":\"Content-Type must be application/json.\"}}";
