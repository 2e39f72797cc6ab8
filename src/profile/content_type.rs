//! Answers whose bodies have a media type of the vendor's own.

use super::answer::Answer;

impl<'a> Answer<'a> {
    /// Sets the `Content-Type` of this answer, in place of the one that its body has.
    ///
    /// With it, [`ErrorBody::Text`](super::ErrorBody::Text) can be HTML or XML: write the markup, and the gate escapes
    /// the facts that [placeholders](super::ErrorBody#placeholders) stand for. A JSON body stays JSON, whatever it is
    /// called.
    ///
    /// [`build`](crate::ApiKeyLayerBuilder::build) refuses a value that is no media type (RFC 9110 §8.3.1). It also
    /// refuses a type of a body that has none, as `Empty`, or brings its own, as `Problem` and `Custom`.
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_api_key::profile::{Answer, Answers, ErrorBody};
    /// use tower_api_key::{ApiKeyLayer, Denial, Profile, store::MemoryStore};
    ///
    /// const MARKUP: ErrorBody = ErrorBody::Text("<h1>Forbidden</h1><p>{header} is missing.</p>");
    /// const PAGE: Answer = Answer::new(StatusCode::FORBIDDEN, MARKUP).content_type("text/html; charset=utf-8");
    /// let answers = Answers { header_refused: PAGE, ..Profile::STANDARD.answers };
    /// let profile = Profile { answers, ..Profile::STANDARD };
    /// let layer = ApiKeyLayer::builder(profile, MemoryStore::new()).build()?;
    /// # Ok::<(), tower_api_key::ConfigError>(())
    /// ```
    pub const fn content_type(mut self, media_type: &'a str) -> Self {
        self.content_type = Some(media_type);
        self
    }
}
