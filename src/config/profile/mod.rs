//! The profile of a vendor as it stands in a file, and how it becomes a [`Profile`](crate::Profile).
//!
//! Each table has the names of the type that it describes, in snake case. `describe` borrows a description from it.

mod answer;
mod answers;
mod base;
mod body;
mod challenge;
mod changed_row;
mod credential;
mod expected;
mod format;
mod grpc_name;
mod limit_headers;
mod linked_rows;
mod locate;
mod made_by;
mod optional_fields;
mod pairs;
mod principal;
mod row_names;
mod rows;
mod shape;
mod table;

pub(super) use base::BaseName;
pub(super) use rows::UnwritableRow;
pub(super) use table::{NOTHING, ProfileTable};
