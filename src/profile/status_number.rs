//! The number of an answer's status, which need not be registered.

use http::StatusCode;

/// The status of an answer, and whether the profile says that it may be a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusNumber {
    number: u16,
    may_be_success: bool,
}

impl StatusNumber {
    pub(super) const fn of(status: StatusCode) -> Self {
        Self::numbered(status.as_u16())
    }

    /// Takes any number. `is_refusing` finds one that is no status.
    pub(super) const fn numbered(number: u16) -> Self {
        Self { number, may_be_success: false }
    }

    /// The status 200, as a choice of the profile.
    pub(super) const INSECURE_SUCCESS: Self = Self { number: 200, may_be_success: true };

    /// Returns the number as configured.
    pub(crate) const fn number(self) -> u16 {
        self.number
    }

    /// Returns true for the numbers of error statuses (RFC 9110 §15), and for 200 if the profile chose it.
    pub(crate) const fn is_refusing(self) -> bool {
        matches!(self.number, 400..=599) || self.is_success()
    }

    /// Returns true for a refusal that looks like a success.
    pub(crate) const fn is_success(self) -> bool {
        self.may_be_success && self.number == 200
    }

    /// Returns the status; 500 for a number that is none, which no gate is built with.
    pub(crate) fn code(self) -> StatusCode {
        StatusCode::from_u16(self.number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// Returns the reason phrase of a status, or of the x00 status by which clients treat one that is not registered
/// (RFC 9110 §15).
pub(crate) fn reason_phrase(status: StatusCode) -> &'static str {
    let class = || StatusCode::from_u16(status.as_u16() / 100 * 100).ok()?.canonical_reason();
    status.canonical_reason().or_else(class).unwrap_or_default()
}
