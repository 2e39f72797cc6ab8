//! How a change is asked for.

use tower_api_key::store::{CommandOptions, IdempotencyKey, Precondition, Version};

/// How a change is asked for: why, on which condition, and how often.
///
/// ```
/// use tower_api_key::store::IdempotencyKey;
/// use tower_api_key_admin::management::ChangeRequest;
///
/// let once = IdempotencyKey::new("9f2c1a7e", &[7; 32]);
/// let request = ChangeRequest::new().because("leaked").once(once);
/// assert_eq!(request.reason(), Some("leaked"));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct ChangeRequest<'a> {
    reason: Option<&'a str>,
    version: Option<Version>,
    absent: bool,
    once: Option<IdempotencyKey<'a>>,
}

impl<'a> ChangeRequest<'a> {
    /// Asks for a change without a reason or a condition.
    pub const fn new() -> Self {
        Self { reason: None, version: None, absent: false, once: None }
    }

    /// Sets the reason, for the audit trail. An empty text is no reason.
    #[must_use]
    pub const fn because(self, reason: &'a str) -> Self {
        let reason = if reason.is_empty() { None } else { Some(reason) };
        Self { reason, ..self }
    }

    /// Makes the change only if the key or the account still has this version.
    #[must_use]
    pub const fn if_version(self, version: Version) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Makes the change only if no account has the id.
    #[must_use]
    pub const fn if_absent(self) -> Self {
        Self { absent: true, ..self }
    }

    /// Makes the change at most once, however often it is sent.
    #[must_use]
    pub const fn once(self, key: IdempotencyKey<'a>) -> Self {
        Self { once: Some(key), ..self }
    }

    /// Returns the reason.
    pub const fn reason(&self) -> Option<&'a str> {
        self.reason
    }

    /// Returns the version that the key or the account must have.
    pub const fn version(&self) -> Option<Version> {
        self.version
    }

    /// Returns true if no account may have the id.
    pub const fn is_if_absent(&self) -> bool {
        self.absent
    }

    /// Returns the key that makes the change happen once.
    pub const fn idempotency_key(&self) -> Option<IdempotencyKey<'a>> {
        self.once
    }

    /// Returns the options of the store's command.
    pub(super) fn options(
        &self,
        author: &'a str,
        precondition: Precondition,
    ) -> CommandOptions<'a> {
        let options = CommandOptions::by(author).when(precondition);
        let options = self.reason.map_or(options, |reason| options.because(reason));
        self.once.map_or(options, |key| options.once(key))
    }
}
