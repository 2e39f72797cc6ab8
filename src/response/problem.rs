//! Problem details (RFC 9457), prepared when the gate is built.

use super::escape::{TextFormat, quoted};
use super::json_body;
use super::placeholder::{Placeholder, RowFacts};
use super::template::{TemplateWriter, TextTemplate};
use super::uri_reference::is_uri_reference;
use crate::error::ConfigError;
use crate::profile::{Problem, ProblemMember, ProblemValue, Refusal};

/// The members that RFC 9457 §3.1 defines.
const DEFINED: [&str; 5] = ["type", "title", "status", "detail", "instance"];

/// A problem, as far as it does not depend on the refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PreparedProblem {
    /// From the opening brace to the detail.
    opening: TextTemplate,
    instance: Option<TextTemplate>,
    /// The names, as JSON, and the values.
    members: Vec<(String, PreparedValue)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PreparedValue {
    /// A JSON value with its quotes.
    Written(TextTemplate),
    ViolatedPolicies,
}

impl PreparedProblem {
    /// Checks a problem, and renders what does not depend on a refusal.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a type or an instance that is no URI reference, a member that is not valid, and a
    /// placeholder that the row cannot fill.
    pub(super) fn new(problem: Problem<'_>, code: u16, row: RowFacts) -> Result<Self, ConfigError> {
        let Problem { kind, title, detail, instance, members } = problem;
        if kind.is_empty() || !is_uri_reference(kind) {
            let problem = "it is no URI reference (RFC 3986): write one as `https://example.com/problems/quota`, or \
                 `about:blank`";
            return Err(refused(row, "type", kind, problem));
        }
        let mut opening = TemplateWriter::new(TextFormat::Json, row);
        opening.syntax(&format!(r#"{{"type":{},"title":""#, quoted(kind))).text(title)?;
        opening.syntax(&format!(r#"","status":{code}"#));
        if !detail.is_empty() {
            opening.syntax(r#","detail":""#).text(detail)?.syntax("\"");
        }
        let instance = instance.map(|reference| instance_of(reference, row)).transpose()?;
        let mut prepared = Vec::new();
        for (index, member) in members.iter().enumerate() {
            let mut before = members.iter().take(index);
            if before.any(|other| other.name == member.name) {
                return Err(refused(row, "member", member.name, "it is listed twice: keep one"));
            }
            prepared.push((quoted(member.name), value_of(member, row)?));
        }
        Ok(Self { opening: opening.finish(), instance, members: prepared })
    }

    /// Returns the body, if no refusal changes it.
    pub(super) fn fixed(&self) -> Option<String> {
        let mut text = self.opening.fixed()?.to_owned();
        if let Some(instance) = &self.instance {
            text += &format!(r#","instance":{}"#, quoted(instance.fixed()?));
        }
        for (name, value) in &self.members {
            let PreparedValue::Written(value) = value else { return None };
            text += &format!(",{name}:{}", value.fixed()?);
        }
        Some(text + "}")
    }

    /// Writes the body of a refusal. Leaves out members with facts that the gate does not know.
    pub(super) fn fill(&self, refusal: &Refusal<'_>) -> String {
        let mut text = self.opening.fill(refusal);
        // A part of a path is the name of something else.
        let whole = self.instance.as_ref().filter(|it| !it.cuts(refusal));
        let instance = whole.and_then(|it| it.fill_all(refusal));
        // A path of the client's could make it the name of another host (RFC 3986 §4.2).
        let is_plain = |it: &String| is_uri_reference(it) && !it.starts_with("//");
        if let Some(instance) = instance.filter(is_plain) {
            text += r#","instance":""#;
            TextFormat::Json.write_fact(&instance, &mut text);
            text.push('"');
        }
        for (name, value) in &self.members {
            let value = match value {
                PreparedValue::Written(value) => value.fill_all(refusal),
                PreparedValue::ViolatedPolicies => {
                    let names = refusal.exceeded_quotas().map(|(quota, _)| quoted(quota.name()));
                    let names: Vec<String> = names.collect();
                    (!names.is_empty()).then(|| format!("[{}]", names.join(",")))
                }
            };
            if let Some(value) = value {
                text += &format!(",{name}:{value}");
            }
        }
        text + "}"
    }

    /// Returns true if the body may have such a fact.
    pub(super) fn speaks_of(&self, is_meant: fn(Placeholder) -> bool) -> bool {
        let mut members = self.members.iter();
        let in_member = |value: &PreparedValue| matches!(value, PreparedValue::Written(value) if value.speaks_of(is_meant));
        self.opening.speaks_of(is_meant)
            || self.instance.as_ref().is_some_and(|instance| instance.speaks_of(is_meant))
            || members.any(|(_, value)| in_member(value))
    }
}

fn instance_of(reference: &str, row: RowFacts) -> Result<TextTemplate, ConfigError> {
    let template = TextTemplate::new(TextFormat::Plain, row, reference)?;
    // What a placeholder stands for is checked for each refusal.
    let shown = reference.split('{').enumerate().map(|(index, part)| match part.split_once('}') {
        Some((name, rest)) if index > 0 && name.starts_with("path") => format!("/x{rest}"),
        Some((_, rest)) if index > 0 => format!("x{rest}"),
        _ => part.to_owned(),
    });
    let shown: String = shown.collect();
    let problem = if !is_uri_reference(&shown) {
        "it is no URI reference (RFC 3986): write one as `{path}` or `urn:uuid:{request_id}`"
    } else if shown.starts_with("//") {
        "it names another host: a path begins with a slash already, so write `{path}`"
    } else {
        return Ok(template);
    };
    Err(refused(row, "instance", reference, problem))
}

fn value_of(member: &ProblemMember<'_>, row: RowFacts) -> Result<PreparedValue, ConfigError> {
    let ProblemMember { name, value } = *member;
    if name.is_empty() || DEFINED.contains(&name) {
        let problem = "RFC 9457 has this member already, or it has no name: choose another name";
        return Err(refused(row, "member", name, problem));
    }
    let mut writer = TemplateWriter::new(TextFormat::Json, row);
    match value {
        ProblemValue::Text(text) => {
            writer.syntax("\"").text(text)?.syntax("\"");
        }
        ProblemValue::Json(json) => {
            if serde_json::from_str::<serde_json::Value>(json).is_err() {
                let problem =
                    "the value is not JSON: put texts into quotes, or use `ProblemValue::Text`";
                return Err(refused(row, "member", name, problem));
            }
            json_body::write(&mut writer, json, &[])?;
        }
        ProblemValue::ViolatedPolicies => return Ok(PreparedValue::ViolatedPolicies),
    }
    Ok(PreparedValue::Written(writer.finish()))
}

fn refused(row: RowFacts, member: &str, value: &str, problem: &str) -> ConfigError {
    ConfigError::Answer {
        answer: row.row,
        part: format!("{member} `{}` of the problem", value.escape_debug()),
        problem: problem.to_owned(),
    }
}
