//! Finds the mistakes of a file, all of them at once.

use serde::de::DeserializeOwned;

use super::fault::{Fault, FaultKind};
use super::path::Contradiction;
use super::reader::Reader;
use super::repairs::Repairs;
use crate::config::nearest::nearest;
use crate::config::text::{Node, NodeId};

/// More mistakes than a person reads.
pub(in crate::config) const MAX_MISTAKES: usize = 100;

/// Each mistake takes a round, and what follows from it a few.
const MAX_ROUNDS: u32 = 500;

/// The most values that all rounds read, in seconds at worst. A file of 10,000 values has 50 rounds.
const MAX_READ: u32 = 500_000;

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
    build: impl Fn(&T, bool) -> Result<B, Vec<Contradiction>>,
) -> Result<(T, B), Vec<Found>> {
    let mut repairs = Repairs::default();
    for found in &known {
        repairs.leave_out(found.node);
    }
    // The root has the last id.
    for _ in 0..(MAX_READ / root.id.max(1)).clamp(5, MAX_ROUNDS) {
        let fault = match T::deserialize(Reader { node: root, repairs: &repairs }) {
            Err(fault) => fault,
            Ok(read) => match build(&read, !known.is_empty()) {
                Ok(built) if known.is_empty() => return Ok((read, built)),
                Ok(_) => return Err(known),
                Err(contradictions) => {
                    if leave_out_all(contradictions, root, &mut repairs, &mut known) {
                        continue;
                    }
                    return Err(known);
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
    Err(known)
}

/// Leaves out what contradicts something, and notes what does not follow from an earlier mistake. Returns false if there
/// is nothing to leave out, or if there are too many mistakes.
fn leave_out_all(
    mut contradictions: Vec<Contradiction>,
    root: &Node,
    repairs: &mut Repairs,
    known: &mut Vec<Found>,
) -> bool {
    contradictions.truncate(MAX_MISTAKES);
    // Items of lists count as they were read, so all are found before any is left out.
    let found: Vec<_> = contradictions
        .into_iter()
        .map(|contradiction| {
            let (node, follows) = contradiction.find(root, repairs);
            (node.id, follows, contradiction.problem)
        })
        .collect();
    let mut is_less = false;
    for (node, follows, problem) in found {
        let kind = FaultKind::Problem(problem);
        let is_known = known.iter().any(|known| known.node == node && known.kind == kind);
        if !follows && !is_known && known.len() < MAX_MISTAKES {
            known.push(Found { kind, node });
        }
        is_less |= node != root.id && repairs.leave_out(node);
    }
    is_less && known.len() < MAX_MISTAKES
}

/// Returns true if a field is missing only because its value was left out.
fn follows(fault: &Fault, root: &Node, node: NodeId, repairs: &Repairs) -> bool {
    match (&fault.kind, root.path_to(node)) {
        (FaultKind::MissingField(name), Some((_, table, _))) => repairs.lost(table, name),
        (FaultKind::Problem(_) | FaultKind::Unfit { .. }, Some((_, value, _))) => {
            repairs.touch(value)
        }
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
    if let FaultKind::UnknownText { given, known } = kind
        && let Some(right) = nearest(given, known)
        && repairs.reword(node, right)
    {
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
