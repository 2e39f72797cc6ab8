//! Responses that several operations have: once among the components, and elsewhere by reference.

use serde_json::Value;

pub(super) fn share(_document: &mut Value, _prefix: &str) {}
