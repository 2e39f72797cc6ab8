//! The JSON Schema of files, for editors and validators.

mod elsewhere;
#[allow(clippy::module_inception)] // The noun of the file.
mod schema;

pub use schema::{json_schema, json_schema_with};
