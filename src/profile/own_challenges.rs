//! Answers with challenges of their own.

use super::answer::Answer;
use super::scheme_challenge::SchemeChallenge;

impl<'a> Answer<'a> {
    /// Sets the lines of `WWW-Authenticate` on this answer, whatever its status is. Without a call, a 401 has the
    /// lines of the profile, and another status has only those with the scheme `Bearer`.
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_api_key::profile::{Answer, Answers, Challenge, ErrorBody, SchemeChallenge};
    /// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore};
    ///
    /// const LINES: &[SchemeChallenge] = &[SchemeChallenge::new("Bearer")
    ///     .parameters(&[("error_description", "The key has expired.")])];
    /// const EXPIRED: Answer = Answer::new(StatusCode::UNAUTHORIZED, ErrorBody::Error("Expired."))
    ///     .challenge(Challenge::InvalidToken)
    ///     .challenges(LINES);
    /// let answers = Answers { key_expired: EXPIRED, ..Profile::STANDARD.answers };
    /// let profile = Profile { answers, ..Profile::STANDARD };
    /// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
    /// assert_eq!(
    ///     layer.answer(&Denial::KeyExpired).headers()["www-authenticate"],
    ///     r#"Bearer realm="api", error="invalid_token", error_description="The key has expired.""#
    /// );
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub const fn challenges(mut self, challenges: &'a [SchemeChallenge<'a>]) -> Self {
        self.challenges = challenges;
        self
    }
}
