//! Texts with placeholders, parsed when the gate is built and filled for each refusal.

use std::mem;

use super::escape::TextFormat;
use super::placeholder::{Placeholder, RowFacts};
use crate::error::ConfigError;
use crate::profile::Refusal;

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextTemplate {
    pieces: Vec<Piece>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// A text that is escaped already.
    Text(String),
    Fact {
        placeholder: Placeholder,
        /// What to write if the gate does not know the fact.
        otherwise: Option<String>,
        format: TextFormat,
    },
}

/// Makes a template of texts of the profile, and of what the format has around them.
#[derive(Debug)]
pub(super) struct TemplateWriter<'a> {
    format: TextFormat,
    row: RowFacts<'a>,
    /// Texts that a text may name in braces, besides the placeholders.
    values: &'a [(&'a str, &'a str)],
    pieces: Vec<Piece>,
}

impl TextTemplate {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Answer`] as [`TemplateWriter::text`] has it.
    pub(super) fn new(
        format: TextFormat,
        row: RowFacts<'_>,
        text: &str,
    ) -> Result<Self, ConfigError> {
        let mut writer = TemplateWriter::new(format, row);
        writer.text(text)?;
        Ok(writer.finish())
    }

    /// Returns the text, if it has no placeholder.
    pub(super) fn fixed(&self) -> Option<&str> {
        match &*self.pieces {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns true if the text has such a placeholder.
    pub(super) fn speaks_of(&self, is_meant: fn(Placeholder) -> bool) -> bool {
        self.has(is_meant)
    }

    /// Returns true if the text would have a part only of the client's method or path.
    pub(super) fn cuts(&self, refusal: &Refusal<'_>) -> bool {
        self.has(|placeholder| placeholder.is_cut(refusal))
    }

    /// Returns true if the text has such a placeholder.
    fn has(&self, is_meant: impl Fn(Placeholder) -> bool) -> bool {
        let mut pieces = self.pieces.iter();
        pieces
            .any(|piece| matches!(piece, Piece::Fact { placeholder, .. } if is_meant(*placeholder)))
    }

    /// Writes the text with the facts of a refusal. Writes nothing for an unknown fact without an alternative.
    pub(super) fn fill(&self, refusal: &Refusal<'_>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            piece.write(refusal, &mut text);
        }
        text
    }

    /// Writes the text with the facts of a refusal. Returns `None` for an unknown fact without an alternative.
    pub(super) fn fill_all(&self, refusal: &Refusal<'_>) -> Option<String> {
        let mut text = String::new();
        self.pieces.iter().all(|piece| piece.write(refusal, &mut text)).then_some(text)
    }
}

impl Piece {
    /// Returns false if there is nothing to write.
    fn write(&self, refusal: &Refusal<'_>, target: &mut String) -> bool {
        let (placeholder, otherwise, format) = match self {
            Self::Text(text) => {
                target.push_str(text);
                return true;
            }
            Self::Fact { placeholder, otherwise, format } => (placeholder, otherwise, format),
        };
        match (placeholder.value(refusal), otherwise) {
            (Some(value), _) if placeholder.is_of_request() => {
                format.write_of_request(&value, target);
            }
            (Some(value), _) => format.write_fact(&value, target),
            (None, Some(otherwise)) => target.push_str(otherwise),
            (None, None) => return false,
        }
        true
    }
}

impl<'a> TemplateWriter<'a> {
    pub(super) const fn new(format: TextFormat, row: RowFacts<'a>) -> Self {
        Self { format, row, values: &[], pieces: Vec::new() }
    }

    /// Adds texts that a text may name in braces. They may have placeholders, but do not name each other.
    pub(super) const fn with_values(mut self, values: &'a [(&'a str, &'a str)]) -> Self {
        self.values = values;
        self
    }

    /// Adds a part of the format, such as the braces of JSON.
    pub(super) fn syntax(&mut self, syntax: &str) -> &mut Self {
        self.push(|text, _| text.push_str(syntax));
        self
    }

    /// Adds a text of the profile.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Answer`] for a brace that stands alone, an unknown placeholder, and one that the row
    /// cannot fill.
    pub(super) fn text(&mut self, text: &str) -> Result<&mut Self, ConfigError> {
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.own(before);
            if let Some(after) = brace.strip_prefix("{{") {
                self.own("{");
                rest = after;
            } else if let Some(after) = brace.strip_prefix("}}") {
                self.own("}");
                rest = after;
            } else {
                let inside = brace.strip_prefix('{').and_then(|inside| inside.split_once('}'));
                let Some((name, after)) = inside.filter(|(name, _)| !name.contains('{')) else {
                    let problem = "write `{{` and `}}` for braces that are a part of the text";
                    return Err(self.refused(format!("text `{text}`"), problem.to_owned()));
                };
                self.fact(name)?;
                rest = after;
            }
        }
        self.own(rest);
        Ok(self)
    }

    /// Returns the template.
    pub(super) fn finish(self) -> TextTemplate {
        TextTemplate { pieces: self.pieces }
    }

    /// Adds the placeholder that stands in braces: a name, and after a bar what to write for an unknown fact.
    fn fact(&mut self, inside: &str) -> Result<(), ConfigError> {
        if let Some((_, text)) = self.values.iter().find(|(name, _)| *name == inside) {
            let values = mem::take(&mut self.values);
            self.text(text)?;
            self.values = values;
            return Ok(());
        }
        let (name, otherwise) = match inside.split_once('|') {
            Some((name, otherwise)) => (name, Some(otherwise)),
            None => (inside, None),
        };
        let placeholder = self.placeholder(name)?;
        let escaped = |text: &str| {
            let mut escaped = String::new();
            self.format.write_own(text, &mut escaped);
            escaped
        };
        self.add(placeholder, otherwise.map(escaped));
        Ok(())
    }

    /// Adds a fact, and what to write if the gate does not know it.
    fn add(&mut self, placeholder: Placeholder, otherwise: Option<String>) {
        if let Some(value) = placeholder.fixed(self.row) {
            self.push(|target, format| format.write_fact(&value, target));
        } else {
            self.pieces.push(Piece::Fact { placeholder, otherwise, format: self.format });
        }
    }

    /// Adds a fact as a number of JSON, and `null` if the gate does not know it.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Answer`] for a placeholder that is unknown or no number, and for one that the row cannot fill.
    pub(super) fn number(&mut self, name: &str) -> Result<(), ConfigError> {
        let placeholder = self.placeholder(name)?;
        if !placeholder.is_number() {
            let problem = format!("it is not a number: write `{{{name}}}`");
            return Err(self.refused(format!("placeholder `{{#{name}}}`"), problem));
        }
        self.add(placeholder, Some("null".to_owned()));
        Ok(())
    }

    /// Finds a placeholder that the row can fill.
    fn placeholder(&self, name: &str) -> Result<Placeholder, ConfigError> {
        let part = || format!("placeholder `{{{}}}`", name.escape_debug());
        let Some(placeholder) = Placeholder::named(name) else {
            let known = Placeholder::list(self.row);
            let problem =
                format!("no such placeholder: write one of {known}, or `{{{{` for a brace");
            return Err(self.refused(part(), problem));
        };
        match placeholder.problem_in(self.row) {
            Some(problem) => Err(self.refused(part(), problem)),
            None => Ok(placeholder),
        }
    }

    fn own(&mut self, text: &str) {
        self.push(|target, format| format.write_own(text, target));
    }

    fn push(&mut self, write: impl FnOnce(&mut String, TextFormat)) {
        if let Some(Piece::Text(text)) = self.pieces.last_mut() {
            return write(text, self.format);
        }
        let mut text = String::new();
        write(&mut text, self.format);
        if !text.is_empty() {
            self.pieces.push(Piece::Text(text));
        }
    }

    /// Returns a mistake in a part of the row.
    pub(super) fn refused(&self, part: String, problem: String) -> ConfigError {
        ConfigError::Answer { answer: self.row.row, part, problem }
    }
}
