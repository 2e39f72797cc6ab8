//! The fields of a form.

use axum::Form;
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse;
use http::StatusCode;

/// The fields of a form that was sent, in their order. A field may come several times.
#[derive(Clone, Default)]
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    /// The bytes of the largest form.
    pub(super) const LARGEST: usize = 64 * 1_024;

    /// Reads the form of a request. If that fails, returns the status and the text of the answer.
    pub(super) async fn read(request: Request) -> Result<Self, (StatusCode, &'static str)> {
        let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
        let Form(fields) = form.map_err(|problem| match problem.into_response().status() {
            status @ StatusCode::PAYLOAD_TOO_LARGE => {
                (status, "The form is larger than 64 KiB. Shorten what was pasted into it.")
            }
            _ => (StatusCode::BAD_REQUEST, "The form cannot be read."),
        })?;
        Ok(Self(fields))
    }

    /// Returns the value of a field without spaces around it; an empty text if the form does not have it.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// Returns the value of a field unless it is empty.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Returns true if the form has this value of a field, as checked boxes have it.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|(field, own)| field == name && own == value)
    }

    /// Returns the values of a field that comes several times, without spaces around them.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.trim())
    }

    /// Returns the words of a field, with spaces, commas or lines between them.
    pub(super) fn words<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let is_between = |character: char| character.is_whitespace() || character == ',';
        self.text(name).split(is_between).filter(|word| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_forms_send_them() {
        let pairs = [
            ("scopes", "a"),
            ("name", " x y "),
            ("scopes", "b"),
            ("networks", "::1, 10.0.0.1\r\n"),
        ];
        let fields = Fields(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!((fields.text("name"), fields.filled("owner")), ("x y", None));
        assert!(fields.has("scopes", "a") && fields.has("scopes", "b"));
        assert!(fields.words("networks").eq(["::1", "10.0.0.1"]));
    }
}
