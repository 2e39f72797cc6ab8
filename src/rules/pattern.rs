//! Checks path patterns: axum must accept the pattern, and some path must match it.

use http::uri::PathAndQuery;

use crate::error::{ConfigError, InvalidRoute};
use crate::request::is_unambiguous;

/// A pattern that axum accepts and that some path matches.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The names of the pattern's parameters.
    pub(super) parameters: Vec<String>,
}

impl Pattern {
    /// Checks a pattern. The error says what to write instead.
    pub(super) fn new(pattern: &str) -> Result<Self, ConfigError> {
        let refuse = |problem: String| {
            Err(ConfigError::Route(InvalidRoute::Pattern { pattern: pattern.to_owned(), problem }))
        };
        if let Some(problem) = problem_of_start(pattern) {
            return refuse(problem);
        }
        // What the matcher refuses is reported with the matcher's own error.
        let inserted = matchit::Router::new().insert(pattern, ());
        inserted.map_err(|error| collision(pattern, &error))?;
        let parts = parts(pattern);
        let mut parameters: Vec<String> = Vec::new();
        let mut path = String::new();
        for part in parts {
            match part {
                PatternPart::Text(text) => {
                    if let Some(problem) = problem_of_text(&text) {
                        return refuse(problem);
                    }
                    path.push_str(&text);
                }
                PatternPart::Parameter(name) if parameters.contains(&name) => {
                    let name = name.escape_debug();
                    return refuse(format!(
                        "the parameter `{name}` is named twice: give one of the two another name"
                    ));
                }
                PatternPart::Parameter(name) => {
                    parameters.push(name);
                    path.push('x');
                }
            }
        }
        if path.contains("//") {
            let problem = "a path with an empty segment is ambiguous, because some servers remove it: write one slash";
            return refuse(problem.to_owned());
        }
        if let Some(problem) = path.split('/').skip(1).find_map(problem_of_segment) {
            return refuse(problem);
        }
        // The checks above give better errors. This one catches all other cases.
        let asked = PathAndQuery::try_from(path.as_str());
        if !is_unambiguous(&path) || !asked.is_ok_and(|asked| asked.path() == path) {
            let problem = "no path can match this pattern: write the path as a client sends it";
            return refuse(problem.to_owned());
        }
        Ok(Self { parameters })
    }
}

/// A part of a pattern.
enum PatternPart {
    /// Text that a path must have here.
    Text(String),
    /// The name of a parameter.
    Parameter(String),
}

/// Refuses a pattern without a leading slash, and syntax that axum no longer accepts.
fn problem_of_start(pattern: &str) -> Option<String> {
    let pattern = pattern.escape_debug().to_string();
    if pattern.is_empty() {
        return Some("an empty pattern matches no path: write `/` for the root".to_owned());
    }
    if !pattern.starts_with('/') {
        let pattern = if pattern == "*" { "{*rest}" } else { &pattern };
        return Some(format!("a path begins with a slash: write `/{pattern}`"));
    }
    pattern.split('/').find_map(|segment| {
        let (old, new) = if let Some(name) = segment.strip_prefix(':') {
            let name = if name.is_empty() { "id" } else { name };
            (segment, format!("{{{name}}}"))
        } else {
            let name = segment.strip_prefix('*')?;
            let name = if name.is_empty() { "rest" } else { name };
            (segment, format!("{{*{name}}}"))
        };
        Some(format!("axum 0.8 does not accept `{old}` as a parameter: write `{new}`"))
    })
}

/// Refuses text that no unambiguous path has.
fn problem_of_text(text: &str) -> Option<String> {
    text.chars().find_map(|character| match character {
        '?' => Some("a pattern matches the path alone: remove the query, from `?` on".to_owned()),
                '#' => Some("no request has a fragment: remove it, from `#` on".to_owned()),
        ';' => Some(
            "a path with `;` is ambiguous, because some servers cut off what follows: choose a path without `;`"
                .to_owned(),
        ),
        '\\' => Some(
            "a path with `\\\\` is ambiguous, because some servers read it as a slash: choose a path without `\\\\`"
                .to_owned(),
        ),
        _ if character.is_ascii_control() => {
            Some("no path has a control character: remove it".to_owned())
        }
        _ if !character.is_ascii() || matches!(character, ' ' | '<' | '>' | '^' | '`') => {
            let written = character.escape_debug();
            let encoded = percent_encoded(character);
            Some(format!("clients send `{written}` percent-encoded: write `{encoded}`"))
        }
        _ => None,
    })
}

fn percent_encoded(character: char) -> String {
    let mut bytes = [0; 4];
    let bytes = character.encode_utf8(&mut bytes).bytes();
    bytes.fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

/// Refuses segments that make a path ambiguous.
fn problem_of_segment(segment: &str) -> Option<String> {
    if matches!(segment, "." | "..") {
        return Some(format!(
            "a path with the dot segment `{segment}` is ambiguous, because many servers resolve it: remove it"
        ));
    }
    if is_unambiguous(&format!("/{segment}")) {
        return None;
    }
    let encoded = || {
        let places = segment.match_indices('%');
        places.map(|(at, _)| segment.get(at..at + 3).unwrap_or("%"))
    };
    let is_wrong = |encoded: &&str| {
        // A byte of a longer UTF-8 character is not wrong by itself.
        let is_part = matches!(encoded.as_bytes(), [_, b'8' | b'9' | b'A'..=b'F' | b'a'..=b'f', _]);
        !is_part && !is_unambiguous(&format!("/{encoded}"))
    };
    let encoded = encoded().find(is_wrong).or_else(|| encoded().next())?;
    Some(format!(
        "a path with `{encoded}` is ambiguous, because only some servers decode it: write letters, \
        digits and `-._~` as they are, and choose a path without encoded separators"
    ))
}

/// Splits a pattern that the matcher has accepted. Two braces are one brace of text.
fn parts(pattern: &str) -> Vec<PatternPart> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut parameter: Option<String> = None;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let doubled = matches!(character, '{' | '}')
            && characters.next_if(|next| *next == character).is_some();
        match (&mut parameter, character) {
            (None, '{') if !doubled => {
                parts.push(PatternPart::Text(std::mem::take(&mut text)));
                parameter = Some(String::new());
            }
            (Some(name), '}') if !doubled => {
                let name = name.strip_prefix('*').unwrap_or(name).to_owned();
                parts.push(PatternPart::Parameter(name));
                parameter = None;
            }
            (Some(name), _) => name.push(character),
            (None, _) => text.push(character),
        }
    }
    parts.push(PatternPart::Text(text));
    parts
}

/// Returns what the matcher refuses about a pattern, and what to write instead.
pub(super) fn collision(pattern: &str, error: &matchit::InsertError) -> ConfigError {
    let problem = match error {
        matchit::InsertError::Conflict { with } => format!(
            "it conflicts with `{}`: give the parameters at the same position the same name, \
            or keep one of the two patterns",
            with.escape_debug()
        ),
        matchit::InsertError::InvalidParamSegment => {
            "a segment has at most one parameter, with no text after it: \
            write `/{name}`, or `/prefix{name}`"
                .to_owned()
        }
        matchit::InsertError::InvalidParam => {
            "a parameter is a name in braces, without `*` and `/`: \
            write `{name}`, and `{{` or `}}` for a literal brace"
                .to_owned()
        }
        matchit::InsertError::InvalidCatchAll => {
            "`{*name}` matches the rest of a path: write it at the end of the pattern".to_owned()
        }
        other => other.to_string(),
    };
    ConfigError::Route(InvalidRoute::Pattern { pattern: pattern.to_owned(), problem })
}
