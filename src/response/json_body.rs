//! Bodies that a profile writes as JSON.

use super::template::TemplateWriter;
use crate::error::ConfigError;

/// Writes a JSON text, whose strings may have placeholders. Keeps the order and the blanks of the text.
///
/// # Errors
///
/// [`ConfigError::Answer`] if the text is not JSON, has no place for a value, has a placeholder that the row
/// cannot fill, or a number as the name of a member.
pub(super) fn write(
    writer: &mut TemplateWriter<'_>,
    shape: &str,
    values: &[(&str, &str)],
) -> Result<(), ConfigError> {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(shape) {
        let problem = format!("the field `shape` is not JSON: {error}: write one JSON value");
        return Err(writer.refused("body `Json`".to_owned(), problem));
    }
    for (name, _) in values {
        if !shape.contains(&format!("{{{name}}}")) {
            let problem = format!("no string of `shape` has it: write `{{{name}}}` into one");
            return Err(writer.refused(format!("value `{}`", name.escape_debug()), problem));
        }
    }
    let mut rest = shape;
    while let Some((before, after)) = rest.split_once('"') {
        writer.syntax(before);
        let end = end_of_string(after);
        let (inside, after) = after.split_at_checked(end).unwrap_or((after, ""));
        rest = after.strip_prefix('"').unwrap_or_default();
        // The text is JSON, so each of its strings is.
        let text: String = serde_json::from_str(&format!("\"{inside}\"")).unwrap_or_default();
        let number = text.strip_prefix("{#").and_then(|name| name.strip_suffix('}'));
        if let Some(name) = number {
            if rest.trim_start().starts_with(':') {
                let part = format!("placeholder `{{#{}}}`", name.escape_debug());
                let problem = format!("a name is a string in JSON: write `{{{name}}}`");
                return Err(writer.refused(part, problem));
            }
            writer.number(name)?;
        } else {
            writer.syntax("\"").text(&text)?.syntax("\"");
        }
    }
    writer.syntax(rest);
    Ok(())
}

/// Returns the index of the quote that ends a string.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.unwrap_or(text.len())
}
