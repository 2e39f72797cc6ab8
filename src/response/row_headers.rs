//! The headers of a row's own.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::escape::TextFormat;
use super::placeholder::{Placeholder, RowFacts};
use super::template::TextTemplate;
use crate::error::ConfigError;
use crate::profile::Refusal;

/// The headers of a row that depend on the refusal.
#[derive(Debug, Default)]
pub(super) struct RowHeaders {
    filled: Vec<(HeaderName, TextTemplate)>,
    made: Option<fn(&Refusal<'_>) -> HeaderMap>,
}

impl RowHeaders {
    /// Checks the headers of a row, and writes those that are the same in each of its answers into `fixed`.
    /// `taken` returns the problem of a name that the profile uses elsewhere.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Answer`] for a name or a value that is not valid, a name that is used elsewhere or listed
    /// twice, and a placeholder that the row cannot fill.
    pub(super) fn new(
        row: RowFacts<'_>,
        headers: &[(&str, &str)],
        made: Option<fn(&Refusal<'_>) -> HeaderMap>,
        taken: impl Fn(&HeaderName) -> Option<&'static str>,
        fixed: &mut HeaderMap,
    ) -> Result<Self, ConfigError> {
        let mut filled = Vec::new();
        for (index, (name, value)) in headers.iter().enumerate() {
            let refused = |problem: &str| ConfigError::Answer {
                answer: row.row,
                part: format!("header `{}`", name.escape_debug()),
                problem: problem.to_owned(),
            };
            let checked = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                refused("a header name may have letters, digits and !#$%&'*+-.^_`|~ only")
            })?;
            if let Some(problem) = taken(&checked) {
                return Err(refused(problem));
            }
            let mut before = headers.iter().take(index);
            if before.any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(refused("the name is listed twice: keep one of the two"));
            }
            let unfit =
                "the value does not fit into a header: write visible ASCII, and blanks between";
            let is_fit = |byte| matches!(byte, b' '..=b'~');
            if !value.bytes().all(is_fit) || value.trim_ascii() != *value {
                return Err(refused(unfit));
            }
            let template = TextTemplate::new(TextFormat::Header, row, value)?;
            match template.fixed() {
                Some(text) => {
                    let value = HeaderValue::from_str(text).map_err(|_| refused(unfit))?;
                    fixed.insert(checked, value);
                }
                None => filled.push((checked, template)),
            }
        }
        Ok(Self { filled, made })
    }

    /// Returns true if no header depends on the refusal.
    pub(super) fn are_fixed(&self) -> bool {
        self.filled.is_empty() && self.made.is_none()
    }

    /// Returns true if a header may have such a fact. A function may ask for each.
    pub(super) fn speak_of(&self, is_meant: fn(Placeholder) -> bool) -> bool {
        let mut filled = self.filled.iter();
        self.made.is_some() || filled.any(|(_, template)| template.speaks_of(is_meant))
    }

    /// Writes the headers. Leaves out a header with a fact that the gate does not know, and of the function's
    /// headers those that `is_taken` finds.
    pub(super) fn write(
        &self,
        refusal: &Refusal<'_>,
        is_taken: impl Fn(&HeaderName) -> bool,
        headers: &mut HeaderMap,
    ) {
        for (name, template) in &self.filled {
            let value = template.fill_all(refusal);
            let value = value.and_then(|text| HeaderValue::from_str(text.trim_ascii()).ok());
            if let Some(value) = value {
                // In place of the value that all responses have.
                headers.insert(name.clone(), value);
            }
        }
        let Some(make) = self.made else { return };
        let made = make(refusal);
        for name in made.keys().filter(|name| !is_taken(name)) {
            for (index, value) in made.get_all(name).iter().enumerate() {
                if index == 0 {
                    headers.insert(name, value.clone());
                } else {
                    headers.append(name, value.clone());
                }
            }
        }
    }
}
