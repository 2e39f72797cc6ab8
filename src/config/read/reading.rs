//! Finds the mistakes of a file, all of them at once.

use serde::de::DeserializeOwned;

use super::fault::{Fault, FaultKind};
use super::path::Contradiction;
use super::reader::Reader;
use super::repairs::Repairs;
use crate::config::nearest::nearest;
use crate::config::text::{Node, NodeId};

/// More mistakes than a person reads.
const MAX_MISTAKES: usize = 100;

/// A mistake and its value.
#[derive(Debug)]
pub(in crate::config) struct Found {
    pub(in crate::config) kind: FaultKind,
    pub(in crate::config) node: NodeId,
}

/// Reads a tree and builds what it describes.
///
/// After a mistake this leaves the value out, or takes the field for the one that its name is nearest to, and reads on.
/// So it finds the next one, up to a hundred. What follows from an earlier mistake is no other one.
pub(in crate::config) fn read<T: DeserializeOwned, B>(
    root: &Node,
    mut known: Vec<Found>,
    build: impl Fn(&T) -> Result<B, Contradiction>,
) -> Result<(T, B), Vec<Found>> {
    let mut repairs = Repairs::default();
    for found in &known {
        repairs.leave_out(found.node);
    }
    loop {
        let fault = match T::deserialize(Reader { node: root, repairs: &repairs }) {
            Err(fault) => fault,
            Ok(read) => match build(&read) {
                Ok(built) if known.is_empty() => return Ok((read, built)),
                Ok(_) => return Err(known),
                Err(contradiction) => {
                    let (node, is_whole) = contradiction.path.find(root, &repairs);
                    if !is_whole || repairs.touch(node) {
                        // It may follow from what was left out. Without this part, there may be more to find.
                        if node.id == root.id || !repairs.leave_out(node.id) {
                            return Err(known);
                        }
                        continue;
                    }
                    Fault { kind: FaultKind::Problem(contradiction.problem), node: Some(node.id) }
                }
            },
        };
        let node = fault.node.unwrap_or(root.id);
        if !follows(&fault, root, node, &repairs) {
            known.push(Found { kind: fault.kind.clone(), node });
        }
        if known.len() >= MAX_MISTAKES || !repair(&fault.kind, root, node, &mut repairs) {
            return Err(known);
        }
    }
}

/// Returns true if a field is missing only because its value was left out.
fn follows(fault: &Fault, root: &Node, node: NodeId, repairs: &Repairs) -> bool {
    match (&fault.kind, root.path_to(node)) {
        (FaultKind::MissingField(name), Some((_, table, _))) => repairs.lost(table, name),
        (FaultKind::Problem(_), Some((_, value, _))) => repairs.touch(value),
        _ => false,
    }
}

/// Makes the next mistake visible. Returns false if nothing can.
fn repair(kind: &FaultKind, root: &Node, node: NodeId, repairs: &mut Repairs) -> bool {
    if let FaultKind::UnknownField { name, known } = kind
        && let Some(right) = nearest(name, known)
        && !has(root, node, right, repairs)
    {
        repairs.rename(node, right);
        return true;
    }
    node != root.id && repairs.leave_out(node)
}

/// Returns true if the table around a value has a field of the name.
fn has(root: &Node, node: NodeId, name: &str, repairs: &Repairs) -> bool {
    fn table_of<'a>(around: &'a Node, node: NodeId, repairs: &'a Repairs) -> Option<&'a Node> {
        let is_here = repairs.fields(around).any(|field| field.value.id == node);
        if is_here {
            return Some(around);
        }
        let fields = repairs.fields(around).map(|field| &field.value);
        fields.chain(repairs.items(around)).find_map(|inner| table_of(inner, node, repairs))
    }
    table_of(root, node, repairs)
        .is_none_or(|table| repairs.fields(table).any(|field| repairs.name_of(field) == name))
}
