//! What is left out of a file, or read under another name, so that its other mistakes can be found.

use std::collections::{HashMap, HashSet};

use crate::config::text::{Content, Field, Node, NodeId};

/// The repairs of a file. Only messages come of a repaired file, never a front door.
#[derive(Debug, Default)]
pub(in crate::config) struct Repairs {
    left_out: HashSet<NodeId>,
    renamed: HashMap<NodeId, &'static str>,
    reworded: HashMap<NodeId, &'static str>,
}

impl Repairs {
    pub(super) fn is_left_out(&self, node: &Node) -> bool {
        self.left_out.contains(&node.id)
    }

    /// Returns the name under which a field is read.
    pub(super) fn name_of<'a>(&self, field: &'a Field) -> &'a str {
        self.renamed.get(&field.value.id).copied().unwrap_or(&field.name)
    }

    /// Returns the text that is read in place of a value's own.
    pub(super) fn text_of<'a>(&self, node: &Node, own: &'a str) -> &'a str {
        self.reworded.get(&node.id).copied().unwrap_or(own)
    }

    pub(super) fn reword(&mut self, node: NodeId, text: &'static str) -> bool {
        self.reworded.insert(node, text).is_none()
    }

    pub(super) fn leave_out(&mut self, node: NodeId) -> bool {
        self.left_out.insert(node)
    }

    pub(super) fn rename(&mut self, node: NodeId, name: &'static str) {
        self.renamed.insert(node, name);
    }

    /// Returns true if a value, or one in it, was left out.
    pub(super) fn touch(&self, node: &Node) -> bool {
        self.is_left_out(node)
            || match &node.content {
                Content::List(items) => items.iter().any(|item| self.touch(item)),
                Content::Table(fields) => fields.iter().any(|field| self.touch(&field.value)),
                _ => false,
            }
    }

    /// Returns the fields of a table that are read.
    pub(super) fn fields<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Field> {
        let fields =
            if let Content::Table(fields) = &node.content { fields.as_slice() } else { &[] };
        fields.iter().filter(|field| !self.is_left_out(&field.value))
    }

    /// Returns the items of a list that are read.
    pub(super) fn items<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Node> {
        let items = if let Content::List(items) = &node.content { items.as_slice() } else { &[] };
        items.iter().filter(|item| !self.is_left_out(item))
    }

    /// Returns true if a table had a field of this name, which is left out.
    pub(super) fn lost(&self, table: &Node, name: &str) -> bool {
        let Content::Table(fields) = &table.content else { return false };
        fields.iter().any(|field| self.is_left_out(&field.value) && self.name_of(field) == name)
    }
}
