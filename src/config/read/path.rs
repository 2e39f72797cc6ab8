//! Paths of fields, by which the checks of a front door name what they refuse.

use super::repairs::Repairs;
use crate::config::text::Node;

/// One step from a value to one inside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) enum Step {
    Field(String),
    Item(usize),
}

/// The path from the root of a file to a value. Items count as they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::config) struct Path(Vec<Step>);

impl Path {
    pub(in crate::config) fn field(&self, name: impl Into<String>) -> Self {
        self.then(Step::Field(name.into()))
    }

    pub(in crate::config) fn item(&self, index: usize) -> Self {
        self.then(Step::Item(index))
    }

    /// Reads a path as it is written: `upstreams[1].address`.
    pub(in crate::config) fn written(text: &str) -> Self {
        let steps = text.split(['.', '[']).filter(|step| !step.is_empty()).map(|step| {
            let index = step.strip_suffix(']').and_then(|index| index.parse().ok());
            index.map_or_else(|| Step::Field(step.to_owned()), Step::Item)
        });
        Self(steps.collect())
    }

    fn then(&self, step: Step) -> Self {
        let steps = self.0.iter().cloned().chain([step]);
        Self(steps.collect())
    }

    /// Returns the value at this path, or the last one on the way to it, and whether a mistake in the value, or on the
    /// way to it, was left out of the file.
    pub(in crate::config) fn find<'a>(
        &self,
        root: &'a Node,
        repairs: &'a Repairs,
    ) -> (&'a Node, bool) {
        let mut node = root;
        for step in &self.0 {
            let next = match step {
                Step::Field(name) => {
                    if repairs.lost(node, name) {
                        return (node, true);
                    }
                    let field = repairs.fields(node).find(|field| repairs.name_of(field) == name);
                    field.map(|field| &field.value)
                }
                Step::Item(index) => repairs.items(node).nth(*index),
            };
            // The file does not have the rest of the path, so nothing of it was left out.
            let Some(next) = next else { return (node, false) };
            node = next;
        }
        (node, repairs.touch(node))
    }
}

/// What a check of the front door refuses, and the field that has to change.
#[derive(Debug)]
pub(in crate::config) struct Contradiction {
    pub(super) path: Path,
    /// Other fields that the problem depends on. If one of them is left out, the problem may follow from that.
    pub(super) beside: Vec<Path>,
    pub(super) problem: FieldProblem,
}

/// What is wrong with a value that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct FieldProblem {
    pub(in crate::config) text: String,
    /// What to do in a file, if the text does not say it.
    pub(in crate::config) help: Option<&'static str>,
    /// The name of the field is wrong, not its value.
    pub(in crate::config) is_of_name: bool,
}

impl FieldProblem {
    pub(in crate::config) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), help: None, is_of_name: false }
    }
}

impl Contradiction {
    pub(in crate::config) fn new(path: Path, problem: &impl ToString) -> Self {
        Self { path, beside: Vec::new(), problem: FieldProblem::new(problem.to_string()) }
    }

    /// Adds a field that the problem depends on.
    pub(in crate::config) fn beside(mut self, path: Path) -> Self {
        self.beside.push(path);
        self
    }

    /// Sets what to do in a file, in place of the remedy at the end of the text.
    pub(in crate::config) fn remedy(mut self, help: &'static str) -> Self {
        let text = &mut self.problem.text;
        text.truncate(text.rfind(": ").unwrap_or(text.len()));
        self.problem.help = Some(help);
        self
    }

    /// Points at the name of the field.
    pub(in crate::config) const fn at_name(mut self) -> Self {
        self.problem.is_of_name = true;
        self
    }

    /// Returns the value that has to change, and whether the problem may follow from what was left out.
    pub(super) fn find<'a>(&self, root: &'a Node, repairs: &'a Repairs) -> (&'a Node, bool) {
        let (node, follows) = self.path.find(root, repairs);
        let follows = follows && (node.id != root.id || !self.path.0.is_empty());
        (node, follows || self.beside.iter().any(|path| path.find(root, repairs).1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::text::{FileFormat, SourceText};

    #[test]
    fn a_path_leads_past_what_was_left_out() {
        let text = r#"{"a": [{"b": 1}, {"b": 2}], "c": {"d": 3}}"#;
        let source = SourceText::new(String::new(), FileFormat::Json, text.to_owned());
        let (root, mut repairs) = (source.tree().unwrap(), Repairs::default());
        let shown = |path: &str, repairs: &Repairs| {
            let (node, follows) = Path::written(path).find(&root, repairs);
            (source.text.get(node.span.clone()).unwrap().to_owned(), follows)
        };
        let is = |text: &str, follows| (text.to_owned(), follows);
        assert_eq!(shown("a[1].b", &repairs), is("2", false));
        assert_eq!(shown("c.d", &repairs), is("3", false));
        assert_eq!(shown("c.e", &repairs), is(r#"{"d": 3}"#, false), "the file has no such field");
        let first = Path::written("a[0]").find(&root, &repairs).0.id;
        repairs.leave_out(first);
        assert_eq!(shown("a[0].b", &repairs), is("2", false), "items count as they were read");
        assert!(shown("a", &repairs).1, "a part of the list was left out");
        let d = Path::written("c.d").find(&root, &repairs).0.id;
        repairs.leave_out(d);
        assert_eq!(shown("c.d", &repairs), is(r#"{"d": 3}"#, true));
    }

    #[test]
    fn a_remedy_replaces_that_of_the_text() {
        let contradiction =
            Contradiction::new(Path::default(), &"a: b: call `c`").remedy("write c");
        assert_eq!(contradiction.problem.text, "a: b");
        assert_eq!(contradiction.problem.help, Some("write c"));
    }
}
