//! Reads a tree into types, and finds all of its mistakes at once.

mod fault;
mod path;
mod reader;
mod reading;
mod repairs;

pub(super) use fault::{Fault, FaultKind};
pub(super) use path::{Contradiction, FieldProblem, Path};
pub(super) use reading::{Found, MAX_MISTAKES, read};
pub(super) use repairs::Repairs;
