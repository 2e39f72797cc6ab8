//! What a program chooses for a document.

use http::Method;
use serde_json::{Map, Value};

use super::error::OpenApiError;
use super::gate::DescribedGate;
use super::sample::Sample;
use super::template::PathTemplate;
use crate::error::Denial;

/// A gate, and the choices for a document of it.
pub(super) struct DocumentOptions<'a> {
    pub(super) gate: DescribedGate<'a>,
    pub(super) sample: Sample,
    /// The path of the server, which the paths of a document do not repeat. Empty, or without a slash at its end.
    pub(super) base: String,
    /// What names of components begin with.
    pub(super) prefix: String,
    /// Adds operations that a program's document does not have.
    pub(super) adds_missing: bool,
    /// The path below which the gate stands.
    pub(super) below: Option<String>,
    /// The paths below which it does not.
    pub(super) outside: Vec<String>,
    /// The refusals of handlers, by the operation.
    pub(super) of_handlers: Vec<(Method, String, Denial)>,
}

impl<'a> DocumentOptions<'a> {
    pub(super) fn new(gate: DescribedGate<'a>) -> Self {
        Self {
            sample: Sample::new(&gate),
            gate,
            base: String::new(),
            prefix: String::new(),
            adds_missing: false,
            below: None,
            outside: Vec::new(),
            of_handlers: Vec::new(),
        }
    }

    /// Returns the template of a document's path, as requests have it.
    pub(super) fn full(&self, path: &str) -> Option<PathTemplate> {
        PathTemplate::new(&format!("{}{path}", self.base))
    }

    /// Returns the path of a request as a document has it; `None` if the server has no such path.
    pub(super) fn local<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(&*self.base).filter(|local| local.starts_with('/'))
    }

    /// Returns true if requests of this path of a document reach the gate.
    pub(super) fn is_behind(&self, path: &str) -> bool {
        let Some(template) = PathTemplate::new(path) else { return true };
        let is_below = self.below.as_ref().is_none_or(|below| template.is_below(below));
        is_below && !self.outside.iter().any(|outside| template.is_below(outside))
    }

    /// Returns the refusals that the handler of a document's operation returns itself.
    pub(super) fn refusals_of_handler(&self, method: &Method, path: &str) -> Vec<&Denial> {
        let key = |path: &str| PathTemplate::new(path).map(|template| template.key);
        let is_of =
            |(of, other, _): &&(Method, String, Denial)| of == method && key(other) == key(path);
        self.of_handlers.iter().filter(is_of).map(|(_, _, denial)| denial).collect()
    }

    /// Refuses a handler's refusal of an operation that a document does not have.
    pub(super) fn check_handlers(&self, paths: &Map<String, Value>) -> Result<(), OpenApiError> {
        let is_known = |method: &Method, path: &str| {
            let key = PathTemplate::new(path).map(|template| template.key);
            let mut items = paths.iter();
            items.any(|(path, item)| {
                PathTemplate::new(path).map(|template| template.key) == key
                    && item.get(&*method.as_str().to_ascii_lowercase()).is_some()
            })
        };
        match self.of_handlers.iter().find(|(method, path, _)| !is_known(method, path)) {
            Some((method, path, _)) => {
                Err(OpenApiError::UnknownOperation { method: method.clone(), path: path.clone() })
            }
            None => Ok(()),
        }
    }
}
