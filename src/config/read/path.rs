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

    /// Returns the value at this path, or the last one on the way to it. The second part is false if the rest of
    /// the path was left out of the file as a mistake.
    pub(super) fn find<'a>(&self, root: &'a Node, repairs: &'a Repairs) -> (&'a Node, bool) {
        let mut node = root;
        for step in &self.0 {
            let next = match step {
                Step::Field(name) => {
                    if repairs.lost(node, name) {
                        return (node, false);
                    }
                    let field = repairs.fields(node).find(|field| repairs.name_of(field) == name);
                    field.map(|field| &field.value)
                }
                Step::Item(index) => repairs.items(node).nth(*index),
            };
            let Some(next) = next else { break };
            node = next;
        }
        (node, true)
    }
}

/// What a check of the front door refuses, and the field that has to change.
#[derive(Debug)]
pub(in crate::config) struct Contradiction {
    pub(in crate::config) path: Path,
    pub(in crate::config) problem: String,
}

impl Contradiction {
    pub(in crate::config) fn new(path: Path, problem: &impl ToString) -> Self {
        Self { path, problem: problem.to_string() }
    }
}
