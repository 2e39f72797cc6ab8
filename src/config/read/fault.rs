//! What serde finds wrong with a value, and where.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::path::FieldProblem;
use crate::config::text::NodeId;

/// One fault of a value. It never holds a text of the file: that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Fault {
    pub(in crate::config) kind: FaultKind,
    /// The value that is wrong, or the table that lacks a field.
    pub(in crate::config) node: Option<NodeId>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) enum FaultKind {
    /// The table has no field of this name.
    UnknownField { name: String, known: Vec<&'static str> },
    /// The text is none of those that the field can have.
    UnknownText { given: String, known: Vec<&'static str> },
    /// The table lacks this field.
    MissingField(&'static str),
    /// The value has another type, or is out of range.
    Unfit { found: String, expected: String },
    /// The value contradicts itself or another one.
    Problem(FieldProblem),
}

impl Fault {
    const fn new(kind: FaultKind) -> Self {
        Self { kind, node: None }
    }

    /// Notes the value, unless a value inside of it is noted already.
    pub(super) fn at(mut self, node: NodeId) -> Self {
        self.node.get_or_insert(node);
        self
    }

    /// Makes an unknown text an unknown field: the text is the name of one.
    pub(super) fn of_name(self) -> Self {
        match self {
            Self { kind: FaultKind::UnknownText { given: name, known }, node: None } => {
                Self::new(FaultKind::UnknownField { name, known })
            }
            other => other,
        }
    }

    /// Creates the fault of a value that its reader checks.
    pub(in crate::config) fn problem(text: impl Into<String>) -> Self {
        Self::new(FaultKind::Problem(FieldProblem::new(text)))
    }

    /// Creates the fault of a value of another type.
    pub(super) fn unfit(found: &str, expected: &dyn Expected) -> Self {
        Self::new(FaultKind::Unfit { found: found.to_owned(), expected: plain(expected) })
    }
}

/// Writes what a visitor expects in words that a reader of TOML or JSON knows.
fn plain(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => "a whole number from 0 to 4294967295".to_owned(),
        "u64" | "usize" => "a whole number of at least 0".to_owned(),
        "i64" => "a whole number".to_owned(),
        "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        "a character" => "one character".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}

/// Names the kind of a value, and shows it only if it is a number or a truth value.
fn shown(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(truth) => format!("`{truth}`"),
        Unexpected::Unsigned(number) => format!("`{number}`"),
        Unexpected::Signed(number) => format!("`{number}`"),
        Unexpected::Float(number) => format!("`{number}`"),
        Unexpected::Str(_) | Unexpected::Char(_) => "this text".to_owned(),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        _ => "this value".to_owned(),
    }
}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::problem(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unfit(&shown(&unexpected), expected)
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::unfit(&shown(&unexpected), expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::unfit(&format!("a list of {length}"), expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let (given, known) = (variant.to_owned(), expected.to_vec());
        Self::new(FaultKind::UnknownText { given, known })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let (name, known) = (field.to_owned(), expected.to_vec());
        Self::new(FaultKind::UnknownField { name, known })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(FaultKind::MissingField(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::problem(format!("the field `{field}` stands twice"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::UnknownField { name, .. } => {
                write!(f, "unknown field `{}`", name.escape_debug())
            }
            FaultKind::UnknownText { .. } => f.write_str("unknown value"),
            FaultKind::MissingField(name) => write!(f, "the field `{name}` is missing"),
            FaultKind::Unfit { found, expected } => {
                write!(f, "{found} does not fit: expected {expected}")
            }
            FaultKind::Problem(problem) => f.write_str(&problem.text),
        }
    }
}

impl std::error::Error for Fault {}
