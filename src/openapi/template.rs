//! Path templates of OpenAPI, and the patterns of axum that become templates.

use std::iter::Peekable;
use std::str::Chars;

/// The value of every parameter in examples. No table of routes is likely to have it as a path of its own.
const SAMPLE: &str = "0123456789abcdef";

/// A path template of OpenAPI (version 3.1.1, section "Path Templating").
#[derive(Debug, Clone)]
pub(super) struct PathTemplate {
    /// The template as OpenAPI writes it.
    pub(super) text: String,
    /// A path that fits the template.
    pub(super) sample: String,
    /// The template without the names of its parameters. Two templates with the same key are the same path.
    pub(super) key: String,
    pub(super) parameters: Vec<PathParameter>,
}

/// A parameter of a template.
#[derive(Debug, Clone)]
pub(super) struct PathParameter {
    pub(super) name: String,
    /// Whether it matches the rest of the path in axum, slashes included.
    pub(super) is_rest: bool,
}

impl PathTemplate {
    /// Reads a template of a document, or a pattern of a route. `{*rest}` becomes `{rest}`. Returns `None` for a
    /// pattern with two braces that stand for one, which no template has.
    pub(super) fn new(path: &str) -> Option<Self> {
        let mut template = Self {
            text: String::new(),
            sample: String::new(),
            key: String::new(),
            parameters: Vec::new(),
        };
        let mut rest = path.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '{' => template.add(parameter(&mut rest)?),
                '}' => return None,
                _ => [&mut template.text, &mut template.sample, &mut template.key]
                    .into_iter()
                    .for_each(|text| text.push(character)),
            }
        }
        Some(template)
    }

    fn add(&mut self, parameter: PathParameter) {
        self.text.extend(["{", &parameter.name, "}"]);
        self.sample.push_str(SAMPLE);
        self.key.push_str("{}");
        self.parameters.push(parameter);
    }

    /// Returns true if this is the path, or a path below it.
    pub(super) fn is_below(&self, prefix: &str) -> bool {
        let rest = self.text.strip_prefix(prefix.strip_suffix('/').unwrap_or(prefix));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Reads a parameter after its opening brace.
fn parameter(rest: &mut Peekable<Chars<'_>>) -> Option<PathParameter> {
    let is_rest = rest.next_if_eq(&'*').is_some();
    let mut name = String::new();
    loop {
        match rest.next()? {
            '}' if name.is_empty() => return None,
            '}' => return Some(PathParameter { name, is_rest }),
            '{' => return None,
            character => name.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_becomes_a_template() {
        let sample = SAMPLE;
        for (pattern, text, key, path) in [
            ("/users", "/users", "/users", "/users".to_owned()),
            ("/users/{id}", "/users/{id}", "/users/{}", format!("/users/{sample}")),
            ("/v{n}/all", "/v{n}/all", "/v{}/all", format!("/v{sample}/all")),
            ("/files/{*rest}", "/files/{rest}", "/files/{}", format!("/files/{sample}")),
        ] {
            let template = PathTemplate::new(pattern).unwrap();
            assert_eq!((&*template.text, &*template.key), (text, key));
            assert_eq!(template.sample, path);
        }
        for none in ["/a{{b}}", "/a}", "/{", "/{a{b}}", "/{}"] {
            assert!(PathTemplate::new(none).is_none(), "{none}");
        }
    }

    #[test]
    fn below_a_prefix_are_whole_segments() {
        for (path, prefix, expected) in [
            ("/v1/users", "/v1", true),
            ("/v1/users", "/v1/", true),
            ("/v1", "/v1", true),
            ("/v10", "/v1", false),
            ("/v1", "/", true),
            ("/users/{id}", "/users/{id}", true),
        ] {
            assert_eq!(PathTemplate::new(path).unwrap().is_below(prefix), expected, "{path}");
        }
    }
}
