//! Answers whose status is not registered, or is no error.

use super::answer::Answer;
use super::body::ErrorBody;
use super::status_number::StatusNumber;

impl<'a> Answer<'a> {
    /// Creates an answer with any error status from 400 to 599, also one that is not registered, such as 420, 456
    /// or 529. A client that does not know the number treats it as 400 or 500 (RFC 9110 §15).
    ///
    /// ```
    /// use tower_api_key::profile::{Answer, ErrorBody};
    ///
    /// const OVERLOADED: Answer = Answer::of_code(529, ErrorBody::Error("Overloaded."));
    /// assert_eq!(OVERLOADED.status().as_u16(), 529);
    /// ```
    pub const fn of_code(code: u16, body: ErrorBody<'a>) -> Self {
        Self::with_number(StatusNumber::numbered(code), body)
    }

    /// Creates a refusal with status 200, for a vendor that writes its refusals into the bodies of successes.
    ///
    /// Everything but the vendor's own client takes the refusal for a success: monitors, retries, load balancers,
    /// and proxies that ask the gate whether to admit a request (nginx `auth_request`, Traefik, Caddy). Use it for
    /// no new API, and for no gate that a proxy asks. The answer to `HEAD` differs from a success in nothing but its
    /// headers. The gate sends `Cache-Control: no-store`, and refuses to build with [`ErrorBody::Empty`].
    ///
    /// ```
    /// use tower_api_key::profile::{Answer, Answers, ErrorBody};
    /// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore};
    ///
    /// const DENIED: Answer = Answer::insecure_success(ErrorBody::Error("REQUEST_DENIED"));
    /// let profile = Profile { answers: Answers::all(DENIED), ..Profile::STANDARD };
    /// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
    /// let answer = layer.answer(&Denial::KeyUnknown);
    /// assert_eq!((answer.status().as_u16(), &answer.headers()["cache-control"]), (200, &"no-store".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn insecure_success(body: ErrorBody<'a>) -> Self {
        Self::with_number(StatusNumber::INSECURE_SUCCESS, body)
    }
}
