//! How scopes are read, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::named::NamedTable;
use crate::rules::ScopeRules;

/// Which scopes of a key grant others. Without this table a scope grants itself only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ScopesTable {
    /// The character between the parts of a scope: `.` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::config) separator: Option<char>,
    /// Reads `users.*` as every scope below `users`, and `*` as every scope.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::config) wildcards: bool,
    /// Lets `users` grant `users.read`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::config) prefixes: bool,
    /// Scopes by the name of a scope that grants them, with all that they grant.
    #[serde(default, skip_serializing_if = "NamedTable::is_empty")]
    pub(in crate::config) hierarchy: NamedTable<Vec<String>>,
}

impl ScopesTable {
    /// Describes the rules for a while.
    pub(super) fn with_rules<R>(&self, set: impl FnOnce(ScopeRules<'_>) -> R) -> R {
        let rows = self.hierarchy.0.iter();
        let rows: Vec<(&str, Vec<&str>)> = rows
            .map(|(upper, lower)| (&**upper, lower.iter().map(String::as_str).collect()))
            .collect();
        let rows: Vec<(&str, &[&str])> =
            rows.iter().map(|(upper, lower)| (*upper, lower.as_slice())).collect();
        let mut rules = ScopeRules::new().hierarchy(&rows);
        if let Some(separator) = self.separator {
            rules = rules.separator(separator);
        }
        if self.wildcards {
            rules = rules.wildcards();
        }
        if self.prefixes {
            rules = rules.prefixes();
        }
        set(rules)
    }
}
